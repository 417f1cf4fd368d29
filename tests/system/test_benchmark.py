"""The benchmark runs and measures, and its floor is served like the service."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from scimsvc.operations.serving import server
from tests.benchmark import floor, groups, starts, webhooks
from tests.benchmark.__main__ import main
from tests.benchmark.storage import columns_as_created, read_as_created, user_row
from tests.benchmark.workloads import WORKLOADS
from tests.support.long_runs import LONG
from tests.support.population import ROLES, Population, role, user_id

pytestmark = pytest.mark.system

USERS = 100


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of the smallest run."""
    if request.param == "postgresql":
        request.getfixturevalue("postgresql_url")
    folder = tmp_path_factory.mktemp("benchmark")
    options = f"--users={USERS} --enterprises=3 --concurrency=2 --rounds=1 --requests=3 --starts=1".split()
    main([*options, f"--database={request.param}", f"--folder={folder}", f"--json={folder / 'measured.json'}"])
    assert [path.name for path in folder.iterdir()] == ["measured.json"]
    return dict(json.loads((folder / "measured.json").read_text()))


def test_each_workload_is_measured_on_both_servers(measured: dict[str, Any]) -> None:
    assert [row["workload"] for row in measured["results"]] == list(WORKLOADS)
    for row in measured["results"]:
        assert 0 < row["ratio"] < 1000
        for side in (row["floor"], row["service"]):
            assert side["processor_ms"] > 0
            assert 0 < side["p50_ms"] <= side["p99_ms"]
            assert side["bytes_answered"] > 0


def test_the_resources_of_a_server_are_measured(measured: dict[str, Any]) -> None:
    assert [each["server"] for each in measured["footprints"]] == ["floor", "service"]
    for each in measured["footprints"]:
        assert 0 < each["start_s"] < 30
        assert 10 < each["rss_mib_at_start"] <= each["peak_mib"] < 500
        assert each["bytes_per_user"] > 500


def test_a_picture_is_drawn(measured: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from tests.benchmark.plot import draw

    image = tmp_path / "images" / "cost.png"
    draw(measured, image, database=measured["results"][0]["database"], concurrency=2)

    assert image.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("users", "enterprises"), [(1, 1), (7, 3), (100, 3), (1000, 100), (1_000_000, 7)])
def test_every_user_belongs_to_one_enterprise(users: int, enterprises: int) -> None:
    population = Population(users, enterprises)

    members = [population.members(enterprise) for enterprise in range(enterprises)]

    assert [user for each in members for user in each] == list(range(users))
    asked = range(0, users, max(1, users // 1000))
    assert all(user in members[population.enterprise_of(user)] for user in asked)


def test_seeded_users_equal_users_created_by_entra() -> None:
    role_ids = {name: f"id of {name}" for name in ROLES}

    rows = [user_row(user, "enterprise", role_ids, "now") for user in range(6)]

    for user, row in enumerate(rows):
        expected = columns_as_created(user, user_id(user), role(user)) | {"role_id": row["role_id"]}
        assert {name: row[name] for name in expected} == expected
    assert json.loads(rows[1]["document"]) == read_as_created(1, role(1)) | {"id": user_id(1)}
    assert Counter(row["role_id"] for row in rows) == {None: 2, "id of User": 2, "id of SigningHub_Admin": 2}


def test_the_floor_is_served_as_the_service_is(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    given: dict[str, Any] = {}

    def create_server(app: Flask, **settings: Any) -> Any:
        given.update(settings)
        raise RuntimeError("seen enough")

    monkeypatch.setattr(server, "create_server", create_server)
    with pytest.raises(RuntimeError, match="seen enough"):
        server.Server(app)

    of_its_own = {"map", "threads", "host", "port", "unix_socket_perms"}
    # The fair queue, and the limits on bodies and answers. They belong to the cost of the service.
    of_its_own |= {"_dispatcher", "inbuf_overflow", "outbuf_high_watermark"}
    assert {name: value for name, value in given.items() if name not in of_its_own} == floor.WAITRESS


def test_starts_are_measured_and_help_is_printed_at_once(tmp_path: Path) -> None:
    results = starts.measure(2, tmp_path)

    processor = {name: min(start.processor for start in each) for name, each in results.items()}
    assert {len(each) for each in results.values()} == {2}
    assert all(start.processor > 0 and start.elapsed > 0 for each in results.values() for start in each)
    assert processor["scimsvc --help"] < 2.5 * processor["python -c pass"]
    assert processor["scimsvc --version"] < 2.5 * processor["python -c pass"]
    assert starts.table(results).count("\n") == len(results) + 1


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_requests_for_groups_are_measured(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if database == "postgresql":
        request.getfixturevalue("postgresql_url")

    groups.main(f"--sizes=3,30 --rounds=1 --requests=2 --database={database} --folder={tmp_path}".split())

    heading, _, *rows, _empty, base = capsys.readouterr().out.splitlines()
    assert heading == f"| work | {database}, 3 | {database}, 30 |"
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(groups.WORK)
    assert all(float(cell) > 0 for row in rows for cell in row.strip("| ").split(" | ")[1:])
    assert base.startswith(f"PATCH a user: {database}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not LONG, reason="a start of a server, and waits")
def test_deliveries_of_webhooks_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    webhooks.main(["--changes=2", "--backlog=3", "--rounds=1", "--database=sqlite"])

    _heading, _, row = capsys.readouterr().out.splitlines()
    database, *figures = row.strip("| ").split(" | ")
    assert database == "sqlite"
    assert all(float(figure.removesuffix(" ms")) > 0 for figure in figures)
