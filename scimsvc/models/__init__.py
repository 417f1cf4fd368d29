"""The tables. Keys begin with the enterprise, so that a distributed database can shard by it.

Rows are read and written by the statements of ``scimsvc.store``, never as ORM objects.
"""

from scimsvc.extensions import Model
from scimsvc.models.access import ClientSecret, Integration, Token
from scimsvc.models.activity import Change, LogEntry
from scimsvc.models.conditions import IS_REFUSED, IS_REMOVAL
from scimsvc.models.enterprises import Admin, Enterprise, Role, RoleName, Setting
from scimsvc.models.users import Searchable, User

#: The revision of the schema that this code works with: the head of ``scimsvc.migrations``.
SCHEMA_REVISION = "0005"

__all__ = [
    "IS_REFUSED",
    "IS_REMOVAL",
    "SCHEMA_REVISION",
    "Admin",
    "Change",
    "ClientSecret",
    "Enterprise",
    "Integration",
    "LogEntry",
    "Model",
    "Role",
    "RoleName",
    "Searchable",
    "Setting",
    "Token",
    "User",
]
