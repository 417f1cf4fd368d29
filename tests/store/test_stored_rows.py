"""The columns of a row follow from its document, and the database contains no secrets."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from scimsvc.extensions import db
from scimsvc.models import User
from scimsvc.protocol.users import USERS
from scimsvc.store.representations import read_document, user_columns
from tests.support.client import Enterprise, replace
from tests.support.long_runs import LONG
from tests.support.urns import ENTERPRISE_URN

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
MAYBE = st.none() | TEXT
OPERATIONS = st.lists(
    st.one_of(
        st.builds(replace, st.sampled_from(["title", "externalId", "displayName", "name.givenName"]), MAYBE),
        st.builds(replace, st.just(f"{ENTERPRISE_URN}:organization"), MAYBE),
        st.builds(replace, st.just("active"), st.sampled_from([True, False, "True", "False"])),
        st.builds(replace, st.just("userName"), TEXT.filter(bool)),
        st.builds(replace, st.just('phoneNumbers[type eq "work"].value'), MAYBE),
        st.builds(replace, st.just('emails[type eq "work"].value'), st.sampled_from(["ß@x.example", "B@X.example"])),
        st.builds(replace, st.just('roles[primary eq "True"].value'), st.sampled_from(["", "user", "PowerSigner"])),
    ),
    min_size=1,
    max_size=4,
)


def rows(enterprise: Enterprise) -> list[Any]:
    with enterprise.app.app_context(), db.engine.connect() as connection:
        return list(connection.execute(select(User.__table__)))


@settings(max_examples=500 if LONG else 30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_columns_follow_from_the_document(acme: Enterprise, operations: list[dict[str, Any]]) -> None:
    (user,) = acme.find("id pr") or [acme.create()]

    answer = acme.patch(user, *operations)

    assert answer.status_code == 200, answer.text
    (row,) = rows(acme)
    expected = user_columns(read_document(row), USERS, role_id=row.role_id, unique_user_name=False)
    assert {name: getattr(row, name) for name in expected} == expected
    shown = answer.get_json()
    stored = read_document(row)
    assert {name: value for name, value in shown.items() if name not in ("meta", "roles")} == {
        name: value for name, value in stored.items() if name != "roles"
    }
    assert shown["roles"] == stored.get("roles", [{"value": "DefaultEnterprise", "primary": True}])
    assert (row.role_id is None) is ("roles" not in stored)


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("kind", ["--scim", "--api"])
def test_the_database_holds_no_secret_that_could_be_used(acme: Enterprise, cli, kind: str) -> None:  # type: ignore[no-untyped-def]
    secrets = [acme.made["client_secret"], cli("token", "issue", "Acme", kind)["access_token"], acme.token]
    tables = ["enterprises", "integrations", "client_secrets", "tokens", "users", "settings"]

    with acme.app.app_context(), db.engine.connect() as connection:
        content = json.dumps(
            [[str(v) for v in row] for t in tables for row in connection.execute(text(f"SELECT * FROM {t}"))]
        )

    assert acme.made["client_id"] in content
    for secret in secrets:
        assert secret not in content
        assert secret.rpartition(".")[2] not in content
