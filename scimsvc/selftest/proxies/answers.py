"""Whether answers arrive as the service sent them."""

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from scimsvc.selftest.exchange import SCIM_JSON, Answer, TransportFailure, exchange
from scimsvc.selftest.findings import Outcome
from scimsvc.selftest.proxies.ground import Fault, Ground, Skip, describe, family, is_list, judges

check_answers = family(
    "Answers arrive as the service sent them",
    "error_pages",
    "location_lost",
    "location_scheme",
    "location_host",
    "location_prefix",
    "cached",
    "content_type",
    "charset",
    "etag_lost",
    "etag_changed",
    "conditions_lost",
    "content_location_lost",
    "www_authenticate_lost",
    "request_id_lost",
)
_PORTS = {"http": 80, "https": 443}


@judges("error_pages")
def _judge_errors(ground: Ground) -> Fault | None:
    user = ground.user("error")
    ground.attempt("POST", "/Users", body=user)
    results = {
        "An unknown user": ground.attempt("GET", "/Users/selftest-absent"),
        "An invalid filter": ground.attempt("GET", "/Users?filter=nonsense"),
        "A second user with the same name and address": ground.attempt("POST", "/Users", body=user),
    }
    hidden = [f"{case}: {describe(result)}" for case, result in results.items() if not ground.is_from_service(result)]
    return Fault("; ".join(hidden) + ".") if hidden else None


@judges("location_lost")
def _judge_location(ground: Ground) -> Fault | None:
    created = ground.create("location")
    return None if created.headers.get("Location") else Fault("The answer to POST has no Location header.")


def _judge_part(part: str, ground: Ground) -> Fault | None:
    """Compare one part of the URLs of a created user with that of the Tenant URL."""
    created = ground.create("location")
    expected = _parts(ground, f"{ground.session.target.url}/Users/{quote(str(created.document['id']))}")
    meta = created.document.get("meta")
    told = {
        "Location": created.headers.get("Location"),
        "meta.location": meta.get("location") if isinstance(meta, dict) else None,
    }
    for place, url in told.items():
        if isinstance(url, str) and _parts(ground, url)[part] != expected[part] and not _leads_back(ground, part, url):
            return Fault(f"{place} is {url}, but the Tenant URL is {ground.session.target.url}.")
    return None


for _part in ("scheme", "host", "prefix"):
    judges(f"location_{_part}")(partial(_judge_part, _part))


def _leads_back(ground: Ground, part: str, url: str) -> bool:
    """Return whether another path leads to the user as well. A server may have several."""
    if part != "prefix":
        return False
    session = ground.session
    request = session.request("GET", "")
    try:
        answer = exchange(session.target, replace(request, target=urlsplit(urljoin(session.target.url, url)).path))
    except TransportFailure:
        return False
    return answer.status == 200 and answer.document.get("id") == ground.create("location").document["id"]


def _parts(ground: Ground, url: str) -> dict[str, Any]:
    """Return the parts of a URL. A relative one refers to that of the request."""
    split = urlsplit(urljoin(f"{ground.session.target.url}/Users", url))
    return {"scheme": split.scheme, "host": _host(split), "prefix": split.path.rpartition("/Users/")[0]}


def _host(split: SplitResult) -> tuple[str | None, int | None]:
    """Return host and port. A missing port is None whatever the scheme, so that a wrong scheme is one fault."""
    try:
        port = split.port
    except ValueError:
        return split.netloc, None
    return split.hostname, None if port == _PORTS.get(split.scheme) else port


@judges("cached")
def _judge_cache(ground: Ground) -> Fault | None:
    """Search, create and search again, as Entra does. The query is the same both times."""
    query = f'userName eq "{ground.name("cached")}"'
    if not is_list(before := ground.search(query)):
        raise Skip(f"A search was answered with {describe(before)}.")
    ground.create("cached")
    after = ground.search(query)
    if not isinstance(after, Answer) or not is_list(after) or after.document["totalResults"]:
        return None
    age = after.headers.get("Age")
    return Fault("A search before and after a user was created found no one." + (f" Age is {age}." if age else ""))


@judges("content_type")
def _judge_content_type(ground: Ground) -> Fault | None:
    answer = _read(ground)
    if answer.media_type == SCIM_JSON:
        return None
    outcome = Outcome.WARNING if answer.media_type == "application/json" else None
    return Fault(f"A user is answered as {answer.media_type or 'no media type'} instead of {SCIM_JSON}.", outcome)


@judges("charset")
def _judge_charset(ground: Ground) -> Fault | None:
    _need_scimsvc(ground)
    ground.need("content_type")
    told = _read(ground).headers.get("Content-Type", "")
    return Fault(f"The Content-Type of a user is {told!r}.") if ";" in told else None


@judges("etag_lost")
def _judge_etag(ground: Ground) -> Fault | None:
    if not ground.session.is_scimsvc and not ground.session.supports("etag"):
        raise Skip("The server does not announce versions.")
    return None if _read(ground).headers.get("ETag") else Fault("The answer with a user has no ETag header.")


@judges("etag_changed")
def _judge_compressed_etag(ground: Ground) -> Fault | None:
    ground.need("etag_lost")
    answer = _read(ground)
    path = f"/Users/{answer.document['id']}"
    compressed = ground.attempt("GET", path, headers={"Accept-Encoding": "gzip, deflate"})
    told, usual = _etag(compressed), answer.headers["ETag"]
    if told == usual:
        return None
    return Fault(f"The ETag of a user is {usual}, and {told or 'missing'} if the client accepts compression.")


@judges("conditions_lost")
def _judge_conditions(ground: Ground) -> Fault | None:
    """Read a user under the condition that it has changed, and replace it under the condition that it has not."""
    _need_scimsvc(ground)
    ground.need("etag_lost", "cached")
    answer = _read(ground)
    path = f"/Users/{answer.document['id']}"
    same = ground.attempt("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    if not isinstance(same, Answer) or same.status != 304:
        return Fault(f"GET with the current version in If-None-Match was answered with {describe(same)}, not with 304.")
    ground.need("methods_blocked")
    other = ground.attempt("PUT", path, body=ground.user("read"), headers={"If-Match": 'W/"0-selftest"'})
    if not isinstance(other, Answer) or other.status != 412:
        return Fault(f"PUT with another version in If-Match was answered with {describe(other)}, not with 412.")
    return None


@judges("content_location_lost")
def _judge_content_location(ground: Ground) -> Fault | None:
    _need_scimsvc(ground)
    ground.need("methods_blocked")
    path = f"/Users/{_read(ground).document['id']}"
    replaced = ground.attempt("PUT", path, body=ground.user("read"))
    if isinstance(replaced, Answer) and replaced.status == 200 and not replaced.headers.get("Content-Location"):
        return Fault("The answer to PUT has no Content-Location header.")
    return None


@judges("www_authenticate_lost")
def _judge_challenge(ground: Ground) -> Fault | None:
    ground.need("error_pages")
    refused = ground.attempt("GET", "/Users?startIndex=1&count=3", headers={"Authorization": "Bearer selftest"})
    if not isinstance(refused, Answer) or refused.status != 401:
        raise Skip(f"A wrong token was answered with {describe(refused)}.")
    return (
        None if refused.headers.get("WWW-Authenticate") else Fault("An answer with 401 has no WWW-Authenticate header.")
    )


@judges("request_id_lost")
def _judge_request_id(ground: Ground) -> Fault | None:
    _need_scimsvc(ground)
    return None if _read(ground).headers.get("X-Request-ID") else Fault("An answer has no X-Request-ID header.")


def _need_scimsvc(ground: Ground) -> None:
    if not ground.session.is_scimsvc:
        raise Skip("Only scimsvc promises this.")


def _read(ground: Ground) -> Answer:
    """Return the answer to GET of a user of this check. Raises ``Skip`` if no user could be created."""
    result = ground.attempt("GET", f"/Users/{ground.create('read').document['id']}")
    if not isinstance(result, Answer) or result.status != 200 or not result.document:
        raise Skip(f"A user could not be read: {describe(result)}.")
    return result


def _etag(result: object) -> str | None:
    return result.headers.get("ETag") if isinstance(result, Answer) else None
