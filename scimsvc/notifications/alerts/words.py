"""Say an alert to people: a title, advice, and the page of the console that helps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.vocabulary import GONE, INTEGRITY, AlertType
from scimsvc.web.providers import is_for_entra, spoken_name
from scimsvc.web.state import app_settings

Facts = Mapping[str, Any]


class Line(NamedTuple):
    """A further fact, without a full stop."""

    text: str
    #: A time that follows the text. A page shows it in the reader's time zone.
    time: str | None = None

    def in_words(self) -> str:
        """Return the line for people who may be in any time zone."""
        return self.text if self.time is None else f"{self.text}: {in_utc(self.time)}"


class Words(NamedTuple):
    """An alert in words."""

    #: One line without a full stop.
    title: str
    #: Full sentences.
    advice: str
    #: The page of the enterprise that helps, relative to the page of the enterprise.
    page: str
    #: The label of a button that opens the page.
    action: str
    lines: Sequence[Line] = ()


def describe(type_: str, facts: Facts) -> Words:
    """Return the words for an alert with the ``facts``."""
    return _WORDS[type_](facts)


def link_to(enterprise_id: str, page: str) -> str:
    """Return the URL of a page of an enterprise, or without one of the installation.

    It is a path if ``SCIMSVC_PUBLIC_URL`` is not set.
    """
    root = (app_settings().public_url or "") + CONSOLE_PREFIX
    return root + (f"/enterprises/{enterprise_id}{page}" if enterprise_id else page)


def _token(facts: Facts) -> Words:
    name = f"“{facts['token_name']}”" if facts["token_name"] else facts["token_id"][:8]
    where = "as the Secret Token in Entra" if is_for_entra(facts["provider"]) else f"in {_provider(facts)}"
    is_expired = facts["days_left"] == 0
    end = "has expired" if is_expired else f"expires within {_count(facts['days_left'], 'day')}"
    effect = f"All requests from {_provider(facts)} with it are refused. " if is_expired else ""
    return Words(
        f"SCIM token {name} {end}",
        f"{effect}Create a new token and enter it {where}. The old token can stay valid until the new one is in use.",
        "/tokens/new" if is_expired else f"/tokens/{facts['token_id']}/rotate",
        "Create token" if is_expired else "Replace token",
        [
            Line(f"Integration: {facts['integration']}"),
            Line("Expired" if is_expired else "Expires", facts["expires_at"]),
        ],
    )


def _removal_limit(facts: Facts) -> Words:
    allow = (
        "the operator of this service can allow them"
        if facts["is_operators_limit"]
        else "allow them in the settings of the enterprise"
    )
    return Words(
        f"Removal limit reached: {_count(facts['removed'], 'user')} disabled or deleted within "
        f"{_count(facts['hours'], 'hour')}",
        "Further removals are refused. Check the scope and the assignments in the identity provider. "
        f"If the removals are intended, {allow}.",
        "/settings#limit",
        "Open settings",
        [Line(f"Limit: {_count(facts['limit'], 'user')}"), Line(f"Refused removals that wait: {facts['waiting']}")],
    )


def _refusals(facts: Facts) -> Words:
    causes = [f"{_count(cause['refusals'], 'request')}: {cause['title']}" for cause in facts["causes"]]
    more = [f"and {_count(facts['more_causes'], 'other cause')}"] if facts["more_causes"] else []
    return Words(
        f"{_count(facts['refusals'], 'request')} from the identity provider refused",
        "The overview explains each cause and how to fix it.",
        "",
        "Open overview",
        list(map(Line, [*causes, *more])),
    )


def _silent(facts: Facts) -> Words:
    check = (
        "Check that provisioning is on and not in quarantine, and test the connection there."
        if is_for_entra(facts["provider"])
        else "Check that provisioning is on, and test the connection there."
    )
    return Words(
        f"No more requests from {_provider(facts)}",
        f"{_capitalized(_provider(facts))} may have stopped provisioning. {check}",
        "/set-up",
        "Open connection",
        [
            Line(f"Integration: {facts['integration']}"),
            Line("Last request", facts["last_request_at"]),
            Line(f"Usual cycle: {_duration(facts['usual_cycle_minutes'])}"),
        ],
    )


def _webhook_disabled(facts: Facts) -> Words:
    reason = "the receiver answered 410 (Gone)" if facts["reason"] == GONE else "all retries of a message failed"
    return Words(
        f"Webhook to {facts['host']} disabled",
        f"The webhook is disabled because {reason}. Fix the receiver, and enable the webhook. It then continues with "
        "the message at which it stopped.",
        "/webhooks",
        "Open webhooks",
    )


def _integrity(facts: Facts) -> Words:
    return Words(
        f"The check of the database found {_count(facts['faults'], 'fault')}",
        "Keep a copy of the database. Run 'scimsvc check' to see all faults. The manual says what to do: see its page "
        "about backups.",
        "",
        "Open console",
        list(map(Line, facts["first"])),
    )


_WORDS: Mapping[str, Callable[[Facts], Words]] = {
    AlertType.TOKEN_EXPIRING: _token,
    AlertType.REMOVAL_LIMIT: _removal_limit,
    AlertType.REFUSALS: _refusals,
    AlertType.SILENT: _silent,
    AlertType.WEBHOOK_DISABLED: _webhook_disabled,
    INTEGRITY: _integrity,
}


def _provider(facts: Facts) -> str:
    return spoken_name(facts["provider"])


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(minutes: int) -> str:
    return _count(minutes, "minute") if minutes < 120 else _count(round(minutes / 60), "hour")


def in_utc(moment: str) -> str:
    """Return a time for people who may be in any time zone."""
    return f"{moment[:10]} {moment[11:16]} UTC"
