"""The stored bytes of a body depend on its path and on whether the caller is known."""

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from scimsvc.operations.serving.bodies import BoundedBuffer, longest_body

MIB = 2**20


@pytest.mark.parametrize(
    ("path", "strangers", "known"),
    [
        ("/api/scim/v2/Users", 0, MIB),
        ("/api/v1/users", 0, MIB),
        ("/api/authenticate", 128_000, MIB),
        ("/api/revoke", 128_000, MIB),
        ("/console/sign-in", 128_000, MIB),
        ("/healthz", 0, MIB),
    ],
)
def test_the_longest_body(path: str, strangers: int, known: int) -> None:
    assert longest_body(path, is_known=False, longest=MIB) == strangers
    assert longest_body(path, is_known=True, longest=MIB) == known


def test_a_lower_limit_of_the_operator_applies_to_strangers() -> None:
    assert longest_body("/console/sign-in", is_known=False, longest=64_000) == 64_000


@pytest.mark.parametrize("most", [10, 100, 20_000])
def test_a_body_within_the_limit_is_stored(most: int) -> None:
    buffer = BoundedBuffer(16, most)
    for _ in range(most // 10):
        buffer.append(b"0123456789")

    assert len(buffer) == most
    assert buffer.getfile().read() == b"0123456789" * (most // 10)
    buffer.close()


@pytest.mark.parametrize("overflow", [16, 10_000_000], ids=["file", "memory"])
def test_a_longer_body_is_only_counted(overflow: int) -> None:
    buffer = BoundedBuffer(overflow, 20_000)
    for _ in range(2001):
        buffer.append(b"0123456789")

    assert len(buffer) == 20_010
    assert (buffer.buf, buffer.strbuf) == (None, b"")
    for size in (-1, 10):
        with pytest.raises(RequestEntityTooLarge):
            buffer.getfile().read(size)
    with pytest.raises(RequestEntityTooLarge):
        buffer.getfile().readline()
