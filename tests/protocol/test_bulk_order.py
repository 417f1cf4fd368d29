"""Operations of a Bulk request run after those that they refer to, and circles run together."""

import pytest

from scimsvc.protocol.bulk import BulkOperation
from scimsvc.protocol.bulk_order import execution_order


def operations(text: str) -> list[BulkOperation]:
    """Return operations from a text such as "a:bc b c *a", whose creations have one letter each."""
    read = []
    for word in text.split():
        name, _, references = word.partition(":")
        members = [{"value": f"bulkId:{letter}"} for letter in references]
        if name.startswith("*"):
            read.append(BulkOperation("PATCH", f"/Users/bulkId:{name[1:]}", None, None, members))
        else:
            read.append(BulkOperation("POST", "/Users", name, None, members))
    return read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a b c", [(0,), (1,), (2,)]),
        ("a:b b", [(1,), (0,)]),
        ("a:c b c:b d", [(1,), (2,), (0,), (3,)]),
        ("a:cb b c", [(1,), (2,), (0,)]),
        ("*b a b", [(2,), (0,), (1,)]),
        ("a:a b", [(0,), (1,)]),
        ("a:b b:a", [(0, 1)]),
        ("c a:b b:a", [(0,), (1, 2)]),
        ("x:a a:b b:cd c:a d", [(4,), (1, 2, 3), (0,)]),
        ("a:b b:a c:d d:c", [(0, 1), (2, 3)]),
        ("a:b b:ac c:d d:c", [(2, 3), (0, 1)]),
        ("a:b b:c c:ad d:e e:c", [(0, 1, 2, 3, 4)]),
        ("a:z b", [(0,), (1,)]),
    ],
)
def test_operations_follow_those_that_they_refer_to(text: str, expected: list[tuple[int, ...]]) -> None:
    assert execution_order(operations(text)) == expected


def test_a_chain_of_any_length_has_an_order() -> None:
    count = 5_000
    chain = [BulkOperation("POST", "/Users", str(n), None, {"value": f"bulkId:{n + 1}"}) for n in range(count)]

    assert execution_order(chain) == [(n,) for n in reversed(range(count))]
