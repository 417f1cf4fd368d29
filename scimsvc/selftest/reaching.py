"""The first requests of a run: whether anything answers, and whether the token opens it."""

from typing import Any
from urllib.parse import quote

from scimsvc.paths import SCIM_PREFIX
from scimsvc.selftest.exchange import Answer, Failure, TransportFailure
from scimsvc.selftest.findings import Finding, error, ok
from scimsvc.selftest.proxies.diagnosis import SIMPLE, diagnose
from scimsvc.selftest.proxies.ground import Result, is_list
from scimsvc.selftest.session import Session

TITLE = "The server answers at the Tenant URL, and the token opens it"
_CHECK = "reach"


def reach(session: Session) -> Finding:
    """Search a user who cannot exist, as Entra's Test Connection does; return the finding.

    If a proxy breaks the filter, a request without one decides. The checks of queries name that fault later.
    """
    filtered = "/Users?filter=" + quote(f'userName eq "{session.address("absent")}"')
    result = _attempt(session, filtered)
    if not is_list(result):
        result = _attempt(session, SIMPLE)
    if isinstance(result, Answer) and is_list(result):
        return ok(_CHECK, TITLE, f"{session.target.url} answered in {result.seconds:.2f} s")
    return diagnose(session, result) or _name_other(session, result)


def _attempt(session: Session, path: str) -> Result:
    try:
        return session.send("GET", path)
    except TransportFailure as failure:
        return failure


def _name_other(session: Session, result: Result) -> Finding:
    """Return the finding of a failure that is not a known fault of a proxy."""
    return _refused(session, result) if isinstance(result, Answer) else _without_answer(session, result)


def read_config(session: Session) -> dict[str, Any]:
    """Return the server's ServiceProviderConfig; an empty one if it has none. Raises ``TransportFailure``."""
    answer = session.send("GET", "/ServiceProviderConfig")
    return answer.document if answer.status == 200 else {}


def read_has_groups(session: Session) -> bool:
    """Return whether the server has groups. Raises ``TransportFailure``."""
    return session.send("GET", "/Groups?count=1").status == 200


def read_roles(session: Session) -> tuple[str, ...]:
    """Return the canonical values of ``roles.value`` in the schema of users. Raises ``TransportFailure``."""
    schema = session.send("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").document
    values = _named(_named(schema.get("attributes"), "roles").get("subAttributes"), "value").get("canonicalValues")
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _named(attributes: Any, name: str) -> dict[str, Any]:
    matching = (each for each in attributes or () if isinstance(each, dict) and each.get("name") == name)
    return next(matching, {})


def _without_answer(session: Session, failure: TransportFailure) -> Finding:
    target = session.target
    remedies = {
        Failure.DNS: f"Create a DNS record for {target.host}, or correct the host in the Tenant URL.",
        Failure.REFUSED: f"Start the proxy so that it listens on port {target.port} of {target.host}, and let the "
        "firewall pass connections to it.",
        Failure.TLS: "Install a certificate for this host with its whole chain. For a private issuer, name its "
        "certificate with --ca-file. Entra accepts only public issuers.",
        Failure.TIMEOUT: f"Let the firewall pass connections to port {target.port} of {target.host}, and check that "
        "the proxy reaches scimsvc.",
        Failure.CLOSED: "Check the scheme of the Tenant URL and the port, and the error log of the proxy.",
        Failure.UNREADABLE: "Check that the port belongs to a web server, and that the scheme of the Tenant URL is "
        "right.",
    }
    detail = f"{target.origin}: {_WORDS[failure.kind]} ({failure.reason})."
    chain = "ssl_certificate /etc/ssl/scim.example.com/fullchain.pem;" if failure.kind is Failure.TLS else None
    return error(f"{_CHECK}.{failure.kind}", TITLE, detail, remedies[failure.kind], nginx=chain)


_WORDS = {
    Failure.DNS: "the host name cannot be resolved",
    Failure.REFUSED: "no connection is possible",
    Failure.TLS: "TLS fails",
    Failure.TIMEOUT: "no answer within the time limit",
    Failure.CLOSED: "the connection was closed without an answer",
    Failure.UNREADABLE: "the answer is not HTTP",
}


def _refused(session: Session, answer: Answer) -> Finding:
    detail = f"GET {session.target.url}/Users was answered with {answer.status}{_said(answer)}."
    kind, remedy = _advice(session, answer)
    return error(f"{_CHECK}.{kind}", TITLE, detail, remedy)


def _said(answer: Answer) -> str:
    """Return what a refusal says, for the detail of a finding."""
    said = answer.document.get("detail")
    if isinstance(said, str):
        return f": {said.rstrip('.')}"
    return f" and {answer.media_type or 'no media type'} instead of SCIM"


def _advice(session: Session, answer: Answer) -> tuple[str, str]:
    """Return the kind of a refusal that is not a known fault of a proxy, and what to do."""
    if answer.status == 401:
        return "token", _ISSUE if session.api_token is None else _OTHER_DATABASE
    if answer.status == 403 and not answer.document:
        return "blocked", "Let the proxy or firewall pass requests from this address to the Tenant URL."
    if answer.status == 403:
        return "token", "Use a SCIM token of an enterprise that has SCIM enabled, and read the detail."
    if answer.status == 503:
        return "unavailable", "Wait until the service is available again, then run the self-test again."
    if answer.status == 404 or not answer.document:
        return "path", f"Use the Tenant URL, which ends in {SCIM_PREFIX}, and forward its path unchanged."
    return "answer", "A search without a result must be answered with 200 and totalResults 0."


_OTHER_DATABASE = (
    "The token comes from the database of this machine, and the server at the Tenant URL does not accept it. Correct "
    "SCIMSVC_PUBLIC_URL, or give the server the same SCIMSVC_DATABASE_URL and SCIMSVC_SECRET_KEY as this command."
)
_ISSUE = (
    "Issue a token with 'scimsvc token issue ENTERPRISE' and use the whole of it. If the token is valid, the proxy "
    "does not forward the Authorization header."
)
