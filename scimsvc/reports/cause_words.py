"""The words for causes of refusals: a title, advice, and the labels of remedies."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scimsvc.protocol.reasons import Reason


class Action(StrEnum):
    """An action that fixes a refusal. The console links it to a page."""

    ADD_ALIAS = "add-alias"
    CREATE_ROLE = "create-role"
    SHOW_USER = "show-user"
    SHOW_HOLDER = "show-holder"
    SHOW_HOLDING_GROUP = "show-holding-group"
    CONNECT = "connect"
    SETTINGS = "settings"
    RESUME = "resume"
    RELEASE = "release"
    TOKENS = "tokens"
    INTEGRATIONS = "integrations"
    EXPLAIN = "explain"


#: The label of an action in a row of a table.
SHORT_LABELS: Mapping[Action, str] = {
    Action.ADD_ALIAS: "Add alias",
    Action.CREATE_ROLE: "Create role",
    Action.SHOW_USER: "Show user",
    Action.SHOW_HOLDER: "Show owner",
    Action.SHOW_HOLDING_GROUP: "Show group",
    Action.CONNECT: "Show mapping",
    Action.SETTINGS: "Open settings",
    Action.RESUME: "Resume",
    Action.RELEASE: "Allow",
    Action.TOKENS: "Create token",
    Action.INTEGRATIONS: "Rotate secret",
    Action.EXPLAIN: "Test a user",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words for a cause: a title, advice, and the labels of remedies."""

    title: str
    advice: str = ""
    remedies: tuple[tuple[Action, str], ...] = ()
    #: The advice for other providers than Entra, if it differs.
    elsewhere: str = ""


#: ``{provider}`` and, at the beginning of a sentence, ``{Provider}`` are the name of the identity provider.
WORDS: Mapping[str, Words] = {
    Reason.UNKNOWN_ROLE: Words(
        "Unknown role “{value}”",
        "The app role’s value in {provider} must be the name or an alias of a role in scimsvc.",
        ((Action.ADD_ALIAS, "Add “{value}” as an alias"), (Action.CREATE_ROLE, "Create the role “{value}”")),
        elsewhere="The value of a role in {provider} must be the name or an alias of a role in scimsvc.",
    ),
    Reason.SEVERAL_ROLES: Words(
        "More than one role was sent",
        "In {provider}, map SingleAppRoleAssignment([appRoleAssignments]) and assign one app role to each user.",
        ((Action.CONNECT, "Show the role expression"),),
        elsewhere="In {provider}, send one role for each user, or mark one of them as primary.",
    ),
    Reason.EMAIL_TAKEN: Words(
        "Another user already has the e-mail address",
        'In {provider}, match users on emails[type eq "work"].value, so that {provider} updates the user who has '
        "the address.",
        ((Action.SHOW_HOLDER, "Show the user who has the address"),),
    ),
    Reason.USER_NAME_TAKEN: Words(
        "Another user already has the userName",
        "In {provider}, map userName to an attribute with unique values, or allow duplicate userNames in scimsvc.",
        ((Action.SHOW_HOLDER, "Show the user who has the userName"), (Action.SETTINGS, "Allow duplicate userNames")),
    ),
    Reason.NO_EMAIL: Words(
        "No work e-mail address was sent",
        'In {provider}, map emails[type eq "work"].value to an attribute that every user has.',
        ((Action.CONNECT, "Show the attribute mapping"),),
    ),
    Reason.SEVERAL_EMAILS: Words(
        "Two different work e-mail addresses were sent",
        'In {provider}, map emails[type eq "work"].value only once.',
        ((Action.CONNECT, "Show the attribute mapping"),),
    ),
    Reason.MALFORMED_EMAIL: Words(
        "The work e-mail address is invalid",
        "In {provider}, correct the user’s address, or map another attribute.",
        ((Action.CONNECT, "Show the attribute mapping"),),
    ),
    Reason.NO_USER_NAME: Words(
        "No userName was sent",
        "In {provider}, map userName to an attribute that every user has, such as displayName.",
        ((Action.CONNECT, "Show the attribute mapping"),),
        elsewhere="In {provider}, map userName to an attribute that every user has.",
    ),
    Reason.UNKNOWN_ATTRIBUTE: Words(
        "Unknown attribute",
        "Remove the mapping in {provider}, or ignore unknown attributes in scimsvc.",
        ((Action.SETTINGS, "Ignore unknown attributes"),),
    ),
    Reason.NO_SUCH_USER: Words(
        "The user no longer exists",
        "In {provider}, restart provisioning, so that {provider} matches the user again.",
        elsewhere="Let {provider} search for the user again, and create the user if the search returns none.",
    ),
    Reason.MANUAL_USER: Words(
        "Manual users cannot be deleted through SCIM",
        "Delete the user in scimsvc, or let {provider} update the user first.",
        ((Action.SHOW_USER, "Show the user"),),
    ),
    Reason.GROUPS: Words(
        "Groups were not supported",
        "An earlier version of this service refused the group. In {provider}, restart provisioning.",
    ),
    Reason.NO_GROUP_NAME: Words(
        "A group without a name was sent",
        "In {provider}, map displayName of groups to an attribute that every group has.",
    ),
    Reason.GROUP_NAME_TAKEN: Words(
        "Another group already has the name",
        "In {provider}, match groups on displayName, or allow duplicate names of groups in scimsvc.",
        (
            (Action.SHOW_HOLDING_GROUP, "Show the group that has the name"),
            (Action.SETTINGS, "Allow duplicate names of groups"),
        ),
    ),
    Reason.NO_SUCH_GROUP: Words(
        "The group no longer exists",
        "In {provider}, restart provisioning, so that the group is matched again.",
    ),
    Reason.UNKNOWN_MEMBER: Words(
        "A member is not a user here",
        "In {provider}, check that the member is in the scope of provisioning, and restart provisioning.",
    ),
    Reason.NESTED_GROUP: Words(
        "A group was sent as a member of a group",
        "Only users can be members. In {provider}, assign the inner group itself.",
    ),
    Reason.PAUSED: Words(
        "Provisioning is paused",
        "{Provider} retries the refused changes after you resume provisioning.",
        ((Action.RESUME, "Resume provisioning"),),
    ),
    Reason.REMOVAL_LIMIT: Words(
        "Removal limit reached",
        "Check the scope and the assignments in {provider}. If the removals are intended, allow them.",
        ((Action.RELEASE, "Allow the removals"), (Action.SETTINGS, "Change the limit")),
    ),
    Reason.SCIM_OFF: Words(
        "SCIM provisioning is off",
        "All requests from {provider} are refused until you enable it.",
        ((Action.SETTINGS, "Enable SCIM provisioning"),),
    ),
    Reason.SUSPENDED: Words(
        "The enterprise is suspended",
        "The operator of this service suspended the enterprise. Contact the operator.",
    ),
    Reason.TOKEN: Words(
        "An access token was refused",
        "Create a token, and enter it as the Secret Token in {provider}.",
        ((Action.TOKENS, "Create a token"),),
        elsewhere="Create a token, and enter it in {provider}.",
    ),
    Reason.SECRET: Words(
        "A wrong client secret was sent",
        "Rotate the secret, and enter the new one in the client.",
        ((Action.INTEGRATIONS, "Rotate the secret"),),
    ),
    Reason.RATE_LIMIT: Words("Rate limit exceeded", "No action is needed. {Provider} slows down automatically."),
    Reason.QUOTA: Words(
        "A quota of this enterprise is reached",
        "Ask the operator of this service to raise the quota, or delete users who are no longer needed.",
    ),
}
#: Causes with different words for an update, because the refused user or group already exists.
UPDATE_WORDS: Mapping[str, Words] = {
    Reason.EMAIL_TAKEN: Words(
        "Another user already has the e-mail address",
        "In {provider}, change one of the two addresses.",
        ((Action.SHOW_HOLDER, "Show the user who has the address"), (Action.SHOW_USER, "Show the refused user")),
    ),
    Reason.USER_NAME_TAKEN: Words(
        "Another user already has the userName",
        "In {provider}, change one of the two userNames, or allow duplicate userNames in scimsvc.",
        ((Action.SHOW_HOLDER, "Show the user who has the userName"), (Action.SETTINGS, "Allow duplicate userNames")),
    ),
    Reason.NO_EMAIL: Words(
        "The change removes the only work e-mail address",
        'In {provider}, give the user an address again, or map emails[type eq "work"].value to an attribute that '
        "every user has.",
        ((Action.SHOW_USER, "Show the refused user"), (Action.CONNECT, "Show the attribute mapping")),
    ),
    Reason.NO_USER_NAME: Words(
        "The change removes the userName",
        "In {provider}, give the user the value again, or map userName to an attribute that every user has.",
        ((Action.SHOW_USER, "Show the refused user"), (Action.CONNECT, "Show the attribute mapping")),
    ),
    Reason.GROUP_NAME_TAKEN: Words(
        "Another group already has the name",
        "In {provider}, rename one of the two groups, or allow duplicate names of groups in scimsvc.",
        (
            (Action.SHOW_HOLDING_GROUP, "Show the group that has the name"),
            (Action.SETTINGS, "Allow duplicate names of groups"),
        ),
    ),
}
_COMPARE = "Compare the Tenant URL in {provider} with the one in scimsvc."
BY_STATUS: Mapping[int, Words] = {
    404: Words("The requested address does not exist", _COMPARE),
    405: Words("The address does not support this method", _COMPARE),
    409: Words("The operation depends on a refused operation", "Fix that operation first."),
    412: Words("Another request changed the user", "The client must read the user again and retry."),
    413: Words("The request is too large", "The client must send less data in one request."),
    500: Words("Internal error", "Search the service’s log for the request ID."),
    503: Words("The service could not write", "No action is needed. {Provider} retries automatically."),
}
OTHER = Words(
    "The request was invalid",
    "See the error message for details.",
    ((Action.EXPLAIN, "Explain a request"),),
)
#: Causes that end by themselves or by a setting of the enterprise. The provider retries the refused requests, so that
#: they are on hold rather than wrong.
ON_HOLD = frozenset({Reason.PAUSED, Reason.REMOVAL_LIMIT, Reason.SCIM_OFF, Reason.SUSPENDED, Reason.RATE_LIMIT})
