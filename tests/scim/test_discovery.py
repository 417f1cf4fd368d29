"""The schemas, the resource types and the configuration match the service (contract section 5)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from scimsvc.protocol.groups import GROUPS
from scimsvc.protocol.users import USERS
from tests.support.client import SCIM, Enterprise, assert_scim_error, replace, user_body
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN, GROUP_URN, LIST_URN, USER_URN

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
BASE = f"http://localhost{SCIM}"
LISTS = {"/Schemas": [USER_URN, ENTERPRISE_URN, GROUP_URN], "/ResourceTypes": ["User", "Group"]}


def read(acme: Enterprise, path: str) -> dict[str, Any]:
    answer = acme.send("GET", path)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def attributes_of(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the attributes of ``schema`` by name, sub-attributes as ``emails.value``."""
    found = {each["name"]: each for each in schema["attributes"]}
    for name, each in list(found.items()):
        found |= {f"{name}.{sub['name']}": sub for sub in each.get("subAttributes", [])}
    return found


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and value of every member below ``value``."""
    if isinstance(value, dict):
        yield from value.items()
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(below)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_the_resources_that_an_id_finds(acme: Enterprise, path: str) -> None:
    answer = read(acme, path)

    ids = LISTS[path]
    resources = [read(acme, f"{path}/{each}") for each in ids]
    assert [each["id"] for each in resources] == ids
    assert answer == {
        "schemas": [LIST_URN],
        "totalResults": len(ids),
        "itemsPerPage": len(ids),
        "startIndex": 1,
        "Resources": resources,
    }


@pytest.mark.parametrize("path", LISTS)
def test_ids_match_without_regard_to_case(acme: Enterprise, path: str) -> None:
    for each in LISTS[path]:
        resource = read(acme, f"{path}/{each}")
        assert read(acme, f"{path}/{each.upper()}") == read(acme, f"{path}/{each.lower()}/") == resource
        assert resource["meta"]["location"] == f"{BASE}{path}/{each}"


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_id_is_404_and_names_the_known_ones(acme: Enterprise, path: str) -> None:
    assert_scim_error(acme.send("GET", f"{path}/urn:no:such"), 404, None, "'urn:no:such'", *LISTS[path])


@pytest.mark.parametrize("path", LISTS)
def test_lists_cannot_be_filtered(acme: Enterprise, path: str) -> None:
    for text in ('id eq "User"', "("):
        assert_scim_error(acme.send("GET", path, query={"filter": text}), 403, None, "filter")
    for query in ({"attributes": "name"}, {"count": "1"}, {"startIndex": "2"}, {"filter": ""}):
        assert acme.send("GET", path, query=query).get_json() == read(acme, path)


def test_the_configuration_is_the_same_for_other_queries(acme: Enterprise) -> None:
    config = read(acme, "/ServiceProviderConfig")

    for query in ("?filter=", "?attributes=patch", "?aadOptscim062020", "/"):
        assert read(acme, f"/ServiceProviderConfig{query}") == config


def test_discovery_can_only_be_read(acme: Enterprise) -> None:
    for path in (*LISTS, "/ServiceProviderConfig", f"/Schemas/{USER_URN}", "/ResourceTypes/User"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = acme.send(method, path, {})
            assert_scim_error(answer, 405, None, method)
            assert "GET" in answer.headers["Allow"].split(", ")


def test_discovery_has_no_nulls_and_spells_as_the_standard_does(acme: Enterprise) -> None:
    for path in (*LISTS, "/ServiceProviderConfig"):
        for name, value in members(read(acme, path)):
            assert value not in (None, "", {}), name
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*|Resources", name), name
            assert value != [] or name == "schemaExtensions"


def test_the_resource_types_lead_to_users_and_groups_and_their_schemas(acme: Enterprise) -> None:
    user, group = read(acme, "/ResourceTypes")["Resources"]

    assert {name: value for name, value in user.items() if name != "description"} == {
        "schemas": [f"{CORE}ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "schema": USER_URN,
        "schemaExtensions": [{"schema": ENTERPRISE_URN, "required": False}],
        "meta": {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/User"},
    }
    assert read(acme, user["endpoint"])["Resources"] == []
    assert read(acme, f"/Schemas/{user['schema']}")["name"] == "User"
    assert {name: value for name, value in group.items() if name != "description"} == {
        "schemas": [f"{CORE}ResourceType"],
        "id": "Group",
        "name": "Group",
        "endpoint": "/Groups",
        "schema": GROUP_URN,
        "schemaExtensions": [],
        "meta": {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/Group"},
    }
    assert read(acme, group["endpoint"])["Resources"] == []
    assert read(acme, f"/Schemas/{group['schema']}")["name"] == "Group"


def test_the_configuration_matches_the_service(acme: Enterprise) -> None:
    config = read(acme, "/ServiceProviderConfig")
    users = [acme.create(email=f"{name}@contoso.example", userName=name) for name in "cab"]
    sorted_names = [user["userName"] for user in acme.find("id pr", sortBy="userName")]
    paged = acme.send("GET", "/Users", query={"cursor": "", "count": "1"}).get_json()
    bulk = acme.send(
        "POST", "/Bulk", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": []}
    )

    assert config["schemas"] == [f"{CORE}ServiceProviderConfig"]
    assert config["meta"] == {"resourceType": "ServiceProviderConfig", "location": f"{BASE}/ServiceProviderConfig"}
    assert config["patch"]["supported"] is (acme.patch(users[0], replace("title", "x")).status_code == 200)
    assert config["filter"] == {"supported": len(acme.find('userName eq "a"')) == 1, "maxResults": 1000}
    assert config["sort"]["supported"] is (sorted_names == ["a", "b", "c"])
    assert config["etag"]["supported"] is ("ETag" in acme.send("GET", f"/Users/{users[0]['id']}").headers)
    assert config["bulk"]["supported"] is (bulk.status_code != 404)
    assert config["pagination"]["cursor"] is ("nextCursor" in paged)
    assert (config["pagination"]["defaultPageSize"], config["pagination"]["maxPageSize"]) == (100, 1000)
    assert config["changePassword"]["supported"] is False
    assert [each["type"] for each in config["authenticationSchemes"]] == ["oauthbearertoken"]


def test_the_schemas_describe_every_attribute(acme: Enterprise) -> None:
    core, extension = (read(acme, f"/Schemas/{urn}") for urn in (USER_URN, ENTERPRISE_URN))
    common = {"schemas", "id", "externalId", "meta", "password", ENTERPRISE_URN}

    assert (core["schemas"], core["name"], extension["name"]) == ([f"{CORE}Schema"], "User", "EnterpriseUser")
    assert {each["name"] for each in core["attributes"]} == {each.name for each in USERS.attributes} - common
    assert [each["name"] for each in extension["attributes"]] == [
        "employeeNumber", "costCenter", "organization", "division", "department", "manager",
    ]  # fmt: skip
    for name, each in (attributes_of(core) | attributes_of(extension)).items():
        required = {"name", "type", "multiValued", "description", "required", "mutability", "returned"}
        assert required <= set(each), name
        assert ("caseExact" in each) is ("uniqueness" in each) is (each["type"] not in ("boolean", "complex")), name
        assert ("subAttributes" in each) is (each["type"] == "complex"), name
        assert ("referenceTypes" in each) is (each["type"] == "reference"), name


def test_the_schema_of_groups_describes_every_attribute(acme: Enterprise) -> None:
    schema = read(acme, f"/Schemas/{GROUP_URN}")
    attributes = attributes_of(schema)

    assert {each["name"] for each in schema["attributes"]} == {each.name for each in GROUPS.attributes} - {
        "schemas", "id", "externalId", "meta",
    }  # fmt: skip
    assert {name: (each["mutability"], each["required"]) for name, each in attributes.items()} == {
        "displayName": ("readWrite", True),
        "members": ("readWrite", False),
        "members.value": ("immutable", False),
        "members.$ref": ("immutable", False),
        "members.type": ("immutable", False),
        "members.display": ("readOnly", False),
    }
    assert attributes["members.type"]["canonicalValues"] == ["User"]
    assert attributes["members.$ref"]["referenceTypes"] == ["User"]


@pytest.mark.parametrize("switch", ["--unique-group-name", "--no-unique-group-name"])
def test_the_uniqueness_of_names_of_groups_follows_the_enterprise(acme: Enterprise, cli: Cli, switch: str) -> None:
    cli("enterprise", "update", "Acme", switch)
    body = {"schemas": [GROUP_URN], "displayName": "Sales"}
    assert acme.send("POST", "/Groups", body).status_code == 201

    published = attributes_of(read(acme, f"/Schemas/{GROUP_URN}"))["displayName"]["uniqueness"]
    second = acme.send("POST", "/Groups", body)

    assert (published, second.status_code) == (("server", 409) if switch == "--unique-group-name" else ("none", 201))


def test_required_attributes_are_marked_as_required(acme: Enterprise) -> None:
    attributes = attributes_of(read(acme, f"/Schemas/{USER_URN}"))

    assert [name for name, each in attributes.items() if each["required"]] == ["userName", "emails", "emails.value"]
    assert acme.send("POST", "/Users", user_body(userName=None)).status_code == 400
    assert acme.send("POST", "/Users", user_body(emails=None)).status_code == 400


@pytest.mark.requirement("R26")
def test_a_password_is_accepted_but_never_returned_or_announced(acme: Enterprise) -> None:
    user = acme.create(password="hunter2")

    assert "password" not in acme.send("GET", "/Schemas").text
    assert "hunter2" not in acme.send("GET", f"/Users/{user['id']}", query={"attributes": "password"}).text
    assert acme.patch(user, replace("password", "hunter3")).get_json() == user


def test_canonical_values_are_true_for_the_enterprise_that_asks(acme: Enterprise, cli: Cli) -> None:
    def canonical() -> dict[str, list[str]]:
        attributes = attributes_of(read(acme, f"/Schemas/{USER_URN}"))
        return {name: each["canonicalValues"] for name, each in attributes.items() if "canonicalValues" in each}

    assert canonical()["emails.type"] == ["work"]
    assert canonical()["roles.value"] == ["DefaultEnterprise", "Power Signer", "SigningHub_Admin", "User"]
    cli("role", "add", "Acme", "Auditor", "--alias", "Checker")
    cli("role", "remove", "Acme", "SigningHub_Admin")
    cli("role", "update", "Acme", "User", "--rename", "Member")
    assert canonical()["roles.value"] == ["Auditor", "DefaultEnterprise", "Member", "Power Signer"]
    assert [
        acme.create(email=f"{n}@contoso.example", roles=[name]) for n, name in enumerate(canonical()["roles.value"])
    ]


@pytest.mark.parametrize("switch", ["--unique-user-name", "--no-unique-user-name"])
def test_the_uniqueness_of_user_names_follows_the_enterprise(acme: Enterprise, cli: Cli, switch: str) -> None:
    cli("enterprise", "update", "Acme", switch)
    acme.create()

    published = attributes_of(read(acme, f"/Schemas/{USER_URN}"))["userName"]
    second = acme.send("POST", "/Users", user_body("second@contoso.example"))

    assert (published["uniqueness"], second.status_code) in (
        [("server", 409)] if switch == "--unique-user-name" else [("none", 201)]
    )
    assert (published["caseExact"], published["mutability"], published["returned"]) == (False, "readWrite", "default")


def test_me_is_not_supported(acme: Enterprise) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert_scim_error(acme.send(method, "/Me", {}), 501, None, "/Users/{id}")


DISCOVERY = ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER_URN}"]


def anonymous(acme: Enterprise, method: str, path: str, **options: Any) -> TestResponse:
    """Send a request without a token."""
    return acme.app.test_client().open(SCIM + path, method=method, **options)


@pytest.mark.requirement("P56")
def test_discovery_by_list_and_by_id(acme: Enterprise) -> None:
    config = acme.send("GET", "/ServiceProviderConfig").get_json()
    lists = {path: acme.send("GET", path).get_json() for path in ("/ResourceTypes", "/Schemas")}

    assert config["meta"] == {
        "resourceType": "ServiceProviderConfig",
        "location": f"http://localhost{SCIM}/ServiceProviderConfig",
    }
    for path, answer in lists.items():
        assert answer["schemas"] == [LIST_URN]
        assert answer["totalResults"] == answer["itemsPerPage"] == len(answer["Resources"])
        for resource in answer["Resources"]:
            assert resource["meta"]["location"] == f"http://localhost{SCIM}{path}/{resource['id']}"
            assert acme.send("GET", f"{path}/{quote(resource['id'])}").get_json() == resource
    assert [each["id"] for each in lists["/Schemas"]["Resources"]] == [USER_URN, ENTERPRISE_URN, GROUP_URN]
    user_type, _ = lists["/ResourceTypes"]["Resources"]
    assert (user_type["id"], user_type["endpoint"], user_type["schema"]) == ("User", "/Users", USER_URN)
    assert user_type["schemaExtensions"] == [{"schema": ENTERPRISE_URN, "required": False}]


@pytest.mark.requirement("P56")
@pytest.mark.parametrize("path", DISCOVERY)
def test_discovery_is_read_only_and_wants_a_token(acme: Enterprise, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert_scim_error(acme.send(method, path, {}), 405, None, method)
    # Contract section 5 against the list: everything under the Tenant URL requires a token, also discovery.
    assert_scim_error(anonymous(acme, "GET", path), 401, None)


@pytest.mark.requirement("P56")
def test_discovery_refuses_filters(acme: Enterprise) -> None:
    whole = {path: acme.send("GET", path).get_json() for path in DISCOVERY}

    for path in (*DISCOVERY, "/ResourceTypes/User", f"/Schemas/{USER_URN}"):
        assert_scim_error(acme.send("GET", path, query={"filter": 'id eq "User"'}), 403, None, "filter")
    for path in DISCOVERY:
        query = {"count": "0", "startIndex": "5", "sortBy": "id", "attributes": "id", "aadOptscim062020": ""}
        assert acme.send("GET", path, query=query).get_json() == whole[path]


@pytest.mark.requirement("P59")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_me_is_not_implemented(acme: Enterprise, method: str) -> None:
    assert_scim_error(acme.send(method, "/Me", {} if method != "GET" else None), 501, None, "/Me")
