"""Payload files: requests of a provider with the expected responses, replayed against any server.

``scimsvc/selftest/replaying.py`` describes the format. ``{enterprise}`` is the name of the enterprise. The sequences of
the self-test, in ``scimsvc/selftest/sequences``, are replayed too. To add a vendor's case, add a file.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.datastructures import Headers

from scimsvc.selftest import replaying
from scimsvc.selftest.replaying import Run, Send

PAYLOADS = Path(__file__).parents[1] / "payloads"
SEQUENCES = Path(replaying.__file__).parent / "sequences"
#: Values of the names in sequences.
NAMES = {
    "domain": "contoso.example",
    "name": "Test Group",
    "run": "e5",
    "role": "User",
    "other_role": "SigningHub_Admin",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None


def payload_files() -> list[Path]:
    return [*sorted(PAYLOADS.rglob("*.json")), *sorted(SEQUENCES.rglob("*.json"))]


def payload_id(path: Path) -> str:
    folder = PAYLOADS if path.is_relative_to(PAYLOADS) else SEQUENCES
    return str(path.relative_to(folder).with_suffix(""))


def replay(path: Path, enterprise: str, *, send: Send, run: Run) -> int:
    """Replay a file and return the number of its exchanges. Raises ``AssertionError`` at the first difference."""
    payload = json.loads(path.read_text("utf-8"))
    ended = replaying.replay(payload, {"enterprise": enterprise, **NAMES}, send=send, run=run)
    assert ended.difference is None, f"{payload_id(path)}\n{ended.difference}"
    return ended.exchanges
