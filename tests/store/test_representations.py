"""The optimized representation of a row equals the output of a JSON encoder."""

import json

from hypothesis import given
from hypothesis import strategies as st

from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.versions import entity_tag
from scimsvc.store.representations import StoredUser, View, represent, represent_all

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
USERS = st.builds(
    StoredUser,
    id=st.uuids().map(str),
    document=st.dictionaries(TEXT, TEXT, min_size=1).map(lambda members: write_json({"id": "x", **members})),
    role_id=st.none() | st.just("r"),
    version=st.integers(min_value=1),
    created_at=TIMES,
    modified_at=TIMES,
    group_role=st.none() | TEXT,
)


@given(users=st.lists(USERS, max_size=3), base=TEXT, default_role=TEXT, revision=st.integers(min_value=0))
def test_the_text_is_the_encoder_s(users: list[StoredUser], base: str, default_role: str, revision: int) -> None:
    view = View(base, default_role, revision)
    represented = [represent(user, view) for user in users]

    assert represent_all(users, view) == [each.text for each in represented]
    for user, representation in zip(users, represented, strict=True):
        on_default = user.role_id is None and user.group_role is None
        expected = json.loads(user.document)
        if user.role_id is None:
            shown = default_role if user.group_role is None else user.group_role
            expected["roles"] = [{"value": shown, "primary": True}]
        tag = entity_tag(user.version, user.modified_at, revision if on_default else None)
        expected["meta"] = {
            "resourceType": "User",
            "created": user.created_at,
            "lastModified": user.modified_at,
            "location": f"{base}/Users/{user.id}",
            "version": tag,
        }
        if len({*json.loads(user.document), "roles", "meta"}) == len(json.loads(user.document)) + 2:
            assert representation.text == write_json(expected)
        assert (representation.id, representation.location, representation.entity_tag) == (
            user.id,
            f"{base}/Users/{user.id}",
            tag,
        )
