"""Patterns, SQL, line ends and markup are stored and returned as text."""

import json
import time

import pytest

from tests.support.apps import make_api
from tests.support.client import MEDIA_TYPE, Enterprise, assert_scim_error, patch_body, replace
from tests.support.cpu import crowd

SPECIAL = ["%", "_", "\\", '"', "'", "*", "?", "[a]", "$", "^.", "%_", "\\%", "--", ";"]


@pytest.mark.requirement("R42")
def test_patterns_of_databases_are_text(acme: Enterprise) -> None:
    acme.create(email="plain@contoso.example", title="abc")
    for n, special in enumerate(SPECIAL):
        acme.create(email=f"u{n}@contoso.example", title=f"a{special}c", nickName=special)

    titles = ["abc", *(f"a{each}c" for each in SPECIAL)]
    for special in SPECIAL:
        quoted = json.dumps(special)[1:-1]
        wanted = {
            f'title eq "a{quoted}c"': {f"a{special}c"},
            f'nickName eq "{quoted}"': {f"a{special}c"},
            f'title co "{quoted}"': {title for title in titles if special in title},
            f'title sw "a{quoted}"': {title for title in titles if title.startswith(f"a{special}")},
            f'title ew "{quoted}c"': {title for title in titles if title.endswith(f"{special}c")},
        }
        assert {each: {found["title"] for found in acme.find(each)} for each in wanted} == wanted


SQL = ["' OR '1'='1", '" OR ""="', "1; DROP TABLE users", "'); DELETE FROM users; --", "x' UNION SELECT digest FROM client_secrets --",
       "pg_sleep(5)", "' || pg_sleep(5) || '", "randomblob(1000000000)", "${7*7}", "{{7*7}}", "$where"]  # fmt: skip


@pytest.mark.requirement("R43")
def test_sql_is_text_in_every_place(acme: Enterprise) -> None:
    user = acme.create()
    for n, sql in enumerate(SQL):
        quoted = json.dumps(sql)
        begin = time.monotonic()

        sought = acme.send(
            "GET", "/Users", query={"filter": f"title eq {quoted} or id eq {quoted} or roles.value co {quoted}"}
        )
        refused = [
            acme.send("GET", "/Users", query={"filter": f"{sql} eq 1"}),
            acme.send("GET", "/Users", query={"sortBy": sql}),
            acme.send("GET", "/Users", query={"count": sql}),
            acme.send("GET", "/Users", query={"cursor": sql}),
            acme.send("GET", f"/Users/{sql}"),
            acme.send("PATCH", f"/Users/{sql}", patch_body(replace("title", "x"))),
        ]
        chosen = acme.send("GET", "/Users", query={"attributes": sql})
        kept = acme.create(email=f"u{n}@contoso.example", title=sql, externalId=sql)

        assert time.monotonic() - begin < 2 * crowd()
        assert (sought.status_code, sought.get_json()["totalResults"]) == (200, 0)
        assert {answer.status_code for answer in refused} <= {400, 404}
        assert chosen.get_json()["totalResults"] == n + 1
        assert acme.find(f"title eq {quoted}") == [kept]
    assert acme.get(user) == user


@pytest.mark.requirement("R51")
def test_line_ends_create_no_header_and_no_redirect(acme: Enterprise) -> None:
    user = acme.create(externalId="a\r\nX-Injected: 1", title="b\nSet-Cookie: x=y")

    for path in (f"/Users/{user['id']}%0d%0aX-Injected:%201", "/Users/%0d%0a%0d%0ax", "//evil.example/%0d%0aX-Injected: 1", "/\\evil.example",
                 "//evil.example/..", f"/Users/{user['id']}"):  # fmt: skip
        answer = acme.send("GET", path, query={"x": "a\r\nX-Injected: 1"})
        assert answer.status_code in (200, 400, 404), path
        assert "X-Injected" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert "Location" not in answer.headers
        assert all("\r" not in value and "\n" not in value for _, value in answer.headers)
    assert acme.get(user)["externalId"] == "a\r\nX-Injected: 1"


MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ config }}",
    "{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "</title>",
    "=1+1",
]


@pytest.mark.requirement("R52")
def test_markup_is_text_and_comes_back_as_it_was(acme: Enterprise) -> None:
    api = make_api(acme)
    for n, markup in enumerate(MARKUP):
        sent = {"userName": markup, "title": markup, "profileUrl": markup, "name": {"familyName": markup}}
        user = acme.create(email=f"u{n}@contoso.example", **sent)

        answer, refused = acme.send("GET", f"/Users/{user['id']}"), acme.send("GET", f"/Users/{markup}")

        assert {name: answer.get_json()[name] for name in sent} == sent
        assert (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]) == (MEDIA_TYPE, "nosniff")
        assert api.get(f"/users/{user['id']}")["user_name"] == markup
        assert_scim_error(refused, 404, None)
