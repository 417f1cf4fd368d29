"""The files of ``deploy/`` for containers and monitoring: valid, complete, and about things that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from kubernetes_validate import validate

from scimsvc.operations.metrics import Metrics
from scimsvc.settings import SETTINGS

DEPLOY = Path(__file__).parents[2] / "deploy"
_METRIC = re.compile(r"\b(?:scimsvc|process)_[a-z_]+")
_SUFFIXES = re.compile(r"_(total|bucket|count|sum)$")


def read_yaml(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))


def list_expressions() -> Iterator[str]:
    """Yield the expressions of the alert rules and of the dashboard."""
    for group in read_yaml("prometheus-rules.yaml")[0]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def test_rules_and_dashboard_name_metrics_that_exist(app: Flask) -> None:
    with app.app_context():
        existing = {metric.name for metric in Metrics().registry.collect()}

    expressions = list(list_expressions())
    named = {_SUFFIXES.sub("", name) for text in expressions for name in _METRIC.findall(text)}

    assert len(expressions) > 30
    assert named <= existing | {f"{name}_total" for name in existing}


_RULE_TESTS = """
rule_files: [{rules}]
tests:
  - interval: 1m
    input_series:
      - series: 'scimsvc_scim_token_expiry_seconds{{enterprise="e1", instance="a"}}'
        values: '1300000-60x200'
      - series: 'scimsvc_removals_held{{enterprise="e1", instance="a"}}'
        values: '0x90 1x100'
      - series: 'scimsvc_removals_held{{enterprise="e1", instance="b"}}'
        values: '0x90 1x100'
      - series: 'scimsvc_job_failures_total{{exported_job="mails", instance="a", job="scimsvc"}}'
        values: '0+1x200'
    alert_rule_test:
      - {{eval_time: 80m, alertname: ScimsvcRemovalsHeld, exp_alerts: []}}
      - eval_time: 100m
        alertname: ScimsvcRemovalsHeld
        exp_alerts:
          - exp_labels: {{severity: page, enterprise: e1}}
            exp_annotations:
              summary: The removal limit of enterprise e1 is reached. No user is disabled or deleted.
              action: "Find out whether the removals are intended, then release them: scimsvc enterprise release."
      - {{eval_time: 1h, alertname: ScimsvcUnauthorized, exp_alerts: []}}
      - eval_time: 2h
        alertname: ScimsvcJobFails
        exp_alerts:
          - exp_labels: {{severity: ticket, exported_job: mails}}
            exp_annotations:
              summary: The background job mails failed 60 times within an hour.
              action: The log has the reason.
"""


def test_prometheus_accepts_the_rules_and_they_fire(tmp_path: Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    tests = tmp_path / "tests.yaml"
    tests.write_text(_RULE_TESTS.format(rules=DEPLOY / "prometheus-rules.yaml"))

    for command in (("check", "rules", str(DEPLOY / "prometheus-rules.yaml")), ("test", "rules", str(tests))):
        done = subprocess.run([program, *command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_what_happened_and_what_to_do() -> None:
    (rules,) = read_yaml("prometheus-rules.yaml")
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))["panels"]
    cells = [
        (grid["x"] + right, grid["y"] + down)
        for grid in (panel["gridPos"] for panel in panels)
        for right in range(grid["w"])
        for down in range(grid["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_kubernetes_accepts_the_manifests() -> None:
    for manifest in read_yaml("kubernetes.yaml"):
        validate(manifest, "1.34", strict=True)


def test_the_manifests_run_the_service_as_the_manual_says() -> None:
    kinds = {manifest["kind"]: manifest for manifest in read_yaml("kubernetes.yaml")}
    assert list(kinds) == ["Deployment", "Service", "PodDisruptionBudget", "Ingress"]
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert container["command"][:2] == ["scimsvc", "serve"]
    assert [container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("liveness", "readiness", "startup")] == [
        "/healthz", "/readyz", "/healthz",
    ]  # fmt: skip
    assert pod["terminationGracePeriodSeconds"] > 5 + 10
    paths = kinds["Ingress"]["spec"]["rules"][0]["http"]["paths"]
    assert [(path["path"], path["pathType"]) for path in paths] == [
        ("/api", "Prefix"), ("/console", "Prefix"), ("/", "Exact"),
    ]  # fmt: skip


def test_all_variables_of_the_files_are_settings() -> None:
    known = {f"{setting.variable}{suffix}" for setting in SETTINGS for suffix in ("", "_FILE")} | {"SCIMSVC_HOST"}

    for name in ("compose.yaml", "kubernetes.yaml", "Containerfile", "prometheus-rules.yaml", "scimsvc@.service"):
        used = set(re.findall(r"SCIMSVC_[A-Z_]+", (DEPLOY / name).read_text("utf-8")))
        assert used <= known, name


def test_the_proxy_of_compose_changes_the_file_of_nginx() -> None:
    (compose,) = read_yaml("compose.yaml")
    script = compose["services"]["proxy"]["command"][2].replace("$$", "$")
    sed = script.partition(" > ")[0].replace("/etc/nginx/scimsvc.conf", str(DEPLOY / "nginx.conf"))

    done = subprocess.run(
        ["sh", "-c", sed], env={"PATH": "/usr/bin:/bin", "SCIMSVC_HOST": "scim.contoso.example"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "server scimsvc-1:8000 max_fails=0; server scimsvc-2:8000 max_fails=0;" in done.stdout
    assert "server_name scim.contoso.example;" in done.stdout
    assert "ssl_certificate /etc/nginx/tls/fullchain.pem;" in done.stdout
    assert "scim.example.com" not in done.stdout.replace("# ", "")
