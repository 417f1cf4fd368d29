"""Which fault of a proxy keeps the first request of a run from being answered."""

from scimsvc.selftest.exchange import Answer, Failure, TransportFailure
from scimsvc.selftest.findings import Finding
from scimsvc.selftest.proxies.catalog import read_catalog
from scimsvc.selftest.proxies.certificates import explain_tls
from scimsvc.selftest.proxies.ground import Ground, Result, describe, is_list
from scimsvc.selftest.session import Session

#: A request that every server and proxy should answer.
SIMPLE = "/Users?startIndex=1&count=1"


def diagnose(session: Session, result: Result) -> Finding | None:
    """Return the fault of the proxy because of which ``SIMPLE`` had this result, or None if there is another reason."""
    found = _name_fault(Ground(session), result)
    return read_catalog()[found[0]].failed(found[1]) if isinstance(found, tuple) else found


def _name_fault(ground: Ground, result: Result) -> tuple[str, str] | Finding | None:
    if isinstance(result, TransportFailure):
        return _explain_failure(ground, result)
    encoding = result.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        return "compression", f"An answer has Content-Encoding {encoding}, although the client did not ask for it."
    if result.status == 401:
        return _explain_refusal(ground, result)
    if 300 <= result.status < 400:
        return (
            "redirected",
            f"The answer is {result.status} and leads to {result.headers.get('Location', 'no Location')}.",
        )
    if ground.is_from_service(result):
        return None
    if result.status in (502, 503, 504):
        return "gateway", f"The proxy answers {describe(result)}."
    return _explain_page(ground, result)


def _explain_failure(ground: Ground, failure: TransportFailure) -> tuple[str, str] | Finding | None:
    if failure.kind in (Failure.TLS, Failure.CLOSED) and ground.session.target.is_secure:
        found = explain_tls(ground.session.target)
        if found is not None:
            return found
    return _explain_page(ground, failure) if failure.kind is Failure.CLOSED else None


def _explain_page(ground: Ground, result: Result) -> tuple[str, str] | None:
    """Send the request again with a User-Agent."""
    named = ground.attempt("GET", SIMPLE, headers={"User-Agent": "scimsvc-selftest"})
    if not is_list(named):
        return None
    return "user_agent_required", f"Without a User-Agent header: {describe(result)}. With one, the service answers."


def _explain_refusal(ground: Ground, refusal: Answer) -> tuple[str, str] | None:
    """Compare the refusal with that of no token. scimsvc distinguishes a missing token from a wrong one."""
    scheme = refusal.headers.get("WWW-Authenticate", "").partition(" ")[0]
    if not ground.is_from_service(refusal) and scheme.lower() not in ("", "bearer"):
        return "authorization_lost", f"The proxy asks for authentication of its own: {scheme}."
    if not ground.session.is_scimsvc:
        return None
    without = ground.attempt("GET", SIMPLE, headers={"Authorization": None})
    if isinstance(without, Answer) and without.content == refusal.content:
        return "authorization_lost", "A request with a token is answered like one without."
    return None
