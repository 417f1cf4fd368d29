"""The page of attributes: the declared ones, and the ones that the provider sends in vain."""

import re
from html import unescape

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, replace
from tests.support.console import Console, errors, of, text
from tests.support.types import Cli

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


def declare(admin: Console, acme: Enterprise, status: int = 303, **fields: str) -> str:
    return admin.post(of(acme) + "/attributes/new", status, **{"name": TAG, "type": "string"} | fields).text


def test_an_attribute_that_is_sent_in_vain_is_declared(acme: Enterprise, admin: Console, cli: Cli) -> None:
    user = acme.create(shoeSize=43)
    acme.patch(user, replace(TAG, "a"))
    page = admin.get(of(acme) + "/attributes")
    (link,) = re.findall(r'href="([^"]+/attributes/new\?name=[^"]+)"', page)

    form = admin.get(unescape(link))
    declare(admin, acme, multi_valued="on")

    assert f'value="{TAG}"' in form
    assert [(each["name"], each["type"], each["multi_valued"]) for each in cli("attribute", "list", "Acme")] == [
        (TAG, "string", True)
    ]
    acme.patch(user, replace(TAG, ["a"]))
    assert acme.get(user)[TAG.rpartition(":")[0]] == {"tag": ["a"]}
    assert rows(admin.get(of(acme) + "/attributes")) == [("shoeSize", 1)]


def test_the_type_must_be_chosen(acme: Enterprise, admin: Console, cli: Cli) -> None:
    refused = declare(admin, acme, 400, type="")

    assert "type" in errors(refused)
    assert f'value="{TAG}"' in refused
    assert cli("attribute", "list", "Acme") == []


def test_a_wrong_name_is_refused_at_its_field(acme: Enterprise, admin: Console) -> None:
    assert "name" in errors(declare(admin, acme, 400, name="shoeSize"))


def test_the_confirmation_names_how_many_users_lose_values(acme: Enterprise, admin: Console, cli: Cli) -> None:
    declare(admin, acme)
    (attribute,) = cli("attribute", "list", "Acme")
    path = f"{of(acme)}/attributes/{attribute['id']}/remove"
    asked = [text(admin.get(path))]
    for number in range(2):
        user = acme.create(email=f"{number}@x.example")
        acme.patch(user, replace(TAG, "a"))
        asked.append(text(admin.get(path)))

    removed = admin.follow(path)

    assert f"No user has a value of {TAG}." in asked[0]
    assert f"1 user loses the value of {TAG}." in asked[1]
    assert f"2 users lose their values of {TAG}." in asked[2]
    assert f"Attribute {TAG} removed." in text(removed)
    assert cli("attribute", "list", "Acme") == []
    assert TAG.rpartition(":")[0] not in acme.get(user)
