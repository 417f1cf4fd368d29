"""Strict JSON is read, other texts are refused with the reason, and written JSON can be read again."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimsvc.protocol.json_text import InvalidJSON, is_storable, read_json, read_json_text, write_json
from scimsvc.protocol.limits import DEFAULTS
from tests.support.cpu import crowd


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": [1, 1.5, true, false, null, "x"]}', {"a": [1, 1.5, True, False, None, "x"]}),
        (b' \t\r\n"x" ', "x"),
        (b"null", None),
        (b'"\\u0041\\ud83d\\ude00"', "A😀"),
        ('"\u2028\uffff\'/"'.encode(), "\u2028\uffff'/"),
        (b'"\\u0001\\u001f\x7f"', "\x01\x1f\x7f"),
        (b'{"a": 1, "A": 2, "": 3}', {"a": 1, "A": 2, "": 3}),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (str(2**63 - 1).encode(), 2**63 - 1),
        (str(1 - 2**63).encode(), 1 - 2**63),
        (b"1e308", 1e308),
        (b"1e-999", 0.0),
        (b"-0", 0),
    ],
)
def test_json_is_read(content: bytes, value: Any) -> None:
    assert read_json(content) == value


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
def test_values_may_be_nested_as_deep_as_the_limit(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    content = opening * DEFAULTS.json_depth + b"1" + closing * DEFAULTS.json_depth

    assert read_json(content) == json.loads(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"  ", "not JSON", id="blanks"),
        pytest.param(b'{"a": 1', "line 1, column 8", id="cut short"),
        pytest.param(b'{\n"a" 1}', "line 2, column 5", id="no colon"),
        pytest.param(b"{} {}", "Extra data", id="two values"),
        pytest.param(b"{'a': 1}", "not JSON", id="single quotes"),
        pytest.param(b"[1,]", "not JSON", id="trailing comma"),
        pytest.param(b"01", "not JSON", id="leading zero"),
        pytest.param(b"+1", "not JSON", id="plus sign"),
        pytest.param(b"True", "not JSON", id="Python"),
        pytest.param(b'"\x01"', "not JSON", id="raw control character"),
        pytest.param(b'"\\x41"', "not JSON", id="unknown escape"),
        pytest.param(b"NaN", "NaN", id="NaN"),
        pytest.param(b'{"a": [Infinity]}', "Infinity", id="Infinity"),
        pytest.param(b"-Infinity", "-Infinity", id="minus Infinity"),
        pytest.param(b"1e400", "too large", id="1e400"),
        pytest.param(b"[-1E+400]", "too large", id="minus 1e400"),
        pytest.param(str(2**63).encode(), "64 bits", id="2**63"),
        pytest.param(str(-(2**64)).encode(), "64 bits", id="minus 2**64"),
        pytest.param(b"1" * 5000, "digits", id="5000 digits"),
        pytest.param(b'{"a": 1, "a": 1}', "'a' twice", id="a name twice"),
        pytest.param(b'[{"x": {"b": 1, "c": 2, "b": 3}}]', "'b' twice", id="a name twice, deep down"),
        pytest.param(b'{"a": 1, "\\u0061": 2}', "'a' twice", id="a name twice, once escaped"),
        pytest.param(b'"\\u0000"', "NUL", id="NUL"),
        pytest.param(b'{"a\\u0000": 1}', "NUL", id="NUL in a name"),
        pytest.param(b'["\\ud800"]', "surrogate", id="high surrogate"),
        pytest.param(b'"x\\udc00y"', "surrogate", id="low surrogate"),
        pytest.param(b'{"\\ude00\\ud83d": 1}', "surrogate", id="surrogates the wrong way round"),
        pytest.param(b'"\xff"', "UTF-8 (byte 1)", id="no UTF-8"),
        pytest.param(b'"\xc0\xaf"', "UTF-8", id="overlong UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', "UTF-8", id="surrogate in UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "not JSON", id="byte order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), "UTF-8", id="UTF-16"),
        pytest.param('{"a": 1}'.encode("utf-32-le"), "not JSON", id="UTF-32"),
        pytest.param(b"[" * 33 + b"]" * 33, "32 levels", id="33 lists"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, "32 levels", id="33 objects"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "32 levels", id="100000 lists"),
        pytest.param(b'{"a":' * 100_000, "32 levels", id="100000 objects, none closed"),
    ],
)
def test_text_that_is_not_strict_json_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(InvalidJSON) as refusal:
        read_json(content)

    assert why in str(refusal.value)
    assert len(str(refusal.value)) < 200


def test_refusing_is_as_fast_as_reading() -> None:
    names = [f"name {number}" for number in range(20_000)]
    content = json.dumps(dict.fromkeys(names)).removesuffix("}") + ', "last": 1, "last": 2}'
    begun = time.perf_counter()

    with pytest.raises(InvalidJSON, match="'last' twice"):
        read_json_text(content)

    assert time.perf_counter() - begun < crowd()


@pytest.mark.parametrize(
    ("text", "storable"),
    [("", True), ("é😀\n\x01\uffff", True), ("a\x00", False), ("\ud800", False), ("x\udfff", False)],
)
def test_nul_and_lone_surrogates_cannot_be_stored(text: str, storable: bool) -> None:
    assert is_storable(text) is storable


def test_written_json_is_compact_and_as_it_was_sent() -> None:
    assert write_json({"b": "é😀\u2028</script>", "a": [1.0, None, True]}) == (
        '{"b":"é😀\u2028</script>","a":[1.0,null,true]}'
    )


STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(STORABLE, below, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(value=VALUES)
def test_written_json_is_read_again(value: Any) -> None:
    assert read_json(write_json(value).encode()) == value


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=40) | st.text("{}[]\",:0e1.+-\\u d8nulNaIfity\0\ud800", max_size=25).map(
    lambda text: text.encode("utf-8", "surrogatepass")))  # fmt: skip
def test_bytes_are_json_or_refused_and_nothing_else(content: bytes) -> None:
    try:
        value = read_json(content)
    except InvalidJSON:
        return

    assert json.loads(content) == value
