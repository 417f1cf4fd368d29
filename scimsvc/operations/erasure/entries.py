"""Decide about each entry: everything changes in the person's own entries, and mentions in other entries."""

import json
from collections.abc import Mapping
from typing import Any

from scimsvc.operations.erasure.person import Person
from scimsvc.operations.erasure.texts import Scrubber, without_addresses
from scimsvc.protocol.json_text import write_json
from scimsvc.store.traces import Identity

#: Members of users and attributes that say nothing about who a person is.
_KEPT = frozenset({"role", "role_source", "active", "source", "removed"})
_SHORTEST_ID = 6
Changes = dict[str, Any]


class Eraser:
    """Computes the changes of entries for one person."""

    def __init__(self, person: Person, pseudonym: str) -> None:
        self._person = person
        self.pseudonym = pseudonym
        names = [*person.user_names, *person.external_ids]
        unique = [name for name in names if "@" in name or (name in person.external_ids and len(name) >= _SHORTEST_ID)]
        #: Replaces values that only this person can have.
        self._mentions = Scrubber([*person.emails, *unique], pseudonym)
        #: Also replaces names, which other people can have too.
        self._everything = Scrubber([*person.emails, *names], pseudonym)

    def changes_of(self, table: str, columns: Mapping[str, Any]) -> Changes:
        """Return the columns of an entry that change, with their new values."""
        wanted = {
            "audit_log": self._of_audit_entry,
            "provisioning_log": self._of_log_entry,
            "changes": self._of_change,
            "alerts": self._of_json,
            "alert_events": self._of_json,
        }.get(table, self._of_texts)(columns)
        return {name: value for name, value in wanted.items() if value != columns[name]}

    def _of_change(self, columns: Mapping[str, Any]) -> Changes:
        is_own = columns["group_id"] is None and columns["user_id"] in self._person.ids
        return {"email": self.pseudonym} if is_own else {}

    def _of_log_entry(self, columns: Mapping[str, Any]) -> Changes:
        if columns["group_id"] is not None or not self._owns(columns):
            return self._mentions_in(columns, ("detail", "role_value", "role_key"), ("differences",))
        present = [name for name in ("email", "email_key", "user_name", "external_id") if columns[name] is not None]
        detail, differences = columns["detail"], columns["differences"]
        return {
            **dict.fromkeys(present, self.pseudonym),
            "detail": detail and without_addresses(self._everything.text(detail), self.pseudonym),
            "differences": differences and self._own_differences(differences),
        }

    def _owns(self, columns: Mapping[str, Any]) -> bool:
        """Return whether an entry of the log is about this person. IDs of others belong to users who exist."""
        if columns["user_id"] is not None:
            return columns["user_id"] in self._person.ids
        return self._person.is_in(Identity(*(columns[name] for name in Identity._fields)))

    def _own_differences(self, text: str) -> str:
        return write_json(
            [
                each if each[0] in _KEPT else [each[0], *(self._own_value(value) for value in each[1:])]
                for each in json.loads(text)
            ]
        )

    def _own_value(self, value: Any) -> Any:
        return self.pseudonym if isinstance(value, str) and value else value

    def _of_audit_entry(self, columns: Mapping[str, Any]) -> Changes:
        if columns["target_type"] == "admin":  # accounts of the console are other records, also with the same address
            return {}
        if columns["target_type"] != "user" or columns["target_id"] not in self._person.ids:
            return self._mentions_in(columns, ("target_name",), ("before", "after"))
        own = {name: columns[name] and write_json(self._own_members(columns[name])) for name in ("before", "after")}
        return own | {"target_name": columns["target_name"] and self.pseudonym}

    def _own_members(self, text: str) -> dict[str, Any]:
        return {name: each if name in _KEPT else self._own_member(each) for name, each in json.loads(text).items()}

    def _own_member(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._own_member(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._own_member(each) for each in value]
        return self._own_value(value)

    def _of_json(self, columns: Mapping[str, Any]) -> Changes:
        return self._mentions_in(columns, (), tuple(columns))

    def _of_texts(self, columns: Mapping[str, Any]) -> Changes:
        return self._mentions_in(columns, tuple(columns), ())

    def _mentions_in(self, columns: Mapping[str, Any], texts: tuple[str, ...], objects: tuple[str, ...]) -> Changes:
        return {name: columns[name] and self._mentions.text(columns[name]) for name in texts} | {
            name: columns[name] and self._mentions.json_text(columns[name]) for name in objects
        }
