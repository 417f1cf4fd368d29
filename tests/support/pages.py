"""The pages of the console: their URL rules, their paths, and the IDs in the paths."""

import json
import re
from typing import Any

from flask import Flask

from scimsvc import clock
from scimsvc.selftest.findings import Finding, Outcome
from scimsvc.selftest.report import Report
from scimsvc.store.engine.transactions import writing
from scimsvc.store.selftest_runs import end_selftest_run, insert_selftest_run, list_selftest_runs
from tests.support.apps import run_command
from tests.support.client import Enterprise
from tests.support.console import Console
from tests.support.groups import store_group
from tests.support.records import audit_of, log_of

NOBODY = "00000000-0000-4000-8000-000000000000"


def console_rules(app: Flask, method: str) -> list[Any]:
    """Return the rules of the console's pages that require signing in, without static files."""
    open_to_all = ("console_static", "console_accounts", "console_code", "console_single_sign_on")
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/console")
        and method in (rule.methods or ())
        and not rule.endpoint.startswith(open_to_all)
    ]


def path_of(rule: Any, **values: str) -> str:
    """Return the path of a rule. Missing IDs are replaced by IDs of objects that do not exist."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], NOBODY), rule.rule)


def pages_of(enterprise: Enterprise, console: Console) -> list[str]:
    """Return the path of every page that answers GET, for an enterprise with one object of each kind."""
    of_enterprise = {"enterprise_id": enterprise.made["id"], **ids_of(enterprise)}
    return [path_of(rule, **of_enterprise) for rule in console_rules(enterprise.app, "GET")]


def ids_of(enterprise: Enterprise) -> dict[str, str]:
    """Return an ID of each kind that occurs in paths of the console."""

    def run(*words: str) -> str:
        return str(run_command(enterprise.app, *words, enterprise.name)[0]["id"])

    groups = run_command(enterprise.app, "group", "list", enterprise.name)
    return {
        "role_id": run("role", "list"),
        "integration_id": run("integration", "list"),
        "token_id": run("token", "list"),
        "user_id": run("user", "list"),
        "other_id": _other_user_of(enterprise),
        "group_id": groups[0]["id"] if groups else store_group(enterprise, "Sales").id,
        "attribute_id": _attribute_of(enterprise),
        "webhook_id": _webhook_of(enterprise),
        "account_id": _account_of(enterprise, enterprise.name),
        "admin_id": _account_of(enterprise, None),
        "entry_id": _entry_of(enterprise),
        "record_id": audit_of(enterprise.app, enterprise.name)[0]["id"],
        "run": _selftest_of(enterprise.app),
        "suffix": ".txt",
    }


def _selftest_of(app: Flask) -> str:
    """Return the name of the last run of the self-test. If no run exists, store one with a finding of each outcome."""
    with app.app_context():
        runs = list_selftest_runs()
        if runs:
            return runs[0].id
        now = clock.now()
        findings = tuple(
            Finding(
                f"proxy.{each}", "The Authorization header reaches the service", each, "It does not.", "Forward it."
            )
            for each in Outcome
        )
        report = Report("https://scim.example.com/api/scim/v2", "0123abcd", now, now, findings)
        with writing() as connection:
            at = clock.timestamp(now)
            insert_selftest_run(connection, report.run, url=report.url, provider="entra", at=at)
            end_selftest_run(connection, report.run, report=json.dumps(report.as_dict()), at=at)
        return report.run


def _webhook_of(enterprise: Enterprise) -> str:
    """Return the ID of the enterprise's first webhook. Create it if it does not exist."""
    webhooks = run_command(enterprise.app, "webhook", "list", enterprise.name)
    made = webhooks[0] if webhooks else run_command(
        enterprise.app, "webhook", "create", enterprise.name, "https://hooks.example.com/scim"
    )  # fmt: skip
    return str(made["id"])


def _other_user_of(enterprise: Enterprise) -> str:
    """Return a second user of the enterprise. Create it if it does not exist."""
    users = run_command(enterprise.app, "user", "list", enterprise.name)
    if len(users) > 1:
        return str(users[1]["id"])
    made = run_command(enterprise.app, "user", "create", enterprise.name, f"other@{enterprise.made['id']}.example")
    return str(made["id"])


def _attribute_of(enterprise: Enterprise) -> str:
    """Return a custom attribute of the enterprise. Declare it if it does not exist."""
    attributes = run_command(enterprise.app, "attribute", "list", enterprise.name)
    name = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge"
    return str((attributes or [run_command(enterprise.app, "attribute", "add", enterprise.name, name)])[0]["id"])


def _entry_of(enterprise: Enterprise) -> str:
    """Return the newest entry of the provisioning log. Refuse a request if the log is empty."""
    if not log_of(enterprise):
        enterprise.send("DELETE", f"/Users/{NOBODY}")
    return str(log_of(enterprise)[0]["id"])


def _account_of(enterprise: Enterprise, name: str | None) -> str:
    """Return an account of the enterprise with the name, or of the installation. Create it if it does not exist."""
    accounts = run_command(enterprise.app, "admin", "list")
    found = [each["id"] for each in accounts if each["enterprise"] == name]
    if found:
        return str(found[0])
    reach = ("--enterprise", name) if name else ("--operator",)
    made = run_command(enterprise.app, "admin", "create", f"someone@{name or 'installation'}.example", *reach)
    return str(made["id"])
