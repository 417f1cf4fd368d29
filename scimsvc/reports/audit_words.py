"""The actions of the audit log in words."""

from scimsvc.vocabulary import Action

#: The words of each action, grouped for a selection.
ACTION_GROUPS: dict[str, dict[str, str]] = {
    "Accounts": {
        Action.ADMIN_SIGNED_IN: "Signed in",
        Action.ADMIN_SIGN_IN_REFUSED: "Sign-in refused",
        Action.ADMIN_SIGNED_OUT: "Signed out",
        Action.ADMIN_SIGNED_OUT_EVERYWHERE: "Signed out everywhere",
        Action.ADMIN_CONFIRMED: "Password confirmed",
        Action.ADMIN_SESSIONS_ENDED: "Sessions ended",
        Action.ADMIN_ALERTS_CHANGED: "E-mail alerts changed",
        Action.ADMIN_IDENTITY_LINKED: "Single sign-on linked",
        Action.ADMIN_IDENTITY_UNLINKED: "Single sign-on unlinked",
        Action.ADMIN_CREATED: "Account created",
        Action.ADMIN_REMOVED: "Account removed",
        Action.ADMIN_LINK_CREATED: "One-time link created",
        Action.ADMIN_PASSWORD_SET: "Password set",
        Action.ADMIN_PASSWORD_CHANGED: "Password changed",
        Action.ADMIN_ROLE_CHANGED: "Role of an account changed",
        Action.ADMIN_MFA_ENABLED: "Second factor set up",
        Action.ADMIN_MFA_DISABLED: "Second factor turned off",
        Action.ADMIN_MFA_RESET: "Second factor reset",
        Action.ADMIN_RECOVERY_CODES_CREATED: "Recovery codes created",
        Action.ADMIN_RECOVERY_CODE_USED: "Recovery code used",
    },
    "Enterprise": {
        Action.ENTERPRISE_CREATED: "Enterprise created",
        Action.ENTERPRISE_UPDATED: "Settings changed",
        Action.ENTERPRISE_PAUSED: "Provisioning paused",
        Action.ENTERPRISE_RESUMED: "Provisioning resumed",
        Action.ENTERPRISE_RELEASED: "Removals allowed",
        Action.ENTERPRISE_SUSPENDED: "Enterprise suspended",
        Action.ENTERPRISE_REACTIVATED: "Enterprise reactivated",
        Action.ENTERPRISE_DELETED: "Enterprise deleted",
        Action.ENTERPRISE_EXPORTED: "Enterprise exported",
        Action.ENTERPRISE_IMPORTED: "Enterprise imported",
    },
    "Roles": {
        Action.ROLE_CREATED: "Role created",
        Action.ROLE_UPDATED: "Role changed",
        Action.ROLE_DELETED: "Role deleted",
    },
    "Attributes": {
        Action.ATTRIBUTE_CREATED: "Attribute created",
        Action.ATTRIBUTE_REMOVED: "Attribute removed",
    },
    "Integrations and tokens": {
        Action.INTEGRATION_CREATED: "Integration created",
        Action.INTEGRATION_UPDATED: "Integration changed",
        Action.INTEGRATION_ROTATED: "Client secret rotated",
        Action.INTEGRATION_REVOKED: "Integration deleted",
        Action.TOKEN_ISSUED: "Token created",
        Action.TOKEN_ROTATED: "Token replaced",
        Action.TOKEN_REVOKED: "Token revoked",
    },
    "Webhooks": {
        Action.WEBHOOK_CREATED: "Webhook created",
        Action.WEBHOOK_UPDATED: "Webhook changed",
        Action.WEBHOOK_DELETED: "Webhook deleted",
        Action.WEBHOOK_ROTATED: "Webhook secret rotated",
        Action.WEBHOOK_TESTED: "Webhook tested",
        Action.WEBHOOK_REPLAYED: "Webhook replayed",
    },
    "Users": {
        Action.USER_CREATED: "User created",
        Action.USER_UPDATED: "User changed",
        Action.USER_DELETED: "User deleted",
        Action.USER_ERASED: "Traces of a person erased",
        Action.USERS_IMPORTED: "Users imported",
        Action.USERS_EXPORTED: "Users exported",
        Action.USERS_COMPARED: "Users compared with a directory export",
    },
    "Logs": {
        Action.LOG_EXPORTED: "Provisioning log exported",
        Action.LOG_ERRORS_DISMISSED: "Open errors dismissed",
        Action.AUDIT_EXPORTED: "Audit log exported",
    },
}
#: The words of actions that concern no single enterprise.
INSTALLATION_GROUP: dict[str, dict[str, str]] = {
    "Installation": {
        Action.LOG_PRUNED: "Old entries deleted",
        Action.SETTING_UPDATED: "Global setting changed",
        Action.DATABASE_UPGRADED: "Database upgraded",
        Action.DATABASE_BACKED_UP: "Database backed up",
        Action.DATABASE_VACUUMED: "Database file rebuilt",
        Action.SELFTEST_STARTED: "Self-test started",
        Action.DATABASE_MIGRATED: "Database moved to PostgreSQL",
        Action.KEY_ADOPTED: "Secret key adopted",
    },
}
_WORDS = {action: words for group in (ACTION_GROUPS | INSTALLATION_GROUP).values() for action, words in group.items()}


def action_in_words(action: str) -> str:
    """Return ``action`` in words."""
    return _WORDS.get(action, action)


def member_in_words(name: str) -> str:
    """Return the name of a changed member in words."""
    words = name.replace("_", " ")
    for word, written in _ABBREVIATIONS.items():
        words = words.replace(word, written)
    return words[:1].upper() + words[1:]


_ABBREVIATIONS = {"scim": "SCIM", " id": " ID", "email": "e-mail address"}


def is_refusal(action: str) -> bool:
    """Return whether ``action`` is a refused attempt."""
    return action == Action.ADMIN_SIGN_IN_REFUSED
