"""A condition that raises an alert while it lasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from scimsvc.store.audit import INSTALLATION
from scimsvc.vocabulary import INTEGRITY, AlertTopic, AlertType

#: The enterprise, the type and the subject of an alert.
AlertKey: TypeAlias = tuple[str, str, str]

#: The remaining days of a token from which an alert is urgent.
URGENT_DAYS = 3
_TOPICS: Mapping[str, AlertTopic] = {
    AlertType.REMOVAL_LIMIT: AlertTopic.REMOVAL_LIMIT,
    AlertType.REFUSALS: AlertTopic.REFUSALS,
    AlertType.SILENT: AlertTopic.SILENT,
    AlertType.WEBHOOK_DISABLED: AlertTopic.WEBHOOK_DISABLED,
    INTEGRITY: AlertTopic.INTEGRITY,
}
_ALWAYS_URGENT = frozenset({AlertType.REMOVAL_LIMIT, AlertType.SILENT, INTEGRITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition, and the facts for people and webhooks."""

    enterprise_id: str = INSTALLATION
    #: The name of the enterprise. Empty for the installation.
    enterprise: str = ""
    type: str
    #: The key of the object that the alert is about. Empty if the enterprise itself is.
    subject: str = ""
    #: For a token, the days before its end at which an event is due. A lower stage is another event.
    stage: int = 0
    facts: Mapping[str, Any]

    @property
    def key(self) -> AlertKey:
        """The key of the alert."""
        return self.enterprise_id, self.type, self.subject


def is_urgent(type_: str, stage: int) -> bool:
    """Return whether an alert is repeated once a day while its condition lasts."""
    return type_ in _ALWAYS_URGENT or (type_ == AlertType.TOKEN_EXPIRING and stage <= URGENT_DAYS)


def topic_of(type_: str, stage: int) -> AlertTopic:
    """Return the topic to which accounts subscribe."""
    if type_ == AlertType.TOKEN_EXPIRING:
        return AlertTopic.TOKEN_URGENT if stage <= URGENT_DAYS else AlertTopic.TOKEN_SOON
    return _TOPICS[type_]
