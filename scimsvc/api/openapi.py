"""The enterprise API's description (OpenAPI 3.1), made of the schemas that validate it."""

import functools
import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from scimsvc.schemas import answers, queries
from scimsvc.schemas import bodies as schemas
from scimsvc.vocabulary import ID_PATTERN


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path: what it takes, what it answers, and how else it may end."""

    method: str
    path: str
    summary: str
    answer: type[Schema] | None = None
    status: int = 200
    body: Schema | None = None
    #: Whether the body names some members alone, and may be left out.
    partial: bool = False
    optional: bool = False
    query: Schema = queries.NONE
    refusals: tuple[int, ...] = ()
    headers: tuple[str, ...] = field(default=())


def _one(path: str, what: str, answer: type[Schema]) -> Operation:
    return Operation("GET", path, f"Show {what}.", answer, refusals=(404,), headers=("If-None-Match",))


def _change(path: str, what: str, answer: type[Schema], body: Schema, *refusals: int) -> Operation:
    refused = (404, 409, 412, *refusals)
    return Operation(
        "PATCH", path, f"Change {what}.", answer, body=body, partial=True, refusals=refused, headers=("If-Match",)
    )


_USER, _ROLE, _INTEGRATION = "/users/{user_id}", "/roles/{role_id}", "/integrations/{integration_id}"
_REMOVED: dict[str, Any] = {"status": 204, "refusals": (404, 409, 412), "headers": ("If-Match",)}

OPERATIONS = (
    _one("/enterprise", "the enterprise's settings", answers.Enterprise),
    _change("/enterprise", "the enterprise's settings", answers.Enterprise, schemas.ENTERPRISE_CHANGES),
    Operation("GET", "/roles", "List the roles.", answers.page_of(answers.Role), query=queries.PAGE),
    Operation("POST", "/roles", "Make a role.", answers.Role, 201, body=schemas.ROLE, refusals=(409,)),
    Operation(
        "GET", "/role-preview", "Tell who has, and who would get, the role that a value names.",
        answers.RolePreview, query=queries.PREVIEW,
    ),
    _one(_ROLE, "a role", answers.Role),
    _change(_ROLE, "a role, which keeps its users", answers.Role, schemas.ROLE),
    Operation("DELETE", _ROLE, "Remove a role that nobody has.", **_REMOVED),
    Operation(
        "GET", "/integrations", "List the integrations.", answers.page_of(answers.Integration), query=queries.PAGE
    ),
    Operation(
        "POST", "/integrations", "Make an integration.", answers.IntegrationWithSecret, 201, body=schemas.INTEGRATION
    ),
    _one(_INTEGRATION, "an integration", answers.Integration),
    _change(_INTEGRATION, "an integration's name", answers.Integration, schemas.INTEGRATION),
    Operation(
        "DELETE", _INTEGRATION, "End an integration and all of its tokens.", answers.RevokedIntegration,
        refusals=(404, 412), headers=("If-Match",),
    ),
    Operation(
        "POST", f"{_INTEGRATION}/rotate", "Make a new secret; the old one stops, or stays good for a while.",
        answers.IntegrationWithSecret, body=schemas.ROTATION, optional=True, refusals=(404,),
    ),
    Operation("GET", "/tokens", "List the tokens.", answers.page_of(answers.Token), query=queries.PAGE),
    Operation(
        "POST", "/tokens", "Issue a token.", answers.IssuedToken, 201, body=schemas.TOKEN, optional=True,
        refusals=(409,),
    ),
    _one("/tokens/{token_id}", "a token, without itself", answers.Token),
    Operation("DELETE", "/tokens/{token_id}", "End a token.", status=204, refusals=(404,)),
    Operation(
        "GET", "/users", "List users by e-mail address.", answers.page_of(answers.User), query=queries.USERS,
    ),
    Operation(
        "POST", "/users", "Make a manual user.", answers.User, 201, body=schemas.MANUAL_USER, refusals=(409,)
    ),
    _one(_USER, "a user", answers.User),
    _change(_USER, "a manual user", answers.User, schemas.MANUAL_USER),
    Operation("DELETE", _USER, "Delete a manual user.", **_REMOVED),
    _change(f"{_USER}/profile", "title and organization, as the user's own edit", answers.User, schemas.PROFILE, 403),
    Operation(
        "GET", "/provisioning-log", "List what was provisioned and refused, the newest first.",
        answers.page_of(answers.LogEntry), query=queries.LOG,
    ),
    Operation(
        "GET", "/changes", "List changes of users in commit order, and perhaps wait for the next.", answers.Changes,
        query=queries.CHANGES, refusals=(410,),
    ),
    Operation(
        "POST", "/explain", "Tell what a SCIM request would do; nothing is written.", answers.Explanation,
        body=schemas.EXPLAIN,
    ),
    Operation("GET", "/openapi.json", "Describe this API."),
)  # fmt: skip


@functools.cache
def describe() -> dict[str, Any]:
    """Return the description; made at its first use, as a server need not wait for it."""
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

    spec = APISpec(
        title="scimsvc: the enterprise API",
        version="1",
        openapi_version="3.1.0",
        info={"description": "Users, roles, clients and records of the enterprise that the token stands for."},
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


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if operation.answer is not None:
        done["content"] = {"application/json": {"schema": operation.answer}}
    elif operation.status != _NO_CONTENT:
        done["content"] = {"application/json": {"schema": {"type": "object"}}}
    responses = {str(operation.status): done}
    if "If-None-Match" in operation.headers:
        responses["304"] = {"description": "Not modified."}
    statuses = {400, 401, 403, 503, *operation.refusals} | ({413, 415} if operation.body is not None else set())
    for status in sorted(statuses):
        content = {"application/problem+json": {"schema": answers.Problem}}
        responses[str(status)] = {"description": _REASONS[status], "content": content}
    return responses


_NO_CONTENT = 204
_ID = f"^({ID_PATTERN})$"
_REASONS = {
    400: "Something that was sent is wrong; errors lists every wrong field.",
    401: "There is no valid token.",
    403: "The token is for other paths, or a rule of the enterprise forbids it.",
    404: "There is no such thing in this enterprise.",
    409: "It would collide with what is there.",
    410: "The changes after this cursor are no longer kept.",
    412: "It was changed since If-Match's version.",
    413: "The body is too large.",
    415: "The body is no JSON by its Content-Type.",
    503: "The database cannot be used just now.",
}
