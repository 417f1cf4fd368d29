"""A host application's life: users of its own, taken over by Entra, and followed by the change feed."""

from pathlib import Path
from typing import Any

from tests.support.client import Api, Enterprise, replace, user_body


def test_a_host_application_s_life(acme: Enterprise, api: Api, cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    lines = [f"person{number:02}@x.example,Person {number},User,Own {number}" for number in range(20)]
    file.write_text("\n".join(["email,user_name,role,title", *lines]))
    consumer = Consumer(api)

    # 20 manual users come in, and Entra finds 15 of them and changes what differs.
    assert cli("user", "import", "Acme", str(file)) == {"imported": 20}
    for number in range(15):
        (user,) = acme.find(f'emails[type eq "work"].value eq "PERSON{number:02}@x.example"')
        answer = acme.patch(user, replace("title", "Directory"), replace("displayName", f"P. {number}"))
        assert answer.status_code == 200
    consumer.read(limit=7)
    people = {user["email"]: user for user in api.pages("/users", limit=6)}
    assert [user["source"] for user in people.values()] == ["provisioned"] * 15 + ["manual"] * 5

    # Five edit their own title under a role that does not restrict it, and keep it when the directory repeats its own.
    five = [people[f"person{number:02}@x.example"] for number in range(5)]
    for user in five:
        assert api.send("PATCH", f"/users/{user['id']}/profile", {"title": "My own"}).status_code == 200
        acme.patch(user, replace("title", "Directory"))
    assert {api.get(f"/users/{user['id']}")["title"] for user in five} == {"My own"}

    # The role begins to restrict editing: they lose it, and may not edit again.
    (role,) = [each for each in api.pages("/roles") if each["name"] == "User"]
    assert api.send("PATCH", f"/roles/{role['id']}", {"restrict_editing": True}).status_code == 200
    assert {api.get(f"/users/{user['id']}")["title"] for user in five} == {"Directory"}
    refused = api.send("PATCH", f"/users/{five[0]['id']}/profile", {"title": "My own"})
    assert refused.status_code == 403
    assert "restricts editing" in refused.get_json()["detail"]

    # A role that there is not is refused, and the log says what to do; an alias fixes it.
    newcomer = user_body("newcomer@x.example", roles=[{"value": "Signer", "primary": True}])
    assert acme.send("POST", "/Users", newcomer).status_code == 400
    (entry,) = api.get("/provisioning-log", outcome="refused")["items"]
    assert entry["email"] == "newcomer@x.example"
    assert "Role 'Signer' does not exist in Acme." in entry["detail"]
    assert "add 'Signer' as an alias" in entry["detail"]
    assert [each["email"] for each in api.get("/role-preview", name="Signer")["waiting"]] == ["newcomer@x.example"]
    assert api.send("PATCH", f"/roles/{role['id']}", {"aliases": ["Signer"]}).status_code == 200
    assert acme.send("POST", "/Users", newcomer).status_code == 201

    # The consumer, which stopped in between, sees it all once, and knows the users without having asked.
    consumer.read(limit=4)
    types = [change["type"] for change in consumer.seen]
    assert {kind: types.count(kind) for kind in set(types)} == {"created": 21, "taken_over": 15, "updated": 10}
    assert consumer.seen == Consumer(api).read(limit=1000).seen
    known = {change["user_id"]: (change["email"], change["role"], change["active"]) for change in consumer.seen}
    assert known == {user["id"]: (user["email"], user["role"], user["active"]) for user in api.pages("/users")}


class Consumer:
    """Follows the feed, and keeps the cursor of the last change that it has seen."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.seen: list[dict[str, Any]] = []

    def read(self, limit: int) -> "Consumer":
        """Read on to the end, so many at a time."""
        while True:
            after = {"after": self.seen[-1]["cursor"]} if self.seen else {}
            items = self.api.get("/changes", limit=limit, **after)["items"]
            if not items:
                return self
            self.seen += items
