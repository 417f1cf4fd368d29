"""``init``, ``quickstart`` and ``serve``."""

import json
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from scimsvc.auth.grants import issue_token
from scimsvc.auth.tokens import SCIM
from scimsvc.cli.output import as_text, refusing, result_command, runtime
from scimsvc.enterprises.enterprises import create_enterprise, list_enterprises
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.backup import back_up_before_upgrade
from scimsvc.operations.server import DEFAULT_HOST, DEFAULT_PORT, Server
from scimsvc.operations.startup import refuse_unsound_start
from scimsvc.store.transactions import writing
from scimsvc.vocabulary import SCIM_PATH
from scimsvc.web.runtime import DEFAULT_THREADS

FIRST_ENTERPRISE = "My Enterprise"
FIRST_ROLES = ["SigningHub_Admin", "User"]

host_option = click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="Port; 0 takes a free one."
)


@result_command(None, "init")
def init() -> dict[str, Any]:
    """Create the database, or upgrade its schema; safe to repeat."""
    _upgrade()
    return {"database": current_app.config["SQLALCHEMY_DATABASE_URI"].partition("://")[0], "schema": SCHEMA_REVISION}


@click.command("serve")
@host_option
@port_option
@click.option("--unix-socket", metavar="PATH", help="Listen on a Unix socket instead.")
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=DEFAULT_THREADS,
    show_default=True,
    help="Requests that are worked on at once.",
)
@click.option("--check", is_flag=True, help="Read a SQLite file through first, and do not serve a damaged one.")
@with_appcontext
@refusing
def serve(host: str, port: int, unix_socket: str | None, threads: int, *, check: bool) -> None:
    """Serve until SIGTERM or SIGINT; then finish the requests under way."""
    refuse_unsound_start(check=check)
    _bind(host=host, port=port, unix_socket=unix_socket, threads=threads).run()


@click.command("quickstart")
@host_option
@port_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value before serving, and nothing else.")
@with_appcontext
@refusing
def quickstart(host: str, port: int, *, as_json: bool) -> None:
    """Set everything up, print what Entra needs, and serve.

    Makes the database, a first enterprise if there is none, and a SCIM token; prints Tenant URL and Secret Token.
    """
    _upgrade()
    server = _bind(host=host, port=port)
    result = _first_steps(server.url)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else _introduction(result))
    server.run()


def _first_steps(url: str) -> dict[str, Any]:
    enterprises = list_enterprises()
    created = create_enterprise(FIRST_ENTERPRISE, roles=FIRST_ROLES, scim_enabled=True) if not enterprises else None
    enterprise = created or enterprises[0]
    token = issue_token(enterprise["id"], scope=SCIM, signer=runtime().signer)
    tenant_url = (runtime().settings.public_url or url) + SCIM_PATH
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


def _upgrade() -> None:
    from scimsvc.migrations import UnknownSchema, current_revision, upgrade  # nothing that a server should load

    try:
        with writing() as connection:
            old = current_revision(connection)
            if old is not None and old < SCHEMA_REVISION:
                kept = back_up_before_upgrade(old)
                click.echo(f"the database as it was before the upgrade is kept in {kept}", err=True) if kept else None
            upgrade(connection)
    except UnknownSchema as error:
        raise click.ClickException(str(error)) from None


def _bind(**where: Any) -> Server:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way
    try:
        return Server(app, **where)
    except (OSError, ValueError) as error:
        target = where.get("unix_socket") or f"{where['host']}:{where['port']}"
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"cannot listen on {target}: {reason}") from None
