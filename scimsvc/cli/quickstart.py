"""``quickstart``: everything at once."""

import json
from typing import Any

import click

from scimsvc.auth.grants import issue_token
from scimsvc.auth.state import token_signer
from scimsvc.cli.init import upgrade
from scimsvc.cli.options import host_option, port_option
from scimsvc.cli.output import app_command, as_text
from scimsvc.cli.serve import bind
from scimsvc.enterprises.enterprises import create_enterprise, list_enterprises
from scimsvc.paths import SCIM_PREFIX
from scimsvc.vocabulary import SCIM_SCOPE
from scimsvc.web.state import app_settings

FIRST_ENTERPRISE = "My Enterprise"
FIRST_ROLES = ["SigningHub_Admin", "User"]


@click.command("quickstart")
@host_option
@port_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value before serving, and nothing else.")
@app_command(creates_files=True)
def quickstart(host: str, port: int, *, as_json: bool) -> None:
    """Set everything up, print what Entra needs, and serve.

    Makes the database, a first enterprise if there is none, and a SCIM token; prints Tenant URL and Secret Token.
    """
    upgrade()
    server = bind(host=host, port=port)
    result = _first_steps(server.url)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else _introduction(result))
    server.run()


def _first_steps(url: str) -> dict[str, Any]:
    enterprises = list_enterprises()
    created = create_enterprise(FIRST_ENTERPRISE, roles=FIRST_ROLES, scim_enabled=True) if not enterprises else None
    enterprise = created or enterprises[0]
    token = issue_token(enterprise["id"], scope=SCIM_SCOPE, signer=token_signer.current)
    tenant_url = (app_settings().public_url or url) + SCIM_PREFIX
    credentials = {name: created[name] for name in ("client_id", "client_secret")} if created else {}
    return {
        "enterprise": enterprise["name"],
        "tenant_url": tenant_url,
        "secret_token": token["access_token"],
        "expires_at": token["expires_at"],
        **credentials,
        "curl": f"curl -H 'Authorization: Bearer {token['access_token']}' '{tenant_url}/Users'",
    }


def _introduction(result: dict[str, Any]) -> str:
    names = {
        "enterprise": "Enterprise",
        "tenant_url": "Tenant URL",
        "secret_token": "Secret Token",
        "expires_at": "valid until",
        "client_id": "Client ID",
        "client_secret": "Client secret",
    }
    shown = as_text({names[name]: value for name, value in result.items() if name in names})
    once = (
        "\nThe client secret is shown this once; scimsvc integration rotate makes another."
        if "client_id" in result
        else ""
    )
    return f"{shown}{once}\n\nTry it:\n  {result['curl']}\n"
