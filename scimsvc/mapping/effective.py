"""Effective title and organization beside the directory's (contract section 6). Nothing here reads or writes.

The directory's are what SCIM last set and answers; the effective ones are what the application shows. A user, or an
administrator, may edit the effective ones, and the directory takes them back where it has something to say:

1. A directory value that changes becomes the effective one; one that is repeated leaves an own edit alone.
2. Under a role that restricts editing the directory's replaces a differing effective one whenever it is looked at.
3. An empty directory value never replaces anything.
"""

#: Title and organization; None is an empty one.
Values = tuple[str | None, str | None]


def effective_values(directory: Values, before: Values, effective: Values, *, restricted: bool) -> Values:
    """Return the effective values once the directory's were ``before`` and are ``directory``.

    ``restricted`` tells that the user is provisioned and holds a role that restricts editing.
    """
    return (
        _effective_value(directory[0], before[0], effective[0], restricted=restricted),
        _effective_value(directory[1], before[1], effective[1], restricted=restricted),
    )


def _effective_value(new: str | None, old: str | None, own: str | None, *, restricted: bool) -> str | None:
    return new if new and (restricted or new != old) else own
