"""The operations of one request take bounded work, whatever their shape (``protocol.patch_work``)."""

from itertools import combinations
from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.limits import DEFAULTS
from scimsvc.protocol.patch import apply_patch
from scimsvc.protocol.reading.leniency import read_patch, read_resource
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.protocol.users import USERS
from tests.support.client import patch_body, user_body
from tests.support.cpu import cpu_seconds

#: Measured are at most 0.25 seconds, and 1.3 to 4 seconds where each condition visited and folded everything again.
BOUND = 1.0
#: The names of the attributes of a postal address.
PARTS = ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type")
LISTS = ("ims", "photos", "phoneNumbers", "entitlements", "x509Certificates")

Operations = list[dict[str, Any]]


def elements(size: int, character: str = "a", number: int = DEFAULTS.elements) -> list[dict[str, Any]]:
    return [{"value": character * (size - 5) + f"{n:05}"} for n in range(number)]


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def conditions_on_long_texts() -> tuple[dict[str, Any], Operations]:
    """Fold 500 elements of a script with slow folding for each of 500 operations."""
    operations = [replace(f'ims[value eq "{n}" or value pr].display', "x") for n in range(500)]
    return user_body(ims=elements(500, "\u0130")), operations


def equal_primary_elements() -> tuple[dict[str, Any], Operations]:
    """Send 500 equal primary elements, which are merged, and change the result 999 times."""
    first = replace("ims", [{"value": "a", "primary": True}] * 500)
    return user_body(), [first, *(replace("ims[primary eq true].display", str(n)) for n in range(999))]


def repeated_additions() -> tuple[dict[str, Any], Operations]:
    """Add one of 500 elements again, in another spelling, in each of 1,000 operations."""
    added = [
        {"op": "add", "path": "ims", "value": [{"value": "A" * 95 + "00007", "display": str(n)}]} for n in range(1000)
    ]
    return user_body(ims=elements(100)), added


def repeated_addresses() -> tuple[dict[str, Any], Operations]:
    """Add one of 500 addresses again in each of 1,000 operations."""
    addresses = [dict.fromkeys(PARTS, f"z{n}") for n in range(500)]
    return user_body(addresses=addresses), [{"op": "add", "path": "addresses", "value": addresses[7:8]}] * 1000


def additions_beside_others() -> tuple[dict[str, Any], Operations]:
    """Add and remove one element beside 499 others in each of 500 operations."""
    operation = {"path": "ims", "value": [{"value": "\u0130" * 100}]}
    return user_body(ims=elements(100, "\u0130", 499)), [operation | {"op": op} for op in ("add", "remove") * 500]


def removed_values_of_many_kinds() -> tuple[dict[str, Any], Operations]:
    """Compare 500 addresses with 127 combinations of members in each of 60 operations."""
    values = [dict.fromkeys(names, "q") for size in range(1, 8) for names in combinations(PARTS, size)]
    user = user_body(addresses=[dict.fromkeys(PARTS, f"z{n}") for n in range(500)])
    return user, [{"op": "remove", "path": "addresses", "value": values}] * 60


def members_of_many_lists() -> tuple[dict[str, Any], Operations]:
    """Set three members of each of 2,500 elements in each of 1,000 operations."""
    value = {f"{name}.{member}": "b" for name in LISTS for member in ("value", "display", "type")}
    user = user_body(**{name: elements(40) for name in LISTS})
    return user, [{"op": "replace", "value": value}] * 1000


def one_text_in_every_element() -> tuple[dict[str, Any], Operations]:
    """Set a quarter of a megabyte in each of 500 elements."""
    return user_body(ims=elements(20)), [replace("ims.display", "x" * 250_000)]


def searches_of_one_text() -> tuple[dict[str, Any], Operations]:
    """Search a text, which almost matches at each position, 1,000 times."""
    condition = " or ".join(f'value co "{"a" * 60}b{n}"' for n in range(100))
    return user_body(ims=[{"value": "a" * 250_000}]), [{"op": "remove", "path": f"ims[{condition}]"}] * 10


@pytest.mark.parametrize(
    ("shape", "refusal"),
    [
        (conditions_on_long_texts, None),
        (equal_primary_elements, None),
        (repeated_additions, None),
        (repeated_addresses, "visit too many elements"),
        (additions_beside_others, None),
        (removed_values_of_many_kinds, "visit too many elements"),
        (members_of_many_lists, "visit too many elements"),
        (one_text_in_every_element, "set too much text"),
        (searches_of_one_text, "search too much text"),
    ],
)
def test_operations_take_bounded_work_or_are_refused(shape: Any, refusal: str | None) -> None:
    user, operations = shape()
    read = read_patch(patch_body(*operations), USERS, RequestNotes())

    def apply() -> str | None:
        try:
            apply_patch(user, read)
        except InvalidValue as error:
            return error.detail
        return None

    detail, seconds = cpu_seconds(apply)

    assert detail is None if refusal is None else refusal in (detail or ""), detail
    assert seconds < BOUND


def test_a_body_whose_names_are_conditions_has_bounded_elements() -> None:
    body = user_body(**{f'ims[type eq "t{number}"]': {"value": "x"} for number in range(3000)})

    def read() -> str:
        with pytest.raises(InvalidValue) as refusal:
            canonical_resource(read_resource(body, USERS, RequestNotes()), USERS, RequestNotes())
        return refusal.value.detail

    detail, seconds = cpu_seconds(read)

    assert f"at most {DEFAULTS.elements}" in detail
    assert seconds < BOUND


@pytest.mark.parametrize("path", ['ims[value eq "{0}"].display', 'ims[value ew "{0}"].display'])
def test_as_many_conditions_as_the_limit_apply_to_as_many_elements_as_the_limit(path: str) -> None:
    user = user_body(ims=elements(500))
    values = [each["value"] for each in user["ims"]]
    operations = [replace(path.format(values[n % 500]), str(n)) for n in range(DEFAULTS.patch_conditions)]
    read = read_patch(patch_body(*operations), USERS, RequestNotes())

    patched, seconds = cpu_seconds(lambda: apply_patch(user, read))

    assert [each["display"] for each in patched["ims"]] == [str(500 + n) for n in range(500)]
    assert seconds < BOUND
