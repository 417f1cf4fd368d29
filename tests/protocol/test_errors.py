"""Texts that errors quote and list."""

import pytest

from scimsvc.protocol.errors import listed


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "r0"),
        (10, "r0, r1, r2, r3, r4, r5, r6, r7, r8, r9"),
        (22, "r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 and 12 more"),
    ],
)
def test_a_long_list_is_cut_after_ten_names(count: int, text: str) -> None:
    assert listed(f"r{number}" for number in range(count)) == text
