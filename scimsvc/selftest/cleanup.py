"""Delete everything under the reserved domain and names, and nothing else, of this run and of earlier ones.

Each resource is read before it is deleted, because a server could ignore a filter.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from scimsvc.selftest.exchange import Answer, TransportFailure
from scimsvc.selftest.findings import Finding, error, ok
from scimsvc.selftest.session import RESERVED_DOMAIN, RESERVED_NAME, Session

TITLE = "The users and groups of the self-test are deleted"
_CHECK = "cleanup"
#: Searches for the users of all runs. A server need not support every operator.
_USER_FILTERS = (
    f'userName ew "{RESERVED_DOMAIN}" or emails.value ew "{RESERVED_DOMAIN}"',
    f'userName co "{RESERVED_DOMAIN}"',
)
_GROUP_FILTERS = (f'displayName sw "{RESERVED_NAME}"', f'displayName co "{RESERVED_NAME}"')
_PAGE, _MAX_PAGES = 100, 50


def is_reserved(resource: dict[str, Any]) -> bool:
    """Return whether a user or a group belongs to a self-test."""
    emails = resource.get("emails")
    addresses = [each.get("value") for each in emails if isinstance(each, dict)] if isinstance(emails, list) else []
    if any(isinstance(text, str) and _is_under_domain(text) for text in (resource.get("userName"), *addresses)):
        return True
    name = resource.get("displayName")
    is_group = "userName" not in resource
    return is_group and isinstance(name, str) and name.lower().startswith(RESERVED_NAME)


def _is_under_domain(text: str) -> bool:
    return text.lower().endswith((f".{RESERVED_DOMAIN}", f"@{RESERVED_DOMAIN}"))


def delete_leftovers(session: Session) -> Iterator[Finding]:
    """Delete the users and groups of earlier runs."""
    deleted, problems = _delete_all(session)
    if problems:
        yield _failed(problems)
    elif deleted:
        yield ok(f"{_CHECK}.leftovers", "Users and groups of an earlier run are deleted", f"{deleted} were deleted.")


def delete_own(session: Session) -> Iterator[Finding]:
    """Delete the users and groups of this run."""
    problems = delete_created(session)
    problems += _delete_all(session)[1]
    yield _failed(problems) if problems else ok(_CHECK, TITLE)


def delete_created(session: Session) -> list[str]:
    """Delete the users and groups that the session noted; return the problems. Groups go first."""
    problems = []
    for path in sorted(session.created):
        try:
            problems += _delete(session, path)
        except TransportFailure as failure:
            problems.append(f"{path}: {failure.reason}")
    session.created.clear()
    return problems


def _delete_all(session: Session) -> tuple[int, list[str]]:
    """Delete all reserved resources that searches find; return their number, and the problems."""
    deleted, problems = 0, list[str]()
    for endpoint, filters in (("/Groups", _GROUP_FILTERS), ("/Users", _USER_FILTERS)):
        for path in _find(session, endpoint, filters):
            fault = _delete(session, path)
            problems += fault
            deleted += not fault
    return deleted, problems


def _delete(session: Session, path: str) -> list[str]:
    """Delete a resource if it is reserved; return the problem, if there is one."""
    answer = session.send("GET", path)
    if answer.status != 200 or not is_reserved(answer.document):
        return []
    answer = session.send("DELETE", path)
    return [] if answer.status in (200, 204, 404) else [f"DELETE {path} was answered with {_words(answer)}"]


def _words(answer: Answer) -> str:
    detail = answer.document.get("detail")
    return f"{answer.status}: {detail}" if isinstance(detail, str) else str(answer.status)


def _find(session: Session, endpoint: str, filters: tuple[str, ...]) -> list[str]:
    """Return the paths of the reserved resources that the first filter finds that the server understands."""
    for text in filters:
        paths = list[str]()
        for page in range(_MAX_PAGES):
            query = f"?filter={quote(text)}&startIndex={page * _PAGE + 1}&count={_PAGE}"
            answer = session.send("GET", endpoint + query)
            resources = answer.document.get("Resources") or []
            if answer.status != 200 or not resources:
                break
            paths += [f"{endpoint}/{quote(str(each['id']))}" for each in resources if is_reserved(each)]
        if paths or answer.status == 200:
            return list(dict.fromkeys(paths))
    return []


def _failed(problems: list[str]) -> Finding:
    shown = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
    remedy = (
        f"Delete the users whose addresses end in {RESERVED_DOMAIN} and the groups whose names begin with "
        f"'{RESERVED_NAME.strip()}', or run the self-test again. If a removal limit stops it, release it first."
    )
    return error(_CHECK, TITLE, shown + ".", remedy)
