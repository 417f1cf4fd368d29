"""Whether requests arrive as they were sent, and once."""

from scimsvc.protocol.urns import CORE_USER, PATCH_OP
from scimsvc.selftest.exchange import Answer
from scimsvc.selftest.findings import Outcome
from scimsvc.selftest.proxies.ground import Fault, Ground, Result, describe, family, is_list, is_same, judges

check_requests = family(
    "Requests arrive as they were sent",
    "authorization_lost",
    "unauthenticated",
    "user_agent_required",
    "redirected",
    "gateway",
    "compression",
    "request_content_type",
    "requests_repeated",
    "methods_blocked",
    "doubled_slash",
    "path_escapes",
    "long_headers",
)

_SIMPLE = "/Users?startIndex=1&count=1"


@judges("authorization_lost")
@judges("user_agent_required")
@judges("redirected")
@judges("gateway")
@judges("compression")
def _judge_reached(_: Ground) -> Fault | None:
    """The first request of a run had a token and no User-Agent, and the service answered it."""
    return None


@judges("unauthenticated")
def _judge_token(ground: Ground) -> Fault | None:
    result = ground.attempt("GET", "/Users?startIndex=1&count=2", headers={"Authorization": None})
    return Fault("A request without a token was answered with a list of users.") if is_list(result) else None


@judges("request_content_type")
def _judge_content_type(ground: Ground) -> Fault | None:
    result = ground.attempt("POST", "/Users", body=ground.user("type"))
    if isinstance(result, Answer) and result.status == 415:
        return Fault(f"A user as application/scim+json was answered with {describe(result)}.")
    return None


@judges("requests_repeated")
def _judge_repeated(ground: Ground) -> Fault | None:
    """Create a user whose name no one has: a conflict means that the request arrived before."""
    result = ground.attempt("POST", "/Users", body=ground.user("repeated"))
    if isinstance(result, Answer) and result.status == 409:
        return Fault(f"The request that creates a new user was answered with {describe(result)}.")
    found = ground.search(f'userName eq "{ground.name("repeated")}"')
    total = found.document["totalResults"] if isinstance(found, Answer) and is_list(found) else 0
    if total == 2:
        return Fault("One request created two users.")
    return None


@judges("methods_blocked")
def _judge_methods(ground: Ground) -> Fault | None:
    path = f"/Users/{ground.create('methods').document['id']}"
    operation = {"op": "replace", "path": "displayName", "value": "Changed by the self-test"}
    bodies = {
        "PATCH": {"schemas": [PATCH_OP], "Operations": [operation]},
        "PUT": ground.user("methods"),
        "DELETE": None,
    }
    if not ground.session.is_scimsvc and not ground.session.supports("patch"):
        del bodies["PATCH"]
    results = {method: ground.attempt(method, path, body=body) for method, body in bodies.items()}
    blocked = [f"{method}: {describe(result)}" for method, result in results.items() if _is_blocked(ground, result)]
    return Fault("; ".join(blocked) + ".") if blocked else None


def _is_blocked(ground: Ground, result: Result) -> bool:
    if isinstance(result, Answer) and 200 <= result.status < 300:
        return False
    return ground.session.is_scimsvc or not ground.is_from_service(result)


@judges("doubled_slash")
def _judge_slashes(ground: Ground) -> Fault | None:
    result = ground.attempt("GET", "/" + _SIMPLE)
    if is_list(result):
        return None
    detail = f"GET …//Users was answered with {describe(result)}."
    if isinstance(result, Answer) and 300 <= result.status < 400:
        return Fault(f"{detail} Location is {result.headers.get('Location')}.")
    return Fault(detail, None if ground.session.is_scimsvc else Outcome.WARNING)


@judges("path_escapes")
def _judge_escapes(ground: Ground) -> Fault | None:
    """An encoded slash must be answered like the plain one or like none, and an encoded colon like a colon."""
    slash = ground.attempt("GET", "/Users/self%2Ftest")
    if not any(is_same(slash, ground.attempt("GET", path)) for path in ("/Users/self-test", "/Users/self/test")):
        return Fault(f"GET …/Users/self%2Ftest was answered with {describe(slash)}.")
    colons = ground.attempt("GET", f"/Schemas/{CORE_USER.replace(':', '%3A')}")
    if not is_same(colons, ground.attempt("GET", f"/Schemas/{CORE_USER}")):
        return Fault(f"GET …/Schemas/urn%3Aietf… was answered with {describe(colons)}.")
    return None


@judges("long_headers")
def _judge_long_headers(ground: Ground) -> Fault | None:
    result = ground.attempt("GET", _SIMPLE, headers={"X-Selftest": "x" * 6000})
    return None if is_list(result) else Fault(f"A header of 6,000 characters was answered with {describe(result)}.")
