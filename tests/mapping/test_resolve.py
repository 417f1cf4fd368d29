"""The elements of ``roles`` give an enterprise's role (contract section 7)."""

from typing import Any

import pytest

from scimsvc.mapping.resolve import ON_DEFAULT, EnterpriseRoles, Role, RoleDecision, chosen_element, resolve_role
from scimsvc.protocol.errors import InvalidValue

DEFAULT = Role("1", "DefaultEnterprise")
USER = Role("2", "User")
SIGNER = Role("3", "Straßen Signer", restrict_editing=True)
ROLES = EnterpriseRoles(
    "Acme", DEFAULT, {"defaultenterprise": DEFAULT, "user": USER, "strassen signer": SIGNER, "signer": SIGNER}
)


@pytest.mark.parametrize(
    ("elements", "role"),
    [
        pytest.param([{"value": "User"}], USER, id="by name"),
        pytest.param([{"value": "uSER"}], USER, id="in any case"),
        pytest.param([{"value": "STRASSEN SIGNER"}], SIGNER, id="folded as Unicode folds"),
        pytest.param([{"value": "Signer"}], SIGNER, id="by alias"),
        pytest.param([{"value": "DefaultEnterprise"}], DEFAULT, id="the default role by its name"),
        pytest.param([{"value": "User", "primary": False}], USER, id="one element need not be primary"),
        pytest.param([{"value": "User"}, {"value": "Signer", "primary": True}], SIGNER, id="of several the primary"),
        pytest.param([{"type": "x", "primary": True}, {"value": "User"}], USER, id="no value is no role"),
    ],
)
def test_a_value_names_a_role(elements: list[dict[str, Any]], role: Role) -> None:
    decision = resolve_role(elements, ROLES)

    assert decision.role == role
    assert decision.element in elements


@pytest.mark.parametrize("elements", [[], [{"display": "User", "primary": True}], [{"value": ""}]])
def test_no_role_is_the_default_role(elements: list[dict[str, Any]]) -> None:
    assert resolve_role(elements, ROLES) == ON_DEFAULT == RoleDecision(None, None)


@pytest.mark.parametrize("value", ["Signers", " User", "User ", "ＵＳＥＲ"])
def test_an_unknown_role_is_refused_with_the_existing_roles(value: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        resolve_role([{"value": value}], ROLES)

    assert f"'{value}' does not exist in Acme" in refusal.value.detail
    assert "DefaultEnterprise, Straßen Signer, User" in refusal.value.detail


@pytest.mark.parametrize("primary", [None, False, True])
def test_several_roles_without_exactly_one_primary_are_refused(primary: bool | None) -> None:
    elements = [{"value": name} | ({} if primary is None else {"primary": primary}) for name in ("User", "Signer")]

    with pytest.raises(InvalidValue, match="SingleAppRoleAssignment"):
        chosen_element(elements)
