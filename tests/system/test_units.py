"""The systemd units of ``deploy/``, checked by systemd's own programs, and their commands carried out."""

import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.live import PATIENCE, SCIMSVC, environment

pytestmark = pytest.mark.system

FOLDER = Path(__file__).parents[2] / "deploy"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
UNITS = sorted(path.name for kind in ("service", "socket", "timer") for path in FOLDER.glob(f"*.{kind}"))
PROGRAM = "/opt/scimsvc/bin/scimsvc"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=PATIENCE)


def read_unit(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit with all their values."""
    settings: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            settings.setdefault(key, []).append(value)
    return settings


def test_systemd_accepts_all_units(tmp_path: Path) -> None:
    for name in UNITS:
        (tmp_path / name).write_text((FOLDER / name).read_text("utf-8").replace(PROGRAM, "/bin/true"))
    names = [name.replace("@.", "@1.") for name in UNITS]
    for name in UNITS:
        if "@." in name:  # an instance of a template
            (tmp_path / name.replace("@.", "@1.")).symlink_to(name)

    verified = analyze("verify", *(str(tmp_path / name) for name in names))

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_no_service_can_do_more_than_it_needs(tmp_path: Path) -> None:
    for name in SERVICES:
        unit = tmp_path / name.replace("@.", "@1.")
        unit.write_text((FOLDER / name).read_text("utf-8").replace(PROGRAM, "/bin/true"))

        secure = analyze("security", "--offline=yes", "--threshold=20", str(unit))

        assert secure.returncode == 0, secure.stdout + secure.stderr
        assert "Unknown" not in secure.stderr


def test_all_services_have_the_same_restrictions() -> None:
    sections = {
        name: re.split(r"\n# It can write its state folder.*\n", (FOLDER / name).read_text()) for name in SERVICES
    }

    assert len({parts[1].partition("\n[Install]")[0].strip() for parts in sections.values()}) == 1
    assert len(sections) == 5


def test_each_timer_starts_a_service_and_each_socket_belongs_to_one() -> None:
    for name in UNITS:
        stem, kind = name.rsplit(".", 1)
        assert f"{stem}.service" in SERVICES
        if kind == "timer":
            times = read_unit(name)["OnCalendar"]
            assert analyze("calendar", *times).returncode == 0
        if kind == "socket":
            (listen,) = read_unit(name)["ListenStream"]
            (start,) = read_unit(f"{stem}.service")["ExecStart"]
            assert start == f"{PROGRAM} serve --unix-socket {listen}"


def test_the_backup_unit_makes_a_copy_and_then_deletes_the_old_ones(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, days in {"scimsvc-old.db": 15, "scimsvc-recent.db": 12, "other.db": 90}.items():
        (folder / name).write_text("")
        then = time.time() - days * 86_400
        os.utime(folder / name, (then, then))
    app = create_app({"INSTANCE_PATH": str(tmp_path / "instance")})
    run_command(app, "init")
    dispose(app)
    unit = read_unit("scimsvc-backup.service")

    for line in (*unit["ExecStart"], *unit["ExecStartPost"]):
        line = line.replace(PROGRAM, SCIMSVC).replace("/var/lib/scimsvc/backups", str(folder)).replace("%%", "%")
        settings = environment(INSTANCE_PATH=str(tmp_path / "instance"))
        done = subprocess.run(shlex.split(line), env=settings, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr

    names = sorted(path.name for path in folder.iterdir())
    assert [name for name in names if not re.fullmatch(r"scimsvc-\d{8}T\d{6}\.db", name)] == [
        "other.db",
        "scimsvc-recent.db",
    ]
    assert len(names) == 3
