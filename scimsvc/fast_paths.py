"""The switch that turns every fast path off.

A fast path answers exactly what the general code answers, with less work. Where a result is in doubt, or to debug,
run the code within ``disabled()``. Tests compare both ways. The switch holds for the whole process and must not be
changed while requests are being answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_enabled = True


def enabled() -> bool:
    """Return whether fast paths are used."""
    return _enabled


@contextmanager
def disabled() -> Iterator[None]:
    """Use the general code only, until the end of the block."""
    global _enabled  # noqa: PLW0603
    before, _enabled = _enabled, False
    try:
        yield
    finally:
        _enabled = before
