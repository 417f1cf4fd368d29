"""The role of a user: sent, from groups, or the default role (contract section 7)."""

import pytest

from scimsvc.mapping.resolve import Role, effective_role

DEFAULT = Role("1", "DefaultEnterprise", position=1)
SIGNER, USER = Role("2", "Signer", position=2), Role("3", "User", position=3)


@pytest.mark.parametrize(
    ("sent", "from_groups", "role", "source"),
    [
        pytest.param(None, [], DEFAULT, "default", id="neither"),
        pytest.param(USER, [], USER, "sent", id="a sent role"),
        pytest.param(None, [USER], USER, "group", id="a role from a group"),
        pytest.param(None, [USER, SIGNER], SIGNER, "group", id="the first of several in the order"),
        pytest.param(USER, [SIGNER], USER, "sent", id="a sent role comes before groups"),
        pytest.param(None, [DEFAULT, SIGNER], DEFAULT, "group", id="a group may give the default role"),
    ],
)
def test_the_decision(sent: Role | None, from_groups: list[Role], role: Role, source: str) -> None:
    assert effective_role(sent, from_groups, DEFAULT) == (role, source)
