"""Whether queries arrive as they were sent."""

from urllib.parse import quote

from scimsvc.selftest.exchange import Answer
from scimsvc.selftest.proxies.ground import Fault, Ground, Result, Skip, describe, family, is_list, judges

check_queries = family(
    "Queries arrive as they were sent",
    "query_lost",
    "query_quotes",
    "query_percent",
    "query_plus",
    "query_brackets",
    "query_utf8",
    "long_urls",
)


@judges("query_lost")
def _judge_lost(ground: Ground) -> Fault | None:
    """Search a user who does not exist, after one was created."""
    ground.need("query_quotes")
    ground.create("lost")
    result = ground.search(f'userName eq "{ground.name("absent")}"')
    total = result.document["totalResults"] if isinstance(result, Answer) and is_list(result) else 0
    return Fault(f"A search for a user who does not exist found {total} users.") if total else None


@judges("query_quotes")
def _judge_quotes(ground: Ground) -> Fault | None:
    if _is_encoded_twice(ground):
        raise Skip("Not judged because of proxy.query_percent.")
    absent = ground.name("absent")
    for sent, query in (
        ("%22", f"filter=userName%20eq%20%22{absent}%22"),
        ('"', f'filter=userName%20eq%20"{absent}"'),
    ):
        result = ground.attempt("GET", f"/Users?{query}")
        if not is_list(result):
            return Fault(f"A filter with {sent} was answered with {describe(result)}.")
    return None


def _is_encoded_twice(ground: Ground) -> bool:
    """Return whether ``%20`` becomes ``%2520``: a filter without quotes works only with ``+`` for blanks."""
    return not is_list(ground.attempt("GET", "/Users?filter=userName%20pr&count=1")) and is_list(
        ground.attempt("GET", "/Users?filter=userName+pr&count=1")
    )


@judges("query_percent")
def _judge_percent(ground: Ground) -> Fault | None:
    """Search a name with an escape in it, beside users whose names are the results of two mistakes."""
    if _is_encoded_twice(ground):
        return Fault("A query with %20 arrives with %2520: it is encoded a second time.")
    ground.need("query_lost")
    names = {sent: _create(ground, sent) for sent in ("p%41", "pA", "p%2541")}
    result = ground.search(f'userName eq "{names["p%41"]}"')
    found = _names(result)
    if names["pA"] in found:
        return Fault("A query with %2541 arrives with %41: it is decoded twice.")
    if names["p%2541"] in found:
        return Fault("A query with %2541 arrives with %252541: it is encoded a second time.")
    return _not_found(result, names["p%41"], "%25")


@judges("query_plus")
def _judge_plus(ground: Ground) -> Fault | None:
    ground.need("query_percent")
    plus, blank = _create(ground, "a+b"), _create(ground, "a b")
    result = ground.search(f'userName eq "{plus}"')
    if blank in _names(result):
        return Fault("A query with %2B arrives with a blank: %2B is changed to +.")
    if fault := _not_found(result, plus, "%2B"):
        return fault
    result = ground.attempt("GET", "/Users?filter=" + quote(f'userName eq "{blank}"', safe=" ").replace(" ", "+"))
    return _not_found(result, blank, "+ for each blank")


@judges("query_brackets")
def _judge_brackets(ground: Ground) -> Fault | None:
    """Search a work address, as Entra does."""
    ground.need("query_percent")
    ground.create("brackets")
    address = ground.name("brackets")
    result = ground.search(f'emails[type eq "work"].value eq "{address}"')
    if not ground.session.is_scimsvc and ground.is_from_service(result) and not is_list(result):
        raise Skip(f"The server does not know this filter: {describe(result)}.")
    if not _names(result):
        return Fault(f"A filter with %5B and %5D was answered with {_said(result)}.")
    query = f"filter=emails[type%20eq%20%22work%22].value%20eq%20%22{address}%22"
    result = ground.attempt("GET", f"/Users?{query}")
    return None if _names(result) else Fault(f"A filter with [ and ] was answered with {_said(result)}.")


@judges("query_utf8")
def _judge_utf8(ground: Ground) -> Fault | None:
    ground.need("query_percent")
    name = _create(ground, "ž日")
    return _not_found(ground.search(f'userName eq "{name}"'), name, "the UTF-8 of ž and 日")


@judges("long_urls")
def _judge_long_urls(ground: Ground) -> Fault | None:
    ground.need("query_lost")
    result = ground.search(f'userName eq "{"x" * 3900}"')
    if ground.is_from_service(result):
        return None
    return Fault(f"A URL of 4,000 characters was answered with {describe(result)}.")


def _create(ground: Ground, part: str) -> str:
    """Create a user with ``part`` in its userName; return the userName."""
    label = "q" + part.encode().hex()
    name = f"{part} {ground.name(label)}"
    if ground.create(label, name).document.get("userName") != name:
        raise Skip(f"The server does not keep a userName such as {name!r}.")
    return name


def _names(result: Result) -> list[str]:
    if not isinstance(result, Answer) or not is_list(result):
        return []
    resources = result.document.get("Resources")
    return [each.get("userName") for each in resources] if isinstance(resources, list) else []


def _not_found(result: Result, name: str, sent: str) -> Fault | None:
    if name in _names(result):
        return None
    return Fault(f"A filter with {sent} was answered with {_said(result)}.")


def _said(result: Result) -> str:
    return "an empty list, although there is such a user" if is_list(result) else describe(result)
