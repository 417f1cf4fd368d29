"""Forms and addresses that no browser sends: every page responds with a page, and quickly."""

import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.client import Enterprise
from tests.support.console import Console
from tests.support.hostile import FILTERS, TEXTS
from tests.support.long_runs import LONG
from tests.support.pages import console_rules, ids_of, pages_of

EXAMPLES = 20_000 if LONG else 150
PATIENCE = 5.0  # seconds

VALUES = (
    TEXTS
    | TEXTS
    | FILTERS
    | st.sampled_from(["on", "true", "", " ", "0", "-1", "1" * 30, "1e9", "2026-02-30", "2026-11-25T10:00", "+10000-01-01", "0000-00-00"])
    | st.sampled_from(["x" * 5_000, "A\nB\rC", "<script>", "W/\"1\"", "*", "{}", '{"op": []}', "a@b.example", "week"])
)  # fmt: skip
#: Parameters of addresses in addition to the fields of forms.
PARAMETERS = {"part", "cursor", "limit", "by", "since", "until", "outcome", "operation"}


def fields_by_address(pages: list[str]) -> dict[str, set[str]]:
    """Return the field names of every form on the pages, by the path that it is sent to."""
    found: dict[str, set[str]] = {}
    for page in pages:
        for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
            address = re.search(r'action="([^"?]*)', form)
            names = re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', form)
            found.setdefault(address[1] if address else "", set()).update(names)
    return found


@st.composite
def sent(
    draw: st.DrawFn, rules: list[Any], fields: dict[str, set[str]], known: dict[str, str]
) -> tuple[str, str, list[tuple[str, str]]]:
    """A method, a path and fields for one of the console's pages, mostly the fields of its form."""
    method, rule = draw(st.sampled_from(rules))

    def odd(found: re.Match[str]) -> str:
        is_odd = draw(st.sampled_from([False] * 4 + [True]))
        return quote(draw(TEXTS), safe="", errors="replace") if is_odd else known.get(found[1], "none")

    placeholder = r"<(?:\w+:)?(\w+)>"
    own = fields.get(re.sub(placeholder, lambda found: known.get(found[1], "none"), rule), set())
    names = sorted(own) * 9 + sorted(PARAMETERS.union(*fields.values()))
    return method, re.sub(placeholder, odd, rule), draw(st.lists(st.tuples(st.sampled_from(names), VALUES), max_size=6))


@pytest.mark.slow
def test_no_form_is_too_hostile_to_be_answered(app: Flask, acme: Enterprise, operator: Console) -> None:
    user = acme.create(roles=[{"value": "User", "primary": True}])
    known = {"enterprise_id": acme.made["id"], "user_id": user["id"], **ids_of(acme)}
    rules = [
        (method, rule.rule)
        for method in ("GET", "POST")
        for rule in console_rules(app, method)
        if not rule.endpoint.startswith(("console_own_account.sign_out", "console_enterprise.delete"))
    ]
    assert len(rules) > 40
    pages = [operator.send("GET", path).text for path in pages_of(acme, operator)]
    fields = fields_by_address(pages)
    assert len(fields) > 20
    token = operator.get("/console/account") and operator._token

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(asked=sent(rules, fields, known))
    def answered(asked: tuple[str, str, list[tuple[str, str]]]) -> None:
        method, path, fields = asked
        started = time.perf_counter()
        encoded = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in fields)

        if method == "GET":
            answer = operator.send("GET", f"{path}?{encoded}")
        else:
            form = {"content_type": "application/x-www-form-urlencoded"}
            answer = operator.send("POST", path, data=f"csrf_token={token}&{encoded}", **form)

        assert answer.status_code < 500, answer.text
        assert time.perf_counter() - started < PATIENCE
        is_part = path.endswith("/progress") or path.startswith("/console/mail/") or "part" in dict(fields)
        if answer.mimetype == "text/html" and not is_part:
            assert "<h1" in answer.text or answer.status_code == 303, answer.text
        assert "Traceback" not in answer.text

    answered()

    assert operator.get("/console/account")  # the browser is still signed in
