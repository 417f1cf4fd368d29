"""``serve``: run the server."""

from typing import Any

import click
from flask import Flask, current_app

from scimsvc.activity.state import DEFAULT_THREADS
from scimsvc.cli.options import host_option, port_option
from scimsvc.cli.output import app_command
from scimsvc.operations.serving.server import Server
from scimsvc.operations.startup import refuse_unsound_start


@click.command("serve")
@host_option
@port_option
@click.option("--unix-socket", metavar="PATH", help="Listen on this Unix socket instead")
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=DEFAULT_THREADS,
    show_default=True,
    help="Number of worker threads",
)
@click.option("--check", is_flag=True, help="Check the integrity of the SQLite file first; do not serve a damaged one")
@app_command(creates_files=True)
def serve(host: str, port: int, unix_socket: str | None, threads: int, *, check: bool) -> None:
    """Serve until SIGTERM or SIGINT, then finish the running requests."""
    refuse_unsound_start(check=check)
    bind(host=host, port=port, unix_socket=unix_socket, threads=threads).run()


def bind(**where: Any) -> Server:
    """Return a server that listens at ``where``. Raises ``ClickException`` if it cannot listen there."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way
    try:
        return Server(app, **where)
    except (OSError, ValueError) as error:
        target = where.get("unix_socket") or f"{where['host']}:{where['port']}"
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"Cannot listen on {target}: {reason}") from None
