"""Operators see the findings of the doctor, with links to the pages that help."""

from tests.support.client import Enterprise
from tests.support.commands import text_of
from tests.support.console import Console, make_admin, of, text
from tests.support.webhooks import make_hook


def test_operators_see_the_findings_the_worst_first_with_links(acme: Enterprise) -> None:
    make_hook(acme, "https://hooks.example.com/", failing_since="2026-11-01T00:00:00.000Z")
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))

    page = console.get("/console/health")
    shown = text(page)

    assert [shown.index(heading) for heading in ("Warnings", "Good to know", "In order")] == sorted(
        shown.index(heading) for heading in ("Warnings", "Good to know", "In order")
    )
    assert "Errors" not in shown
    assert "Acme: The webhook https://hooks.example.com/ has failed since" in shown
    assert f'href="{of(acme)}/webhooks">Open Webhooks</a>' in page
    in_terminal = text_of(acme.app, "doctor")
    for finding in ("webhooks.failing", "worker.not_running", "url.not_set", "keys", "clock"):
        assert finding in shown
        assert finding in in_terminal


def test_administrators_do_not_see_the_installation(acme: Enterprise) -> None:
    Console(acme.app, make_admin(acme.app, "ada@x.example", "Acme")).get("/console/health", 404)
