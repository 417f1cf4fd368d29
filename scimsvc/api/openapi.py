"""The OpenAPI 3.1 description of the enterprise API, generated from the schemas that validate its bodies."""

import functools
import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from scimsvc.auth.scopes import ROUTES
from scimsvc.schemas import answers, queries, record_answers, webhook_answers
from scimsvc.schemas import bodies as schemas
from scimsvc.vocabulary import ID_PATTERN


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path: its body, query, response and errors."""

    method: str
    path: str
    summary: str
    answer: type[Schema] | None = None
    status: int = 200
    body: Schema | None = None
    #: Whether the body may contain only some members. ``optional``: whether the request may have no body.
    partial: bool = False
    optional: bool = False
    query: Schema = queries.NONE
    refusals: tuple[int, ...] = ()
    headers: tuple[str, ...] = field(default=())
    #: The body of a 202 if the request must be repeated to finish its work.
    unfinished: type[Schema] | None = None


def _one(path: str, what: str, answer: type[Schema]) -> Operation:
    return Operation("GET", path, f"Show {what}.", answer, refusals=(404,), headers=("If-None-Match",))


def _change(path: str, what: str, answer: type[Schema], body: Schema, *refusals: int) -> Operation:
    refused = (404, 409, 412, *refusals)
    return Operation(
        "PATCH", path, f"Change {what}.", answer, body=body, partial=True, refusals=refused, headers=("If-Match",)
    )


_USER, _ROLE, _INTEGRATION = "/users/{user_id}", "/roles/{role_id}", "/integrations/{integration_id}"
_GROUP, _ATTRIBUTE, _WEBHOOK = "/groups/{group_id}", "/attributes/{attribute_id}", "/webhooks/{webhook_id}"
_REMOVED: dict[str, Any] = {"status": 204, "refusals": (404, 409, 412), "headers": ("If-Match",)}

OPERATIONS = (
    _one("/enterprise", "the enterprise's settings", answers.Enterprise),
    _change("/enterprise", "the enterprise's settings", answers.Enterprise, schemas.ENTERPRISE_CHANGES),
    Operation("GET", "/roles", "List the roles.", answers.page_of(answers.Role), query=queries.PAGE),
    Operation("POST", "/roles", "Create a role.", answers.Role, 201, body=schemas.ROLE, refusals=(409,)),
    Operation(
        "GET", "/role-preview", "Show the role that a value maps to, and its users.",
        answers.RolePreview, query=queries.PREVIEW,
    ),
    _one(_ROLE, "a role", answers.Role),
    _change(_ROLE, "a role. Its users keep it", answers.Role, schemas.ROLE),
    Operation("DELETE", _ROLE, "Delete a role without users.", **_REMOVED),
    Operation(
        "POST", f"{_ROLE}/preview", "Show the users whom a change of a role would change.",
        answers.RoleChangePreview, body=schemas.ROLE, partial=True, refusals=(404, 409),
    ),
    Operation("GET", "/groups", "List the groups by name.", answers.page_of(answers.Group), query=queries.GROUPS),
    _one(_GROUP, "a group", answers.Group),
    Operation(
        "GET", f"{_GROUP}/members", "List the members of a group in the order of joining.",
        answers.page_of(answers.GroupMember), query=queries.PAGE, refusals=(404,),
    ),
    Operation(
        "GET", "/attributes", "List the custom attributes.", answers.page_of(answers.Attribute), query=queries.PAGE
    ),
    Operation(
        "POST", "/attributes", "Declare a custom attribute.", answers.Attribute, 201, body=schemas.ATTRIBUTE,
        refusals=(409,),
    ),
    _one(_ATTRIBUTE, "a custom attribute", answers.Attribute),
    Operation(
        "DELETE", _ATTRIBUTE, "Remove a custom attribute and its values. Repeat it after a 202.",
        status=204, refusals=(404, 412), headers=("If-Match",), unfinished=answers.Attribute,
    ),
    Operation(
        "GET", "/integrations", "List the integrations.", answers.page_of(answers.Integration), query=queries.PAGE
    ),
    Operation(
        "POST", "/integrations", "Create an integration.", answers.IntegrationWithSecret, 201,
        body=schemas.INTEGRATION, refusals=(409,),
    ),
    _one(_INTEGRATION, "an integration", answers.Integration),
    _change(_INTEGRATION, "an integration's name, or narrow its scope", answers.Integration, schemas.INTEGRATION),
    Operation(
        "DELETE", _INTEGRATION, "Delete an integration and revoke its tokens.", answers.RevokedIntegration,
        refusals=(404, 412), headers=("If-Match",),
    ),
    Operation(
        "POST", f"{_INTEGRATION}/rotate", "Create a new client secret. The old one may stay valid for some hours.",
        answers.IntegrationWithSecret, body=schemas.ROTATION, optional=True, refusals=(404, 409),
    ),
    Operation("GET", "/tokens", "List the tokens.", answers.page_of(answers.Token), query=queries.PAGE),
    Operation(
        "POST", "/tokens", "Create a token.", answers.IssuedToken, 201, body=schemas.TOKEN, optional=True,
        refusals=(409,),
    ),
    _one("/tokens/{token_id}", "a token, without its value", answers.Token),
    Operation("DELETE", "/tokens/{token_id}", "Revoke a token.", status=204, refusals=(404,)),
    Operation(
        "GET", "/users", "List users by e-mail address.", answers.page_of(answers.User), query=queries.USERS,
    ),
    Operation(
        "POST", "/users", "Create a manual user.", answers.UserDetails, 201, body=schemas.MANUAL_USER,
        refusals=(409,),
    ),
    _one(_USER, "a user, with groups and custom attributes", answers.UserDetails),
    _change(_USER, "a manual user", answers.UserDetails, schemas.MANUAL_USER),
    Operation("DELETE", _USER, "Delete a manual user.", **_REMOVED),
    _change(
        f"{_USER}/profile", "title and organization as an edit by the user", answers.UserDetails,
        schemas.PROFILE, 403,
    ),
    Operation(
        "GET", "/webhooks", "List the webhooks.", answers.page_of(webhook_answers.Webhook), query=queries.PAGE
    ),
    Operation(
        "POST", "/webhooks", "Create a webhook.", webhook_answers.WebhookWithSecret, 201, body=schemas.WEBHOOK,
        refusals=(409,),
    ),
    _one(_WEBHOOK, "a webhook", webhook_answers.Webhook),
    _change(_WEBHOOK, "a webhook. Its cursor stays", webhook_answers.Webhook, schemas.WEBHOOK),
    Operation("DELETE", _WEBHOOK, "Delete a webhook and its deliveries.", **_REMOVED),
    Operation(
        "POST", f"{_WEBHOOK}/rotate", "Create a new secret. The old one also signs for some hours.",
        webhook_answers.WebhookWithSecret, body=schemas.WEBHOOK_ROTATION, optional=True, refusals=(404,),
    ),
    Operation(
        "POST", f"{_WEBHOOK}/test", "Send a test message at once, and show the delivery.",
        webhook_answers.WebhookDelivery, refusals=(404,),
    ),
    Operation(
        "POST", f"{_WEBHOOK}/replay", "Send messages again from a cursor of the change feed or from a time.",
        webhook_answers.Webhook, body=schemas.REPLAY, refusals=(404, 410),
    ),
    Operation(
        "GET", f"{_WEBHOOK}/deliveries", "List the deliveries of a webhook, newest first.",
        answers.page_of(webhook_answers.WebhookDelivery), query=queries.PAGE, refusals=(404,),
    ),
    Operation(
        "GET", "/provisioning-log", "List the entries of the provisioning log, newest first.",
        answers.page_of(record_answers.LogEntry), query=queries.LOG,
    ),
    Operation(
        "GET", "/audit-log", "List the entries of the audit log, newest first.",
        answers.page_of(record_answers.AuditEntry), query=queries.AUDIT,
    ),
    Operation(
        "GET", "/changes", "List changes of users in commit order, or wait for the next.", record_answers.Changes,
        query=queries.CHANGES, refusals=(410,),
    ),
    Operation(
        "POST", "/explain", "Show what a SCIM request would do, without writing anything.", answers.Explanation,
        body=schemas.EXPLAIN,
    ),
    Operation("GET", "/openapi.json", "Describe this API."),
)  # fmt: skip


@functools.cache
def describe() -> dict[str, Any]:
    """Return the description. It is generated at its first use, so that the server starts faster."""
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

    spec = APISpec(
        title="scimsvc: the enterprise API",
        version="1",
        openapi_version="3.1.0",
        info={"description": "Users, groups, roles, integrations and logs of the enterprise of the token."},
        security=[{"bearer": []}],
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
    )
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for operation in OPERATIONS:
        spec.path(operation.path, operations={operation.method.lower(): _described(operation)})
    described = spec.to_dict()
    described["components"]["schemas"]["RemovalLimitInput"]["anyOf"] = [
        {"required": [name], "properties": {name: {"type": "integer"}}} for name in ("users", "percent")
    ]
    replay = described["components"]["schemas"]["ReplayInput"]
    replay["oneOf"] = [{"required": [name], "properties": {name: {"type": "string"}}} for name in replay["properties"]]
    return dict(described)


def _name(schema: Any) -> str:
    schema_class = schema if isinstance(schema, type) else type(schema)
    name = schema_class.__name__.removesuffix("Schema")
    partial = isinstance(schema, Schema) and bool(schema.partial)
    kind = "Input" if schema_class.__module__ == schemas.__name__ else ""
    return f"{name}{kind}{'Changes' if partial else ''}"


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.method} {operation.path}",
        "summary": operation.summary,
        "description": f"The token needs the scope {_scopes_of(operation)}.",
        "parameters": [
            *({"in": "path", "name": name, "required": True, "schema": {"type": "string", "pattern": _ID}}
              for name in re.findall(r"{(\w+)}", operation.path)),
            *({"in": "header", "name": name, "schema": {"type": "string"}} for name in operation.headers),
            *([{"in": "query", "schema": operation.query}] if operation.query.fields else []),
        ],
        "responses": _responses(operation),
    }  # fmt: skip
    if operation.body is not None:
        body = type(operation.body)(partial=True) if operation.partial else operation.body
        content = {"application/json": {"schema": body}}
        described["requestBody"] = {"content": content, "required": not operation.optional}
    return described


def _scopes_of(operation: Operation) -> str:
    rule = operation.path.replace("{", "<").replace("}", ">")
    return " or ".join(ROUTES[operation.method, rule])


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "The request was applied."}
    if operation.answer is not None:
        done["content"] = {"application/json": {"schema": operation.answer}}
    elif operation.status != _NO_CONTENT:
        done["content"] = {"application/json": {"schema": {"type": "object"}}}
    responses = {str(operation.status): done}
    if operation.unfinished is not None:
        content = {"application/json": {"schema": operation.unfinished}}
        responses["202"] = {"description": "A part of the work is left. Repeat the request.", "content": content}
    if "If-None-Match" in operation.headers:
        responses["304"] = {"description": "Not modified."}
    statuses = {400, 401, 403, 429, 503, *operation.refusals} | ({413, 415} if operation.body is not None else set())
    for status in sorted(statuses):
        content = {"application/problem+json": {"schema": answers.Problem}}
        responses[str(status)] = {"description": _REASONS[status], "content": content}
    return responses


_NO_CONTENT = 204
_ID = f"^({ID_PATTERN})$"
_REASONS = {
    400: "The request is invalid. errors lists every invalid field.",
    401: "The token is missing or invalid.",
    403: "The scope of the token does not allow the request, or an enterprise setting forbids it.",
    404: "The resource does not exist in this enterprise.",
    409: "The request conflicts with an existing resource, or a quota of the enterprise is reached.",
    410: "The changes after this cursor are no longer kept.",
    412: "The resource was changed since the version of If-Match.",
    413: "The body is too large.",
    415: "The Content-Type of the body is not JSON.",
    429: "The enterprise sends more requests than SCIMSVC_RATE_LIMIT allows.",
    503: "The database is temporarily unavailable.",
}
