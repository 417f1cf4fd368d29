"""The number of connections depends on the files that the process may open."""

import resource
import sys

import pytest

from scimsvc.operations.serving.connections import MARGIN, MOST_CONNECTIONS, connection_limit, connections_for


def test_a_low_soft_limit_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        assert connection_limit() == connections_for(before[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("files", "connections"),
    [(200, 2 * MARGIN), (1024, 448), (4096, MOST_CONNECTIONS), (sys.maxsize, MOST_CONNECTIONS)],
)
def test_fewer_files_leave_fewer_connections(files: int, connections: int) -> None:
    assert connections_for(files) == connections
