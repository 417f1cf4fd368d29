"""The guide for host applications: its requests are answered as it shows."""

import json
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.support.client import Api, Enterprise, user_body
from tests.support.documents import blocks, read
from tests.support.groups import store_group


class Example(NamedTuple):
    """A curl command below ``$api``, and the answer that follows it in the guide, if it shows one."""

    method: str
    path: str
    body: Any
    answer: Any


def _examples() -> list[Example]:
    guide = list(blocks(read("guides/host-application.md"), "sh", "json"))
    examples: list[Example] = []
    for block, following in zip(guide, [*guide[1:], None], strict=True):
        if block.language == "sh":
            answer = json.loads(following.text) if following and following.language == "json" else None
            commands = list(_commands(block.text))
            examples += [Example(*command, None) for command in commands[:-1]]
            examples += [Example(*command, answer) for command in commands[-1:]]
    return examples


def _commands(shell: str) -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and body of each curl command below ``$api``."""
    words = shlex.split(shell.replace("\\\n", " "))
    for start in [position for position, word in enumerate(words) if word == "curl"]:
        url = next(word for word in words[start:] if word.startswith(("$api", "http")))
        command = words[start : words.index(url, start)]
        body = json.loads(command[command.index("--json") + 1]) if "--json" in command else None
        method = command[command.index("--request") + 1] if "--request" in command else "POST" if body else "GET"
        if url.startswith("$api"):
            yield method, url.removeprefix("$api"), body


def _differences(documented: Any, actual: Any, where: str = "") -> Iterator[str]:
    """Yield where the members of two answers differ; of a list, those of its first element.

    A documented object with the member "…" may lack members.
    """
    if isinstance(documented, dict) and isinstance(actual, dict):
        names = documented.keys() - {"…"}
        yield from (f"{where}.{name}" for name in names - actual.keys())
        if "…" not in documented:
            yield from (f"{where}.{name}" for name in actual.keys() - names)
        for name in names & actual.keys():
            yield from _differences(documented[name], actual[name], f"{where}.{name}")
    elif isinstance(documented, list) and isinstance(actual, list) and documented and actual:
        yield from _differences(documented[0], actual[0], f"{where}[0]")
    elif isinstance(documented, (dict, list)) != isinstance(actual, (dict, list)):
        yield where


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_examples_are_answered_as_the_guide_shows(acme: Enterprise, api: Api) -> None:
    values = _prepare(acme, api)
    examples = _examples()

    for example in examples:
        method, path, body = _filled(example, values)
        answer = api.send(method, path, body)
        assert answer.status_code in (200, 201), (method, path, answer.text)
        result = answer.get_json()
        if example.answer is not None and example.answer.get("items") != []:
            assert list(_differences(example.answer, result)) == [], (method, path)
        if (method, path) == ("POST", "/users"):
            values["MANUAL_ID"] = result["id"]
        if path == "/explain":
            assert (result["outcome"], result["tolerances"]) == ("ok", ["op-case", "text-boolean"])

    assert len(examples) >= 17
    assert sum(example.answer is not None for example in examples) >= 8


def _prepare(acme: Enterprise, api: Api) -> dict[str, str]:
    """Let the guide's people exist, and return a value for each placeholder."""
    megan = acme.create(email="megan.bowen@contoso.example", title="Clerk")
    cursor = api.get("/changes")["next"]
    acme.create(email="user@contoso.example")
    acme.send("POST", "/Users", user_body("alex.wilber@contoso.example", roles=[{"value": "Signer", "primary": True}]))
    return {
        "CURSOR": cursor,
        "USER_ID": megan["id"],
        "GROUP_ID": store_group(acme, "Sales", [megan["id"]]).id,
        "ROLE_ID": api.get("/roles")["items"][0]["id"],
        "INTEGRATION_ID": api.get("/integrations")["items"][0]["id"],
    }


def _filled(example: Example, values: dict[str, str]) -> tuple[str, str, Any]:
    path, body = example.path, json.dumps(example.body)
    for name, value in values.items():
        path, body = path.replace(name, value), body.replace(name, value)
    return example.method, path, json.loads(body)
