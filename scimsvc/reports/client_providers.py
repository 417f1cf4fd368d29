"""The identity providers of the clients in the provisioning log, for the words of explanations."""

from collections.abc import Callable
from typing import Any

from scimsvc.reports.causes import explain_entry
from scimsvc.store.integrations import list_client_uses
from scimsvc.store.log import LogRow
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.web.providers import recognized_providers


def client_providers(tenant: Tenant) -> Callable[[str], str | None]:
    """Return a function that returns the provider of a client: as its integration names it, or as it was recognized."""
    named = {client.client_id: client.provider for client in list_client_uses(tenant.connection, tenant.id)}
    recognized = recognized_providers.current
    return lambda client_id: named.get(client_id) or recognized.find(client_id)


def entry_explainer(enterprise: str) -> Callable[[LogRow], dict[str, Any]]:
    """Return ``explain_entry`` in the words for the client of each entry."""
    with reading_in(enterprise) as tenant:
        provider_of = client_providers(tenant)
    return lambda row: explain_entry(row, provider_of(row.client_id))
