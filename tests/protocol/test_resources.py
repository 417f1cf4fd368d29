"""The canonical form of a user, and the rules for a whole user."""

from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.protocol.users import USERS
from tests.support.urns import ENTERPRISE_URN, USER_URN

WORK = {"value": "a@b.example", "type": "work"}


def canonical(**attributes: Any) -> dict[str, Any]:
    return canonical_resource({"userName": "x", "emails": [WORK]} | attributes, USERS, RequestNotes())


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "a.b+c@d-e.example",
        "tést@exämple.example",
        "用户@例子.example",
        "x_y@under_score.example",
        "'@x",
        "a@1.2.3.4",
    ],
)
def test_an_address_is_taken(address: str) -> None:
    assert canonical(emails=[{"value": address, "type": "work"}])["emails"][0]["value"] == address


@pytest.mark.parametrize(
    "address",
    ["a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@.b", "a@b.", "a@b..c", "a\n@b", "a@b\x00", "<a@b>", "a@b,c@d",
     "mailto:a@b", "a@b;c", "a\u00a0b@c", "(a)@b"],
)  # fmt: skip
def test_an_invalid_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidValue, match="not a valid e-mail address"):
        canonical(emails=[{"value": address, "type": "work"}])


@pytest.mark.parametrize(
    ("attributes", "cleaned"),
    [
        ({"title": "", "nickName": None, "photos": [], "name": {}}, {}),
        ({"name": {"givenName": "", "familyName": None}}, {}),
        ({"photos": [{"type": "photo", "primary": True}, {"value": ""}, {}]}, {}),
        ({"addresses": [{"type": "work", "primary": True}, {}, {"type": "home", "country": "X"}]},
         {"addresses": [{"type": "home", "country": "X"}]}),
        ({"photos": [{"value": "x"}, {"value": "x"}, {"value": "x", "type": "photo"}]},
         {"photos": [{"value": "x"}, {"value": "x", "type": "photo"}]}),
        ({ENTERPRISE_URN: {"department": "", "manager": {"value": "", "displayName": None}}}, {}),
    ],
)  # fmt: skip
def test_empty_values_are_removed(attributes: dict[str, Any], cleaned: dict[str, Any]) -> None:
    user = canonical(**attributes)

    plain = {"schemas": [USER_URN], "userName": "x", "active": True, "emails": [WORK]}
    assert user == plain | cleaned


def test_an_address_that_gets_its_type_is_as_if_it_was_sent() -> None:
    user = canonical(emails=[{"value": "a@b.example", "primary": True}])

    assert list(user["emails"][0]) == ["value", "type", "primary"]
    assert list(canonical_resource(user, USERS, RequestNotes())["emails"][0]) == ["value", "type", "primary"]


def test_the_order_of_attributes_is_the_tables() -> None:
    user = canonical(title="t", externalId="e", active=False, displayName="d", id="1")

    assert list(user) == ["schemas", "id", "externalId", "userName", "displayName", "title", "active", "emails"]


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ({"userName": ""}, "userName"),
        ({"emails": []}, "work"),
        ({"emails": [{"value": "a@b.example", "type": "home"}, {"value": "c@d.example", "type": "other"}]}, "work"),
        ({"emails": [{"value": "not an address", "type": "home"}]}, "not a valid"),
        ({"emails": [{"value": "a@b.example"}, {"value": "c@d.example"}]}, "work"),
        ({"emails": [WORK, {"value": "c@d.example", "type": "Work"}]}, "two different"),
        ({"emails": [WORK | {"primary": True}, {"value": "c@d.example", "primary": True}]}, "primary"),
        ({"photos": [{"value": str(n)} for n in range(501)]}, "500"),
    ],
)
def test_an_invalid_user_is_refused(attributes: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidValue, match=word):
        canonical(**attributes)


def test_one_work_address_in_two_spellings_is_one() -> None:
    other = {"value": "A@B.example", "type": "WORK"}

    assert canonical(emails=[WORK, other])["emails"] == [other]
