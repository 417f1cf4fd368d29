"""Effective values of title and organization, as a pure function (contract section 6).

SCIM sets and returns the directory values. The application shows the effective values. A user or an administrator may
edit the effective values. The directory replaces them by these rules:

1. A directory value that changes becomes the effective value. A directory value that is repeated keeps an edit.
2. Under a role that restricts editing, every write replaces an effective value that differs from the directory's.
3. An empty directory value never replaces anything.
"""

#: Title and organization. None is an empty value.
Values = tuple[str | None, str | None]


def effective_values(directory: Values, before: Values, effective: Values, *, restricted: bool) -> Values:
    """Return the effective values after the directory values changed from ``before`` to ``directory``.

    ``restricted`` is true if the user is provisioned and has a role that restricts editing.
    """
    return (
        _effective_value(directory[0], before[0], effective[0], restricted=restricted),
        _effective_value(directory[1], before[1], effective[1], restricted=restricted),
    )


def _effective_value(new: str | None, old: str | None, effective: str | None, *, restricted: bool) -> str | None:
    return new if new and (restricted or new != old) else effective
