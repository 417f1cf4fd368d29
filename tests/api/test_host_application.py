"""The life of a host application: manual users, taken over by Entra, and followed by the change feed."""

from pathlib import Path
from typing import Any

from tests.support.client import Api, Enterprise, replace, user_body


def test_a_host_application_s_life(acme: Enterprise, api: Api, cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    lines = [f"person{number:02}@x.example,Person {number},User,Own {number}" for number in range(20)]
    file.write_text("\n".join(["email,user_name,role,title", *lines]))
    consumer = Consumer(api)

    # The application creates 20 manual users. Entra matches 15 of them and changes values that differ.
    assert cli("user", "import", "Acme", str(file)) == {"imported": 20}
    for number in range(15):
        (user,) = acme.find(f'emails[type eq "work"].value eq "PERSON{number:02}@x.example"')
        answer = acme.patch(user, replace("title", "Directory"), replace("displayName", f"P. {number}"))
        assert answer.status_code == 200
    consumer.read(limit=7)
    people = {user["email"]: user for user in api.pages("/users", limit=6)}
    assert [user["source"] for user in people.values()] == ["provisioned"] * 15 + ["manual"] * 5

    # Five users edit their title under a role that permits it, and keep it when the directory repeats its value.
    five = [people[f"person{number:02}@x.example"] for number in range(5)]
    for user in five:
        assert api.send("PATCH", f"/users/{user['id']}/profile", {"title": "My own"}).status_code == 200
        acme.patch(user, replace("title", "Directory"))
    assert {api.get(f"/users/{user['id']}")["title"] for user in five} == {"My own"}

    # The role begins to restrict editing. They lose the title and may not edit it again.
    (role,) = [each for each in api.pages("/roles") if each["name"] == "User"]
    assert api.send("PATCH", f"/roles/{role['id']}", {"restrict_editing": True}).status_code == 200
    assert {api.get(f"/users/{user['id']}")["title"] for user in five} == {"Directory"}
    refused = api.send("PATCH", f"/users/{five[0]['id']}/profile", {"title": "My own"})
    assert refused.status_code == 403
    assert "restricts editing" in refused.get_json()["detail"]

    # An unknown role is refused, and the log says how to fix it. An alias fixes it.
    newcomer = user_body("newcomer@x.example", roles=[{"value": "Signer", "primary": True}])
    assert acme.send("POST", "/Users", newcomer).status_code == 400
    (entry,) = api.get("/provisioning-log", outcome="refused")["items"]
    assert entry["email"] == "newcomer@x.example"
    assert "Role 'Signer' does not exist in Acme." in entry["detail"]
    assert "add 'Signer' as an alias" in entry["detail"]
    assert [each["email"] for each in api.get("/role-preview", name="Signer")["waiting"]] == ["newcomer@x.example"]
    assert api.send("PATCH", f"/roles/{role['id']}", {"aliases": ["Signer"]}).status_code == 200
    assert acme.send("POST", "/Users", newcomer).status_code == 201

    # The consumer stopped in between. It sees each change once and knows the users without other requests.
    consumer.read(limit=4)
    types = [change["type"] for change in consumer.seen]
    assert {kind: types.count(kind) for kind in set(types)} == {"created": 21, "taken_over": 15, "updated": 10}
    assert consumer.seen == Consumer(api).read(limit=1000).seen
    known = {change["user_id"]: (change["email"], change["role"], change["active"]) for change in consumer.seen}
    assert known == {user["id"]: (user["email"], user["role"], user["active"]) for user in api.pages("/users")}


class Consumer:
    """Follows the feed and stores the cursor of the last change."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.seen: list[dict[str, Any]] = []

    def read(self, limit: int) -> "Consumer":
        """Read to the end, in pages of ``limit`` changes."""
        while True:
            after = {"after": self.seen[-1]["cursor"]} if self.seen else {}
            items = self.api.get("/changes", limit=limit, **after)["items"]
            if not items:
                return self
            self.seen += items
