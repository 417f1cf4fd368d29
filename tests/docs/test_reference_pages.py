"""The tables of the manual say what the code says."""

import configparser
import re
from http import HTTPStatus

import pytest
from flask import Flask

from scimsvc.auth.callers import LONGEST_HEADER
from scimsvc.auth.errors import BearerError
from scimsvc.enterprises import user_csv
from scimsvc.operations.metrics import Metrics
from scimsvc.protocol import errors, limits
from scimsvc.protocol.attributes import USER
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.projection import MOST_NAMES
from scimsvc.protocol.reading.paths import parse_path
from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.protocol.urns import ENTERPRISE_USER
from scimsvc.protocol.users import USERS
from scimsvc.schemas.bodies import EnterpriseChangesSchema
from scimsvc.settings import PREFIX, SETTINGS
from scimsvc.settings.limits import LIMIT_RANGES, LimitRange
from scimsvc.store.settings import DEFAULTS
from scimsvc.vocabulary import ACTIONS
from scimsvc.web.form_parser import LONGEST_FORM, LONGEST_FORM_OF_STRANGERS, MOST_FIELDS
from tests.support.documents import DOCS, ROOT, code, read, table, tables

SETUP = configparser.ConfigParser()
SETUP.read_string((ROOT / "setup.cfg").read_text("utf-8"))
SETTINGS_PAGE = read("reference/settings.md")


# Settings.


def test_the_deployment_settings_are_those_of_the_code() -> None:
    documented = [(code(name), default) for name, default, _ in table(SETTINGS_PAGE, "variable", "default", "meaning")]

    assert documented == [(setting.variable, setting.default) for setting in SETTINGS]


def test_the_global_settings_are_those_of_the_code() -> None:
    documented = [(code(key), int(default)) for key, default, _ in table(SETTINGS_PAGE, "key", "default", "meaning")]

    assert documented == list(DEFAULTS.items())


def test_the_enterprise_settings_are_those_of_the_code() -> None:
    headings = ("member", "default", "option of `scimsvc enterprise update`", "meaning")
    documented = [code(row[0]) for row in table(SETTINGS_PAGE, *headings)]

    assert sorted(documented) == sorted(EnterpriseChangesSchema().fields)


@pytest.mark.parametrize("limit", LIMIT_RANGES, ids=lambda limit: limit.name)
def test_the_setting_of_a_limit_says_what_it_counts_and_its_range(limit: LimitRange) -> None:
    meanings = {code(name): meaning for name, _, meaning in table(SETTINGS_PAGE, "variable", "default", "meaning")}

    assert meanings[PREFIX + limit.setting] == f"Maximum {limit.description}; {limit.least:,} to {limit.most:,}."


# Endpoints, errors, limits, tolerances, metrics.


def test_the_endpoints_are_those_of_the_app_without_the_console(app: Flask) -> None:
    documented = {}
    for endpoint, _ in tables(read("reference/endpoints.md"), "endpoint", "description"):
        methods, _, path = code(endpoint).rpartition(" ")
        assert path not in documented
        documented[path] = set(methods.split(", "))

    routes: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/console"):
            methods_of_rule = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            routes.setdefault(re.sub(r"<[^>]+>", "{id}", rule.rule), set()).update(methods_of_rule)
    assert documented == routes


def test_the_errors_are_those_of_the_code() -> None:
    rows = table(read("reference/errors.md"), "status", "`scimType`", "when")
    documented = [(int(status), code(kind) if "`" in kind else None) for status, kind, _ in rows]

    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ScimError)]
    assert len(set(documented)) == len(documented)
    of_scim: set[tuple[int, str | None]] = {(each.status, each.scim_type) for each in classes if each is not ScimError}
    # The guard answers the first one, and an unexpected exception the second one.
    assert set(documented) == of_scim | {(BearerError.status, None), (HTTPStatus.INTERNAL_SERVER_ERROR, None)}


def test_the_limits_are_those_of_the_code() -> None:
    rows = table(read("reference/errors.md"), "limit", "maximum", "setting")
    documented = {name: (number, setting) for name, number, setting in rows}

    settable = {limit.description: (f"{limit.default:,}", f"`{PREFIX}{limit.setting}`") for limit in LIMIT_RANGES}
    fixed = {
        "characters of `userName`, `externalId` and e-mail addresses": (f"{limits.MAX_KEY_LENGTH:,}", "–"),
        "different names in `attributes` or `excludedAttributes`": (f"{MOST_NAMES:,}", "–"),
        "bytes of the users on a page": (f"{limits.PAGE_BYTES:,}", "–"),
        "fields of a form": (f"{MOST_FIELDS:,}", "–"),
        "bytes of a form at the token endpoint and the sign-in page": (f"{LONGEST_FORM_OF_STRANGERS:,}", "–"),
        "bytes of another form of the console, without its file": (f"{LONGEST_FORM:,}", "–"),
        "characters of an `Authorization` header": (f"{LONGEST_HEADER:,}", "–"),
        "users a page, unless `count` says": (f"{limits.DEFAULT_PAGE:,}", "–"),
    }
    assert documented == settable | fixed


#: The providers with a page or section of facts, and kinds of clients.
CLIENTS = {
    "Entra",
    *re.findall(r"^## [0-9]+[.] (.+)$", read("design/provider-facts.md"), re.MULTILINE),
    *("Huawei", "Databricks", "scimgateway", "idp-scim-sync", "WorkOS", "Rippling", "CyberArk"),
    *("simulators", "Java kits", "hand-written clients"),
}


def test_the_tolerances_are_those_of_the_code() -> None:
    rows = table(read("reference/tolerances.md"), "tolerance", "the client sends", "clients that send it")

    assert [code(name) for name, _, _ in rows] == [str(tolerance) for tolerance in Tolerance]
    for name, _, clients in rows:
        assert set(clients.split(", ")) <= CLIENTS, name


def test_the_actions_of_the_audit_log_are_those_of_the_code() -> None:
    rows = table(read("operate/audit.md"), "action", "when")

    assert [code(name) for name, _ in rows] == list(ACTIONS)


def test_the_metrics_are_those_of_the_code(app: Flask) -> None:
    rows = table(read("operate/monitoring.md"), "metric", "type", "labels", "of several processes", "meaning")
    documented = {(code(name).removesuffix("_total"), kind) for name, kind, *_ in rows}

    with app.app_context():
        metrics = {(metric.name, metric.type) for metric in Metrics().registry.collect()}
    assert documented == metrics


# The tutorial, files, layers.


def test_the_columns_of_a_file_of_users_are_those_of_the_code() -> None:
    rows = table(read("guides/users-in-files.md"), "column", "contents")
    documented = [name for names, _ in rows for name in re.findall(r"`(\w+)`", names)]

    assert documented == list(user_csv.import_columns())


def test_the_files_to_deploy_are_those_that_exist() -> None:
    rows = table(read("operate/deploy.md"), "file", "for")
    documented = [name for names, _ in rows for name in re.findall(r"`([^`]+)`", names)]

    assert sorted(documented) == sorted(f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir())


def test_the_attribute_mapping_names_attributes_that_are_kept() -> None:
    rows = table(read("entra/connect.md"), "target attribute", "Entra source", "mandatory", "notes")
    paths = {
        parse_path(code(target).replace("enterprise:", ENTERPRISE_USER + ":"), USERS): mandatory == "yes"
        for target, _, mandatory, _ in rows
    }

    mandatory = {path.target.attribute for path, is_mandatory in paths.items() if is_mandatory}
    assert len(paths) == len(rows)
    assert mandatory == {attribute for attribute in USER.attributes if attribute.required}


def test_the_layers_are_those_of_import_linter() -> None:
    rows = table((DOCS / "design" / "architecture.md").read_text("utf-8"), "layer", "modules", "for")
    documented = [(int(layer), set(re.findall(r"`(\w+)`", modules))) for layer, modules, _ in rows]

    layers = SETUP["importlinter:contract:layers"]["layers"].split("\n")[1:]
    modules = [set(line.replace("scimsvc.", "").split(" | ")) for line in layers]
    assert documented == [(len(modules) - position, names) for position, names in enumerate(modules)]
