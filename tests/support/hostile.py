"""Requests as no friend sends them, made by hypothesis: whole ones of every surface, with odd bodies, values, paths and headers."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from scimsvc.api.openapi import OPERATIONS
from tests.support.client import SCIM, patch_body, user_body
from tests.support.urns import BULK_URN, ENTERPRISE_URN, PATCH_URN, SEARCH_URN, USER_URN

FORM = "application/x-www-form-urlencoded"
Strategy = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Sent:
    """A request; ``{user}``, ``{role}``, ``{integration}`` and ``{token}`` in the path stand for what there is."""

    method: str
    path: str
    body: bytes = b""
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    #: What Content-Length says, where it does not tell the truth; None where there is none at all.
    length: str | None = ""


def _weighted(*weighted: tuple[int, Strategy]) -> Strategy:
    """Return one of the strategies, each as often as its weight says; ``one_of`` weighs what it is put together from."""
    return st.sampled_from([strategy for weight, strategy in weighted for _ in range(weight)]).flatmap(
        lambda each: each
    )


WORDS = st.sampled_from(
    ["title", "name.familyName", "emails", "emails.value", "roles", "active", "id", "meta", "schemas", "groups", "password", "x",
     "Operations", "op", "path", "value", "primary", "type", 'emails[type eq "work"].value', 'roles[primary eq "True"].value',
     USER_URN, ENTERPRISE_URN, f"{ENTERPRISE_URN}:manager", PATCH_URN, "True", "work", "a@b.example", "User", "\0", "{}", "é😀",
     "test.user@contoso.example", "other@contoso.example", "userName", "externalId", "null", "\u202e\ufeff", "ﬁ\u0301", "%s%n", "../..", "\r\nX: y"]
)  # fmt: skip
TEXTS = WORDS | WORDS | st.text(max_size=4)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 2**64, 10**400, 0, -1, 1e308, 5e-324])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | st.sampled_from(["\ud800", "\udfff\ud800", "a\0b"])
SHALLOW = SCALARS | TEXTS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2)
# Not recursive: that takes hypothesis three times as long.
ANY_VALUE = SHALLOW | st.lists(SHALLOW, max_size=2) | st.dictionaries(TEXTS, SHALLOW, max_size=2)


# Filters and paths.

FRAGMENTS = st.sampled_from(
    ["title", "emails", "active", "meta.created", "id", "name", "roles", "[", "]", "(", ")", ".value", "eq", "ne", "co", "gt", "pr",
     "and", "or", "not", "true", "null", "5", '"x"', '"', '"2026-01-01T00:00:00Z"', '"\\u0000"', "\\", ENTERPRISE_URN, ":", "type",
     "emails[type", '"work"]', "sw", "ew", "le", "not (", "NaN", "1e999", "-", '"\\ud800"', "\0", "﹒", "'"]
)  # fmt: skip
SIZES = st.sampled_from([2, 19, 20, 21, 99, 101, 900, 5000])
LONG_FILTERS = st.builds(
    lambda make, size: make(size),
    st.sampled_from([
        lambda n: "(" * n + "title pr" + ")" * n,
        lambda n: "not (" * n + "title pr" + ")" * n,
        lambda n: "emails[" * n + "value pr" + "]" * n,
        lambda n: " or ".join(["title pr"] * n),
        lambda n: " and ".join(['emails[type eq "work" and value co "x"]'] * n),
        lambda n: 'title eq "' + "x" * n + '"',
        lambda n: 'title co "' + "\\\\" * n + '"',
        lambda n: 'title eq "' + "é" * n,
        lambda n: "title " * n,
        lambda n: "a." * n + "b pr",
        lambda n: " " * n + "title pr",
        lambda n: "title eq " + "9" * n,
        lambda n: "(" * n,
    ]),
    SIZES,
)  # fmt: skip
FILTERS = (
    st.lists(FRAGMENTS | TEXTS, max_size=8).map(" ".join)
    | st.lists(FRAGMENTS, max_size=5).map("".join)
    | LONG_FILTERS
    | st.builds(
        lambda a, o, v: f"{a} {o} {json.dumps(v)}", WORDS, st.sampled_from(["eq", "ne", "co", "gt", "sw"]), TEXTS
    )
)

# Messages.

MORE = st.dictionaries(TEXTS, ANY_VALUE, max_size=4)
#: ``{new}`` is an address that nobody has.
ADDRESSES = st.sampled_from(
    ["{new}@contoso.example"] * 6 + ["own@contoso.example", "OWN@contoso.example", "rival@contoso.example"]
)
MODEST = st.sampled_from([{}, {"title": "x"}, {"active": "False"}, {"roles": ["User"]}, {"externalId": "1"}])
USERS = st.builds(lambda email, more: user_body(email) | more, ADDRESSES, _weighted((3, MODEST), (1, MORE)))
REPLACEMENTS = st.builds(lambda more: user_body("own@contoso.example") | more, _weighted((3, MODEST), (1, MORE)))
GOOD_OPERATIONS = st.sampled_from([
    {"op": "replace", "path": "title", "value": "x"},
    {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"},
    {"op": "remove", "path": "title"},
    {"op": "replace", "value": {"nickName": "é", "name.familyName": "x"}},
    {"op": "replace", "path": 'roles[primary eq "True"].value', "value": "User"},
])  # fmt: skip
ODD_OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove"]) | TEXTS},
    optional={"path": FILTERS | TEXTS, "value": ANY_VALUE},
)
PATCH_OPERATIONS = _weighted((2, GOOD_OPERATIONS), (1, ODD_OPERATIONS))
PATCHES = st.lists(PATCH_OPERATIONS, max_size=3).map(lambda operations: patch_body(*operations)) | st.builds(
    lambda operation, size: patch_body(*[operation] * size), PATCH_OPERATIONS, SIZES
)
QUERY_NAMES = st.sampled_from(
    ["filter", "count", "startIndex", "cursor", "sortBy", "sortOrder", "attributes", "excludedAttributes"]
)
QUERY_VALUES = FILTERS | TEXTS | NUMBERS.map(str)
SEARCHES = st.dictionaries(QUERY_NAMES, QUERY_VALUES | ANY_VALUE, max_size=3).map(
    lambda asked: {"schemas": [SEARCH_URN]} | asked
)
BULK_OPERATIONS = st.fixed_dictionaries(
    {"method": st.sampled_from(["POST", "Put", "PATCH", "DELETE"]) | TEXTS},
    optional={
        "path": st.sampled_from(["/Users", "/Users/x", "/Users/bulkId:1", "/Bulk"]) | TEXTS,
        "bulkId": st.just("1") | ANY_VALUE,
        "version": ANY_VALUE,
        "data": USERS | PATCHES | ANY_VALUE | st.just(user_body(**{ENTERPRISE_URN: {"manager": "bulkId:1"}})),
    },
)
BULKS = st.fixed_dictionaries(
    {"schemas": st.just([BULK_URN]), "Operations": st.lists(BULK_OPERATIONS, max_size=3)},
    optional={"failOnErrors": ANY_VALUE},
)

# Bodies: what a message looks like as bytes, and what may befall them.


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()  # surrogates as escapes, NaN and numbers beyond every range as Python writes them


INSERTED = st.sampled_from(
    [b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\\u0000", b"\\ud800", b"NaN", b"-Infinity", b"1e400", b"9" * 5000, b'"title":1,"title":2,',
     b"[" * 50, b'{"a":' * 2000, b'"', b"\\", b",", b"}", b"\xef\xbb\xbf", b"/**/", b"\r\n", b"0x10", b"'", b"-", b"\xf4\x90\x80\x80", b"1_000"]
)  # fmt: skip


def _inserted(content: bytes, what: bytes, where: float) -> bytes:
    position = int(len(content) * where)
    return content[:position] + what + content[position:]


PLACES = st.floats(0, 1)
#: What may befall a body on its way; half of all arrive as they were sent.
MISHAPS = _weighted(
    (5, st.just(lambda content: content)),
    (1, st.builds(lambda where: lambda content: content[: int(len(content) * where)], PLACES)),
    (1, st.builds(lambda what, where: lambda content: _inserted(content, what, where), INSERTED, PLACES)),
    (1, st.builds(lambda what, where: lambda content: _inserted(content, what, where), st.binary(min_size=1, max_size=4), PLACES)),
    (1, st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "cp037"]).map(lambda name: lambda content: content.decode().encode(name))),
)  # fmt: skip


LARGE = st.builds(
    lambda make, size: make(size),
    st.sampled_from([
        lambda n: b"[" * n + b"]" * n,
        lambda n: b'{"a":' * n + b"1" + b"}" * n,
        lambda n: b"[" * n,
        lambda n: _dumped(user_body(title="x" * n)),
        lambda n: _dumped(user_body(title="\0" * (n // 6))),
        lambda n: _dumped(user_body(**{"x" * n: 1})),
        lambda n: _dumped(user_body(photos=[str(k) for k in range(n // 10)])),
        lambda n: _dumped(user_body(emails=[{"value": f"{k}@b.example"} for k in range(n // 40)])),
        lambda n: _dumped(dict.fromkeys(map(str, range(n // 10)))),
        lambda n: _dumped(patch_body(*[{"op": "add", "path": "title", "value": "x"}] * (n // 50))),
        lambda n: _dumped(patch_body(*[{"op": "add", "path": 'photos[value eq "x"].type', "value": "x"}] * (n // 70))),
        lambda n: _dumped(patch_body(*[{"op": "add", "path": "photos", "value": [str(k) for k in range(n // 1000)]}] * 90)),
        lambda n: _dumped({"schemas": [BULK_URN], "Operations": [{"method": "DELETE", "path": "/Users/x"}] * min(n // 40, 1500)}),
        lambda n: b'{"title": ' + b"9" * n + b"}",
        lambda n: b'{"title": 0.' + b"9" * n + b"e" + b"9" * n + b"}",
        lambda n: b'{"title": "' + b"\\u0041" * (n // 6) + b'"}',
        lambda n: b"a=" + b"%00" * (n // 3),
        lambda n: b"&" * n,
        lambda n: b" " * n,
        lambda n: b"\xff" * n,
    ]),
    st.sampled_from([60, 4000, 70_000, 1_000_000, 1_100_000]),
)  # fmt: skip
SMALL = (
    ANY_VALUE.map(_dumped)
    | st.binary(max_size=30)
    | st.sampled_from([b"", b"{}", b"null", b"[]", b'""', b"{", b"<x/>"])
)


def _bodies(messages: Strategy) -> Strategy:
    return st.builds(lambda message, mishap: mishap(_dumped(message)), messages, MISHAPS)


# Headers and queries.

HEADER_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f\x85"), max_size=10)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["If-Match", "If-None-Match", "Content-Type", "Content-Encoding", "Accept", "X-Request-ID", "X-Forwarded-Host", "X-SCIM", "Host",
         "Expect", "Range", "Cookie", "Content-Range", "Accept-Encoding", "Transfer-Encoding", "X-HTTP-Method-Override", "Origin"]
    ),
    HEADER_VALUES | st.sampled_from(["*", 'W/"1"', '"' * 3000, "identity", "a" * 9000, "text/json", "multipart/form-data; boundary=", "chunked"]),
    min_size=1, max_size=1,
)  # fmt: skip
SOME_HEADERS = _weighted((5, st.just({})), (1, HEADERS))
CREDENTIALS = st.sampled_from(["Bearer", "Basic", "bearer bearer", "", "Digest"]).flatmap(
    lambda scheme: (HEADER_VALUES | st.just("scimsvc_" + "A" * 5000)).map(lambda rest: f"{scheme} {rest}")
)
QUERIES = st.dictionaries(QUERY_NAMES | TEXTS, QUERY_VALUES, max_size=2).map(
    lambda query: urlencode(query, errors="surrogatepass")
) | st.sampled_from(
    ["%", "%zz", "=&=&", "filter=%ff%fe", "count=%00", "a=1&a=2", "filter=" + "(" * 6000, ";", "?" * 50]
)
SOME_QUERY = _weighted((5, st.just("")), (1, QUERIES))
LENGTHS = st.sampled_from([""] * 40 + ["0", "1", "999999", "-1", "x", "1_0", "٣", "9" * 30])

METHODS = st.sampled_from(
    ["GET"] * 5 + ["POST"] * 3 + ["PUT", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW", "TRACE", "get", "é"]
)
SEGMENTS = st.sampled_from(
    ["Users", "{user}", "Groups", "Bulk", "Me", ".search", "Schemas", USER_URN, "ResourceTypes", "ServiceProviderConfig", "..", ".", "", "x",
     "%2e%2e", "%00", "%ff", "%2f", ";x", "users", "x" * 3000, "%0d%0aX:%20y", "%25", "\u202e", "{role}"]
)  # fmt: skip
PATHS = st.lists(SEGMENTS | TEXTS.map(quote), max_size=3).map("/".join)


def _sent(method: Strategy, path: Strategy, body: Strategy) -> Strategy:
    return st.builds(Sent, method, path, body, SOME_QUERY, SOME_HEADERS, LENGTHS)


def _below(prefix: str, paths: Strategy) -> Strategy:
    return paths.map(lambda path: f"{prefix}/{path}")


LIST_QUERIES = st.dictionaries(QUERY_NAMES, QUERY_VALUES, min_size=1, max_size=3).map(
    lambda query: urlencode(query, errors="surrogatepass")
)
WRITTEN_PATHS = st.sampled_from([SCIM + "/Users", SCIM + "/Users/{user}", SCIM + "/Bulk"])
SCIM_REQUESTS = _weighted(
    (4, _sent(st.just("POST"), st.just(f"{SCIM}/Users"), _bodies(USERS))),
    (3, _sent(st.just("PUT"), st.just(SCIM + "/Users/{user}"), _bodies(REPLACEMENTS))),
    (5, _sent(st.just("PATCH"), st.just(SCIM + "/Users/{user}"), _bodies(PATCHES))),
    (2, _sent(st.just("POST"), st.just(f"{SCIM}/.search"), _bodies(SEARCHES))),
    (2, _sent(st.just("POST"), st.just(f"{SCIM}/Bulk"), _bodies(BULKS))),
    (4, st.builds(Sent, st.just("GET"), st.just(f"{SCIM}/Users"), query=LIST_QUERIES)),
    (2, _sent(METHODS, _below(SCIM, PATHS), SMALL)),
    (1, _sent(st.sampled_from(["POST", "PUT", "PATCH"]), WRITTEN_PATHS, SMALL)),
    (2, _sent(st.sampled_from(["POST", "PUT", "PATCH"]), WRITTEN_PATHS, LARGE)),
)  # fmt: skip

#: Members of the enterprise API's bodies and queries, and values that some of them may hold.
API_NAMES = st.sampled_from(sorted({
    name
    for operation in OPERATIONS
    for schema in (operation.body, operation.query)
    if schema is not None
    for name in schema.fields
}))  # fmt: skip
API_VALUES = ANY_VALUE | st.sampled_from(
    ["User", ["A"], {"users": 1, "hours": 1}, "api", "scim", 1, "GET", "/Users", "2026-01-01T00:00:00Z"]
)
API_PATHS = st.sampled_from(sorted({
    operation.path.replace("_id}", "}") for operation in OPERATIONS
} - {"/openapi.json", "/integrations/{integration}/rotate"}))  # fmt: skip
#: Without ``wait``, which may take 25 seconds as it says.
API_QUERIES = st.dictionaries(API_NAMES.filter(lambda name: name != "wait") | TEXTS, QUERY_VALUES, max_size=2)
API_REQUESTS = st.one_of(
    st.builds(
        Sent, METHODS, _below("/api/v1", API_PATHS.map(lambda path: path.strip("/"))),
        _bodies(st.dictionaries(API_NAMES | TEXTS, API_VALUES, max_size=4)) | SMALL | LARGE,
        API_QUERIES.map(lambda query: urlencode(query, errors="surrogatepass")) | st.just(""), SOME_HEADERS, LENGTHS,
    ),
    _sent(METHODS, _below("/api/v1", PATHS), SMALL),
)  # fmt: skip

FORM_NAMES = st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "token", "token_type_hint"])
FORM_VALUES = TEXTS | st.sampled_from(["client_credentials", "{client_id}", "scim", "api", "x" * 300, "password"])
FORMS = st.lists(st.tuples(FORM_NAMES | TEXTS, FORM_VALUES), max_size=5).map(
    lambda pairs: urlencode(pairs, errors="surrogatepass").encode()
)
TOKEN_REQUESTS = st.builds(
    Sent,
    st.just("POST") | METHODS,
    st.sampled_from(["/api/authenticate", "/api/revoke"]),
    FORMS | FORMS | st.builds(_inserted, FORMS, INSERTED, PLACES) | SMALL | LARGE,
    SOME_QUERY,
    st.builds(lambda headers, credentials: headers | credentials, SOME_HEADERS, st.just({}) | CREDENTIALS.map(lambda each: {"Authorization": each})),
    LENGTHS,
)  # fmt: skip
STRANGERS = st.builds(
    Sent,
    METHODS,
    st.one_of(
        st.sampled_from([f"{SCIM}/Users", "/api/v1/users", "/healthz", "/readyz", "/metrics", "/", "", "*", "/api", "/api/scim/v2x"]), _below("", PATHS)
    ),
    SMALL,
    QUERIES,
    CREDENTIALS.map(lambda each: {"Authorization": each}),
    LENGTHS,
)  # fmt: skip

REQUESTS = _weighted((12, SCIM_REQUESTS), (4, API_REQUESTS), (2, TOKEN_REQUESTS), (1, STRANGERS))
