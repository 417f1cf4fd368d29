"""Custom attributes for tests: one of each type, in the namespace of Entra's documentation."""

from typing import Any

from tests.support.client import Api

URN = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
#: The members of a declaration other than its name, by the attribute in ``URN``.
DECLARED: dict[str, dict[str, Any]] = {
    "tag": {},
    "code": {"case_exact": True},
    "remote": {"type": "boolean"},
    "level": {"type": "integer"},
    "share": {"type": "decimal"},
    "hired": {"type": "dateTime"},
    "skills": {"multi_valued": True},
    "levels": {"type": "integer", "multi_valued": True},
    "moves": {"type": "dateTime", "multi_valued": True},
}


def declare(api: Api, *names: str, urn: str = URN) -> dict[str, dict[str, Any]]:
    """Declare the attributes called ``names`` (by default all of ``DECLARED``), and return them by name."""
    declared = {}
    for name in names or DECLARED:
        answer = api.send("POST", "/attributes", {"name": f"{urn}:{name}", **DECLARED[name]})
        assert answer.status_code == 201, answer.text
        declared[name] = answer.get_json()
    return declared
