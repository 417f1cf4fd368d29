"""After a restore, cursors and ETags of the lost time are refused, and webhooks deliver everything that follows."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from scimsvc import clock, create_app
from scimsvc.activity.feed_reading import FeedPosition, read_feed_cursor
from scimsvc.extensions import db
from scimsvc.notifications.delivery.upcoming import read_upcoming
from scimsvc.store.engine.transactions import reading
from scimsvc.store.webhooks import list_webhooks
from scimsvc.web.state import cursor_keys
from tests.support.apps import SECRET_KEY, make_api, make_enterprise, run_command
from tests.support.client import Api, Enterprise, assert_problem, assert_scim_error, replace
from tests.support.databases import POSTGRESQL_URL, create_schema, new_postgresql, sqlite_url
from tests.support.scim_groups import create_group
from tests.support.webhooks import make_hook


@dataclass
class Installation:
    """A service whose database can be restored from a copy."""

    url: str
    folder: Path
    apps: list[Flask] = field(default_factory=list)

    def start(self) -> Flask:
        """Return the app of a process that has just started."""
        settings = {"DATABASE_URL": self.url, "INSTANCE_PATH": str(self.folder), "SECRET_KEY": SECRET_KEY}
        self.apps.append(create_app(settings))
        return self.apps[-1]

    def stop(self) -> None:
        """Close all connections. No other app may use them, because a template must have none."""
        for app in self.apps:
            with app.app_context():
                db.engine.dispose()

    def back_up(self) -> None:
        """Copy the database, on SQLite by the command and on PostgreSQL by a template."""
        if self.url.startswith("sqlite"):
            run_command(self.apps[-1], "backup", str(self.folder / "backup.db"))
        else:
            self._copy(self._name, self._copy_name)

    def restore(self) -> None:
        """Stop the service, and replace the database by its copy as docs/operate/backup.md says."""
        self.stop()
        if self.url.startswith("sqlite"):
            path = self.url.removeprefix("sqlite:///")
            for suffix in ("-wal", "-shm"):
                Path(path + suffix).unlink(missing_ok=True)
            shutil.copyfile(self.folder / "backup.db", path)
        else:
            self._copy(self._copy_name, self._name)

    @property
    def _name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def _copy_name(self) -> str:
        return f"{self._name}_copy"

    def _copy(self, source: str, target: str) -> None:
        self.stop()
        names = {"source": sql.Identifier(source), "target": sql.Identifier(target)}
        with psycopg.connect(POSTGRESQL_URL, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {target} WITH (FORCE)").format(**names))
            server.execute(sql.SQL("CREATE DATABASE {target} TEMPLATE {source}").format(**names))

    def drop_copy(self) -> None:
        """Delete the copy of PostgreSQL."""
        with psycopg.connect(POSTGRESQL_URL, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self._copy_name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    if request.param == "sqlite":
        installed = Installation(sqlite_url(request.getfixturevalue("sqlite_file")), tmp_path)
        yield installed
        installed.stop()
        return
    request.getfixturevalue("postgresql_url")  # skips without a server
    with new_postgresql() as url:
        create_schema(url)
        installed = Installation(url, tmp_path)
        try:
            yield installed
        finally:
            installed.stop()
            installed.drop_copy()


def _restarted(installation: Installation, enterprise: Enterprise, api: Api) -> None:
    enterprise.app = api.enterprise.app = installation.start()


def _message_ids(acme: Enterprise) -> list[str]:
    """Return the IDs of the messages that the only webhook would deliver next."""
    with acme.app.app_context(), reading() as connection:
        (webhook,) = list_webhooks(connection, acme.made["id"])
        upcoming = read_upcoming(connection, cursor_keys(), webhook, now=clock.now())
        return [message.id for message, _ in upcoming.messages]


def test_cursors_and_etags_of_a_lost_future_are_refused(installation: Installation) -> None:
    acme = make_enterprise(installation.start(), "Acme")
    api = make_api(acme)
    user, group = acme.create(), create_group(acme, "Sales")
    kept = api.get("/changes")["next"]
    installation.back_up()
    _restarted(installation, acme, api)
    lost = acme.patch(user, replace("title", "lost")).get_json()
    lost_group = acme.send("PUT", f"/Groups/{group['id']}", {**group, "displayName": "Lost"}).get_json()
    run_command(acme.app, "role", "update", "Acme", "DefaultEnterprise", "--rename", "Lost")
    lost_default = acme.get(user)["meta"]["version"]
    for number in range(3):
        acme.create(email=f"lost{number}@contoso.example")
    lost_cursors = [each["cursor"] for each in api.get("/changes", after=kept)["items"]]

    installation.restore()
    _restarted(installation, acme, api)
    hook = make_hook(acme, "https://hooks.example.com/")
    beyond = [api.send("GET", "/changes", query={"after": each}) for each in lost_cursors]
    other = acme.patch(user, replace("title", "regrown")).get_json()
    other_group = acme.send("PUT", f"/Groups/{group['id']}", {**group, "displayName": "Regrown"}).get_json()
    run_command(acme.app, "role", "update", "Acme", "DefaultEnterprise", "--rename", "Regrown")
    for number in range(7):
        acme.create(email=f"regrown{number}@contoso.example")
    regrown = [api.send("GET", "/changes", query={"after": each}) for each in lost_cursors]
    replay = api.send("POST", f"/webhooks/{hook.id}/replay", {"cursor": lost_cursors[0]})

    for answer in (*beyond, *regrown):
        assert_problem(answer, 410, "restored from a backup", "GET /api/v1/users")
    assert_problem(replay, 410, "no longer stored")
    page = api.get("/changes", after=kept)["items"]
    assert [each["email"] for each in page if each["type"] == "created"] == [
        f"regrown{number}@contoso.example" for number in range(7)
    ]
    assert _number(other) == _number(lost)
    assert _number(other_group) == _number(lost_group)
    for tag in (lost["meta"]["version"], lost_default):
        assert_scim_error(acme.patch(user, replace("title", "x"), headers={"If-Match": tag}), 412, None, "version")
    path = f"/Groups/{group['id']}"
    late = acme.send("DELETE", path, headers={"If-Match": lost_group["meta"]["version"]})
    assert_scim_error(late, 412, None, "version")


def _number(resource: dict[str, Any]) -> str:
    """Return the number of the version in the ETag of ``resource``."""
    return str(resource["meta"]["version"]).partition("-")[0]


def test_a_webhook_of_a_restored_database_sends_messages_with_other_ids(installation: Installation) -> None:
    acme = make_enterprise(installation.start(), "Acme")
    api = make_api(acme)
    make_hook(acme, "https://hooks.example.com/")
    acme.create()
    installation.back_up()
    _restarted(installation, acme, api)
    acme.create(email="lost@contoso.example")
    lost = _message_ids(acme)

    installation.restore()
    _restarted(installation, acme, api)
    acme.create(email="regrown@contoso.example")
    regrown = _message_ids(acme)

    assert len(lost) == len(regrown) == 2
    assert lost[0] == regrown[0]
    assert lost[1] != regrown[1]


def test_a_cursor_of_an_older_version_is_accepted_and_replaced(installation: Installation) -> None:
    acme = make_enterprise(installation.start(), "Acme")
    api = make_api(acme)
    acme.create()
    acme.create(email="b@contoso.example")
    with acme.app.app_context():
        keys = cursor_keys()
    old = keys.write(1, acme.made["id"], "changes")

    page = api.get("/changes", after=old)
    again = api.get("/changes", after=keys.write(2, acme.made["id"], "changes"))

    assert [each["email"] for each in page["items"]] == ["b@contoso.example"]
    position = read_feed_cursor(keys, acme.made["id"], page["next"], field="after")
    assert position == FeedPosition(2, page["items"][0]["time"])
    assert again == {"items": [], "next": page["next"]}
