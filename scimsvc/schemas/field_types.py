"""The types of fields in bodies, command arguments and queries.

Each field has a description for the API's description. Messages say what to enter, because people read them at the
field of a form, after the name of a command's option or in a problem document.
"""

from collections.abc import Callable, Iterable, Sized
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from scimsvc.protocol.errors import listed
from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.users import is_email_address
from scimsvc.schemas.limits import MAX_NAME_LENGTH


class InputSchema(Schema):
    """The base of all schemas that read input."""

    error_messages = {  # noqa: RUF012  # marshmallow declares it as an attribute of instances
        "type": "Enter an object.",
        "unknown": "This field does not exist. Remove it.",
    }


def one_of(choices: Iterable[Any]) -> validate.OneOf:
    """Return a validator that accepts only ``choices``."""
    accepted = tuple(choices)
    return validate.OneOf(accepted, error=f"Enter one of {listed(map(str, accepted))}.")


def at_most(most: int, unit: str = "characters") -> Callable[[Sized], Any]:
    """Return a validator for a maximum length, in ``unit``."""
    return validate.Length(max=most, error=f"Enter at most {most:,} {unit}.")


def _printable(text: str) -> None:
    if not text.isprintable() or not is_storable(text):
        raise ValidationError("Enter one line of printable characters.")


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError("Enter a value.")


class Text(fields.String):
    """A string."""

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(**_described(description, "Enter a string.", options))


class Name(Text):
    """A name that a person entered: one line, not blank."""

    def __init__(self, description: str = "", *, max_length: int = MAX_NAME_LENGTH, **options: Any) -> None:
        # The rules are functions, which the API's description does not show. The pattern describes them.
        options["metadata"] = {"pattern": _NAME_PATTERN, **options.get("metadata", {})}
        super().__init__(description, validate=[_not_blank, _printable, at_most(max_length)], **options)


class Line(Text):
    """One line of text, which may be empty."""

    def __init__(self, description: str = "", *, max_length: int, **options: Any) -> None:
        super().__init__(description, validate=[_printable, at_most(max_length)], **options)


#: The rules of ``Name`` as JSON Schema: words of printable characters, and spaces.
_WORD = r"[^\p{C}\p{Z}]+"
_NAME_PATTERN = rf"^ *{_WORD}( +{_WORD})* *$"
#: The rules of ``is_email_address`` for printable text.
_PLAIN = r"[^\p{C}\p{Z}@<>()\[\],;:\\\"{more}]+"
_LOCAL, _LABEL = _PLAIN.replace("{more}", ""), _PLAIN.replace("{more}", ".")
EMAIL_PATTERN = rf"^{_LOCAL}@{_LABEL}(\.{_LABEL})*$"


class EmailAddress(Name):
    """An e-mail address, in any script."""

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(description, metadata={"pattern": EMAIL_PATTERN}, **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        text = super()._deserialize(value, *args, **options)
        if not is_email_address(text):
            raise ValidationError("Enter an e-mail address, such as name@example.com.")
        return text


class Names(fields.List[str]):
    """A JSON list of names. marshmallow's own list also accepts an object and uses its keys."""

    def __init__(self, description: str = "", *, of: Text | None = None, **options: Any) -> None:
        super().__init__(of or Name(), **_described(description, "Enter a list of names.", options))

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **options)


class TruthValue(fields.Boolean):
    """``true`` or ``false``. Words with the same meaning are not accepted."""

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(**_described(description, "Enter true or false.", options))

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class WholeNumber(fields.Integer):
    """A JSON number without a fraction, between two bounds. ``5.0`` equals ``5``."""

    def __init__(self, least: int, most: int, description: str = "", **options: Any) -> None:
        message = f"Enter a whole number from {least:,} to {most:,}."
        super().__init__(
            validate=validate.Range(least, most, error=message), **_described(description, message, options)
        )

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if type(value) is float and value.is_integer():
            return int(value)
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A JSON number between two bounds."""

    def __init__(self, least: float, most: float, description: str = "", **options: Any) -> None:
        message = f"Enter a number from {least:,} to {most:,}."
        super().__init__(
            validate=validate.Range(least, most, error=message), **_described(description, message, options)
        )

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if type(value) not in (int, float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *args, **options)


def _described(description: str, invalid: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the ``options`` of a field with its description and messages. ``invalid`` is for a wrong type."""
    messages = {"required": "Enter a value.", "null": "Enter a value other than null."}
    messages |= dict.fromkeys(("invalid", "invalid_utf8", "too_large", "special"), invalid)
    metadata = options.get("metadata", {}) | ({"description": description} if description else {})
    return options | {"metadata": metadata, "error_messages": messages | options.get("error_messages", {})}
