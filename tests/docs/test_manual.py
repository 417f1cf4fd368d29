"""The blocks of the manual that are marked ``<!-- run -->`` run, one page after the other."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.documents import MANUAL, ROOT, Block, blocks, read
from tests.support.live import SCIMSVC, Live, environment, serving
from tests.support.prestarted import folder_of_commands

pytestmark = [pytest.mark.slow, pytest.mark.system]

RUNNING = [page for page in MANUAL if any(block.comment == "run" for block in blocks(page.read_text("utf-8")))]
#: Roles of the enterprise that pages after the tutorial expect.
CONTOSO = ["enterprise", "create", "Contoso", "--role", "User", "--role", "PowerSigner", "--enable-scim"]
SERVER = "http://127.0.0.1:8000"


def _script(page: str, live: Live | None) -> Iterator[str]:
    """Yield the lines of a page's blocks, with the values of the running service in place of the printed ones."""
    for block in blocks(page):
        if block.comment == "run":
            text = block.text.replace(".venv/bin/scimsvc", "scimsvc").replace("curl ", "curl --silent --fail ")
            yield text.replace(SERVER, live.base_url).replace("SECRET_TOKEN", live.token) if live else text


def _write_files(page: str, folder: Path) -> None:
    for block in blocks(page):
        if block.comment and block.comment.startswith("file: "):
            (folder / block.comment.removeprefix("file: ")).write_text(block.text, "utf-8")


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    _write_files(text, tmp_path)
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))
    # Pages run hundreds of commands. Other programs of the environment, such as python, are the real ones.
    programs = [folder_of_commands(), Path(SCIMSVC).parent]
    variables["PATH"] = os.pathsep.join([*map(str, programs), variables["PATH"]])
    command = programs[0] / "scimsvc"
    with ExitStack() as stack:
        needs_server = any(block.comment == "run" and SERVER in block.text for block in blocks(text))
        live = stack.enter_context(serving(tmp_path)) if needs_server else None
        script = "\n".join(_script(text, live))
        if live is None and "scimsvc " in script:
            subprocess.run([command, "init"], env=variables, check=True, capture_output=True)
        if "Contoso" in script and "enterprise create" not in script:
            subprocess.run([command, *CONTOSO], env=variables, check=True, capture_output=True)
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True
        )

    assert run.returncode == 0, run.stderr
    if page.stem == "README":
        assert '"totalResults":0' in run.stdout
        assert run.stdout.count("test.user@example.com") >= 2


def test_pages_that_run_are_found() -> None:
    assert {"README", "connect", "troubleshooting", "console", "users-in-files"} <= {page.stem for page in RUNNING}


def test_json_of_the_manual_is_valid() -> None:
    wrong = []
    for page in MANUAL:
        for block in blocks(page.read_text("utf-8"), "json"):
            try:
                json.loads(block.text)
            except ValueError:
                wrong.append((page.name, block.text))

    assert wrong == []


def test_the_guide_shows_the_files_of_the_example_as_they_are() -> None:
    shown = {each.comment: each.text for each in blocks(read("guides/host-application.md"), "python") if each.comment}

    assert shown == {
        f"examples/host_application/{name}.py": (ROOT / f"examples/host_application/{name}.py").read_text("utf-8")
        for name in ("follower", "webhook")
    }


def _block(page: str, comment: str) -> Block:
    return next(block for block in blocks(read(page)) if block.comment == comment)


def test_the_command_of_the_service_passes_its_settings_and_arguments(tmp_path: Path) -> None:
    """The script of docs/operate/deploy.md, with folders of the test and without another user."""
    (tmp_path / "environment").write_text("SCIMSVC_PUBLIC_URL=https://scim.example.com\n")
    state = tmp_path / "state"
    state.mkdir()
    script = _block("operate/deploy.md", "file: scimsvc-command").text
    for path, replacement in {
        "/etc/scimsvc/environment": str(tmp_path / "environment"),
        "/var/lib/scimsvc": str(state),
        "/opt/scimsvc/bin/scimsvc": SCIMSVC,
        "runuser --user scimsvc -- ": "",
    }.items():
        assert path in script
        script = script.replace(path, replacement)
    (tmp_path / "scimsvc").write_text(script)

    for words in (["init"], ["admin", "create", "a+b@example.com", "--operator"]):
        run = subprocess.run(
            ["sh", tmp_path / "scimsvc", *words], env=environment(), check=True, capture_output=True, text=True
        )

    assert re.search(r"^link +https://scim\.example\.com/console/password/", run.stdout, re.MULTILINE)
    assert (state / "scimsvc.db").exists()


def test_the_edit_of_the_proxy_s_file_replaces_every_name(tmp_path: Path) -> None:
    block = next(block for block in blocks(read("operate/deploy.md"), "sh") if "deploy/nginx.conf" in block.text)
    command = block.text.partition("usermod")[0].replace("/path/to/scimsvc", str(ROOT))
    command = command.replace("/etc/nginx/conf.d/scimsvc.conf", str(tmp_path / "nginx.conf"))

    subprocess.run(["sh", "-ec", command], check=True)

    edited = (tmp_path / "nginx.conf").read_text("utf-8")
    assert "scim.example.com" not in edited
    assert "ssl_certificate /etc/letsencrypt/live/YOUR-HOST/fullchain.pem;" in edited
    assert "ssl_certificate_key /etc/letsencrypt/live/YOUR-HOST/privkey.pem;" in edited
