"""Whether what this process remembers of enterprises' set-up may be out of date, as it has changed some itself."""

import itertools

_numbers = itertools.count(1)
_revision = [0]


def set_up_revision() -> int:
    """Return a number that is another one after each change; ask for it before reading what is to be remembered."""
    return _revision[0]


def note_set_up_change() -> None:
    """Note that the set-up was changed; to be called once the change is committed."""
    _revision[0] = next(_numbers)
