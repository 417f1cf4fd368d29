"""Fixtures of the tests of the self-test."""

from collections.abc import Iterator

import pytest

from tests.selftest.bench import Bench, serve_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A live service behind a proxy."""
    with serve_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench
