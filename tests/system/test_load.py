"""A server under a provider's load, and a database with thousands of users."""

import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from scimsvc import create_app
from tests.benchmark.storage import KEY, place, seed
from tests.support.apps import dispose
from tests.support.client import MEDIA_TYPE, Enterprise, patch_body, replace, user_body
from tests.support.live import serving
from tests.support.long_runs import LONG
from tests.support.population import Population, change_body, email, user_id

pytestmark = pytest.mark.system


@pytest.mark.slow
@pytest.mark.requirement("P60")
def test_twenty_five_requests_a_second(tmp_path: Path) -> None:
    rate, seconds = 25, 4

    with serving(tmp_path) as live:
        path = live.result["tenant_url"].removeprefix(live.base_url) + "/Users"
        headers = {"Content-Type": MEDIA_TYPE}
        start = time.monotonic() + 0.2

        def entra_cycle(number: int) -> list[int]:
            """Provision like Entra (match, create, match, change, list) five users at a time."""
            email = f"u{number}@contoso.example"
            query = path + "?filter=" + quote(f'emails[type eq "work"].value eq "{email}"')
            statuses: list[int] = []

            def send(method: str, target: str, body: Any = None) -> Any:
                due = start + (number // 5 * 5 + len(statuses)) * 5 / rate
                time.sleep(max(0.0, due - time.monotonic()))
                answer = live.send(method, target, json.dumps(body) if body else None, headers if body else None)
                statuses.append(answer.status)
                return answer.json()

            assert send("GET", query)["totalResults"] == 0
            user = send("POST", path, user_body(email))
            assert send("GET", query)["totalResults"] == 1
            assert send("PATCH", f"{path}/{user['id']}", patch_body(replace("title", "x")))["title"] == "x"
            send("GET", path)
            return statuses

        with ThreadPoolExecutor(5) as pool:
            statuses = list(pool.map(entra_cycle, range(rate * seconds // 5)))
        took = time.monotonic() - start

        assert statuses == [[200, 201, 200, 200, 200]] * (rate * seconds // 5)
        assert took < seconds + 2
        assert "lock" not in live.log
        assert "error" not in live.log


USERS = 10_000 if LONG else 2_000


@pytest.mark.requirement("R64")
def test_thousands_of_users_slow_requests_only_a_little(tmp_path: Path) -> None:
    population = Population(USERS, 1)
    with place("sqlite", tmp_path / "place") as where:
        token = seed(where, population).service_tokens[0]
        app = create_app({"DATABASE_URL": where.service_url, "SECRET_KEY": KEY, "INSTANCE_PATH": str(where.folder)})
        acme = Enterprise(app, {"name": "Enterprise 0"}, token)
        asked: dict[str, Callable[[int], TestResponse]] = {
            "list": lambda n: acme.send("GET", "/Users", query={"startIndex": str(n * 37 + 1), "count": "100"}),
            "match": lambda n: acme.send(
                "GET", "/Users", query={"filter": f'emails[type eq "work"].value eq "{email(n)}"'}
            ),
            "patch": lambda n: acme.send("PATCH", f"/Users/{user_id(n)}", change_body(f"R64 {n}")),
        }

        medians = {}
        for name, ask in asked.items():
            times = []
            for n in range(40):
                begin = time.perf_counter()
                assert ask(n).status_code == 200
                times.append(time.perf_counter() - begin)
            medians[name] = statistics.median(times)
        dispose(app)

    assert max(medians.values()) < 0.05, medians
