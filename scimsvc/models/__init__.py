"""The tables. Keys begin with the enterprise, so that a distributed database can shard by it.

The statements of ``scimsvc.store`` read and write rows. ORM objects are not used.
"""

from scimsvc.extensions import Model
from scimsvc.models.access import Attempts, ClientSecret, Integration, Session, SigningKey, Token
from scimsvc.models.activity import AuditEntry, Change, Feed, LogEntry
from scimsvc.models.alerts import Alert, AlertMail, AlertSubscription, ProviderCycle
from scimsvc.models.conditions import HAS_KEPT, IS_MANUAL, IS_REFUSED, IS_REMOVAL
from scimsvc.models.enterprises import Admin, AdminIdentity, Enterprise, Role, RoleName, Setting
from scimsvc.models.groups import Group, GroupMember, RoleGroup
from scimsvc.models.leases import Lease
from scimsvc.models.notifications import AlertEvent, Webhook, WebhookDelivery
from scimsvc.models.second_factors import RecoveryCode, SecondFactor
from scimsvc.models.selftests import SelftestRun
from scimsvc.models.users import Searchable, User, UserConfirmation

#: The schema revision that this code requires: the head of ``scimsvc.migrations``.
SCHEMA_REVISION = "0032"

__all__ = [
    "HAS_KEPT",
    "IS_MANUAL",
    "IS_REFUSED",
    "IS_REMOVAL",
    "SCHEMA_REVISION",
    "Admin",
    "AdminIdentity",
    "Alert",
    "AlertEvent",
    "AlertMail",
    "AlertSubscription",
    "Attempts",
    "AuditEntry",
    "Change",
    "ClientSecret",
    "Enterprise",
    "Feed",
    "Group",
    "GroupMember",
    "Integration",
    "Lease",
    "LogEntry",
    "Model",
    "ProviderCycle",
    "RecoveryCode",
    "Role",
    "RoleGroup",
    "RoleName",
    "Searchable",
    "SecondFactor",
    "SelftestRun",
    "Session",
    "Setting",
    "SigningKey",
    "Token",
    "User",
    "UserConfirmation",
    "Webhook",
    "WebhookDelivery",
]
