"""The request log names the account of a request to the console, also of a refused one."""

import json

import pytest
from flask import Flask

from scimsvc.web.request_log import RequestLine
from tests.support.client import Enterprise
from tests.support.console import Console, make_admin, of


def lines_of(caplog: pytest.LogCaptureFixture, path: str) -> list[RequestLine]:
    lines = [record.msg for record in caplog.records if isinstance(record.msg, RequestLine)]
    return [line for line in lines if line.path.startswith(path)]


def test_a_request_and_its_refusal_name_the_account_without_its_address(
    acme: Enterprise, caplog: pytest.LogCaptureFixture
) -> None:
    auditor = make_admin(acme.app, "auditor@acme.example", "Acme", is_auditor=True)
    console = Console(acme.app, auditor)
    with caplog.at_level("INFO", logger="scimsvc"):
        console.get(f"{of(acme)}/roles")
        console.send("GET", "/console/audit-log")
        console.post(f"{of(acme)}/settings/no-removal-limit", status=403)

    lines = lines_of(caplog, "/console")
    assert [line.status for line in lines] == [200, 404, 403]
    for line in lines:
        assert f" account={auditor.id}" in str(line)
        assert line.members["account"] == auditor.id
        assert "auditor@acme.example" not in str(line) + json.dumps(line.members)


def test_requests_without_an_account_name_none(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="scimsvc"):
        Console(app).get("/console/sign-in")

    (line,) = lines_of(caplog, "/console/sign-in")
    assert "account" not in str(line)
    assert "account" not in line.members
