"""``quickstart``: initialize, create a first enterprise, and serve."""

import shlex
from typing import Any

import click

from scimsvc.auth.clients import NAMES, create_integration, list_integrations
from scimsvc.auth.grants import TokenRequest, issue_token, rotate_token
from scimsvc.auth.signing_keys import refuse_other_key
from scimsvc.auth.state import token_signer
from scimsvc.auth.token_reading import list_tokens
from scimsvc.cli.init import upgrade
from scimsvc.cli.options import host_application_option, host_option, port_option
from scimsvc.cli.output import app_command
from scimsvc.cli.printable import write_json_line
from scimsvc.cli.serve import bind
from scimsvc.cli.tables import as_text
from scimsvc.cli.values import cell
from scimsvc.enterprises.admins import offer_first_link
from scimsvc.enterprises.enterprises import create_enterprise, credentials_of, list_enterprises
from scimsvc.paths import CONSOLE_PREFIX, SCIM_PREFIX
from scimsvc.vocabulary import SCIM_SCOPE, USERS_SCOPE
from scimsvc.web.state import app_settings
from scimsvc.web.urls import password_url

FIRST_ENTERPRISE = "My Enterprise"
#: The name of the token that quickstart issues and replaces.
QUICKSTART = "Quickstart"
FIRST_ROLES = ["SigningHub_Admin", "User"]


@click.command("quickstart")
@host_option
@port_option
@host_application_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value before serving, and nothing else")
@app_command(creates_files=True)
def quickstart(host: str, port: int, *, host_application: bool, as_json: bool) -> None:
    """Create a database and a first enterprise, print the values for Entra and the console, and serve.

    You can repeat it. It keeps existing data. A SCIM token of an earlier start continues if it was used; otherwise a
    new one replaces it.
    """
    upgrade()
    refuse_other_key(token_signer.current)
    server = bind(host=host, port=port)
    root = app_settings().public_url or _usable(server.url)
    account = offer_first_link()
    console_link = password_url(root, account["link"]) if account else None
    result = _first_steps(root, host_application=host_application) | {"console_link": console_link}
    click.echo(write_json_line(result) if as_json else _introduction(result, root, account))
    if root != (app_settings().public_url or server.url):
        click.echo(_FOR_OTHERS, err=True)
    server.run()


_FOR_OTHERS = "For clients on other machines, set SCIMSVC_PUBLIC_URL to the address that they use."
#: The addresses that mean all addresses, which no client can use, and those of this machine.
_ALL_ADDRESSES = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}


def _usable(url: str) -> str:
    """Return ``url`` with an address that a client on this machine can use."""
    for unspecified, usable in _ALL_ADDRESSES.items():
        url = url.replace(unspecified, usable)
    return url


def _first_steps(root: str, *, host_application: bool) -> dict[str, Any]:
    enterprises = list_enterprises()
    created = create_enterprise(FIRST_ENTERPRISE, roles=FIRST_ROLES, scim_enabled=True) if not enterprises else None
    enterprise = created or enterprises[0]
    token = _token(enterprise["id"])
    secret_token = token.get("access_token")
    tenant_url = root + SCIM_PREFIX
    credentials = credentials_of(created) if created else {}
    if host_application:
        credentials |= _host_application(enterprise["id"])
    return {
        "enterprise": enterprise["name"],
        "tenant_url": tenant_url,
        "secret_token": secret_token,
        "expires_at": token["expires_at"],
        **credentials,
        "curl": f"curl -H 'Authorization: Bearer {secret_token}' '{tenant_url}/Users'" if secret_token else None,
    }


def _token(enterprise_id: str) -> dict[str, Any]:
    """Return the token of an earlier start if it is valid and was used; otherwise a new one, which replaces it.

    Only a new one has ``access_token``, because a token is shown once.
    """
    signer = token_signer.current
    earlier = [each for each in list_tokens(enterprise_id) if each["name"] == QUICKSTART and _is_valid(each)]
    for token in earlier:
        if token["last_used_at"] is not None:
            return token
    if earlier:
        return rotate_token(earlier[-1]["id"], enterprise=enterprise_id, days=None, overlap_hours=0, signer=signer)
    return issue_token(enterprise_id, TokenRequest(SCIM_SCOPE, name=QUICKSTART), signer=signer)


def _is_valid(token: dict[str, Any]) -> bool:
    return token["revoked_at"] is None and token["days_left"] > 0 and token["verifiable"]


def _host_application(enterprise_id: str) -> dict[str, Any]:
    """Create the integration for the application unless it exists, and return its credentials."""
    name = NAMES[USERS_SCOPE]
    if name in (each["name"] for each in list_integrations(enterprise_id)):
        return {}
    integration = create_integration(enterprise_id, {"name": name, "scope": USERS_SCOPE})
    return {"host_application": credentials_of(integration)}


def _introduction(result: dict[str, Any], root: str, account: dict[str, Any] | None) -> str:
    names = {
        "enterprise": "Enterprise",
        "tenant_url": "Tenant URL",
        "secret_token": "Secret Token",
        "expires_at": "Expires",
        "client_id": "Client ID",
        "client_secret": "Client secret",
    }
    values = {names[name]: value for name, value in result.items() if name in names}
    if result["secret_token"] is None:
        values[names["secret_token"]] = "the one of an earlier start, which is in use"
    for name, value in result.get("host_application", {}).items():
        values[f"{names[name]} of your application"] = value
    notes = [""]
    if "client_secret" in result or "host_application" in result:
        notes.append(
            "Save the client secret now. It is not shown again. 'scimsvc integration rotate' creates another one."
        )
    if account is not None:
        notes.append(
            f"Open the Console link to set the password of {cell(account['email'])}. It works once, within 24 hours."
        )
    if result["secret_token"] is None:
        notes.append(
            "A token is shown only once. To get another one, run: "
            f"scimsvc token issue {shlex.quote(cell(result['enterprise']))}"
        )
    lines = [
        as_text({**values, "Console": result["console_link"] or root + CONSOLE_PREFIX}),
        *notes,
        f"\nTry it:\n  {result['curl']}\n" if result["curl"] else "",
    ]
    return "\n".join(lines)
