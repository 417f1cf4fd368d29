"""Bad input below the Tenant URL gets its status, its scimType and a helpful detail, and changes no user.

All cases of the tables are sent to the same user, who is compared byte for byte after each of them.
"""

import secrets
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scimsvc import create_app
from scimsvc.protocol.users import USERS
from tests.support.apps import SECRET_KEY, dispose, make_enterprise
from tests.support.client import Enterprise, assert_scim_error, patch_body, replace, user_body, walk
from tests.support.cpu import crowd
from tests.support.urns import ENTERPRISE_URN, PATCH_URN, USER_URN

WORK = {"type": "work", "value": "test.user@contoso.example"}
HOME = {"type": "home", "value": "home@contoso.example"}


class Target:
    """An enterprise with one user, who must not change."""

    def __init__(self, enterprise: Enterprise) -> None:
        self.enterprise = enterprise
        self.create()

    def create(self) -> None:
        email = f"{secrets.token_hex(4)}@contoso.example"
        user = self.enterprise.create(email=email, title="Engineer", roles=["User"], phoneNumbers=["1"])
        self.path = f"/Users/{user['id']}"
        self.before = self.state()

    def send(self, method: str, body: Any = None, **options: Any) -> TestResponse:
        return self.enterprise.send(method, "/Users" if method == "POST" else self.path, body, **options)

    def state(self) -> tuple[bytes, str, bytes]:
        answer = self.send("GET")
        return answer.data, answer.headers["ETag"], self.enterprise.send("GET", "/Users").data

    def assert_refused(self, answer: TestResponse, status: int, scim_type: str | None, *words: str) -> None:
        before, self.before = self.before, self.state()  # so that only the case that changed something fails
        assert_scim_error(answer, status, scim_type, *words)
        assert self.before == before


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One target for every table on each database; no other fixture of this module may empty PostgreSQL's."""
    folder = tmp_path_factory.mktemp("target")
    url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), folder)}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    app = create_app({"DATABASE_URL": url, "INSTANCE_PATH": str(folder), "SECRET_KEY": SECRET_KEY})
    yield Target(make_enterprise(app, f"Acme {secrets.token_hex(4)}"))
    dispose(app)


LATIN_1 = '{"userName": "Jürgen"}'.encode("latin-1")
BODIES = [
    pytest.param(b"", ["not JSON"], id="nothing"),
    pytest.param(b"{", ["line 1, column 2"], id="cut short"),
    pytest.param(b"userName=Test", ["not JSON"], id="a form"),
    pytest.param(b"<User/>", ["not JSON"], id="XML"),
    pytest.param(b"[]", ["object", "a list"], id="list"),
    pytest.param(b'"text"', ["object", "a string"], id="string"),
    pytest.param(b"5", ["object", "a number"], id="number"),
    pytest.param(b"true", ["object", "a boolean"], id="boolean"),
    pytest.param(b"null", ["object", "null"], id="null"),
    pytest.param(b'{"title": NaN}', ["NaN"], id="NaN"),
    pytest.param(b'{"title": Infinity}', ["Infinity"], id="Infinity"),
    pytest.param(b'{"title": -Infinity}', ["-Infinity"], id="minus Infinity"),
    pytest.param(b'{"title": 1e400}', ["number that is too large"], id="1e400"),
    pytest.param(b'{"title": %d}' % 2**64, ["64 bits"], id="2**64"),
    pytest.param(b'{"title": %s}' % (b"9" * 5000), ["digits"], id="5000 digits"),
    pytest.param(b'{"title": "a", "title": "a"}', ["'title' twice"], id="a name twice"),
    pytest.param(b'{"title": "\xff"}', ["UTF-8", "byte 11"], id="no UTF-8"),
    pytest.param(LATIN_1, ["UTF-8"], id="Latin-1"),
    pytest.param(b"\xef\xbb\xbf{", ["line 1, column 2"], id="byte order mark"),
    pytest.param(b"\xef\xbb\xbf" * 2 + b"{}", ["not JSON"], id="two byte order marks"),
    pytest.param("{}".encode("utf-16"), ["UTF-8"], id="UTF-16"),
    pytest.param(b"[" * 40 + b"]" * 40, ["32 levels"], id="40 levels"),
    pytest.param(b'{"a":' * 40 + b"1" + b"}" * 40, ["32 levels"], id="40 objects"),
    pytest.param(b"[" * 100_000, ["32 levels"], id="100000 levels"),
    pytest.param(b'{"title": "\\u0000"}', ["NUL"], id="NUL in a value"),
    pytest.param(b'{"ti\\u0000tle": 1}', ["NUL"], id="NUL in a name"),
    pytest.param(b'{"bogus": [{"x": "\\ud83d"}]}', ["surrogate"], id="lone surrogate in a value"),
    pytest.param(b'{"\\udc00": 1}', ["surrogate"], id="lone surrogate in a name"),
]


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(("body", "words"), BODIES)
def test_a_body_that_is_not_a_strict_json_object_is_invalid_syntax(
    target: Target, method: str, body: bytes, words: list[str]
) -> None:
    target.assert_refused(target.send(method, body), 400, "invalidSyntax", *words)


VALUES = [
    *(
        pytest.param("userName", value, ["userName must be a string", kind], id=f"userName {kind}")
        for value, kind in ((5, "a number"), (1.5, "a number"), (True, "a boolean"), (["x"], "a list"), ({"a": 1}, "an object"))
    ),
    pytest.param("userName", None, ["userName is missing", "Entra"], id="userName null"),
    pytest.param("userName", "", ["userName is missing"], id="userName empty"),
    pytest.param("userName", "x" * 513, ["userName", "513", "512"], id="userName too long"),
    pytest.param("externalId", 5, ["externalId must be a string"], id="externalId number"),
    pytest.param("externalId", "x" * 513, ["externalId", "512"], id="externalId too long"),
    pytest.param("title", {"value": "x"}, ["title must be a string", "an object"], id="string an object"),
    pytest.param("profileUrl", 5, ["profileUrl must be a string"], id="reference a number"),
    pytest.param("active", "yes", ["active must be true or false", "a string"], id="boolean a word"),
    pytest.param("active", 1, ["active must be true or false", "a number"], id="boolean a number"),
    pytest.param("active", [True, True], ["active must be true or false", "a list"], id="boolean a list"),
    pytest.param("name", "Test User", ["name must be an object with", "familyName", "a string"], id="complex a string"),
    pytest.param("name", [{}, {}], ["name must be an object"], id="complex a list"),
    pytest.param("name", {"familyName": 5}, ["name.familyName must be a string"], id="sub-attribute a number"),
    pytest.param("emails", None, ['emails[type eq "work"].value is missing', "Entra"], id="no address"),
    pytest.param("emails", [], ["emails", "missing"], id="no addresses"),
    pytest.param("emails", [HOME, {**HOME, "value": "b@c.example"}], ["emails", "work", "missing"], id="no work address"),
    pytest.param("emails", [{"type": "work"}], ["emails", "missing"], id="work address without a value"),
    pytest.param("emails", 5, ["emails must be an object", "a number"], id="elements a number"),
    pytest.param("emails", [WORK, 5], ["emails must be an object", "a number"], id="an element a number"),
    pytest.param("emails", [WORK, [["x"]]], ["emails must be an object", "a list"], id="an element a list"),
    pytest.param("emails", [{**WORK, "value": 5}], ["emails.value must be a string"], id="address a number"),
    pytest.param("emails", [{**WORK, "type": True}], ["emails.type must be a string"], id="type a boolean"),
    pytest.param("emails", [{**WORK, "primary": "maybe"}], ["emails.primary must be true or false"], id="primary a word"),
    pytest.param("emails", [WORK, {**WORK, "value": "b@c.example"}], ["emails has two different", "work"], id="two work addresses"),
    pytest.param("emails", [{**WORK, "primary": True}, {**HOME, "primary": True}], ["emails", "primary"], id="two primary addresses"),
    pytest.param("emails", [{**WORK, "value": "x" * 505 + "@b.example"}], ["emails", "512"], id="work address too long"),
    pytest.param("emails", [WORK, {**HOME, "value": "x" * 513}], ["emails", "512"], id="home address too long"),
    *(
        pytest.param("emails", [{**WORK, "value": text}], ["emails", "not a valid e-mail address", "name@example.com"], id=f"address {text}")
        for text in ("nobody", "@b.example", "a@", "a@b@c", "a b@c.example", "a@b..c", "<a@b.example>", "a@b.example,c@d.example", " a@b.example")
    ),
    pytest.param("phoneNumbers", [{"value": "1", "primary": True}, {"value": "2", "primary": "True"}], ["phoneNumbers", "primary"], id="two primary numbers"),
    pytest.param("phoneNumbers", [{"value": "1", "type": {}}], ["phoneNumbers.type must be a string"], id="type an object"),
    pytest.param("photos", [str(n) for n in range(501)], ["photos", "501", "500"], id="501 elements"),
    pytest.param("addresses", "1 Street", ["addresses must be an object with", "streetAddress"], id="address text"),
    pytest.param("x509Certificates", [{"value": 5}], ["x509Certificates.value"], id="binary a number"),
    pytest.param("roles", 5, ["roles must be an object"], id="roles a number"),
    pytest.param("roles", [{"value": 5}], ["roles.value must be a string"], id="role a number"),
    pytest.param("roles", ["User", "Power Signer"], ["'roles' has 2 elements", "'User'", "SingleAppRoleAssignment"], id="two roles"),
    pytest.param("roles", "Nobody", ["'Nobody'", "Acme", "SigningHub_Admin"], id="unknown role"),
    pytest.param("roles", '{"id": "1"}', ["roles", "app role assignment"], id="packed role without a name"),
    pytest.param(ENTERPRISE_URN, "x", [ENTERPRISE_URN, "must be an object with employeeNumber"], id="extension a string"),
    pytest.param(ENTERPRISE_URN, {"department": 5}, [f"{ENTERPRISE_URN}", "department must be a string"], id="extension's number"),
    pytest.param(ENTERPRISE_URN, {"manager": 5}, ["manager must be an object with value"], id="manager a number"),
    pytest.param(ENTERPRISE_URN, {"manager": {"value": []}, "division": {}}, ["division must be a string"], id="division an object"),
]  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(("name", "value", "words"), VALUES)
def test_a_value_that_does_not_suit_is_invalid_value(
    target: Target, method: str, name: str, value: Any, words: list[str]
) -> None:
    body = (
        patch_body(replace("nickName", "x"), replace(name, value)) if method == "PATCH" else user_body(**{name: value})
    )

    target.assert_refused(target.send(method, body), 400, "invalidValue", *words)


WRITABLE = [
    str(path)
    for path in walk(USERS.attributes)
    if path.steps[0].name != "schemas"
    and all(step.mutability == "readWrite" and not step.dropped for step in path.steps)
]


@pytest.mark.parametrize("name", WRITABLE)
def test_no_attribute_is_a_number(target: Target, name: str) -> None:
    answer = target.send("PATCH", patch_body(replace(name, 5)))

    target.assert_refused(answer, 400, "invalidValue", name, "must be", "not a number")


MESSAGES = [
    *(
        pytest.param(method, user_body(schemas=schemas), ["schemas", USER_URN], id=f"{method} {kind}")
        for method in ("POST", "PUT")
        for kind, schemas in (
            ("a string", USER_URN), ("numbers", [5]), ("the extension alone", [ENTERPRISE_URN]),
            ("misspelt", [USER_URN + "s"]), ("an object", {USER_URN: True}),
        )
    ),
    pytest.param("POST", user_body(schemas=[USER_URN, PATCH_URN]), ["message"], id="POST of a message"),
    pytest.param("PUT", user_body(USERNAME="x"), ["userName", "twice"], id="a name in two spellings"),
    pytest.param("PUT", user_body(name={"familyName": "x", "FAMILYNAME": "x"}), ["name.familyName", "twice"], id="sub-attribute"),
    pytest.param("PUT", user_body(**{f"{USER_URN}:title": "x", "title": "x"}), ["title", "twice"], id="with and without its URN"),
    pytest.param("PATCH", {}, ["Operations"], id="an empty object"),
    pytest.param("PATCH", {"schemas": [USER_URN], "Operations": [replace("title", "x")]}, [PATCH_URN], id="PATCH of a User"),
    pytest.param("PATCH", {"schemas": PATCH_URN, "Operations": [replace("title", "x")]}, [PATCH_URN], id="schemas a string"),
    pytest.param("PATCH", {"schemas": [PATCH_URN]}, ["Operations"], id="no operations"),
    pytest.param("PATCH", {"schemas": [PATCH_URN], "Operations": None}, ["Operations"], id="operations null"),
    pytest.param("PATCH", {"schemas": [PATCH_URN], "Operations": replace("title", "x")}, ["Operations"], id="operations an object"),
    pytest.param("PATCH", {"schemas": [PATCH_URN], "Operations": [], "operations": []}, ["twice"], id="operations twice"),
    pytest.param("PATCH", patch_body(*[replace("title", "x")] * 1001), ["1001", "1000"], id="1001 operations"),
    pytest.param("PATCH", patch_body("replace"), ["Operation 1 must be an object"], id="operation a string"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "body", "words"), MESSAGES)
def test_a_message_of_the_wrong_make_is_invalid_syntax(
    target: Target, method: str, body: Any, words: list[str]
) -> None:
    target.assert_refused(target.send(method, body), 400, "invalidSyntax", *words)


OPERATIONS = [
    (
        {"op": "frobnicate", "path": "title", "value": "x"},
        "invalidSyntax",
        ["op of operation 2", "add, replace or remove"],
    ),
    ({"op": 5, "path": "title", "value": "x"}, "invalidSyntax", ["op of operation 2"]),
    ({"path": "title", "value": "x"}, "invalidSyntax", ["op of operation 2"]),
    ({"op": "replace", "path": "title"}, "invalidSyntax", ["Operation 2 has no value"]),
    ({"op": "add", "path": "title", "Path": "title", "value": "x"}, "invalidSyntax", ["twice"]),
    ({"op": "remove"}, "noTarget", ["Operation 2", "without a path"]),
    ({"op": "remove", "path": ""}, "noTarget", ["without a path"]),
    ({"op": "remove", "path": None, "value": {"title": "x"}}, "noTarget", ["without a path"]),
    ({"op": "replace", "value": "x"}, "invalidValue", ["Operation 2 has no path", "object"]),
    ({"op": "replace", "path": 5, "value": "x"}, "invalidPath", ["path of operation 2", "name.familyName"]),
    ({"op": "replace", "path": "title", "value": "\0"}, "invalidSyntax", ["NUL"]),
    ({"op": "replace", "path": "title\0", "value": "x"}, "invalidSyntax", ["NUL"]),
    ({"op": "replace", "path": 'emails[type eq "\ud800"].value', "value": "x"}, "invalidSyntax", ["surrogate"]),
    (replace('emails[type eq "\\u0000"].value', "x"), "invalidFilter", ["NUL"]),
    (replace("emails[", "x"), "invalidPath", ["'emails['", "name.familyName"]),
    (replace('emails[type eq "work"', "x"), "invalidPath", ["name.familyName"]),
    (replace("ti tle", "x"), "invalidPath", ["'ti tle'", "name.familyName"]),
    (replace("/title", "x"), "invalidPath", ["'/title'", "name.familyName"]),
    (replace("name/familyName", "x"), "invalidPath", ["'name/familyName'"]),
    (replace(f"{USER_URN}:/title", "x"), "invalidPath", ["name.familyName"]),
    (replace("*", "x"), "invalidPath", ["'*'"]),
    (replace("favourites..one", "x"), "invalidPath", ["'favourites..one'"]),
    (replace("x" * 9000, "x"), "invalidPath", ["9000", "8000"]),
    (replace('title[value eq "x"]', "x"), "invalidPath", ["title has no elements"]),
    (replace(USER_URN, "x"), "invalidPath", [USER_URN, "one of its attributes"]),
    (replace('emails[type xx "work"].value', "x"), "invalidFilter", ["'xx'", "eq"]),
    (replace("emails[type eq].value", "x"), "invalidFilter", ["value is missing"]),
    (replace('emails[bogus eq "work"].value', "x"), "invalidFilter", ["emails.bogus"]),
    (replace('phoneNumbers[type eq "a" or type eq "b"].value', "x"), "noTarget", ["phoneNumbers", '[type eq "work"]']),
    (replace("id", "x"), "mutability", ["id is readOnly"]),
    (replace("meta.created", "2020-01-01T00:00:00Z"), "mutability", ["meta.created is readOnly"]),
    ({"op": "add", "path": "groups", "value": [{"value": "x"}]}, "mutability", ["groups is readOnly"]),
    ({"op": "remove", "path": "userName"}, "mutability", ["userName is required"]),
    ({"op": "remove", "path": 'emails[type eq "work"]'}, "invalidValue", ["emails", "missing"]),
    (
        {"op": "add", "path": "emails", "value": [{**WORK, "value": "b@c.example"}]},
        "invalidValue",
        ["two different", "work"],
    ),
    (
        {"op": "add", "path": f'emails[type eq "home" and value eq "{"x" * 513}"].display', "value": "x"},
        "invalidValue",
        ["512"],
    ),
]


@pytest.mark.requirement("R4", "R27")
@pytest.mark.parametrize(("operation", "scim_type", "words"), OPERATIONS)
def test_a_bad_operation_undoes_the_whole_patch(
    target: Target, operation: Any, scim_type: str, words: list[str]
) -> None:
    answer = target.send("PATCH", patch_body(replace("title", "New"), operation, replace("nickName", "New")))

    target.assert_refused(answer, 400, scim_type, *words)


FILTERS = [
    (" ", ["attribute is missing"]),
    ("title", ["operator is missing"]),
    ("title eq", ["value is missing"]),
    ("title eq x", ["'x' is not a valid value", "double quotes"]),
    ("title eq 'x'", ["is not a valid value"]),
    ('title eq "x', ["double quote is not closed"]),
    ('title = "x"', ["'='", "eq"]),
    ("title pr and", ["attribute is missing"]),
    ("title pr title pr", ["after its end"]),
    ("(title pr", [") is missing"]),
    ("title pr)", ["after its end"]),
    ("not title pr", ["not (…)"]),
    ("title eq 5", ["title is a string", "double quotes"]),
    ("title gt null", ["null", "eq or ne"]),
    ("active gt true", ["active is a boolean"]),
    ('active eq "x"', ["active is a boolean", "true or false"]),
    ("active eq 1e400", ["active is a boolean"]),
    ('meta.created gt "yesterday"', ["meta.created", "2026-"]),
    ('name eq "x"', ["name is complex", "name.formatted"]),
    ('bogus eq "x"', ["'bogus'", "/Schemas"]),
    ('name.bogus eq "x"', ["'name.bogus'"]),
    ('password eq "secret"', ["password", "not stored"]),
    ('title pr or PassWord sw "s"', ["password", "not stored"]),
    (f"{USER_URN}:password pr", ["password", "not stored"]),
    ('emails[type eq "work"', ["] is missing"]),
    ("title[value pr]", ["title has no sub-attributes"]),
    ('title eq "\0"', ["is not a valid value"]),
    ('title eq "\\u0000"', ["NUL"]),
    ('title eq "\\udfff"', ["surrogate"]),
    ("\0 pr", ["Unknown attribute"]),
    ("x" * 9000, ["9000", "8000"]),
    ("(" * 21 + "title pr" + ")" * 21, ["20 levels"]),
    (" or ".join(["title pr"] * 101), ["100 conditions"]),
]


@pytest.mark.requirement("R41")
@pytest.mark.parametrize(("text", "words"), FILTERS)
def test_an_unreadable_filter_is_invalid_filter(target: Target, text: str, words: list[str]) -> None:
    answer = target.enterprise.send("GET", "/Users", query={"filter": text})

    target.assert_refused(answer, 400, "invalidFilter", "filter", *words)
    assert "secret" not in answer.text


@pytest.mark.requirement("R46")
@pytest.mark.parametrize("name", ["count", "startIndex"])
@pytest.mark.parametrize("text", ["abc", "1.5", "1e3", "0x10", "٣", "1 2", "--1", "null", "\0", "9" * 30 + "x"])
def test_a_page_number_that_is_not_a_number_is_invalid_value(target: Target, name: str, text: str) -> None:
    target.assert_refused(
        target.enterprise.send("GET", "/Users", query={name: text}), 400, "invalidValue", name, "whole number"
    )


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("headers", [
    {"Content-Type": each} for each in (
        "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/json, text/plain", "application/jsonx", "application/scim+json; charset=utf-16", "application/json;charset=latin-1",
        "\xff",
    )
] + [{"Content-Encoding": each} for each in ("gzip", "deflate", "br", "identity, gzip")])  # fmt: skip
def test_a_body_in_another_form_is_415(target: Target, headers: dict[str, str]) -> None:
    for method in ("POST", "PUT", "PATCH"):
        words = ["application/scim+json", "UTF-8"] if "Content-Type" in headers else ["Content-Encoding"]
        target.assert_refused(target.send(method, b"{", headers=headers), 415, None, *words)


def test_a_patch_that_adds_without_end_is_soon_refused(target: Target) -> None:
    # The database is locked while the operations run: with a body of the highest size this once took minutes.
    additions = [{"op": "add", "path": "photos", "value": [f"{n} {m}" for m in range(150)]} for n in range(150)]
    begun = time.perf_counter()

    answer = target.send("PATCH", patch_body(*additions))

    target.assert_refused(answer, 400, "invalidValue", "photos", "500")
    assert time.perf_counter() - begun < 2 * crowd()
