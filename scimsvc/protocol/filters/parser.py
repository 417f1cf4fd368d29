"""The filter parser: text to nodes (RFC 7644 §3.4.2.2, Figure 1)."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from scimsvc.protocol.attributes import EMAILS, META, Attribute, AttributePath, element_of
from scimsvc.protocol.errors import InvalidFilter, UnknownAttribute, UnknownInFilter, listed, quoted
from scimsvc.protocol.filters.nodes import (
    EQUALITY,
    OPERATORS,
    ORDER,
    SUBSTRING,
    And,
    Comparison,
    Node,
    Not,
    Or,
    Present,
    ValuePath,
    comparable_path,
)
from scimsvc.protocol.filters.tokens import END, Tokens
from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.limits import DEFAULTS, Limits
from scimsvc.protocol.names import resolve_name, resolve_sub_attribute
from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.scalars import NUMBERS, find_number, is_number, parse_instant
from scimsvc.protocol.short_texts import cached_for_short_texts


class ParsedFilter(NamedTuple):
    """The node of a filter, and the tolerances that its text needs."""

    node: Node
    tolerances: tuple[Tolerance, ...]


@cached_for_short_texts
def read_filter(text: str, resource_type: ResourceType, limits: Limits) -> ParsedFilter:
    """Return the node of the filter ``text`` on resources of ``resource_type``, and the tolerances that it needs.

    Raises ``InvalidFilter``, also for unknown attributes.
    """
    if len(text) > limits.filter_length:
        raise InvalidFilter(f"The filter has {len(text)} characters. Shorten it to at most {limits.filter_length}.")
    parser = _Parser(text, lambda name: _resolve_in_filter(name, resource_type), limits)
    node = parser.parse()
    return ParsedFilter(node, (Tolerance.BLANK_IN_ADDRESS,) if parser.has_blank_in_address else ())


def parse_filter(text: str, resource_type: ResourceType, limits: Limits = DEFAULTS) -> Node:
    """Return the node of the filter ``text``; see ``read_filter``."""
    parsed: ParsedFilter = read_filter(text, resource_type, limits)
    return parsed.node


def _resolve_in_filter(name: str, resource_type: ResourceType) -> AttributePath:
    """Return the attribute called ``name``. An attribute of an extension may omit its URN.

    Entra's reference check sends ``id eq "…" and manager eq "…"``, although RFC 7644 §3.10 requires the extension's
    URN (Entra facts section 5).
    """
    try:
        return resolve_name(name, resource_type)
    except UnknownAttribute:
        for extension in resource_type.extensions:
            with suppress(UnknownAttribute):
                return resolve_name(f"{extension.urn}:{name}", resource_type)
        raise


def parse_condition(text: str, attribute: Attribute, limits: Limits) -> Node:
    """Return the node of the condition ``text`` on an element of ``attribute``. Raises ``InvalidFilter``."""
    return _Parser(text, lambda name: resolve_sub_attribute(attribute, name), limits).parse()


class _Parser:
    """Recursive descent over the tokens of one filter. ``resolve`` looks up attributes by name."""

    def __init__(self, text: str, resolve: Callable[[str], AttributePath], limits: Limits) -> None:
        self.tokens = Tokens(text)
        self.resolve = resolve
        self.limits = limits
        self.depth = 0
        self.conditions = 0
        self.has_blank_in_address = False

    def parse(self) -> Node:
        node = self._or()
        if self.tokens.peek() != END:
            self.tokens.fail(f"Unexpected {quoted(self.tokens.peek())} after its end. Join conditions with and or or.")
        return node

    # Precedence, lowest first: or, and, not and brackets (RFC 7644 §3.4.2.2, "Order of operations").

    def _or(self) -> Node:
        operands = [self._and()]
        while self.tokens.take_keyword("or"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _and(self) -> Node:
        operands = [self._factor()]
        while self.tokens.take_keyword("and"):
            operands.append(self._factor())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _factor(self) -> Node:
        is_not = self.tokens.peek().lower() == "not"
        if is_not and self.tokens.peek(1) == "(":
            self.tokens.skip()
            return Not(self._bracketed())
        if self.tokens.peek() == "(":
            return self._bracketed()
        if is_not:
            self.tokens.fail("Parentheses are missing after not. Write not (…).")
        return self._condition()

    def _bracketed(self) -> Node:
        self.tokens.skip()
        self._descend()
        node = self._or()
        self.depth -= 1
        self.tokens.expect(")")
        return node

    def _condition(self) -> Node:
        self.conditions += 1
        if self.conditions > self.limits.filter_conditions:
            self.tokens.fail(f"Use at most {self.limits.filter_conditions} conditions in one filter.")
        path = self._attribute(self.tokens.take_word("An attribute"))
        if self.tokens.peek() == "[":
            return self._value_path(path)
        return self._comparison(path)

    def _value_path(self, path: AttributePath) -> Node:
        attribute = path.attribute
        if not attribute.sub_attributes and not attribute.multi_valued:
            self.tokens.fail(f"The attribute {path} has no sub-attributes. Remove the brackets after it.")
        self.tokens.skip()
        self._descend()
        # A single-valued attribute has at most one element: the brackets only save writing its name again.
        prefix = () if attribute.multi_valued else path.steps
        element = element_of(attribute) if attribute.multi_valued else attribute
        outer, self.resolve = self.resolve, lambda name: _below(prefix, element, name)
        condition = self._or()
        self.depth -= 1
        self.tokens.expect("]")
        if self.tokens.peek().startswith("."):
            # Entra sends emails[type eq "work"].value eq "…", which compares the selected element. The grammar
            # of the RFC ends at the bracket (tests/payloads/entra/matching).
            sub = self._attribute(self.tokens.take_word("A sub-attribute")[1:])
            condition = And((condition, self._comparison(sub)))
        self.resolve = outer
        return ValuePath(path, condition) if attribute.multi_valued else And((Present(path), condition))

    def _comparison(self, path: AttributePath) -> Node:
        operator = self.tokens.take_word("An operator").lower()
        if operator == "pr":
            return Present(path)
        if operator not in OPERATORS:
            self.tokens.fail(f"Unknown operator {quoted(operator)}. Use one of {listed((*OPERATORS, 'pr'))}.")
        token = self.tokens.take_value(operator)
        comparable = comparable_path(path)
        if comparable is None:
            self.tokens.fail(f"The attribute {path} is complex. Compare a part of it, such as {_example_part(path)}.")
        return Comparison(comparable, operator, self._value(comparable, operator, token))

    def _value(self, path: AttributePath, operator: str, token: str) -> str | bool | int | float | datetime | None:
        attribute = path.attribute
        literal = self._literal(token)
        if literal is None:
            if operator not in EQUALITY:
                self.tokens.fail(f"The operator {operator} cannot compare null. Use eq or ne.")
            return None
        if attribute.type == "boolean":
            return self._boolean(path, operator, literal)
        if attribute.type in NUMBERS:
            return self._number(path, operator, literal)
        if not isinstance(literal, str):
            self.tokens.fail(f"The attribute {path} is a string. Write the value in double quotes.")
        if attribute.type == "dateTime" and operator in SUBSTRING and path.steps[0] is not META:
            self.tokens.fail(f"The attribute {path} is a time. Use eq, ne, gt, ge, lt or le instead of {operator}.")
        if attribute.type == "dateTime" and operator not in SUBSTRING:
            instant = parse_instant(literal)
            if instant is None:
                self.tokens.fail(
                    f"{quoted(literal)} is not a time. Compare {path} with one such as 2026-11-23T08:00:00Z."
                )
            return instant
        if attribute is EMAILS.value and " " in literal:
            # No address contains a blank. In a URL, a plus sign that is not encoded means one.
            self.has_blank_in_address = True
            return literal.replace(" ", "+")
        if attribute.type == "binary" and operator in ORDER:
            self.tokens.fail(f"The attribute {path} is binary. Use eq or ne instead of {operator}.")
        return literal

    def _boolean(self, path: AttributePath, operator: str, literal: str | bool | float) -> bool:
        if operator not in EQUALITY:
            self.tokens.fail(f"The attribute {path} is a boolean. Use eq or ne instead of {operator}.")
        # Entra writes roles[primary eq "True"], which compares a boolean with text (Entra facts section 7 rule 4).
        if isinstance(literal, str) and literal.lower() in ("true", "false"):
            return literal.lower() == "true"
        if not isinstance(literal, bool):
            self.tokens.fail(f"The attribute {path} is a boolean. Compare it with true or false.")
        return literal

    def _number(self, path: AttributePath, operator: str, literal: str | bool | float) -> int | float:
        if operator in SUBSTRING:
            self.tokens.fail(f"The attribute {path} is a number. Use eq, ne, gt, ge, lt or le instead of {operator}.")
        # Providers that send all values as text also compare with text, as for booleans.
        number = find_number("decimal", literal) if isinstance(literal, str) else literal
        if number is None or not any(is_number(kind, number) for kind in NUMBERS):
            self.tokens.fail(f"The attribute {path} is a number. Compare it with one of at most 15 digits, such as 42.")
        return number

    def _literal(self, token: str) -> str | bool | float | None:
        try:
            value = json.loads(token)
        except ValueError:
            self.tokens.fail(
                f"{quoted(token)} is not a valid value. Quote strings with double quotes and JSON escapes."
            )
        if isinstance(value, str) and not is_storable(value):
            self.tokens.fail("A value contains a NUL character or half of a surrogate pair. Remove it.")
        if value is not None and not isinstance(value, str | bool | int | float):
            self.tokens.fail("Compare with a string, a number, true, false or null.")
        return value

    def _attribute(self, name: str) -> AttributePath:
        try:
            path = self.resolve(name)
        except UnknownAttribute as error:
            raise UnknownInFilter(f"The filter is not valid. {error.detail}") from None
        if any(step.dropped for step in path.steps):
            raise InvalidFilter(f"The filter uses {path}, which is not stored. Remove this condition.")
        return path

    def _descend(self) -> None:
        self.depth += 1
        if self.depth > self.limits.filter_depth:
            self.tokens.fail(f"It is nested too deeply. Use at most {self.limits.filter_depth} levels.")


def _below(prefix: tuple[Attribute, ...], attribute: Attribute, name: str) -> AttributePath:
    return AttributePath((*prefix, *resolve_sub_attribute(attribute, name).steps))


def _example_part(path: AttributePath) -> str:
    return str(AttributePath((*path.steps, path.attribute.sub_attributes[0])))
