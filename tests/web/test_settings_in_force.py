"""The effects of settings: the secret key and its file, the public URL, proxies and the rate limit."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from scimsvc.settings import SettingsError, read_settings
from tests.support.client import Enterprise, user_body
from tests.support.types import MakeApp

OLD, MIDDLE, NEW = "old " * 10, "middle " * 10, "new " * 10


def _status(app: Flask, token: str) -> int:
    return Enterprise(app, {"name": "Acme"}, token).send("GET", "/Users").status_code


def _issue(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["enterprise", "create", "Acme", "--enable-scim"])
    assert (result.exit_code, result.exception) == (0, None)
    return _issue_again(app)


def _issue_again(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["token", "issue", "Acme"])
    return dict(line.split(maxsplit=1) for line in result.stdout.splitlines())["access_token"]


@pytest.mark.requirement("R36")
def test_a_secret_key_is_created_once_and_readable_only_by_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    keys = [read_settings({"INSTANCE_PATH": folder}).secret_keys for _ in range(2)]

    (path,) = folder.iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("secret_key", 0o600)
    assert keys == [(path.read_text().strip(),)] * 2
    assert len(keys[0][0]) >= 32
    assert read_settings({"INSTANCE_PATH": tmp_path / "other"}).secret_keys != keys[0]


def test_simultaneous_first_starts_use_the_same_key(tmp_path: Path) -> None:
    starts = 8
    barrier = Barrier(starts)

    def start(folder: Path) -> tuple[str, ...]:
        barrier.wait(10)
        return read_settings({"INSTANCE_PATH": folder}).secret_keys

    with ThreadPoolExecutor(starts) as pool:
        for number in range(10):
            folder = tmp_path / str(number)
            assert len(set(pool.map(start, [folder] * starts))) == 1
            assert [path.name for path in folder.iterdir()] == ["secret_key"]


@pytest.mark.requirement("R36")
@pytest.mark.parametrize("content", [b"", b"\n", b"k" * 31, b"\xff" * 40], ids=ascii)
def test_a_damaged_secret_key_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret_key"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match="secret key") as refused:
        read_settings({"INSTANCE_PATH": tmp_path})

    line = str(refused.value)
    assert len(line.splitlines()) == 1
    assert str(path) in line
    assert "kkkk" not in line
    assert path.read_bytes() == content


def test_a_given_secret_key_is_not_written_anywhere(tmp_path: Path) -> None:
    read_settings({"INSTANCE_PATH": tmp_path, "SECRET_KEY": OLD})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("R35")
def test_the_newest_key_signs_all_verify_and_a_removed_one_ends_its_tokens(make_app: MakeApp) -> None:
    by_old = _issue(make_app(SECRET_KEY=OLD))
    by_new = _issue_again(make_app(SECRET_KEY=f"{NEW},{MIDDLE},{OLD}"))
    keys = {
        "old": OLD,
        "old first": f"{OLD},{NEW}",
        "rotating": f"{NEW},{OLD}",
        "new": NEW,
        "middle": MIDDLE,
    }

    statuses = {
        name: (_status(app, by_old), _status(app, by_new))
        for name, app in ((name, make_app(SECRET_KEY=value)) for name, value in keys.items())
    }

    assert statuses == {
        "old": (200, 401),
        "old first": (200, 200),
        "rotating": (200, 200),
        "new": (401, 200),
        "middle": (401, 401),
    }


def _locations(app: Flask, token: str, **options: Any) -> set[str]:
    """Create and read a user, and return every location in the responses, without the user's ID."""
    acme = Enterprise(app, {"name": "Acme"}, token)
    created = acme.send("POST", "/Users", user_body(), **options)
    assert created.status_code == 201, created.text
    user = created.get_json()
    replaced = acme.send("PUT", f"/Users/{user['id']}", user_body(title="Lead"), **options)
    listed = acme.send("GET", "/Users", **options).get_json()["Resources"][0]
    found = {
        created.headers["Location"],
        user["meta"]["location"],
        replaced.headers["Content-Location"],
        replaced.get_json()["meta"]["location"],
        listed["meta"]["location"],
    }
    return {location.replace(user["id"], "ID") for location in found}


@pytest.mark.parametrize("prefix", ["", "/scim", "/a/b"])
def test_locations_begin_with_the_public_url_for_any_request(make_app: MakeApp, prefix: str) -> None:
    app = make_app(PUBLIC_URL=f"https://app.example.com:8443{prefix}/", TRUSTED_PROXIES=1)

    found = _locations(app, _issue(app), headers={"Host": "10.0.0.1", "X-Forwarded-Host": "elsewhere.example"})

    assert found == {f"https://app.example.com:8443{prefix}/api/scim/v2/Users/ID"}


FORWARDED = {
    "Host": "10.0.0.1:8000",
    "X-Forwarded-Proto": "http, https",
    "X-Forwarded-Host": "forged.example, app.example.com",
    "X-Forwarded-Prefix": "/forged, /identity",
}


@pytest.mark.parametrize(
    ("trusted", "root"),
    [
        pytest.param(0, "http://10.0.0.1:8000", id="none is believed"),
        pytest.param(1, "https://app.example.com/identity", id="the nearest is believed"),
        pytest.param(2, "http://forged.example/forged", id="the second is believed"),
    ],
)
def test_only_the_headers_of_trusted_proxies_count(make_app: MakeApp, trusted: int, root: str) -> None:
    app = make_app(TRUSTED_PROXIES=trusted)

    assert _locations(app, _issue(app), headers=FORWARDED) == {f"{root}/api/scim/v2/Users/ID"}


def test_requests_over_the_rate_limit_get_retry_after(make_app: MakeApp) -> None:
    app = make_app(RATE_LIMIT="0.01")
    token = _issue(app)
    other = make_app()

    answers = [Enterprise(app, {"name": "Acme"}, token).send("GET", "/Users") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 429, 429, 429, 429]
    assert 1 < int(answers[-1].headers["Retry-After"]) <= 100
    assert answers[-1].get_json(force=True)["status"] == "429"
    assert {_status(other, token) for _ in range(5)} == {200}  # unset: no limit
