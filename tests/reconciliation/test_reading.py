"""Exports of directories are recognized, and a faulty line does not stop the rest."""

import io
import json
from typing import Any

import pytest

from scimsvc.errors import InvalidInput
from scimsvc.reconciliation.columns import parse_mapping
from scimsvc.reconciliation.reading import Person, read_export

ENTRA = (
    "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,"
    "usageLocation,streetAddress,state,country\r\n"
    "ann@x.example,Ann Lee,Lee,Ann.Lee@x.example,Ann,id-1,Member,,,True,DE,,Bavaria,\r\n"
)
ANN = Person(2, "id-1", "ann@x.example", "Ann.Lee@x.example", True, "Ann", "Lee", "Ann Lee")
GRAPH: dict[str, Any] = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
    "@odata.nextLink": "https://graph.microsoft.com/v1.0/users?$skiptoken=x",
    "value": [
        {"businessPhones": [], "displayName": "Ann Lee", "givenName": "Ann", "mail": None, "surname": "Lee"}
        | {"userPrincipalName": "ann@x.example", "id": "id-1", "accountEnabled": False},
        {"id": "id-2", "userPrincipalName": "b"},
    ],
}
IN_GRAPH = [Person(1, "id-1", "ann@x.example", "", False, "Ann", "Lee", "Ann Lee"), Person(2, "id-2", "b")]
OKTA_API = {
    "id": "00u1",
    "status": "DEPROVISIONED",
    "profile": {"login": "ann", "email": "a@x.example", "lastName": "L"},
}
SCIM = {
    "userName": "ann",
    "emails": [{"value": "home@x.example", "type": "home"}, {"value": "a@x.example", "type": "work"}],
    "roles": [{"value": "User"}],
    "name": {"givenName": "Ann"},
}

FILES: dict[str, tuple[str | bytes, str, list[Person]]] = {
    "Entra's users": (ENTRA, "Entra users", [ANN]),
    "the same with a byte order mark": (b"\xef\xbb\xbf" + ENTRA.encode(), "Entra users", [ANN]),
    "the same as Unicode text of Excel": (ENTRA.replace(",", "\t").encode("utf-16"), "Entra users", [ANN]),
    "the same as UTF-16 without a mark": (ENTRA.encode("utf-16-le"), "Entra users", [ANN]),
    "the same with semicolons and sep=": (
        "sep=;\r\n" + ENTRA.replace(",", ";"),
        "Entra users",
        [ANN._replace(line=3)],
    ),
    "Entra's new name of the ID": (ENTRA.replace("objectId", "id"), "Entra users", [ANN]),
    "members of a group": (
        "id,userPrincipalName,displayName,objectType\n1,ann,Ann,User\n2,,Sales,Group\n3,bob,Bob,User\n",
        "Entra group members",
        [Person(2, "1", "ann", display_name="Ann"), Person(4, "3", "bob", display_name="Bob")],
    ),
    "a template of Entra": (
        "version:v1.0,,\nName [displayName] Required,User name [userPrincipalName] Required\nAnn,ann\n",
        "Entra users",
        [Person(3, None, "ann", display_name="Ann")],
    ),
    "Okta's users": (
        "login,email,firstName,lastName,status\nann,a@x.example,Ann,Lee,LOCKED_OUT\nbob,b@x.example,Bob,,SUSPENDED\n",
        "Okta users",
        [
            Person(2, None, "ann", "a@x.example", True, "Ann", "Lee"),
            Person(3, None, "bob", "b@x.example", None, "Bob", ""),
        ],
    ),
    "pages of Graph": (
        json.dumps(GRAPH, indent=2) + "\n" + json.dumps({"value": [{"id": "id-3"}]}),
        "Entra users",
        [*IN_GRAPH, Person(3, "id-3")],
    ),
    "one line of Graph": (json.dumps(GRAPH), "Entra users", IN_GRAPH),
    "lines of Graph": ("\n".join(map(json.dumps, GRAPH["value"])), "Entra users", IN_GRAPH),
    "a list of Okta's API": (
        json.dumps([OKTA_API]),
        "Okta users",
        [Person(1, "00u1", "ann", "a@x.example", False, None, "L")],
    ),
    "a SCIM ListResponse": (
        json.dumps({"schemas": ["x"], "totalResults": 1, "Resources": [SCIM]}).replace('["x"]', '"x"'),
        "users",
        [Person(1, None, "ann", "a@x.example", None, "Ann", role="User")],
    ),
    "names of SCIM in another case": (
        'USERNAME, emails[type eq "work"].value ,Active,ROLE,external_id\nann,a@x.example,no,User,e\n',
        "users",
        [Person(2, "e", "ann", "a@x.example", False, role="User")],
    ),
    "a quoted line break and empty lines": (
        'userName,displayName\n\n"ann","Ann\nLee"\n , \n\n=bob,\n',
        "users",
        [Person(3, None, "ann", display_name="Ann\nLee"), Person(7, None, "=bob", display_name="")],
    ),
    "a guarded formula": ("userName\n'+ann\n", "users", [Person(2, None, "+ann")]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_format_is_recognized(name: str) -> None:
    content, source, people = FILES[name]
    export = read_export(io.BytesIO(content.encode() if isinstance(content, str) else content), {})

    assert list(export.people) == people
    assert export.columns.source == source


FAULTS: dict[str, tuple[str | bytes, dict[int, str], int]] = {
    "too many cells": ("userName\nann,x\nbob\n", {2: "2 cells"}, 1),
    "an invalid quotation": ('userName,email\n"a"b,c\nbob,\n', {2: "Invalid CSV"}, 1),
    "an unknown state": ("userName,status\nann,maybe\nbob,active\n", {2: "Unknown state 'maybe'"}, 1),
    "no identification": ("userName,email,displayName\n,,Ann\nbob,,\n", {2: "Nothing identifies"}, 1),
    "another encoding": (b"userName\nj\xfcrgen\nbob\n", {2: "Not UTF-8 text"}, 1),
    "NUL": ("userName\na\0b\nbob\n", {2: "userName: A NUL character"}, 1),
    "a long cell": (f"userName,x\n{'a' * 20_000},\nbob,\n", {2: "More than 10,000 characters"}, 1),
    "a long line": (f"userName\n{'a' * 3_000_000}\nbob\n", {2: "more than 1,000,000 characters"}, 1),
    "a missing quotation mark": ('userName\n"ann\n' + "bob\n" * 100_000, {2: "field larger than field limit"}, 1),
    "a line of JSON": (
        '{"userName":"a"}\n{"userName":\n[]\n{"x":1}\n{"userName":"b"}',
        {2: "Invalid JSON", 3: "Not a JSON object", 4: "No member identifies"},
        2,
    ),
    "a long line of JSON": ('{"userName":"a"}\n{"x":"' + "y" * 2_000_000 + '"}\n{"userName":"b"}', {2: "1,000,000"}, 2),
    "the end of JSON": ('[{"userName":"a"},{"userName":"b"', {2: "The rest of the file was not read"}, 1),
    "no end of JSON": ('[{"userName":"a"},', {2: "probably incomplete"}, 1),
    "nested JSON": ('[{"userName":"a"},' + "[" * 200_000, {2: "Invalid JSON"}, 1),
    "a large number": ('{"userName":"a"}\n{"userName":' + "9" * 10_000 + "}", {2: "Invalid JSON"}, 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_line_is_named_and_does_not_stop_the_rest(name: str) -> None:
    content, problems, valid = FAULTS[name]
    people = list(read_export(io.BytesIO(content.encode() if isinstance(content, str) else content), {}).people)

    found = {person.line: person.problem for person in people if person.problem}
    for line, words in problems.items():
        assert words in found[line]
    if name != "a missing quotation mark":  # the lines that it swallowed are named together
        assert (len(found), len(people) - len(found)) == (len(problems), valid)


UNRECOGNIZED: dict[str, tuple[bytes, list[str], list[str]]] = {
    "unknown columns": (b"Vorname,Nachname\nAnn,Lee\n", [], ["'Vorname', 'Nachname'", "--column userName=login"]),
    "an empty file": (b"", [], ["empty"]),
    "blank lines": (b"\n\n \n", [], ["empty"]),
    "a missing column": (b"userName\nann\n", ["email=Mail"], ["no column 'Mail'", "'userName'"]),
    "an Excel workbook": (b"PK\x03\x04rest", [], ["Excel workbook", "Save it as CSV"]),
    "binary": (bytes(range(256)) * 40, [], ["not recognized"]),
    "ten thousand columns": (",".join(f"c{n}" for n in range(10_000)).encode(), [], ["and 9990 more"]),
    "a huge line": (b"x" * 5_000_000, [], ["more than 1,000,000 characters"]),
    "another JSON object": (b'{"error": {"code": "InvalidAuthenticationToken"}}', [], ["error.code"]),
}


@pytest.mark.parametrize("name", UNRECOGNIZED)
def test_an_unrecognized_file_is_refused_with_its_columns(name: str) -> None:
    content, mapping, words = UNRECOGNIZED[name]

    with pytest.raises(InvalidInput) as refusal:
        list(read_export(io.BytesIO(content), parse_mapping(mapping)).people)

    assert [word for word in words if word not in str(refusal.value)] == []
    assert len(str(refusal.value)) < 1500


def test_columns_can_be_assigned() -> None:
    content = b"Kennung;Mail;mail\nann;a@x.example;b@x.example\n"
    export = read_export(io.BytesIO(content), parse_mapping(["USERNAME=kennung", "e-mail=MAIL"]))

    assert list(export.people) == [Person(2, None, "ann", "a@x.example")]
    assert export.columns.found == {"userName": "Kennung", "email": "Mail"}


@pytest.mark.parametrize("words", ["userName", "userName=", "boss=x", "=x"])
def test_an_unknown_assignment_is_refused(words: str) -> None:
    with pytest.raises(InvalidInput, match="Unknown column assignment"):
        parse_mapping([words])


def test_an_encoding_can_be_chosen() -> None:
    content = "userName\njürgen\n".encode("cp1252")

    assert list(read_export(io.BytesIO(content), {}, "cp1252").people) == [Person(2, None, "jürgen")]
