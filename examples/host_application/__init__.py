"""An application that follows the users of scimsvc: the complete example of docs/guides/host-application.md."""

import os
from contextlib import closing

import click
from flask import Flask, Response, abort, jsonify

from host_application import groups, people
from host_application.follower import follow
from host_application.service import Service


def create_app() -> Flask:
    """Return the application. It reads its users from its own database, never from scimsvc."""
    app = Flask(__name__)
    path = os.environ.get("PEOPLE", "people.db")

    @app.get("/people")
    def list_people() -> Response:
        with closing(people.connect(path)) as connection:
            return jsonify(people.list_all(connection))

    @app.get("/groups")
    def list_groups() -> Response:
        with closing(people.connect(path)) as connection:
            return jsonify(groups.list_all(connection))

    @app.get("/sign-in/<object_id>")
    def sign_in(object_id: str) -> Response:
        # A real application takes the object ID from the claim "oid" of a verified ID token, not from the URL.
        with closing(people.connect(path)) as connection:
            person = people.find_by_object_id(connection, object_id)
        if person is None or not person["active"]:
            abort(403)
        return jsonify(person)

    if "WEBHOOK_SECRET" in os.environ:
        from host_application.webhook import receiver

        app.register_blueprint(receiver(os.environ["WEBHOOK_SECRET"], _service(), path))

    @app.cli.command("follow")
    def follow_users() -> None:
        """Store all users and groups, then follow their changes until Ctrl-C. Run one such process."""
        service = _service()
        click.echo(f"following {service.url}")
        follow(service, people.connect(path))

    return app


def _service() -> Service:
    return Service(os.environ["SCIMSVC"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
