"""Read the people of a directory export, whatever its format."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, NamedTuple, TextIO

from scimsvc.errors import InvalidInput
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import quoted
from scimsvc.protocol.json_text import is_storable
from scimsvc.reconciliation.columns import IDENTIFYING, Columns
from scimsvc.reconciliation.csv_reading import read_rows
from scimsvc.reconciliation.decoding import open_text
from scimsvc.reconciliation.json_reading import is_json, read_records
from scimsvc.web.csv_lines import read_cell

#: Whether a person with each state may use applications. Okta does not tell applications about a suspension.
_STATES: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "yes", "1", "enabled", "active", "provisioned", "recovery"), True),
    **dict.fromkeys(("locked_out", "locked out", "password_expired", "password expired", "password reset"), True),
    **dict.fromkeys(("false", "no", "0", "disabled", "inactive", "staged", "deprovisioned", "deactivated"), False),
    **dict.fromkeys(("", "suspended"), None),
}
#: The values of ``objectType`` for users.
_USERS = frozenset({"", "user", "#microsoft.graph.user", "member", "guest"})
#: Cells that are longer identify no one and are not compared.
_LONGEST = 10_000


class Person(NamedTuple):
    """A person of the directory, or a problem of a line.

    None means that the file does not have the attribute. An empty text means that the person does not have it. A line
    with an invalid value still identifies its person.
    """

    line: int
    external_id: str | None = None
    user_name: str | None = None
    email: str | None = None
    active: bool | None = None
    given_name: str | None = None
    family_name: str | None = None
    display_name: str | None = None
    role: str | None = None
    problem: str = ""


@dataclass
class Export:
    """A directory export: its format, and its people, which can be read once."""

    columns: Columns
    people: Iterator[Person] = field(default_factory=lambda: iter(()))
    #: The lines that are not about users, such as groups in a group.
    others: int = 0


def read_export(file: IO[bytes], mapping: Mapping[str, str], encoding: str | None = None) -> Export:
    """Return the export in ``file``. ``mapping`` has the columns that the user chose, by attribute.

    Raises ``InvalidInput`` if the file is not recognized.
    """
    text = open_text(file, encoding)
    export = Export(Columns(mapping))
    people = _from_json(text.stream, export) if is_json(text.beginning) else _from_csv(text.stream, export)
    try:
        first = next(people)
    except StopIteration:
        if not export.columns.found:
            raise InvalidInput("The file is empty. Its first line must name the columns.") from None
    else:
        export.people = chain((first,), people)
    return export


def _from_csv(text: TextIO, export: Export) -> Iterator[Person]:
    rows = read_rows(text)
    header = next(rows, None)
    if header is None:
        return
    if header.problem:
        raise InvalidInput(f"Line {header.number}: {header.problem}.")
    positions, width = export.columns.choose(header.cells), len(header.cells)
    for row in rows:
        if row.problem:
            yield Person(row.number, problem=row.problem)
        elif any(cell.strip() for cell in row.cells[width:]):
            problem = f"The line has {len(row.cells):,} cells, but the first line names {width:,} columns"
            yield Person(row.number, problem=problem)
        else:
            cells = row.cells
            values = {name: cells[at] for name, at in positions.items() if at < len(cells)}
            yield from _person(row.number, values, export)


def _from_json(text: TextIO, export: Export) -> Iterator[Person]:
    chosen: tuple[tuple[str, ...], dict[str, int]] = ((), {})
    for record in read_records(text):
        if record.problem:
            yield Person(record.number, problem=record.problem)
            continue
        names = tuple(record.members)
        if names != chosen[0]:
            chosen = names, _choose(export, names, record.number)
        cells = list(record.members.values())
        if chosen[1]:
            yield from _person(record.number, {name: cells[at] for name, at in chosen[1].items()}, export)
        else:
            yield Person(record.number, problem="No member identifies a user")


def _choose(export: Export, names: Sequence[str], number: int) -> dict[str, int]:
    """Return the positions of the attributes. Only the first object decides whether the file is recognized."""
    try:
        return export.columns.choose(names)
    except InvalidInput:
        if number == 1:
            raise
        return {}


def _person(number: int, values: Mapping[str, str], export: Export) -> Iterator[Person]:
    """Yield the person in the ``values`` of a line by attribute, or its problem."""
    if fold(values.get("", "").strip()) not in _USERS:
        export.others += 1
        return
    texts = {name: read_cell(value.strip()) for name, value in values.items() if name}
    state = texts.pop("active", None)
    problem = _find_problem(texts, state)
    if problem:
        external_id, user_name, email = (_readable(texts.get(name)) for name in IDENTIFYING)
        yield Person(number, external_id, user_name, email, problem=problem)
        return
    yield Person(
        number,
        external_id=texts.get("externalId"),
        user_name=texts.get("userName"),
        email=texts.get("email"),
        active=None if state is None else _STATES[fold(state)],
        given_name=texts.get("givenName"),
        family_name=texts.get("familyName"),
        display_name=texts.get("displayName"),
        role=texts.get("role"),
    )


def _find_problem(texts: Mapping[str, str], state: str | None) -> str:
    """Return the problem of a line, or "" if it has none."""
    for name, text in texts.items():
        fault = _find_fault(text)
        if fault:
            return f"{name}: {fault}"
    if state is not None and fold(state) not in _STATES:
        return f"active: Unknown state {quoted(state)}"
    return "" if any(texts.get(name) for name in IDENTIFYING) else "Nothing identifies the user"


def _find_fault(text: str) -> str:
    """Return the fault of a value, or "" if it has none."""
    if "\0" in text:
        return "A NUL character"
    if not is_storable(text):
        return "Not UTF-8 text; save the file as UTF-8, or use --encoding"
    return f"More than {_LONGEST:,} characters" if len(text) > _LONGEST else ""


def _readable(text: str | None) -> str | None:
    return None if text is None or _find_fault(text) else text
