"""Numbers, times and names of custom attributes, and the fast path over bodies with custom values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimsvc.protocol.custom_attributes import (
    NAME_PATTERN,
    Declaration,
    find_fault,
    read_declarations,
    user_type,
    write_declarations,
)
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.reading import fast_path, leniency
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.protocol.scalars import find_number, is_date_time, is_number
from scimsvc.protocol.users import USERS
from tests.support.client import patch_body
from tests.support.custom import DECLARED, URN
from tests.support.population import user_body

DECLARATIONS = tuple(
    Declaration(name, f"{URN}:{name}", members.get("type", "string"), members.get("multi_valued", False), False)
    for name, members in DECLARED.items()
)
TYPE = user_type(write_declarations(DECLARATIONS))


def test_declarations_are_written_and_read() -> None:
    assert read_declarations(write_declarations(DECLARATIONS)) == DECLARATIONS
    assert (write_declarations([]), read_declarations(None), user_type(None)) == (None, (), USERS)
    text = write_declarations(DECLARATIONS)
    assert user_type(text) is user_type(text)
    assert [each.name for each in user_type(text).attributes] == [each.name for each in TYPE.attributes]


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        ("integer", "0", 0), ("integer", "-17", -17), ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "9223372036854775808", None), ("integer", "-0", None), ("integer", "+1", None),
        ("integer", "01", None), ("integer", "1.0", None), ("integer", " 1", None), ("integer", "١", None),
        ("integer", "1" * 400, None), ("integer", "", None),
        ("decimal", "1", 1), ("decimal", "-0.5", -0.5), ("decimal", "1.50", 1.5), ("decimal", "999999999999999", 999999999999999),
        ("decimal", "0.1234567890123456", None), ("decimal", "1000000000000000", None), ("decimal", "1e5", None),
        ("decimal", ".5", None), ("decimal", "5.", None), ("decimal", "1,5", None), ("decimal", "NaN", None),
        ("decimal", "0.0000000000000001", None),
    ],
)  # fmt: skip
def test_a_text_is_a_number_if_it_is_unambiguous(kind: str, text: str, number: float | None) -> None:
    found = find_number(kind, text)

    assert (found, type(found)) == (number, type(number))


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=3)))
def test_a_decimal_survives_a_way_through_json(value: Any) -> None:
    if is_number("decimal", value):
        assert json.loads(json.dumps(value)) == value
    assert is_number("integer", value) is (type(value) is int and abs(value) < 2**63)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-28T23:59:59Z", True), ("2026-02-28T23:59:59", True), ("2026-02-28T23:59:59.123456789+14:00", True),
        ("2026-02-29T00:00:00Z", False), ("2026-02-28T24:00:00Z", False), ("2026-02-28t00:00:00z", False),
        ("2026-02-28 00:00:00Z", False), ("2026-02-28T00:00Z", False), ("2026-W01-1T00:00:00Z", False),
        ("2026-02-28T00:00:00+1:00", False), ("-0001-01-01T00:00:00Z", False), ("0001-01-01T00:00:00+01:00", False),
        ("2026-02-28T00:00:00Z\n", False), ("２026-02-28T00:00:00Z", False), ("", False),
    ],
)  # fmt: skip
def test_a_text_is_a_time_by_the_rules_of_xml_schema(text: str, expected: bool) -> None:
    assert is_date_time(text) is expected


@given(st.from_regex(NAME_PATTERN, fullmatch=True))
def test_the_published_pattern_describes_the_names(name: str) -> None:
    fault = find_fault(name)

    assert fault is None or "characters" in fault or "schemas" in fault or "of your own" in fault


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.sampled_from(["", "a", "A", "True", "5", "1.5"]),
    st.just("2026-01-01T00:00:00Z"), st.just({"value": "a"}),
)  # fmt: skip
CUSTOM = st.dictionaries(
    st.sampled_from([*DECLARED, "other", "TAG"]), VALUES | st.lists(VALUES, max_size=3), max_size=4
)


@given(CUSTOM)
def test_the_fast_path_reads_custom_values_like_the_general_code(custom: dict[str, Any]) -> None:
    body, notes, expected_notes = user_body("-1", "User") | {URN: custom}, RequestNotes(), RequestNotes()

    user = fast_path.read_user(body, TYPE, notes, user_id="1")

    if user is None:
        assert notes == RequestNotes(notes.limits)
        return
    received = leniency.read_resource(body, TYPE, expected_notes)
    assert (user, notes) == (canonical_resource(received | {"id": "1"}, TYPE, expected_notes), expected_notes)


@given(st.sampled_from(list(DECLARED)), VALUES)
def test_the_fast_path_reads_operations_on_custom_values_like_the_general_code(name: str, value: Any) -> None:
    body = patch_body({"op": "Replace", "path": f"{URN}:{name}", "value": value})
    notes, expected_notes = RequestNotes(), RequestNotes()

    operations = fast_path.read_patch(body, TYPE, notes)

    if operations is not None:
        assert (operations, notes) == (leniency.read_patch(body, TYPE, expected_notes), expected_notes)


def test_single_values_of_every_type_take_the_fast_path() -> None:
    values = {"tag": "x", "remote": "True", "level": 3, "share": 0.5, "hired": "2026-01-01T00:00:00Z"}
    operations = [{"op": "Replace", "path": f"{URN}:{name}", "value": value} for name, value in values.items()]

    user = fast_path.read_user(user_body("-1", "User") | {URN: values}, TYPE, RequestNotes(), user_id="1")

    assert user is not None
    assert user[URN] == values | {"remote": True}
    assert fast_path.read_patch(patch_body(*operations), TYPE, RequestNotes()) is not None


@given(CUSTOM)
def test_a_canonical_user_stays_as_it_is(custom: dict[str, Any]) -> None:
    notes = RequestNotes()
    try:
        received = leniency.read_resource(user_body("-1", "User") | {URN: custom}, TYPE, notes)
        user = canonical_resource(received | {"id": "1"}, TYPE, notes)
    except ScimError:
        return

    assert canonical_resource(json.loads(json.dumps(user)), TYPE, RequestNotes()) == user
