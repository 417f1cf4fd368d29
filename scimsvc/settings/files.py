"""Secrets in files, as container platforms and systemd provide them."""

from pathlib import Path

from scimsvc.settings.instance import SettingsError

#: The suffix of the variable that names the file of a secret.
FILE_SUFFIX = "_FILE"
_MOST_BYTES = 64 * 1024


def read_secret_file(variable: str, text: str | None, path: str | None) -> str | None:
    """Return the value of the secret ``variable``: ``text``, or else the content of the file at ``path``.

    White space around the content is not part of the value. Raises ``SettingsError`` if both are set, and if the file
    cannot be read or is empty.
    """
    if not path:
        return text
    name = variable + FILE_SUFFIX
    if text is not None:
        raise SettingsError(f"{variable} and {name} are both set. Set only one of them.")
    try:
        with Path(path).open(encoding="utf-8") as file:
            content = file.read(_MOST_BYTES).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(
            f"{name} is {path!r}, and this file cannot be read ({reason}). Use the path of a readable text file."
        ) from None
    if not content:
        raise SettingsError(f"{name} is {path!r}, and this file is empty. Write the value of {variable} into it.")
    return content
