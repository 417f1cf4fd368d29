"""Configuration (contract section 3): valid values of each variable, and refusals of one line."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import config
from scimsvc import create_app
from scimsvc.protocol.limits import Limits
from scimsvc.settings import SETTINGS, SettingsError, read_settings, unknown_variables
from scimsvc.settings.limits import LIMIT_RANGES, LimitRange
from scimsvc.settings.quotas import QUOTA_RANGES, Quotas
from scimsvc.settings.single_sign_on import LocalSignIn
from scimsvc.web.state import web_state
from tests.support.apps import dispose
from tests.support.live import SCIMSVC, environment

CHECKOUT = Path(__file__).parents[1]
KEY = "k" * 32
ELSEWHERE = {"DATABASE_URL": "postgresql://postgres@127.0.0.1/nowhere", "SECRET_KEY": KEY}

GOOD = [
    pytest.param("DATABASE_URL", "sqlite:////srv/a.db", {"database_url": "sqlite:////srv/a.db"}, id="SQLite"),
    pytest.param("DATABASE_URL", "postgresql://u:p@h:5432/d?sslmode=require",
                 {"database_url": "postgresql+psycopg://u:p@h:5432/d?sslmode=require"}, id="PostgreSQL"),
    pytest.param("DATABASE_URL", "postgres://h/d", {"database_url": "postgresql+psycopg://h/d"}, id="PostgreSQL by its other name"),
    pytest.param("DATABASE_URL", "postgresql+psycopg://h/d", {"database_url": "postgresql+psycopg://h/d"}, id="PostgreSQL as SQLAlchemy writes it"),
    pytest.param("INSTANCE_PATH", "/srv/scimsvc", {"instance_path": Path("/srv/scimsvc")}, id="folder"),
    pytest.param("INSTANCE_PATH", "state", {"instance_path": Path.cwd() / "state"}, id="folder below the current one"),
    pytest.param("SECRET_KEY", KEY, {"secret_keys": (KEY,)}, id="32 characters"),
    pytest.param("SECRET_KEY", "ä" * 16, {"secret_keys": ("ä" * 16,)}, id="32 bytes"),
    pytest.param("SECRET_KEY", f"{KEY}1, {KEY}2", {"secret_keys": (f"{KEY}1", f"{KEY}2")}, id="two keys"),
    pytest.param("PUBLIC_URL", "https://app.example.com", {"public_url": "https://app.example.com"}, id="URL"),
    pytest.param("PUBLIC_URL", "http://app.example.com:8443/", {"public_url": "http://app.example.com:8443"}, id="URL with a port and a slash"),
    pytest.param("PUBLIC_URL", "https://[::1]/a/b/", {"public_url": "https://[::1]/a/b"}, id="URL with a prefix"),
    pytest.param("TRUSTED_PROXIES", "0", {"trusted_proxies": 0}, id="no proxy"),
    pytest.param("TRUSTED_PROXIES", "2", {"trusted_proxies": 2}, id="two proxies"),
    pytest.param("RATE_LIMIT", "0", {"rate_limit": 0}, id="no limit"),
    pytest.param("RATE_LIMIT", "50", {"rate_limit": 50}, id="fifty a second"),
    pytest.param("RATE_LIMIT", "0.5", {"rate_limit": 0.5}, id="one in two seconds"),
    pytest.param("LOCAL_SIGN_IN", "ON", {"local_sign_in": LocalSignIn()}, id="passwords"),
    pytest.param("WEBHOOK_NETWORKS", "10.20.0.0/16, fd12:3456::/48, 192.0.2.7",
                 {"webhook_networks": (ip_network("10.20.0.0/16"), ip_network("fd12:3456::/48"), ip_network("192.0.2.7/32"))}, id="networks"),
    pytest.param("DATABASE_POOLER", " Transaction\n", {"database_pooler": "transaction"}, id="a pooler"),
    pytest.param("DATABASE_URL", "postgres://h/d?prepare_threshold=None",
                 {"database_url": "postgresql+psycopg://h/d?prepare_threshold=None"}, id="no prepared statements"),
    pytest.param("LOG_FORMAT", "text", {"log_format": "text"}, id="text"),
    pytest.param("LOG_FORMAT", " JSON\n", {"log_format": "json"}, id="JSON, however written"),
    pytest.param("TRACING", "off", {"is_traced": False}, id="no traces"),
    pytest.param("TRACING", " OTLP\n", {"is_traced": True}, id="traces"),
    pytest.param("REQUIRE_MFA", "none", {"require_mfa": "none"}, id="no second factor required"),
    pytest.param("REQUIRE_MFA", "Operators", {"require_mfa": "operators"}, id="second factor of operators"),
    pytest.param("REQUIRE_MFA", "all", {"require_mfa": "all"}, id="second factor of all"),
]  # fmt: skip
BAD = [
    *(("DATABASE_URL", value) for value in (
        "instance/scimsvc.db", "mysql://h/d", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql+asyncpg://h/d",
        "postgresql://h:port/d", "postgresql://h:99999999/d", "postgresql://h/d?prepare_threshold=often",
    )),
    *(("DATABASE_POOLER", value) for value in ("session", "pgbouncer", "1")),
    *(("INSTANCE_PATH", value) for value in (__file__, __file__ + "/below", "~nobody-of-this-name/scimsvc")),
    *(("PUBLIC_URL", value) for value in (
        "app.example.com", "//app.example.com", "ftp://app.example.com", "https://", "https:///path", "https://h:port",
        "https://h:99999", "https://h/a b", "https://h/?", "https://h/?a=b", "https://h/#", "https://h/#a",
        "https://h/api/scim/v2", "https://h/api/scim/v2/", "https://h/\u65e5\u672c", "https://m\u00fcnchen.example",
        "https://h/a\nb", 'https://h/"',
    )),
    *(("TRUSTED_PROXIES", value) for value in ("-1", "1.5", "one", "true", "100", "٢", "1 2")),
    *(("RATE_LIMIT", value) for value in ("-1", "50/s", "nan", "inf", "1e3", "9" * 400, "٢", ".")),
    *(("OIDC_ISSUER", value) for value in (
        "login.example.com", "http://login.example.com", "https://", "https://h/?a=b", "https://h/#a",
        "https://h:port", "https://h/a b", "file:///etc", "http://127.0.0.1.example.com", "https://h/" + "a" * 2000,
    )),
    *(("OIDC_CLIENT_ID", value) for value in ("a\nb", "\u65e5\u672c", "a" * 513)),
    *(("LOCAL_SIGN_IN", value) for value in ("yes", "break-glass")),
    *(("WEBHOOK_NETWORKS", value) for value in (
        "10.20.30.40/16", "10.0.0.0/33", "10.0.0.0/8,", "localhost", "10.0.0.0-10.0.0.9", "0x0a.0.0.0/8", "fe80::%eth0/64",
    )),
    *(("LOG_FORMAT", value) for value in ("xml", "text,json", " ")),
    *(("TRACING", value) for value in ("on", "http://127.0.0.1:4318", " ")),
    *(("REQUIRE_MFA", value) for value in ("1", "true", "operator", "all,none", " ")),
]  # fmt: skip


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Read the settings from the environment, with defaults that use no files."""

    def read(**variables: str) -> Any:
        for name, value in (ELSEWHERE | variables).items():
            monkeypatch.setenv(f"SCIMSVC_{name}", value)
        return read_settings()

    return read


@pytest.mark.parametrize(("name", "value", "expected"), GOOD)
def test_a_valid_variable_is_accepted(
    read: Callable[..., Any], name: str, value: str, expected: dict[str, Any]
) -> None:
    settings = read(**{name: value})

    assert {member: getattr(settings, member) for member in expected} == expected


@pytest.mark.parametrize(("name", "value"), BAD, ids=ascii)
def test_an_invalid_variable_is_refused_in_one_line(
    read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    if name == "INSTANCE_PATH":
        monkeypatch.setitem(ELSEWHERE, "SECRET_KEY", "")  # the file is to be created there

    with pytest.raises(SettingsError) as refused:
        read(**{name: value})

    line = str(refused.value)
    assert len(line.splitlines()) == 1
    assert f"SCIMSVC_{name}" in line
    assert repr(value.strip())[1:-1] in line
    assert ". Use " in line


@pytest.mark.parametrize(
    ("name", "content", "member", "value"),
    [
        ("SECRET_KEY", f"{KEY}1,{KEY}2\n", "secret_keys", (f"{KEY}1", f"{KEY}2")),
        ("METRICS_TOKEN", "a-token-of-sufficient-length\r\n", "metrics_token", "a-token-of-sufficient-length"),
        ("DATABASE_URL", "postgres://u:p@h/d", "database_url", "postgresql+psycopg://u:p@h/d"),
    ],
)
def test_a_secret_may_be_in_a_file(
    read: Callable[..., Any], tmp_path: Path, name: str, content: str, member: str, value: Any
) -> None:
    (tmp_path / "secret").write_text(content)

    settings = read(**{name: "", f"{name}_FILE": str(tmp_path / "secret")})

    assert getattr(settings, member) == value
    assert unknown_variables() == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SECRET_KEY": KEY}, "SCIMSVC_SECRET_KEY and SCIMSVC_SECRET_KEY_FILE are both set. Set only one of them."),
        (
            {"SECRET_KEY_FILE": "missing"},
            "SCIMSVC_SECRET_KEY_FILE is '{}/missing', and this file cannot be read (No such",
        ),
        ({"SECRET_KEY_FILE": "latin"}, "this file cannot be read (it is not UTF-8 text). Use the path of"),
        ({"SECRET_KEY_FILE": "empty"}, "and this file is empty. Write the value of SCIMSVC_SECRET_KEY into it."),
        ({"SECRET_KEY_FILE": "\0"}, "this file cannot be read (it is not UTF-8 text)"),
        ({"SECRET_KEY_FILE": "short"}, "SCIMSVC_SECRET_KEY is not valid. Use one key"),
    ],
)
def test_an_invalid_file_of_a_secret_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    for name, content in {"valid": KEY.encode(), "latin": b"\xe4" * 40, "empty": b" \n", "short": b"hunter2"}.items():
        (tmp_path / name).write_bytes(content)
    named = {"SECRET_KEY_FILE": "valid", "SECRET_KEY": "", **variables}
    monkeypatch.setenv("SCIMSVC_DATABASE_URL", ELSEWHERE["DATABASE_URL"])
    monkeypatch.setenv("SCIMSVC_SECRET_KEY", named["SECRET_KEY"])
    monkeypatch.setattr(
        os, "environ", os.environ | {"SCIMSVC_SECRET_KEY_FILE": f"{tmp_path}/{named['SECRET_KEY_FILE']}"}
    )

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert message.format(tmp_path) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "hunter2-hunter2-hunter2-hunter2",
        f"{KEY},hunter2",
        f"hunter2,{KEY}",
        f"hunter2{KEY},",
        "hunter2" + "\udcff" * 40,
    ],
    ids=ascii,
)
def test_a_secret_key_is_never_repeated(read: Callable[..., Any], value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(SECRET_KEY=value)

    line = str(refused.value)
    assert len(line.splitlines()) == 1
    assert "SCIMSVC_SECRET_KEY" in line
    assert "32 bytes" in line
    assert "hunter2" not in line
    assert KEY not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:hunter2@host/db"),
        ("DATABASE_URL", "mysql://user:hun@hunter2@host/db"),
        ("DATABASE_URL", "mysql://user:hunter2/hunter2@host/db"),
        ("DATABASE_URL", "mysql://user:hunter2\nhunter2@host/db"),
        ("DATABASE_URL", "mysql://user@server:hunter2@host/db"),
        ("DATABASE_URL", "mysql://domain/user:hunter2@host/db"),
        ("DATABASE_URL", "mysql://host/db?user=u&password=hunter2"),
        ("DATABASE_URL", "postgresql://user:hunter2@host:port/db"),
        ("DATABASE_URL", "postgresql:/user:hunter2@host/db"),
        ("DATABASE_URL", "user:hunter2@host/db"),
        ("DATABASE_URL", "host=h user=u password=hunter2"),
        ("PUBLIC_URL", "https://user:hunter2@app.example.com"),
        ("PUBLIC_URL", "https://hunter2@app.example.com"),
    ],
    ids=ascii,
)
def test_a_password_is_never_repeated(read: Callable[..., Any], name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})

    line = str(refused.value)
    assert len(line.splitlines()) == 1
    assert f"SCIMSVC_{name}" in line
    assert "hunter2" not in line


def test_an_empty_variable_is_ignored(
    read: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    settings = read(**{setting.name: "" for setting in SETTINGS})

    assert settings.database_url == f"sqlite:///{tmp_path}/instance/scimsvc.db"
    assert settings.instance_path == tmp_path / "instance"
    assert settings.secret_keys == ((tmp_path / "instance" / "secret_key").read_text().strip(),)
    assert (settings.public_url, settings.trusted_proxies, settings.rate_limit) == (None, 0, 0)
    assert settings.log_format == "text"


def test_the_deployments_settings_file_has_every_setting_of_the_package() -> None:
    assert [name for name in vars(config) if name.isupper()] == [setting.name for setting in SETTINGS]


def test_the_deployments_settings_file_has_the_defaults_of_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)

    by_file = read_settings(runpy.run_path(str(CHECKOUT / "config.py")))

    defaults = read_settings()
    assert asdict(by_file.limits) == asdict(defaults.limits)
    assert replace(by_file, limits=defaults.limits) == defaults


def test_every_limit_of_a_request_can_be_set() -> None:
    assert [limit.name for limit in LIMIT_RANGES] == [field.name for field in fields(Limits)]
    assert all(limit.least <= limit.default <= limit.most for limit in LIMIT_RANGES)


class _Host:
    SECRET_KEY = (f"{KEY}1", f"{KEY}2")
    SCIMSVC_DATABASE_URL = "postgresql://host/db"
    TRUSTED_PROXIES = 1
    SESSION_COOKIE_NAME = "theirs"


class _Inherited(_Host):
    SCIMSVC_RATE_LIMIT = 2.5


_MEMBERS = {name: getattr(_Inherited, name) for name in dir(_Inherited) if name.isupper()}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(_MEMBERS, id="mapping"),
        pytest.param({f"SCIMSVC_{name.removeprefix('SCIMSVC_')}": value for name, value in _MEMBERS.items()}
                     | {"SESSION_COOKIE_NAME": "theirs"}, id="mapping with the prefix"),
        pytest.param(SimpleNamespace(**_MEMBERS), id="object"),
        pytest.param(_Inherited, id="class with a base"),
        pytest.param(_Inherited(), id="instance of a class"),
    ],
)  # fmt: skip
def test_a_host_gives_its_settings_as_a_mapping_or_an_object(monkeypatch: pytest.MonkeyPatch, given: object) -> None:
    monkeypatch.setenv("SCIMSVC_TRUSTED_PROXIES", "7")  # the host's values win
    monkeypatch.setenv("SCIMSVC_PUBLIC_URL", "https://app.example.com")  # other settings come from the environment

    app = create_app(given)

    settings = web_state.of(app).settings
    assert settings == read_settings(given)
    assert settings.secret_keys == (f"{KEY}1", f"{KEY}2")
    assert settings.database_url == "postgresql+psycopg://host/db"
    assert (settings.trusted_proxies, settings.rate_limit) == (1, 2.5)
    assert settings.public_url == "https://app.example.com"
    assert app.config["SESSION_COOKIE_NAME"] == "theirs"
    dispose(app)


def test_settings_in_a_traceback_or_log_show_no_secret(read: Callable[..., Any]) -> None:
    settings = read(DATABASE_URL="postgresql://user:hunter2@host/db")

    assert "hunter2" not in repr(settings)
    assert KEY not in repr(settings)


STARTS = [
    pytest.param([SCIMSVC, "settings", "show"], id="scimsvc"),
    pytest.param([SCIMSVC, "serve", "--port=0"], id="scimsvc serve"),
    pytest.param([sys.executable, "wsgi.py"], id="python wsgi.py"),
    pytest.param([sys.executable, "-m", "flask", "settings", "show"], id="flask"),
    pytest.param([sys.executable, "-m", "flask", "run", "--port=0"], id="flask run"),
]


@pytest.mark.system
@pytest.mark.parametrize("command", STARTS)
def test_a_start_with_a_wrong_setting_ends_with_one_line_and_exit_status_2(command: list[str], tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path), DATABASE_URL="mysql://user:hunter2@host/db")

    done = subprocess.run(command, env=variables, cwd=CHECKOUT, capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "SCIMSVC_DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.system
@pytest.mark.requirement("R36")
@pytest.mark.parametrize("command", [STARTS[0], STARTS[3]])
def test_no_start_with_a_short_key(command: list[str], tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path), SECRET_KEY="hunter2")

    done = subprocess.run(command, env=variables, cwd=CHECKOUT, capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stdout) == (2, "")
    assert "SCIMSVC_SECRET_KEY" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.system
@pytest.mark.parametrize(
    "command",
    [
        pytest.param([SCIMSVC, "init"], id="scimsvc"),
        pytest.param([sys.executable, "-m", "flask", "init"], id="flask"),
        pytest.param([sys.executable, "-c", "import wsgi"], id="any server of wsgi:app"),
    ],
)
def test_an_unknown_variable_is_a_warning(command: list[str], tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path), DATABASE_URI="postgresql://user:hunter2@host/db")

    done = subprocess.run(command, env=variables, cwd=CHECKOUT, capture_output=True, text=True, timeout=30)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "SCIMSVC_DATABASE_URI" in done.stderr
    assert "hunter2" not in done.stderr


def test_every_quota_has_a_setting_within_its_range() -> None:
    assert [quota.name for quota in QUOTA_RANGES] == [field.name for field in fields(Quotas)]
    assert all(1 < quota.default <= quota.most for quota in QUOTA_RANGES)


@pytest.mark.parametrize("quota", QUOTA_RANGES, ids=lambda quota: quota.name)
def test_a_quota_is_a_number_in_its_range(read: Callable[..., Any], quota: LimitRange) -> None:
    assert getattr(read(**{quota.setting: str(quota.most)}).quotas, quota.name) == quota.most
    for text in ("0", "-1", "1.5", str(quota.most + 1), "many"):
        with pytest.raises(SettingsError, match=f"SCIMSVC_{quota.setting}"):
            read(**{quota.setting: text})
