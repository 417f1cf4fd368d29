"""Follow ``deploy/Containerfile`` without container tools: run its commands in a separate root, as its user."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 40.0  # it starts twice, for init and for serve, and other work may keep the machine busy
FILE = Path(__file__).parents[2] / "deploy" / "Containerfile"
#: Paths that exist on every Debian system, and files that are needed to resolve user names.
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib64")
_NAMES = ("passwd", "group", "shadow", "gshadow", "login.defs", "nsswitch.conf", "ld.so.cache", "hosts")


@dataclass
class Recipe:
    """The last stage of the file: its build commands, and how the container runs."""

    run: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = ""
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    volume: str = ""
    stop_signal: str = ""


def read_recipe() -> Recipe:
    """Return the last stage of the file."""
    text = re.sub(r"^#.*\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    recipe = Recipe()
    for line in text.rpartition("\nFROM ")[2].splitlines()[1:]:
        word, _, rest = line.partition(" ")
        match word:
            case "RUN":
                recipe.run = rest
            case "ENV":
                recipe.environment |= dict(each.split("=", 1) for each in shlex.split(rest))
            case "USER":
                recipe.user = rest
            case "WORKDIR":
                recipe.folder = rest
            case "VOLUME":
                recipe.volume = rest
            case "STOPSIGNAL":
                recipe.stop_signal = rest
            case "HEALTHCHECK":
                recipe.health = list(map(str, json.loads(rest[rest.index("[") :])))
            case "CMD":
                recipe.command = list(map(str, json.loads(rest)))
            case "COPY" | "EXPOSE" | "LABEL" | "":
                pass
            case _:
                raise AssertionError(f"this test does not know {word}")
    return recipe


def why_not() -> str | None:
    """Return the reason why this machine cannot follow the recipe, or None."""
    missing = [name for name in ("unshare", "nsenter", "setpriv", "useradd") if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], capture_output=True)
    return "this user may not make mounts of its own" if done.returncode else None


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Container:
    """A running container. ``command`` runs inside it, as its user."""

    process: subprocess.Popen[bytes]
    recipe: Recipe
    log: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run ``command`` like ``podman exec``."""
        inside = ["nsenter", f"--target={self.process.pid}", "--mount", "--root", "--wd"]
        return subprocess.run(
            [*inside, *_as_user(self.recipe), *command], env=_environment(self.recipe), capture_output=True, text=True, timeout=60
        )  # fmt: skip

    def port(self) -> int:
        """Wait until the container serves, and return its port."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = re.search(r"serving on http://[\d.]+:(\d+)", self.log.read_text("utf-8"))
            if found:
                return int(found[1])
            assert self.process.poll() is None, self.log.read_text("utf-8")
            time.sleep(0.05)
        raise AssertionError(self.log.read_text("utf-8"))


@contextmanager
def running(folder: Path, environment: Path) -> Iterator[Container]:
    """Follow the recipe, using ``environment`` instead of the virtual environment that it builds."""
    recipe = read_recipe()
    root = folder / "root"
    root.mkdir()
    log = folder / "log"
    # Only the address differs from the file: loopback and a free port.
    command = [word.replace("--host 0.0.0.0", "--host 127.0.0.1 --port 0") for word in recipe.command]
    script = "\n".join([
        "set -e",
        "umask 022",
        f"mount -t tmpfs -o mode=755 tmpfs {root}",
        *(_shown(Path("/", name), root) for name in _SYSTEM if Path("/", name).exists()),
        *(_shown(Path(each), root) for each in dict.fromkeys((sys.base_prefix, sysconfig.get_path("purelib"), str(environment)))),
        f"mkdir -p {root}/etc {root}/proc {root}/dev {root}/opt {root}/var/lib",
        f"cp -a {' '.join(f'/etc/{name}' for name in _NAMES if Path('/etc', name).exists())} {root}/etc",
        f"mount --rbind /proc {root}/proc",
        f"mount --rbind /dev {root}/dev",
        f"ln -s {environment} {root}/opt/scimsvc",
        f"chroot {root} sh -c {shlex.quote(recipe.run)}",
        f"mount --bind {root}{recipe.volume} {root}{recipe.volume}",
        f"mount -o remount,bind,ro {root}",
        f"exec env -i {shlex.join(f'{name}={value}' for name, value in _environment(recipe).items())} "
        f"chroot {root} {shlex.join(_as_user(recipe))} "
        + shlex.join(["sh", "-c", 'cd "$0" && exec "$@"', recipe.folder, *command]),
    ])  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            env={"PATH": _PATH}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield Container(process, recipe, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def _shown(path: Path, root: Path) -> str:
    """Return the arguments that mount ``path`` of this machine at the same place below ``root``, read-only."""
    if path.is_symlink():
        return f"cp -P {path} {root}{path}"
    return f"mkdir -p {root}{path} && mount --bind {path} {root}{path} && mount -o remount,bind,ro {root}{path}"


def _as_user(recipe: Recipe) -> list[str]:
    user, _, group = recipe.user.partition(":")
    return [
        "setpriv",
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]


def _environment(recipe: Recipe) -> dict[str, str]:
    return {name: value.replace("$PATH", _PATH) for name, value in recipe.environment.items()}
