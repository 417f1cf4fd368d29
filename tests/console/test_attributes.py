"""The page of attributes: the ones that the provider sends in vain."""

import re

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, replace
from tests.support.console import Console, of, text

TAG = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:tag"


def rows(page: str) -> list[tuple[str, int]]:
    """Return the name and the number of entries of each ignored attribute."""
    found = re.findall(
        r'<code><bdi>([^<]+)</bdi></code></th>\s*<td data-label="Log entries" class="number">([\d,]+)<', page
    )
    return [(name, int(number.replace(",", ""))) for name, number in found]


def test_the_attributes_that_are_sent_in_vain_are_counted(acme: Enterprise, admin: Console) -> None:
    before = admin.get(of(acme) + "/attributes")
    user = acme.create(shoeSize=43, hairColor="grey")
    acme.create(email="b@x.example", ShoeSize=38)
    acme.patch(user, replace(TAG, "a"), replace("shoeSize", 44))
    acme.patch(user, replace("title", "Clerk"))

    page = admin.get(of(acme) + "/attributes")

    assert "No ignored attributes" in text(before)
    assert {name.casefold(): number for name, number in rows(page)} == {
        "shoesize": 3,
        "haircolor": 1,
        TAG.casefold(): 1,
    }
    assert rows(page)[0][1] == 3


def test_the_overview_names_the_most_frequent_ones(acme: Enterprise, admin: Console) -> None:
    assert "sent in vain" not in admin.get(of(acme))
    for number in range(4):
        acme.create(email=f"{number}@x.example", **{f"extra{each}": "x" for each in range(4) if each <= number})

    page = text(admin.get(of(acme)))

    assert "4 attributes are not part of SCIM and ignored: extra0 ( 4 log entries)" in page.replace("(4", "( 4")
    assert "and others" in page


def test_the_attributes_of_other_enterprises_are_not_shown(acme: Enterprise, admin: Console) -> None:
    make_enterprise(acme.app, "Other").create(shoeSize=43)

    assert rows(admin.get(of(acme) + "/attributes")) == []
