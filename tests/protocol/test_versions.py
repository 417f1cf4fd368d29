"""Entity tags and preconditions (RFC 7232, RFC 7644 §3.14)."""

import pytest

from scimsvc.protocol.errors import PreconditionFailed
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions, entity_tag, names

STALE = 'W/"stale"'


@pytest.mark.parametrize(
    ("version", "role_revision", "tag"),
    [
        (1, None, 'W/"1-27T22:15:54.123"'),
        (12, None, 'W/"12-27T22:15:54.123"'),
        (1, 2, 'W/"1-27T22:15:54.123-2"'),
        (12, 1, 'W/"12-27T22:15:54.123-1"'),
        (1, 21, 'W/"1-27T22:15:54.123-21"'),
    ],
)
def test_a_tag_is_weak_and_names_the_time_and_where_it_counts_the_role_revision(
    version: int, role_revision: int | None, tag: str
) -> None:
    assert entity_tag(version, "2026-11-27T22:15:54.123Z", role_revision) == tag


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param('W/"1-2"', True, id="weak"),
        pytest.param('"1-2"', True, id="strong"),
        pytest.param("*", True, id="any"),
        pytest.param("  * ", True, id="any in blanks"),
        pytest.param('W/"x", W/"1-2"', True, id="last of a list"),
        pytest.param('"1-2",W/"x"', True, id="first of a list without blanks"),
        pytest.param('W/"x" , "y" ,"1-2" , ""', True, id="within a list"),
        pytest.param('W/"1"', False, id="a beginning"),
        pytest.param('W/"11-2"', False, id="an end"),
        pytest.param('W/"1-2 "', False, id="a blank more"),
        pytest.param('W/"*"', False, id="an asterisk in quotes"),
        pytest.param('W/"x", "y"', False, id="a list of others"),
        pytest.param('"x, 1-2"', False, id="a comma within a tag"),
        pytest.param("1-2", False, id="without quotes"),
        pytest.param("W/1-2", False, id="weak without quotes"),
        pytest.param('"1-2', False, id="an open quote"),
        pytest.param('""', False, id="an empty tag"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_header_names_a_tag(header: str, expected: bool) -> None:
    assert names(header, 'W/"1-2"') is expected


@pytest.mark.parametrize(
    ("preconditions", "changed", "unchanged"),
    [
        pytest.param(UNCONDITIONAL, True, False, id="none"),
        pytest.param(Preconditions(if_match='W/"1"'), True, False, id="this version"),
        pytest.param(Preconditions(if_match="*"), True, False, id="any version"),
        pytest.param(Preconditions(if_match=STALE), False, False, id="another version"),
        pytest.param(Preconditions(if_match=""), False, False, id="no version at all"),
        pytest.param(Preconditions(if_none_match='W/"1"'), False, True, id="not this version"),
        pytest.param(Preconditions(if_none_match="*"), False, True, id="not any version"),
        pytest.param(Preconditions(if_none_match=STALE), True, False, id="not another version"),
        pytest.param(Preconditions('W/"1"', STALE), True, False, id="both hold"),
        pytest.param(Preconditions('W/"1"', 'W/"1"'), False, True, id="one holds"),
        pytest.param(Preconditions(STALE, STALE), False, False, id="the other holds"),
    ],
)
def test_preconditions_decide_over_changes_and_readers(
    preconditions: Preconditions, changed: bool, unchanged: bool
) -> None:
    assert preconditions.is_unchanged('W/"1"') is unchanged
    if changed:
        preconditions.check('W/"1"')
    else:
        with pytest.raises(PreconditionFailed, match='W/"1"'):
            preconditions.check('W/"1"')
