"""``scimsvc attribute`` and ``user show`` print custom attributes for people."""

from tests.support.client import Api, Enterprise
from tests.support.custom import URN, declare


def output(acme: Enterprise, *words: str) -> str:
    result = acme.app.test_cli_runner().invoke(args=words)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_is_a_table(acme: Enterprise, api: Api) -> None:
    declared = declare(api, "level", "skills")

    head, *rows = output(acme, "attribute", "list", "Acme").splitlines()

    assert head.split() == ["name", "type", "multi_valued", "case_exact", "removing", "id"]
    assert [row.split() for row in rows] == [
        [f"{URN}:level", "integer", "no", "no", "no", declared["level"]["id"]],
        [f"{URN}:skills", "string", "yes", "no", "no", declared["skills"]["id"]],
    ]


def test_a_user_shows_the_values_by_full_name(acme: Enterprise, api: Api) -> None:
    declare(api, "level", "skills")
    user = acme.create(**{URN: {"level": 3, "skills": ["Go", "C"]}})
    other = acme.create(email="other@x.example")

    shown = output(acme, "user", "show", "Acme", user["id"]).splitlines()
    empty = output(acme, "user", "show", "Acme", other["id"]).splitlines()

    assert shown[-1].split(maxsplit=1) == ["custom", f"{URN}:level=3, {URN}:skills=Go, C"]
    assert empty[-1].split() == ["custom", "-"]
