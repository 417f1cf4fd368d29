"""The README's examples of the enterprise API are answered as it says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Api, Enterprise

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def _examples() -> list[tuple[str, str, Any]]:
    """Return method, path and body of each curl command below "$api"."""
    section = README.partition("\n## The enterprise API\n")[2].partition("\n## ")[0]
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    words = shlex.split(shell)
    found = []
    for start in [position for position, word in enumerate(words) if word == "curl"]:
        url = next(word for word in words[start:] if word.startswith(("$api", "http")))
        command = words[start : words.index(url, start)]
        body = json.loads(command[command.index("--json") + 1]) if "--json" in command else None
        method = command[command.index("--request") + 1] if "--request" in command else "POST" if body else "GET"
        if url.startswith("$api"):
            found.append((method, url.removeprefix("$api"), body))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_examples_are_answered(acme: Enterprise, api: Api) -> None:
    for number in range(2):
        acme.create(email=f"user{number}@contoso.example")
    made: dict[str, str] = {
        "CURSOR": api.get("/changes", limit="1")["next"],
        "ROLE_ID": api.get("/roles")["items"][0]["id"],
        "INTEGRATION_ID": api.get("/integrations")["items"][0]["id"],
    }
    examples = _examples()

    for method, path, body in examples:
        for name, value in made.items():
            path = path.replace(name, value)
            body = json.loads(json.dumps(body).replace(name, value))
        answer = api.send(method, path, body)
        assert answer.status_code in (200, 201), (method, path, answer.text)
        if (method, path) == ("POST", "/users"):
            made["USER_ID"] = answer.get_json()["id"]
        if path == "/explain":
            assert (answer.get_json()["outcome"], answer.get_json()["tolerances"]) == (
                "ok",
                ["op-case", "text-boolean"],
            )

    assert len(examples) >= 14
