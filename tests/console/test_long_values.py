"""Pages stay small for entries of the log that clients made long."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from scimsvc import clock
from scimsvc.store.engine.transactions import writing
from scimsvc.store.log import LogRow, insert_entry, new_entry_id
from tests.support.client import Enterprise
from tests.support.console import Console, of, text
from tests.support.records import log_of
from tests.support.scim_groups import create_group

LONG = "é<" * 131_072


def insert_refusal(enterprise: Enterprise, number: int, **values: Any) -> None:
    """Insert an entry as an earlier version stored it."""
    at = clock.now() - timedelta(seconds=number)
    row = LogRow(
        id=new_entry_id(at), time=clock.timestamp(at), operation="create", user_id=None, email=f"u{number}@x.example",
        user_name=None, external_id=None, group_id=None, group_name=None, dismissed_at=None,
        email_key=f"u{number}@x.example", outcome="refused", status=400, scim_type="invalidValue", detail="x",
        effect=None, cause="unknown-role", role_value="x", role_key="x", holder_id=None, changed="[]", differences=None, tolerances="[]", ignored="[]",
        client_id="c", request_id="r", duration_ms=1.0,
    )  # fmt: skip
    with enterprise.app.app_context(), writing() as connection:
        insert_entry(connection, enterprise.made["id"], row._replace(**values))


@pytest.fixture
def long_log(acme: Enterprise) -> Enterprise:
    """An enterprise whose clients sent long values of every kind."""
    for number in range(12):
        value = f"{number}{LONG}"
        insert_refusal(
            acme, number, email=value, detail=LONG, role_value=value, role_key=str(number),
            ignored=json.dumps([LONG, "b"]), changed=json.dumps([LONG]),
        )  # fmt: skip
    return acme


@pytest.mark.parametrize("page", ["/log", "/log?live=1", "/log?outcome=refused", ""])
def test_a_page_shows_the_beginning_of_long_values(long_log: Enterprise, admin: Console, page: str) -> None:
    content = admin.get(of(long_log) + page)

    assert len(content) < 250_000
    assert "é&lt;é&lt;" in content
    assert content.count("…") >= 12


def test_a_long_role_value_has_no_remedy(long_log: Enterprise, admin: Console) -> None:
    entry, *_ = re.findall(r'id="entry-([0-9a-f]+)"', admin.get(f"{of(long_log)}/log"))

    assert "Create the role" not in admin.get(f"{of(long_log)}/log/{entry}")


def test_the_page_of_an_entry_shows_the_beginning_of_long_values(long_log: Enterprise, admin: Console) -> None:
    entry, *_ = re.findall(r'id="entry-([0-9a-f]+)"', admin.get(f"{of(long_log)}/log"))

    assert 8_000 < len(admin.get(f"{of(long_log)}/log/{entry}")) < 250_000


def test_a_history_shows_the_beginning_of_long_values(acme: Enterprise, admin: Console) -> None:
    user = acme.create(email="u1@x.example")
    insert_refusal(acme, 1, detail=LONG, role_value=LONG)

    assert len(admin.get(f"{of(acme)}/users/{user['id']}")) < 50_000


def test_the_file_has_as_much_as_a_cell_takes(long_log: Enterprise, admin: Console) -> None:
    content = admin.get(f"{of(long_log)}/log.csv")

    assert 12 * 3 * 32_000 < len(content) < 12 * 4 * 33_000


def test_the_api_has_whole_values(long_log: Enterprise) -> None:
    entry = log_of(long_log)[0]

    assert (entry["detail"], entry["ignored"]) == (LONG, [LONG, "b"])


def test_values_that_are_not_long_are_whole(acme: Enterprise, admin: Console) -> None:
    names = [f"urn:example:attribute:{number}" for number in range(60)]
    insert_refusal(acme, 1, detail="D" * 512, role_value="r" * 200, role_key="r" * 200, ignored=json.dumps(names))

    (entry,) = re.findall(r'id="entry-([0-9a-f]+)"', admin.get(f"{of(acme)}/log"))
    content = admin.get(f"{of(acme)}/log/{entry}")

    assert "D" * 512 in content
    assert f"Create the role “{'r' * 200}”" in text(content)
    assert all(name in content for name in names)


def test_the_overview_shows_the_most_frequent_causes(acme: Enterprise, admin: Console) -> None:
    for number in range(53):
        insert_refusal(acme, number, role_value=f"r{number}", role_key=f"r{number}")

    content = admin.get(of(acme))

    assert content.count('<li class="cause') == 50
    assert "3 more causes not shown." in text(content)
    assert "Errors 53 53 causes" in text(content)


def test_lines_break_before_at_signs_and_after_the_colons_of_urns(acme: Enterprise, admin: Console) -> None:
    user = acme.create(email="ann@contoso.example", userName="<b>ann@contoso.example")
    group = create_group(acme, members=[user["id"]])

    members = admin.get(f"{of(acme)}/groups/{group['id']}")

    assert "<bdi>ann<wbr>@contoso.example</bdi>" in members
    assert "&lt;b&gt;ann<wbr>@contoso.example" in members
    assert "urn:<wbr>ietf:<wbr>params:<wbr>scim" in admin.get(of(acme) + "/set-up")
