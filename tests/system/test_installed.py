"""The package without the checkout: as an installed wheel, and mounted by a host application."""

import json
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

import scimsvc
from tests.support import container
from tests.support.client import CONTENT_TYPE, SCIM, Enterprise, user_body
from tests.support.live import environment
from tests.support.types import MakeApp

pytestmark = pytest.mark.system

CHECKOUT = Path(__file__).parents[2]
NEEDED = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays clean."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in NEEDED:
        shutil.copy(CHECKOUT / name, source)
    shutil.copytree(CHECKOUT / "scimsvc", source / "scimsvc", ignore=shutil.ignore_patterns("__pycache__"))
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", str(target), cwd=source)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="session")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a new environment with the wheel and the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    _run(
        sys.executable,
        "-m",
        "pip",
        f"--python={python}",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        str(wheel),
        cwd=folder,
    )
    (site_packages,) = (folder / "lib").glob("python*/site-packages")
    # Python ignores .pth files in a folder that a .pth file adds, so the checkout is not importable.
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def _run(*command: str, cwd: Path, **settings: str) -> str:
    variables = environment(**settings)
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_contains_only_the_whole_package(wheel: Path) -> None:
    package = [path for path in (CHECKOUT / "scimsvc").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    needed_to_run = {path.relative_to(CHECKOUT).as_posix() for path in package if path.suffix != ".mako"}

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {"scimsvc/py.typed", "scimsvc/migrations/versions/0001_first_schema.py"} <= names
    assert needed_to_run - names == set()
    assert {name.split("/")[0] for name in names} == {"scimsvc", f"scimsvc-{scimsvc.__version__}.dist-info"}


@pytest.mark.slow
def test_the_installed_command_works_in_any_folder(bin_folder: Path, tmp_path: Path) -> None:
    command = str(bin_folder / "scimsvc")

    version = _run(command, "--version", cwd=tmp_path)
    initialised = json.loads(_run(command, "init", "--json", cwd=tmp_path))
    made = json.loads(_run(command, "enterprise", "create", "Acme", "--enable-scim", "--json", cwd=tmp_path))
    token = json.loads(_run(command, "token", "issue", "Acme", "--json", cwd=tmp_path))["access_token"]
    where = _run(str(bin_folder / "python"), "-c", "import scimsvc; print(scimsvc.__file__)", cwd=tmp_path)

    assert Path(where.strip()).is_relative_to(bin_folder.parent)  # and not the checkout
    assert version == f"scimsvc, version {scimsvc.__version__}\n"
    assert initialised["database"] == "sqlite"
    assert (made["name"], made["scim_enabled"]) == ("Acme", True)
    assert token.startswith("scimsvc_")
    assert [path.name for path in tmp_path.iterdir()] == ["instance"]
    assert {"scimsvc.db", "secret_key"} <= {path.name for path in (tmp_path / "instance").iterdir()}


def test_the_installed_package_reads_the_same_environment(bin_folder: Path, tmp_path: Path) -> None:
    program = (
        "from scimsvc import create_app\n"
        "from scimsvc.web.state import web_state\n"
        "settings = web_state.of(create_app()).settings\n"
        "print(settings.public_url, settings.trusted_proxies, settings.rate_limit, settings.log_format)"
    )
    variables = {
        "INSTANCE_PATH": str(tmp_path / "state"),
        "PUBLIC_URL": "https://app.example.com",
        "TRUSTED_PROXIES": "2",
        "RATE_LIMIT": "2.5",
        "LOG_FORMAT": "json",
    }

    printed = _run(str(bin_folder / "python"), "-c", program, cwd=tmp_path, **variables)

    assert printed == "https://app.example.com 2 2.5 json\n"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


class Mounted:
    """A host application that mounts this service at ``/identity``."""

    def __init__(self, app: Flask) -> None:
        host = Flask("host")
        host.get("/")(lambda: "the host's page")
        self.client = Client(DispatcherMiddleware(host, {"/identity": app}))

    def send(self, method: str, path: str, token: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": CONTENT_TYPE}
        return self.client.open(path, method=method, headers=headers, data=body and json.dumps(body))


@pytest.mark.parametrize(
    ("settings", "tenant_url"),
    [
        pytest.param({}, "http://localhost/identity/api/scim/v2", id="as it is asked"),
        pytest.param({"PUBLIC_URL": "https://app.example.com/directory"},
                     "https://app.example.com/directory/api/scim/v2", id="as it is told"),
    ],
)  # fmt: skip
def test_a_host_mounts_the_service_under_a_prefix(
    make_app: MakeApp, acme: Enterprise, settings: dict[str, str], tenant_url: str
) -> None:
    mounted = Mounted(make_app(**settings))

    created = mounted.send("POST", f"/identity{SCIM}/Users", acme.token, user_body())
    user = created.get_json()
    location = f"{tenant_url}/Users/{user['id']}"
    replaced = mounted.send("PUT", f"/identity{SCIM}//Users/{user['id']}/", acme.token, user_body(title="Lead"))
    listed = mounted.send("GET", f"/identity{SCIM}/Users", acme.token).get_json()["Resources"]
    schemas = mounted.send("GET", f"/identity{SCIM}/Schemas", acme.token).get_json()["Resources"]
    resource_type = mounted.send("GET", f"/identity{SCIM}/ResourceTypes/User", acme.token).get_json()

    assert (created.status_code, created.headers["Location"], user["meta"]["location"]) == (201, location, location)
    assert (replaced.status_code, replaced.headers["Content-Location"]) == (200, location)
    assert [each["meta"]["location"] for each in listed] == [location]
    assert {schema["meta"]["location"] for schema in schemas} == {
        f"{tenant_url}/Schemas/{schema['id']}" for schema in schemas
    }
    assert resource_type["meta"]["location"] == f"{tenant_url}/ResourceTypes/User"


def test_the_hosts_own_paths_stay_its_own(acme: Enterprise) -> None:
    mounted = Mounted(acme.app)

    assert mounted.send("GET", "/", acme.token).text == "the host's page"
    assert mounted.send("GET", f"{SCIM}/Users", acme.token).status_code == 404
    assert mounted.send("GET", "/identity/readyz", "").status_code == 200
    assert mounted.send("GET", f"/identity{SCIM}/Users", "").status_code == 401


def test_two_services_in_one_process_are_independent(
    acme: Enterprise, make_app: MakeApp, sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/other.db", SECRET_KEY="another key " * 4)
    user = acme.create()

    assert Enterprise(other, acme.made, acme.token).send("GET", "/Users").status_code == 401
    assert other.test_cli_runner().invoke(args=["enterprise", "list"]).stdout == "none\n"
    assert acme.get(user) == user


@pytest.mark.slow
def test_the_container_s_user_can_write_only_to_the_instance_folder(bin_folder: Path, tmp_path: Path) -> None:
    reason = container.why_not()
    if reason is not None:
        pytest.skip(reason)

    bin_folder.parent.chmod(0o755)
    with container.running(tmp_path, bin_folder.parent) as running:
        port = running.port()
        healthy = running.run(*(word.replace(":8000", f":{port}") for word in running.recipe.health))
        made = running.run("scimsvc", "enterprise", "create", "Contoso", "--enable-scim", "--json")
        token = json.loads(running.run("scimsvc", "token", "issue", "Contoso", "--json").stdout)["access_token"]
        with urlopen(
            Request(f"http://127.0.0.1:{port}{SCIM}/Users", headers={"Authorization": f"Bearer {token}"})
        ) as answer:
            listed = json.loads(answer.read())
        folders = ["/", "/etc", "/opt", "/opt/scimsvc", "/usr", "/var", "/var/lib"]
        refused = [running.run("touch", f"{folder}/x").returncode for folder in folders]
        written = running.run("sh", "-c", "stat --format='%u %a %n' . *").stdout.splitlines()
        privileges = running.run("grep", "-E", "^(Uid|CapEff|CapBnd|NoNewPrivs)", "/proc/self/status").stdout.split()
        running.process.send_signal(signal.Signals[running.recipe.stop_signal])
        status = running.process.wait(20)

    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert json.loads(made.stdout)["name"] == "Contoso"
    assert listed["totalResults"] == 0
    assert refused == [1] * len(folders)
    assert {"10001 700 .", "10001 600 scimsvc.db", "10001 600 secret_key"} <= set(written)
    assert privileges == [
        "Uid:", *["10001"] * 4, "CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1",
    ]  # fmt: skip
    assert status == 0
