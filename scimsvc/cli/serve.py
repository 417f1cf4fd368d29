"""``serve``: run the server."""

import socket
from typing import Any

import click
from flask import Flask, current_app

from scimsvc.activity.state import DEFAULT_THREADS
from scimsvc.cli.options import host_option, port_option
from scimsvc.cli.output import app_command
from scimsvc.operations.serving.server import Server
from scimsvc.operations.serving.systemd import take_passed_sockets
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
    """Serve until SIGTERM, SIGINT or SIGHUP, then finish the running requests.

    Sockets that systemd passes are used instead of --host, --port and --unix-socket.
    """
    refuse_unsound_start(check=check)
    bind(host=host, port=port, unix_socket=unix_socket, threads=threads).run()


def bind(**where: Any) -> Server:
    """Return a server that listens at ``where``, or on the sockets that systemd passed to this process.

    Raises ``ClickException`` if it cannot listen there.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way
    target = where.get("unix_socket") or f"{where['host']}:{where['port']}"
    try:
        return Server(app, sockets=_take_passed_sockets(), **where)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"Cannot listen on {target}: {reason}") from None


def _take_passed_sockets() -> list[socket.socket]:
    try:
        return take_passed_sockets()
    except (OSError, ValueError) as error:
        raise click.ClickException(f"Cannot use the sockets of LISTEN_FDS: {error}") from None
