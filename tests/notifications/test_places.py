"""Which webhooks may deliver at the same time: slow receivers and one enterprise never take all places."""

import pytest

from scimsvc.notifications.delivery.places import Claim, may_begin


def claims(**numbers: int) -> list[Claim]:
    """Return claims by enterprise: ``a=2`` are two, ``a_slow=2`` two of slow receivers."""
    return [
        Claim(name.partition("_")[0], name.endswith("_slow")) for name, number in numbers.items() for _ in range(number)
    ]


@pytest.mark.parametrize(
    ("taken", "fast", "slow"),
    [
        ({}, True, True),
        ({"a": 8, "b": 7}, True, True),
        ({"a": 8, "b": 8}, False, False),
        ({"n": 7}, True, True),
        ({"n": 8}, False, False),
        ({"a_slow": 6, "b_slow": 5}, True, True),
        ({"a_slow": 6, "b_slow": 6}, True, False),
        ({"a_slow": 6, "b_slow": 6, "c": 3}, True, False),
        ({"a_slow": 6, "b_slow": 6, "c": 4}, False, False),
        ({"a_slow": 8, "b_slow": 8, "c_slow": 8}, True, False),
        ({"a_slow": 8, "b_slow": 8, "c_slow": 8, "d": 3}, True, False),
        ({"a_slow": 8, "b_slow": 8, "c_slow": 8, "d_slow": 8}, False, False),
    ],
)
def test_places(taken: dict[str, int], fast: bool, slow: bool) -> None:
    running = claims(**taken)

    assert may_begin(Claim("n", is_slow=False), running) is fast
    assert may_begin(Claim("n", is_slow=True), running) is slow
