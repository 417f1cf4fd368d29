"""Filters: from text to nodes (RFC 7644 §3.4.2.2, Figure 1).

The nodes hold attributes of the table and values of the attribute's type, so that the two readers of a filter
(``matching`` over dicts, ``store.compiler`` to SQL) need to know neither spelling nor tolerance.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn

from scimsvc.protocol.attributes import (
    Attribute,
    AttributePath,
    resolve_name,
    resolve_sub_attribute,
)
from scimsvc.protocol.errors import InvalidFilter, UnknownAttribute, shown
from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.urns import ENTERPRISE_USER

EQUALITY = ("eq", "ne")
ORDER = ("gt", "ge", "lt", "le")
SUBSTRING = ("co", "sw", "ew")
OPERATORS = EQUALITY + SUBSTRING + ORDER


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``; a ``value`` of None asks for the unassigned. Dates come as ``datetime``."""

    path: AttributePath
    operator: str
    value: str | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Present:
    """``path pr``: the attribute has a value."""

    path: AttributePath


@dataclass(frozen=True, slots=True)
class And:
    """All of the operands hold."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the operands holds."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class ValuePath:
    """``path[condition]``: one and the same element meets the condition, whose paths are relative to it.

    ``path`` is multi-valued.
    """

    path: AttributePath
    condition: "Node"


Node = Comparison | Present | And | Or | Not | ValuePath


@lru_cache(maxsize=1024)
def parse_filter(text: str, limits: Limits = DEFAULTS) -> Node:
    """Return the node that ``text`` says; raises ``InvalidFilter``, also for unknown attributes."""
    if len(text) > limits.filter_length:
        raise InvalidFilter(f"the filter has {len(text)} characters; at most {limits.filter_length} are read")
    return _Parser(text, _resolve_in_filter, limits).whole()


def _resolve_in_filter(name: str) -> AttributePath:
    """Return the attribute that ``name`` means; one of the extension may stand without its URN.

    Entra's reference check asks ``id eq "…" and manager eq "…"``, where RFC 7644 §3.10 wants the extension's URN
    (entra.md section 5).
    """
    try:
        return resolve_name(name)
    except UnknownAttribute:
        with suppress(UnknownAttribute):
            return resolve_name(f"{ENTERPRISE_USER}:{name}")
        raise


def parse_condition(text: str, attribute: Attribute, limits: Limits) -> Node:
    """Return the node that ``text`` says of an element of ``attribute``; raises ``InvalidFilter``."""
    return _Parser(text, lambda name: resolve_sub_attribute(attribute, name), limits).whole()


def parse_instant(text: str) -> datetime | None:
    """Return the instant of an xsd:dateTime in UTC, or None where ``text`` is none (RFC 7643 §2.3.5)."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text.upper():
        return None
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # the year 1 or 9999, moved over the edge by its offset
        return None


_TOKEN = re.compile(
    r"""\s*(?: (?P<string>"(?:[^"\\]|\\.)*") | (?P<mark>[()\[\]]) | (?P<word>[^\s()\[\]"]+) )""", re.VERBOSE
)
_END = ""


class _Parser:
    """Recursive descent over the tokens of one filter; ``resolve`` gives the attribute that a name means."""

    def __init__(self, text: str, resolve: Callable[[str], AttributePath], limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.resolve = resolve
        self.tokens = self._tokenize(text)
        self.position = 0
        self.depth = 0
        self.conditions = 0

    def whole(self) -> Node:
        node = self._or()
        if self._next() != _END:
            self._fail(f"{shown(self._next())} is one too many")
        return node

    # Precedence, loosest first: or, and, not and brackets (RFC 7644 §3.4.2.2, "Order of operations").

    def _or(self) -> Node:
        operands = [self._and()]
        while self._take_word("or"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _and(self) -> Node:
        operands = [self._factor()]
        while self._take_word("and"):
            operands.append(self._factor())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _factor(self) -> Node:
        if self._next().lower() == "not" and self._next(1) == "(":
            self.position += 1
            return Not(self._bracketed())
        if self._next() == "(":
            return self._bracketed()
        if self._next().lower() == "not":
            self._fail("brackets are missing after not; write not (…)")
        return self._condition()

    def _bracketed(self) -> Node:
        self.position += 1
        self._deeper()
        node = self._or()
        self.depth -= 1
        self._expect(")")
        return node

    def _condition(self) -> Node:
        self.conditions += 1
        if self.conditions > self.limits.filter_conditions:
            self._fail(f"it has more than {self.limits.filter_conditions} conditions")
        name = self._word("an attribute")
        path = self._attribute(name)
        if self._next() == "[":
            return self._value_path(path)
        return self._comparison(path)

    def _value_path(self, path: AttributePath) -> Node:
        attribute = path.attribute
        if not attribute.sub_attributes:
            self._fail(f"{path} has no sub-attributes that [ ] could ask for")
        self.position += 1
        self._deeper()
        # Of a single-valued attribute there is one element at most: the brackets only lengthen the names in them.
        prefix = () if attribute.multi_valued else path.steps
        outer, self.resolve = self.resolve, lambda name: _below(prefix, attribute, name)
        condition = self._or()
        self.depth -= 1
        self._expect("]")
        if self._next().startswith("."):
            # Entra asks emails[type eq "work"].value eq "…", a comparison of the element that is meant; the
            # RFC's grammar ends at the bracket (tests/payloads/entra/matching).
            sub = self._attribute(self._word("a sub-attribute")[1:])
            condition = And((condition, self._comparison(sub)))
        self.resolve = outer
        return ValuePath(path, condition) if attribute.multi_valued else And((Present(path), condition))

    def _comparison(self, path: AttributePath) -> Node:
        operator = self._word("an operator").lower()
        if operator == "pr":
            return Present(path)
        if operator not in OPERATORS:
            self._fail(f"{shown(operator)} is no operator; there are {', '.join(OPERATORS)} and pr")
        token = self._next()
        if token in ("", "(", ")", "[", "]"):
            self._fail(f"a value is missing after {operator}")
        self.position += 1
        comparable = comparable_path(path)
        if comparable is None:
            self._fail(f"{path} has parts; compare one of them, such as {_example_part(path)}")
        return Comparison(comparable, operator, self._value(comparable, operator, token))

    def _value(self, path: AttributePath, operator: str, token: str) -> str | bool | datetime | None:
        attribute = path.attribute
        literal = self._literal(token)
        if literal is None:
            if operator not in EQUALITY:
                self._fail(f"null can be compared with eq and ne alone, not with {operator}")
            return None
        if attribute.type == "boolean":
            if operator not in EQUALITY:
                self._fail(f"{path} is a boolean, which {operator} cannot compare; eq and ne can")
            # Entra writes roles[primary eq "True"]: text against a boolean (entra.md section 7, rule 4).
            if isinstance(literal, str) and literal.lower() in ("true", "false"):
                return literal.lower() == "true"
            if not isinstance(literal, bool):
                self._fail(f"{path} is a boolean; compare it with true or false")
            return literal
        if not isinstance(literal, str):
            self._fail(f"{path} holds text; write the value in double quotes")
        if attribute.type == "dateTime" and operator not in SUBSTRING:
            instant = parse_instant(literal)
            if instant is None:
                self._fail(f"{shown(literal)} is no time; {path} is compared with one like 2026-11-23T08:00:00Z")
            return instant
        if attribute.type == "binary" and operator in ORDER:
            self._fail(f"{path} is binary, which {operator} cannot compare")
        return literal

    def _literal(self, token: str) -> str | bool | float | None:
        try:
            value = json.loads(token)
        except ValueError:
            self._fail(f"{shown(token)} is no value; text stands in double quotes, with the escapes of JSON")
        if isinstance(value, str) and not is_storable(value):
            self._fail("a value has a NUL character or half of a surrogate pair")
        if value is None or isinstance(value, str | bool | float):
            return value
        return float(0)  # whole numbers: no attribute is one, so that only their kind matters

    def _attribute(self, name: str) -> AttributePath:
        try:
            path = self.resolve(name)
        except UnknownAttribute as error:
            raise InvalidFilter(f"the filter asks for {shown(name)}: {error.detail}") from None
        if any(step.dropped for step in path.steps):
            raise InvalidFilter(f"the filter asks for {path}, which is not kept")
        return path

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > self.limits.filter_depth:
            self._fail(f"it is nested more than {self.limits.filter_depth} levels deep")

    def _next(self, ahead: int = 0) -> str:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else _END

    def _take_word(self, word: str) -> bool:
        if self._next().lower() != word:
            return False
        self.position += 1
        return True

    def _word(self, what: str) -> str:
        token = self._next()
        if token in ("", "(", ")", "[", "]") or token.startswith('"'):
            self._fail(f"{what} is missing" + (f" before {shown(token)}" if token else " at its end"))
        self.position += 1
        return token

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            self._fail(f"a {mark} is missing")
        self.position += 1

    def _tokenize(self, text: str) -> list[str]:
        tokens: list[str] = []
        position = 0
        end = len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                self._fail("a double quote is not closed")
            tokens.append(match[0].strip() if match["string"] is None else match["string"])
            position = match.end()
        return tokens

    def _fail(self, why: str) -> NoReturn:
        raise InvalidFilter(f"the filter {shown(self.text)} cannot be read: {why}")


def _below(prefix: tuple[Attribute, ...], attribute: Attribute, name: str) -> AttributePath:
    return AttributePath((*prefix, *resolve_sub_attribute(attribute, name).steps))


def conditions(node: Node) -> Iterator[Comparison | Present]:
    """Yield the conditions that ``node`` is put together from, each of which costs an evaluation."""
    if isinstance(node, And | Or):
        for operand in node.operands:
            yield from conditions(operand)
    elif isinstance(node, Not):
        yield from conditions(node.operand)
    elif isinstance(node, ValuePath):
        yield from conditions(node.condition)
    else:
        yield node


def comparable_path(path: AttributePath) -> AttributePath | None:
    """Return the path whose value is compared: ``emails co "x"`` means ``emails.value`` (RFC 7644 §3.4.2.2)."""
    if path.attribute.type != "complex":
        return path
    value = path.attribute.value
    return AttributePath((*path.steps, value)) if value else None


def _example_part(path: AttributePath) -> str:
    return str(AttributePath((*path.steps, path.attribute.sub_attributes[0])))
