"""Turn lines of an archive into rows: check each value, and derive the columns that are not in the archive."""

from dataclasses import dataclass
from typing import Any

from scimsvc.notifications.secrets import new_source
from scimsvc.operations.archives.columns import may_have
from scimsvc.operations.archives.container import InvalidArchive
from scimsvc.operations.checks import user_faults
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.custom_attributes import user_type
from scimsvc.protocol.errors import ScimError, listed
from scimsvc.protocol.json_text import read_json_text
from scimsvc.protocol.limits import UNLIMITED
from scimsvc.store.group_representations import group_columns
from scimsvc.store.representations import user_columns
from scimsvc.store.upkeep.enterprise_rows import columns_in_archive
from scimsvc.web.state import app_settings

Row = dict[str, Any]


def archived(table: str, row: Row) -> Row:
    """Return ``row`` as the archive has it. The query of a webhook's URL may contain a secret and stays behind."""
    if table == "webhooks":
        return row | {"url": row["url"].partition("?")[0]}
    return row


@dataclass
class RowReader:
    """Read the rows of one archive. Every method raises ``InvalidArchive`` if a line is not a valid row."""

    enterprise_id: str
    name: str
    #: Whether the archive is of an older schema, so that newer columns may be missing. They get their defaults.
    is_older: bool
    _enterprise: Row | None = None

    @property
    def _settings(self) -> Row:
        """The row of the enterprise, which comes first."""
        if self._enterprise is None:
            raise InvalidArchive("The archive does not contain its enterprise.")
        return self._enterprise

    def read(self, table: str, place: str, line: Row) -> Row:
        """Return the row of a line, with every column that needs a value."""
        self._refuse_other_members(table, place, line)
        self._refuse_wrong_values(table, place, line)
        try:
            return self._complete(table, line)
        except (ScimError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise InvalidArchive(f"{place} in the archive is not a valid row.") from None

    def check(self, place: str, row: Row) -> None:
        """Check the document of a user, with the columns that are derived from it."""
        try:
            faults = list(
                user_faults(
                    row,
                    self._settings.get("custom_attributes"),
                    unique_user_name=self._settings["unique_user_name"],
                )
            )
        except (ValueError, RecursionError):
            faults = ["its document is not a valid user"]
        if faults:
            raise InvalidArchive(f"{place} in the archive is not a valid user: {faults[0]}.")

    def _refuse_other_members(self, table: str, place: str, line: Row) -> None:
        columns = {column.name: column for column in columns_in_archive(table)}
        other = sorted(line.keys() - columns.keys())
        if other:
            raise InvalidArchive(f"{place} in the archive has an unknown member {other[0][:50]!r}.")
        missing = columns.keys() - line.keys()
        has_default = {name for name in missing if columns[name].nullable or columns[name].server_default is not None}
        if missing and (missing != has_default or not self.is_older):
            raise InvalidArchive(f"{place} in the archive lacks {listed(sorted(missing))}.")

    def _refuse_wrong_values(self, table: str, place: str, line: Row) -> None:
        for column in columns_in_archive(table):
            value = line.get(column.name)
            if value is None:
                if column.name in line and not column.nullable:
                    raise InvalidArchive(f"{column.name} of {place} in the archive is null.")
            elif not may_have(table, column.name, column.type.python_type, value):
                raise InvalidArchive(f"{column.name} of {place} in the archive has a value that is not allowed.")

    def _complete(self, table: str, line: Row) -> Row:
        of_enterprise = {} if table == "enterprises" else {"enterprise_id": self.enterprise_id}
        derive = {
            "enterprises": self._of_enterprise,
            "role_names": self._of_unique_name,
            "groups": self._of_group,
            "users": self._of_user,
            "role_groups": self._of_reference,
            "webhooks": self._of_webhook,
            "provisioning_log": self._of_log_entry,
            "audit_log": self._of_audit_entry,
        }.get(table, _nothing)
        return line | of_enterprise | derive(line)

    def _of_enterprise(self, line: Row) -> Row:
        if self._enterprise is not None or line["id"] != self.enterprise_id:
            raise InvalidArchive("The archive has another enterprise than its manifest.")
        user_type(line.get("custom_attributes"))
        self._enterprise = line
        return {
            "name": self.name,
            "name_key": fold(self.name),
            "scim_enabled": False,
            "paused": False,
            "paused_until": None,
            "suspension": None,
        }

    def _of_user(self, line: Row) -> Row:
        declared = user_type(self._settings.get("custom_attributes"))
        unique = self._settings["unique_user_name"]
        user: Any = read_json_text(line["document"], UNLIMITED)
        return user_columns(user, declared, role_id=line["role_id"], unique_user_name=unique)

    def _of_group(self, line: Row) -> Row:
        group: Any = read_json_text(line["document"], UNLIMITED)
        derived = group_columns(group, unique_group_name=self._settings["unique_group_name"])
        if derived["document"] != line["document"]:
            raise ValueError
        return derived

    def _of_webhook(self, _line: Row) -> Row:
        """Return the columns of a webhook that is disabled and has a new secret, which no one knows yet."""
        source = new_source(app_settings().secret_keys)
        nothing = dict.fromkeys(
            ("disabled_reason", "old_key_id", "old_salt", "old_until", "next_attempt_at", "failing_since")
        )
        return {"enabled": False, "key_id": source.key_id, "salt": source.salt, "failures": 0, **nothing}

    def _of_unique_name(self, line: Row) -> Row:
        return {"name_key": fold(line["name"])}

    def _of_reference(self, line: Row) -> Row:
        return {"reference_key": fold(line["reference"])}

    def _of_log_entry(self, line: Row) -> Row:
        return {"email_key": _folded(line["email"]), "role_key": _folded(line["role_value"])}

    def _of_audit_entry(self, line: Row) -> Row:
        return {"actor_key": fold(line["actor_name"])}


def _nothing(_line: Row) -> Row:
    return {}


def _folded(text: str | None) -> str | None:
    return fold(text) if text else None
