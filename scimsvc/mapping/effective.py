"""Effective title and organization beside the directory's (contract section 6). Nothing here reads or writes.

The directory's values are what SCIM last set and answers. The effective values are what the application shows. A user,
or an administrator, may edit the effective ones, and the directory replaces them by these rules:

1. A directory value that changes becomes the effective one. One that is repeated leaves an edit as it is.
2. Under a role that restricts editing, the directory's value replaces a differing effective one at every write.
3. An empty directory value never replaces anything.
"""

#: Title and organization; None is an empty one.
Values = tuple[str | None, str | None]


def effective_values(directory: Values, before: Values, effective: Values, *, restricted: bool) -> Values:
    """Return the effective values after the directory's changed from ``before`` to ``directory``.

    ``restricted`` says that the user is provisioned and has a role that restricts editing.
    """
    return (
        _effective_value(directory[0], before[0], effective[0], restricted=restricted),
        _effective_value(directory[1], before[1], effective[1], restricted=restricted),
    )


def _effective_value(new: str | None, old: str | None, effective: str | None, *, restricted: bool) -> str | None:
    return new if new and (restricted or new != old) else effective
