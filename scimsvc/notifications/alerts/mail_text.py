"""Compose the e-mail about alerts: plain text, all alerts of one person at one time."""

from collections.abc import Sequence
from textwrap import wrap

from scimsvc.notifications.alerts.events import Event
from scimsvc.notifications.alerts.words import describe, link_to
from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.web.state import app_settings

_WIDTH = 72
#: Alerts in one e-mail. A longer one would not be read.
_MOST_ALERTS = 20
_LONGEST_NAME = 100


def subject_of(events: Sequence[Event]) -> str:
    """Return the subject: the enterprise and its alert, or the number of alerts."""
    names = list(dict.fromkeys(event.condition.enterprise for event in events))
    where = _name(names[0]) if len(names) == 1 else f"{len(names)} enterprises"
    if len(events) > 1:
        return f"{where}: {len(events)} alerts"
    (event,) = events
    reminder = "Reminder: " if event.is_reminder else ""
    return f"{reminder}{where}: {_line(describe(event.condition.type, event.condition.facts).title)}"


def text_of(events: Sequence[Event]) -> str:
    """Return the text: each alert with its advice and one link, and how to get fewer e-mails."""
    parts = [_alert(event) for event in events[:_MOST_ALERTS]]
    if len(events) > _MOST_ALERTS:
        parts.append(
            f"And {len(events) - _MOST_ALERTS} more alerts. See {(app_settings().public_url or '')}{CONSOLE_PREFIX}"
        )
    return "\n\n\n".join(
        [*parts, _FOOTER.format(url=f"{app_settings().public_url or ''}{CONSOLE_PREFIX}/account#alerts")]
    )


_FOOTER = """\
--\x20
You get this e-mail because of your account in scimsvc. Choose the
alerts that you get: {url}
"""


def _alert(event: Event) -> str:
    condition = event.condition
    words = describe(condition.type, condition.facts)
    title = f"{_name(condition.enterprise)}: {_line(words.title)}"
    if event.is_reminder:
        title = f"Reminder: {title}"
    blocks = [_wrapped(title + ".")]
    if words.lines:
        blocks.append("\n".join(f"  - {_line(line.in_words())}" for line in words.lines))
    blocks += [_wrapped(words.advice), link_to(condition.enterprise_id, words.page)]
    return "\n\n".join(blocks)


def _name(enterprise: str) -> str:
    """Return the name of an enterprise, shortened, or of the installation."""
    name = _line(enterprise) or "scimsvc"
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _line(text: str) -> str:
    """Return ``text`` in one line. Names that clients and people choose could contain line breaks."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False))
