"""The net change of the members of a group, computed from the operations of a request."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.groups import GROUPS
from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.members import MemberChange, split_operations, take_members
from scimsvc.protocol.reading.bodies import read_patch
from scimsvc.protocol.reading.leniency import read_resource
from scimsvc.protocol.reading.tolerances import RequestNotes
from tests.support.client import patch_body
from tests.support.urns import GROUP_URN

IDS = st.lists(st.sampled_from("abcdef"), max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "clear"]), IDS), max_size=8)


def split(*operations: dict[str, Any], limits: Limits = DEFAULTS) -> tuple[list[str], MemberChange]:
    """Return the paths of the operations on other attributes, and the change of the members."""
    others, change = split_operations(read_patch(patch_body(*operations), GROUPS, RequestNotes(limits)), limits)
    return [str(each.path) for each in others], change


@given(members=IDS.map(set), steps=STEPS)
def test_the_net_change_has_the_effect_of_its_steps(members: set[str], steps: list[tuple[str, list[str]]]) -> None:
    change, expected = MemberChange(), set(members)
    for name, ids in steps:
        if name == "add":
            change.add(ids)
            expected |= set(ids)
        elif name == "remove":
            change.remove(ids)
            expected -= set(ids)
        else:
            change.remove_all()
            expected = set()

    base = set() if change.is_reset else members
    assert (base - change.removed.keys()) | change.added.keys() == expected
    assert not change.added.keys() & change.removed.keys()
    assert not (change.is_reset and change.removed)


def test_operations_on_members_are_separated_from_the_others() -> None:
    others, change = split(
        {"op": "replace", "path": "displayName", "value": "x"},
        {"op": "add", "path": "members", "value": ["a", "b"]},
        {"op": "replace", "value": {"externalId": "e", "members": ["c"]}},
        {"op": "remove", "path": "members", "value": [{"value": "c"}]},
    )

    assert others == ["displayName", "externalId"]
    assert (change.is_reset, list(change.added), list(change.removed)) == (True, [], [])


def test_the_members_of_a_body_are_not_a_part_of_the_document() -> None:
    body = {"schemas": [GROUP_URN], "displayName": "x", "members": ["a", {"value": "b", "display": "B"}, "a", {}, None]}

    group = read_resource(body, GROUPS, RequestNotes())
    change = take_members(group, DEFAULTS)

    assert group == {"displayName": "x"}
    assert (change.is_reset, list(change.added)) == (True, ["a", "b"])


@pytest.mark.parametrize("number", [3, 4])
def test_all_operations_of_a_request_count_together(number: int) -> None:
    limits = Limits(members=3)
    operations: list[dict[str, Any]] = [{"op": "remove", "path": 'members[value eq "x"]'}, {"op": "add", "path": "members", "value": ["y"]},
                  {"op": "remove", "path": "members", "value": ["z"] * (number - 2)}]  # fmt: skip

    if number == 3:
        split(*operations, limits=limits)
    else:
        with pytest.raises(InvalidValue, match="at most 3"):
            split(*operations, limits=limits)
