"""The README says what the code says: its tables, every command it names, its links and its first requests."""

import configparser
import json
import re
import shlex
from collections.abc import Iterator

import click
import pytest
from flask import Flask

from scimsvc.cli.group import scimsvc
from scimsvc.cli.log import ListingGroup
from scimsvc.enterprises import user_csv
from scimsvc.protocol import errors, limits
from scimsvc.protocol.attributes import USER
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.reading.paths import parse_path
from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.protocol.urns import ENTERPRISE_USER
from scimsvc.settings import PREFIX, SETTINGS
from scimsvc.settings.limits import LIMIT_RANGES, LimitRange
from scimsvc.store.settings import DEFAULTS
from scimsvc.vocabulary import OPERATIONS
from tests.support.client import SCIM, Enterprise
from tests.support.commands import subcommands, walk
from tests.support.readme import PAGES, README, ROOT, code, table

SETUP = configparser.ConfigParser()
SETUP.read_string((ROOT / "setup.cfg").read_text("utf-8"))

INSTALL = "python3 -m venv .venv && .venv/bin/pip install --quiet --editable "
RUN_COMMAND = INSTALL + ". && .venv/bin/scimsvc quickstart"
TEST_COMMAND = INSTALL + "'.[test]' && .venv/bin/python -m pytest"


def test_the_settings_are_those_of_the_code() -> None:
    documented = [(code(name), default) for name, default, _ in table("variable", "default", "meaning")]

    assert documented == [(setting.variable, setting.default) for setting in SETTINGS]


def test_the_global_settings_are_those_of_the_code() -> None:
    documented = [(code(key), int(default)) for key, default, _ in table("key", "default", "meaning")]

    assert documented == list(DEFAULTS.items())


# Commands.


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that is no group, with the words that name it."""
    yield from ((words, command) for words, command in walk(scimsvc) if not isinstance(command, click.Group))


def usage(words: tuple[str, ...], command: click.Command) -> str:
    """Return the command with its arguments, as its help writes them."""
    pieces = command.collect_usage_pieces(click.Context(command))
    return " ".join(["scimsvc", *words, *(piece for piece in pieces if piece != command.options_metavar)])


def options(command: click.Command) -> list[str]:
    """Return the command's options as the table writes them, less ``--json``, which stands above it."""
    found = [each for each in command.params if isinstance(each, click.Option) and each.name != "as_json"]
    return ["/".join([*each.opts, *each.secondary_opts]) for each in found]


def test_the_commands_and_their_arguments_are_those_of_the_code() -> None:
    documented = [code(command) for command, _, _ in table("command", "does", "options")]

    assert sorted(documented) == sorted(usage(words, command) for words, command in commands())


@pytest.mark.parametrize(("words", "command"), [pytest.param(*each, id=" ".join(each[0])) for each in commands()])
def test_a_command_s_options_are_those_of_the_code(words: tuple[str, ...], command: click.Command) -> None:
    rows = {code(row[0]): row[2] for row in table("command", "does", "options")}

    documented = re.findall(r"`(--[^` ]+)", rows[usage(words, command)])

    assert sorted(documented) == sorted(options(command))


def test_the_columns_of_a_file_of_users_are_those_of_the_code() -> None:
    documented = [name for names, _ in table("column", "holds") for name in re.findall(r"`(\w+)`", names)]

    assert documented == list(user_csv.COLUMNS)


def test_the_operations_of_the_log_are_those_of_the_code() -> None:
    (listed,) = re.findall(r"`--operation` is one of ([^.]+)\.", README)

    assert re.findall(r"`(\w+)`", listed) == list(OPERATIONS)


def test_every_command_but_serve_prints_json() -> None:
    without = [words for words, command in commands() if "as_json" not in [each.name for each in command.params]]

    assert without == [("serve",)]
    assert "Every command but `serve` takes `--json`" in README


FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Of the words after ``flask``, those that are Flask's own.
FLASK_COMMANDS = ("run",)


def _named_commands() -> Iterator[str]:
    """Yield what follows ``scimsvc`` or ``flask`` in shell blocks and in the text, as far as it names a command."""
    shell = "\n".join(text for language, text in FENCED.findall(README) if language == "sh").replace("\\\n", " ")
    in_text = re.findall(r"`([^`]+)`", FENCED.sub("", README))
    for text in [part for line in shell.splitlines() for part in re.split(r"&&|\|", line)] + in_text:
        match = re.fullmatch(r"\s*(?:\.venv/bin/)?(scimsvc|flask)\s(.+)", text, re.DOTALL)
        if match and not (match[1] == "flask" and match[2] in FLASK_COMMANDS):
            yield match[2]


NAMED_COMMANDS = sorted(set(_named_commands()))


def test_commands_are_found_in_blocks_and_in_the_text() -> None:
    assert {"quickstart", 'token issue "Contoso"', "settings show", "init"} <= set(NAMED_COMMANDS)


@pytest.mark.parametrize("text", NAMED_COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(text: str) -> None:
    words = shlex.split(text)
    command: click.Command = scimsvc
    while words and isinstance(command, click.Group):
        if isinstance(command, ListingGroup) and words[0] not in command.commands:
            words.insert(0, "list")  # which may be left out
        command = subcommands(command)[words.pop(0)]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}

    # A range of options such as --enable-scim/--no-enable-scim is two of them.
    used = {name for word in words if word.startswith("--") for name in word.partition("=")[0].split("/")}

    assert used <= known


def test_both_set_up_commands_stand_where_people_and_ci_look() -> None:
    set_up_and_run = README.partition("\n## Set up and run\n")[2].partition("\n## ")[0]
    assert f"\n```sh\n{RUN_COMMAND}\n```\n" in set_up_and_run
    assert f"## Set up and test\n\n<!-- test command -->\n```sh\n{TEST_COMMAND}\n```\n" in README
    assert README.count("<!-- test command -->") == 1


def test_every_extra_that_is_named_exists() -> None:
    text = README + "".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"'\.\[(\w+)\]'", text))

    assert named == {"test", "postgresql", "benchmark"}
    assert named <= set(SETUP["options.extras_require"])


# Endpoints, errors, limits, tolerances.


def test_the_endpoints_are_those_of_the_app(app: Flask) -> None:
    documented = {}
    for endpoint, _ in table("endpoint", "does"):
        methods, _, path = code(endpoint).rpartition(" ")
        assert path not in documented
        documented[path] = set(methods.split(", "))

    routes: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        methods_of_rule = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        routes.setdefault(re.sub(r"<[^>]+>", "{id}", rule.rule), set()).update(methods_of_rule)
    assert documented == routes


def test_the_errors_are_those_of_the_code() -> None:
    documented = [(int(status), code(kind) if "`" in kind else None) for status, kind, _ in table(*_ERRORS)]

    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ScimError)]
    assert len(set(documented)) == len(documented)
    assert set(documented) == {(each.status, each.scim_type) for each in classes if each is not ScimError}


_ERRORS = ("status", "`scimType`", "when")


def test_the_limits_are_those_of_the_code() -> None:
    documented = {name: (number, setting) for name, number, setting in table("limit", "at most", "setting")}

    settable = {limit.description: (f"{limit.default:,}", f"`{PREFIX}{limit.setting}`") for limit in LIMIT_RANGES}
    fixed = {
        "characters of `userName`, `externalId` and e-mail addresses": (f"{limits.MAX_KEY_LENGTH:,}", "–"),
        "users a page, unless `count` says": (f"{limits.DEFAULT_PAGE:,}", "–"),
    }
    assert documented == settable | fixed


@pytest.mark.parametrize("limit", LIMIT_RANGES, ids=lambda limit: limit.name)
def test_the_setting_of_a_limit_says_what_it_counts_and_its_range(limit: LimitRange) -> None:
    meanings = {code(name): meaning for name, _, meaning in table("variable", "default", "meaning")}

    expected = f"At most so many {limit.description}; {limit.least:,} to {limit.most:,}."
    assert meanings[PREFIX + limit.setting] == expected


def test_the_tolerances_are_those_of_the_code() -> None:
    assert [code(name) for name, _ in table("tolerance", "sent")] == [str(tolerance) for tolerance in Tolerance]


# Entra, layers, links, requests.


def test_the_attribute_mapping_names_attributes_that_are_kept() -> None:
    rows = table("target attribute", "Entra source", "mandatory", "notes")
    paths = {
        parse_path(code(target).replace("enterprise:", ENTERPRISE_USER + ":")): mandatory == "yes"
        for target, _, mandatory, _ in rows
    }

    mandatory = {path.target.attribute for path, is_mandatory in paths.items() if is_mandatory}
    assert len(paths) == len(rows)
    assert mandatory == {attribute for attribute in USER.attributes if attribute.required}


def test_the_layers_are_those_that_import_linter_holds() -> None:
    page = (ROOT / "docs" / "design" / "architecture.md").read_text("utf-8")
    rows = table(*_LAYERS, page=page)
    documented = [(int(layer), set(re.findall(r"`(\w+)`", modules))) for layer, modules, _ in rows]

    layers = SETUP["importlinter:contract:layers"]["layers"].split("\n")[1:]
    modules = [set(line.replace("scimsvc.", "").split(" | ")) for line in layers]
    assert documented == [(len(modules) - position, names) for position, names in enumerate(modules)]


_LAYERS = ("layer", "modules", "for")


def test_every_link_leads_somewhere() -> None:
    text = FENCED.sub("", README)
    headings = {
        re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    defined = re.findall(r"^\[(\w+)\]: https://", text, re.MULTILINE)

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
    assert set(re.findall(r"\]\[(\w+)\]", text)) == set(defined)
    assert len(set(defined)) == len(defined)


def test_the_first_requests_are_answered_as_it_says(acme: Enterprise) -> None:
    shell = next(text for language, text in FENCED.findall(README) if language == "sh" and "--get" in text)
    fields = dict(re.findall(r"--data (\w+)=(\w+)", shell))
    filter_ = re.findall(r"--data-urlencode 'filter=(.+)' ", shell)[0]
    body = json.loads(re.findall(r"--data '(\{.+\})'", shell, re.DOTALL)[0])
    credentials = {"CLIENT_ID": acme.made["client_id"], "CLIENT_SECRET": acme.made["client_secret"]}
    form = {name: credentials.get(value, value) for name, value in fields.items()}

    answer = acme.app.test_client().post("/api/authenticate", data=form, headers={"X-SCIM": "true"})
    token = answer.get_json()["access_token"]
    before = acme.send("GET", "/Users", query={"filter": filter_}, token=token)
    created = acme.send("POST", "/Users", body, token=token)
    after = acme.send("GET", "/Users", query={"filter": filter_}, token=token)

    assert f"tenant_url=http://127.0.0.1:8000{SCIM}\n" in shell
    assert (before.status_code, before.get_json()["Resources"]) == (200, [])
    assert created.status_code == 201
    assert after.get_json()["Resources"] == [created.get_json()]


def test_the_files_to_deploy_are_those_that_are_there() -> None:
    documented = [code(name) for name, _ in table("file", "for")]

    assert sorted(documented) == sorted(f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir())
