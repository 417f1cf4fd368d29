"""The integration of an identity provider, which the guided connection creates and whose credentials it shows."""

from collections.abc import Mapping
from typing import Any

from scimsvc.activity.audit import AuditLog
from scimsvc.auth.clients import (
    NAMES,
    create_integration,
    insert_integration,
    list_integrations,
    rotate_secret,
    update_integration,
)
from scimsvc.auth.grants import issue_described_token
from scimsvc.auth.tokens import TokenSigner
from scimsvc.vocabulary import PROVIDER_NAMES, SCIM_SCOPE, Provider

_OTHER_NAME = "Identity provider"


def find_provider_integration(enterprise: str, provider: str) -> dict[str, Any] | None:
    """Return the oldest integration of the provider that is limited to SCIM, or None.

    One that names no provider counts as Entra's, because the first integration of an enterprise is made for Entra.
    """
    limited = [each for each in list_integrations(enterprise) if each["scope"] == SCIM_SCOPE]
    ours = [each for each in limited if each["provider"] == provider]
    unnamed = [each for each in limited if each["provider"] is None and provider == Provider.ENTRA]
    return next(iter(ours or unnamed), None)


def find_connected_provider(enterprise: str) -> str | None:
    """Return the provider of the newest integration that is limited to SCIM and names one, or None."""
    limited = [each for each in list_integrations(enterprise) if each["scope"] == SCIM_SCOPE]
    return next((each["provider"] for each in reversed(limited) if each["provider"] is not None), None)


def issue_provider_token(
    enterprise: str, provider: str, days: Any, *, signer: TokenSigner, token_id: str | None = None
) -> dict[str, Any]:
    """Issue a SCIM token for the provider, and create its integration if it does not exist.

    Raises ``InvalidInput``, ``QuotaReached``, or ``Conflict`` if SCIM provisioning is disabled.
    """
    integration = _named_integration(enterprise, provider) or _create(enterprise, provider)
    members = {"scope": SCIM_SCOPE, "days": days, "client_id": integration["client_id"]}
    return issue_described_token(enterprise, members, signer=signer, token_id=token_id)


def issue_provider_secret(enterprise: str, provider: str, rotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the integration of the provider with a new client secret.

    ``rotation`` (members of ``schemas.RotationSchema``) decides how long older secrets stay valid.
    Raises ``InvalidInput``, ``QuotaReached``, or ``Conflict`` if the integration has too many valid secrets.
    """
    integration = _named_integration(enterprise, provider)
    if integration is None:
        return _create(enterprise, provider)
    return rotate_secret(enterprise, integration["id"], rotation)


def insert_provider_integration(log: AuditLog, provider: str | None) -> dict[str, Any]:
    """Insert the integration of a new enterprise for the provider, or for Entra, and return it with its secret."""
    name = NAMES[SCIM_SCOPE] if provider is None else _name_of(provider)
    return insert_integration(log, name, scope=SCIM_SCOPE, provider=provider)


def _name_of(provider: str) -> str:
    return PROVIDER_NAMES.get(provider, _OTHER_NAME)


def _named_integration(enterprise: str, provider: str) -> dict[str, Any] | None:
    integration = find_provider_integration(enterprise, provider)
    if integration is not None and integration["provider"] is None:
        return update_integration(enterprise, integration["id"], {"provider": provider})
    return integration


def _create(enterprise: str, provider: str) -> dict[str, Any]:
    return create_integration(enterprise, {"name": _name_of(provider), "scope": SCIM_SCOPE, "provider": provider})
