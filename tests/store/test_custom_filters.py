"""Filters and orders over custom attributes agree in SQL, on both databases, with their evaluation on the answers."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimsvc.protocol.attributes import fold
from scimsvc.protocol.custom_attributes import Declaration, user_type, write_declarations
from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.nodes import OPERATORS
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.scalars import parse_instant
from tests.support.client import Api, Enterprise, user_body
from tests.support.custom import DECLARED, URN, declare
from tests.support.long_runs import LONG

TEXTS = st.sampled_from(["a", "A", "ab", "ß", "ss", "%", "_", "é", "É", "😀", "\U0010ffff", "a\n", " ", "\\", '"'])
INTEGERS = st.sampled_from([0, 1, -1, 9, 10, 2**53, 2**53 + 1, 2**63 - 1, -(2**63) + 1]) | st.integers(-20, 20)
DECIMALS = st.sampled_from([0, 0.1, 0.2, 0.3, -0.0, 1, 1.0, 1e-15, 1e14, 999999999999999, 0.123456789012345]) | (
    st.decimals(-100, 100, allow_nan=False, places=3).map(float)
)
TIMES = st.sampled_from(
    [
        "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000001Z",
        "2026-01-01T00:00:00.5Z", "2025-12-31T23:59:59.9999999Z", "0999-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    ]
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "tag": TEXTS, "code": TEXTS, "remote": st.booleans(), "level": INTEGERS, "share": DECIMALS, "hired": TIMES,
    "skills": st.lists(TEXTS, max_size=3), "levels": st.lists(INTEGERS, max_size=3),
    "moves": st.lists(TIMES, max_size=2),
}  # fmt: skip
ELEMENTS = {"tag": TEXTS, "code": TEXTS, "level": INTEGERS, "share": DECIMALS, "hired": TIMES,
            "skills": TEXTS, "levels": INTEGERS, "moves": TIMES}  # fmt: skip
ORDERED = ("eq", "ne", "gt", "ge", "lt", "le")


def comparisons(name: str, values: st.SearchStrategy[Any], path: str) -> st.SearchStrategy[str]:
    operators = OPERATORS if DECLARED[name].get("type", "string") == "string" else ORDERED
    return st.tuples(st.just(path), st.sampled_from(operators), values.map(json.dumps)).map(" ".join)


FILTERS = st.recursive(
    st.one_of(
        *(comparisons(name, values, f"{URN}:{name}") for name, values in ELEMENTS.items()),
        *(
            st.tuples(comparisons(name, ELEMENTS[name], "value"), comparisons(name, ELEMENTS[name], "value")).map(
                lambda parts, name=name: f"{URN}:{name}[{parts[0]} and {parts[1]}]"  # type: ignore[misc]
            )
            for name in ("skills", "levels", "moves")
        ),
        st.sampled_from(list(VALUES)).map(lambda name: f"{URN}:{name} pr"),
        st.tuples(st.sampled_from(list(VALUES)), st.sampled_from(["eq", "ne"])).map(
            lambda parts: f"{URN}:{parts[0]} {parts[1]} null"
        ),
        st.tuples(st.sampled_from(["eq", "ne"]), st.sampled_from(["true", "false"])).map(
            lambda parts: f"{URN}:remote {parts[0]} {parts[1]}"
        ),
    ),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | inner.map(lambda text: f"not ({text})")
    ),
    max_leaves=4,
)
USERS = st.lists(st.fixed_dictionaries({}, optional=VALUES), min_size=3, max_size=3)


@pytest.fixture
def declared(acme: Enterprise, api: Api) -> ResourceType:
    """The type of users with one attribute of each type."""
    return user_type(write_declarations(Declaration(**each) for each in declare(api).values()))


def stored(acme: Enterprise, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return users with the custom values ``bodies``, the same ones for each example."""
    existing = acme.find("id pr") or [acme.create(email=f"{n}@x.example") for n in range(len(bodies))]
    users = []
    for number, (user, body) in enumerate(zip(sorted(existing, key=_address), bodies, strict=True)):
        answer = acme.send("PUT", f"/Users/{user['id']}", user_body(f"{number}@x.example", **{URN: body}))
        assert answer.status_code == 200, answer.text
        users.append(answer.get_json())
    return users


def _address(user: dict[str, Any]) -> str:
    return str(user["emails"][0]["value"])


@pytest.mark.slow
@settings(max_examples=1000 if LONG else 40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=USERS, filter_=FILTERS)
def test_any_filter_in_sql_agrees_with_its_evaluation(
    acme: Enterprise, declared: ResourceType, bodies: list[dict[str, Any]], filter_: str
) -> None:
    users = stored(acme, bodies)

    node = parse_filter(filter_, declared)

    assert {user["id"] for user in acme.find(filter_)} == {user["id"] for user in users if matches(node, user)}


@pytest.mark.slow
@settings(max_examples=500 if LONG else 25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=USERS, name=st.sampled_from(list(VALUES)), descending=st.booleans())
def test_any_order_in_sql_is_that_of_the_values(
    acme: Enterprise, declared: ResourceType, bodies: list[dict[str, Any]], name: str, descending: bool
) -> None:
    users = stored(acme, bodies)
    order = "descending" if descending else "ascending"

    found = acme.find("id pr", sortBy=f"{URN}:{name}", sortOrder=order)

    def key(user: dict[str, Any]) -> tuple[Any, ...]:
        value = user.get(URN, {}).get(name)
        value = value[0] if isinstance(value, list) else value
        if isinstance(value, str):
            value = parse_instant(value) if name in ("hired", "moves") else value if name == "code" else fold(value)
        return value is None, 0 if value is None else value, user["id"]

    expected = sorted(users, key=key, reverse=descending)
    assert [user["id"] for user in found] == [user["id"] for user in expected]
