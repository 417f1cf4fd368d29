"""The epoch of the settings that an app caches: what the app changed itself is not to be read from its caches."""

from scimsvc.store.database import current_database


def settings_epoch() -> int:
    """Return a number that differs after each change; read it before the settings that are to be cached."""
    return current_database().settings_epoch


def note_settings_change() -> None:
    """Invalidate cached settings; to be called once their change is committed."""
    current_database().note_settings_change()
