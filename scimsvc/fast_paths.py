"""The switch that turns every fast path off.

A fast path answers exactly what the general code answers, with less work. Where a result is in doubt, or to debug,
run the code within ``disabled()``. Tests compare both ways. The switch holds for the whole process and must not be
changed while requests are being answered.
"""

from collections.abc import Iterator
from contextlib import contextmanager

#: Whether fast paths are used. A variable and not a function: every request asks a dozen times.
enabled = True


@contextmanager
def disabled() -> Iterator[None]:
    """Use the general code only, until the end of the block."""
    global enabled  # noqa: PLW0603
    before, enabled = enabled, False
    try:
        yield
    finally:
        enabled = before
