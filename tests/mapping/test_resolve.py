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


#: The enterprise's order: Signer, User, DefaultEnterprise.
FIRST, SECOND, THIRD = Role("3", "Signer", position=1), Role("2", "User", position=2), Role("1", "Default", position=3)
ORDERED = EnterpriseRoles("Acme", THIRD, {"signer": FIRST, "chief": FIRST, "user": SECOND, "default": THIRD})


def _elements(*names: str, primary: str | None = None) -> list[dict[str, Any]]:
    return [{"value": name} | ({"primary": True} if name == primary else {}) for name in names]


@pytest.mark.parametrize(
    ("elements", "role", "value"),
    [
        pytest.param(_elements("User", "Signer"), FIRST, "Signer", id="the first in the enterprise's order"),
        pytest.param(_elements("Default", "USER"), SECOND, "USER", id="in any case"),
        pytest.param(_elements("offline_access", "Default", "x"), THIRD, "Default", id="unknown ones are left out"),
        pytest.param(_elements("User", "Chief"), FIRST, "Chief", id="by alias"),
        pytest.param(_elements("Chief", "Signer"), FIRST, "Chief", id="two names of one role"),
        pytest.param(_elements("Signer", "User", primary="User"), SECOND, "User", id="a primary one counts"),
        pytest.param([{"type": "x"}, *_elements("User")], SECOND, "User", id="one value"),
    ],
)
def test_of_several_roles_the_highest_counts(elements: list[dict[str, Any]], role: Role, value: str) -> None:
    decision = resolve_role(elements, ORDERED, highest=True)

    assert (decision.role, (decision.element or {})["value"]) == (role, value)


@pytest.mark.parametrize(
    ("elements", "name"),
    [
        pytest.param(_elements("x", "y"), "x", id="all unknown"),
        pytest.param(_elements("Signer", "y", primary="y"), "y", id="the primary one unknown"),
        pytest.param(_elements("z"), "z", id="one unknown"),
    ],
)
def test_unknown_roles_are_refused_also_if_the_highest_counts(elements: list[dict[str, Any]], name: str) -> None:
    with pytest.raises(InvalidValue, match=f"Role '{name}' does not exist in Acme"):
        resolve_role(elements, ORDERED, highest=True)
