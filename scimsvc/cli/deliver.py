"""``deliver``: run the background worker where ``scimsvc serve`` does not run."""

import click
from flask import Flask, current_app

from scimsvc.cli.output import app_command
from scimsvc.operations.background.process import run_worker
from scimsvc.operations.startup import refuse_unsound_start


@click.command("deliver")
@app_command(needs_key=True)
def deliver() -> None:
    """Run the background work until SIGTERM or SIGINT: deliveries, alerts and the deletion of old rows.

    'scimsvc serve' and 'scimsvc quickstart' do this work themselves. Run this command once beside another WSGI server.
    Several processes can run: one of them works, and another takes over within a minute if it ends.
    """
    refuse_unsound_start()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way
    run_worker(app)
