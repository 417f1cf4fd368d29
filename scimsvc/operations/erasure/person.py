"""Find out under which IDs, addresses and names a person was recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from scimsvc.errors import Conflict, NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import listed
from scimsvc.store.engine.transactions import reading
from scimsvc.store.traces import Identity, find_holders, iterate_identities

#: The beginning of a pseudonym.
PREFIX = "erased-"


@dataclass(slots=True)
class Person:
    """The IDs and the values of one person who does not exist as a user. All values but external IDs are folded."""

    ids: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    external_ids: set[str] = field(default_factory=set)
    #: All userNames. Other people may have the same ones.
    user_names: set[str] = field(default_factory=set)
    #: The pseudonym of an earlier erasure.
    pseudonym: str | None = None

    def is_in(self, identity: Identity) -> bool:
        """Return whether ``identity`` is this person's. A name counts only where nothing else is known."""
        if identity.email is not None:
            return identity.user_id in self.ids or fold(identity.email) in self.emails
        if identity.user_id is not None:
            return identity.user_id in self.ids
        if identity.external_id is not None:
            return identity.external_id in self.external_ids
        return identity.user_name is not None and fold(identity.user_name) in self.user_names

    def add(self, identity: Identity) -> None:
        """Add the ID and the values of ``identity``."""
        if identity.user_id:
            self.ids.add(identity.user_id)
        if identity.external_id is not None:
            self.external_ids.add(identity.external_id)
        if identity.email is not None:
            self.emails.add(fold(identity.email))
        if identity.user_name is not None:
            self.user_names.add(fold(identity.user_name))
        for values in (self.emails, self.external_ids, self.user_names):
            for value in [value for value in values if value.startswith(PREFIX)]:
                self.pseudonym = value
                values.discard(value)

    @property
    def size(self) -> int:
        """The number of known IDs and values."""
        return sum(map(len, (self.ids, self.emails, self.external_ids, self.user_names)))


def find_person(enterprise_id: str, reference: str, *, erasable: frozenset[str]) -> Person:
    """Return the person whose ID, work address, userName or externalId is ``reference``.

    Users who exist are other people, except ``erasable`` ones. A deleted user with the same address is the same person.
    Raises ``NoSuchThing`` if no one is recorded, and ``Conflict`` if several people are.
    """
    named = [each for each in _iterate(enterprise_id, erasable) if _is_named(each, reference)]
    if not named:
        raise NoSuchThing(
            f"No one with the ID, address, userName or externalId {reference!r} is recorded in this enterprise.",
            what="person",
        )
    exact = [each for each in named if reference == each.user_id or fold(reference) == fold(each.email or "")]
    person = Person()
    person.add((exact or named)[0])
    _complete(person, enterprise_id, erasable)
    others = {each.email or each.user_id or each.external_id or "" for each in named if not person.is_in(each)}
    if others and not exact:
        raise Conflict(f"Several people have the name {reference!r}: {listed(sorted(others))}. Use an ID or address.")
    _leave_shared_values(person, enterprise_id, erasable)
    return person


def _is_named(identity: Identity, reference: str) -> bool:
    values = (identity.email, identity.user_name, identity.external_id)
    return identity.user_id == reference or fold(reference) in [fold(value) for value in values if value is not None]


def _complete(person: Person, enterprise_id: str, erasable: frozenset[str]) -> None:
    """Add what is recorded together with what is known, until nothing is new."""
    size = -1
    while size != person.size:
        size = person.size
        for identity in _iterate(enterprise_id, erasable):
            if person.is_in(identity):
                person.add(identity)


def _iterate(enterprise_id: str, erasable: frozenset[str]) -> Iterator[Identity]:
    """Yield the recorded identities that do not belong to users who exist."""
    with reading() as connection:
        yield from iterate_identities(connection, enterprise_id, erasable=sorted(erasable))


def _leave_shared_values(person: Person, enterprise_id: str, erasable: frozenset[str]) -> None:
    """Remove the values that users who exist have now."""
    with reading() as connection:
        for user in find_holders(connection, enterprise_id, person.emails, person.user_names, person.external_ids):
            if user.id not in erasable:
                person.emails.discard(user.email_key)
                person.user_names.discard(user.user_name_key)
                person.external_ids.discard(user.external_id or "")
