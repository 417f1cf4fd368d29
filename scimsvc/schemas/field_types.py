"""The types of fields that bodies and command arguments are made of."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate

from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.resources import is_email_address

MAX_NAME_LENGTH = 200


def _printable(text: str) -> None:
    if not text.isprintable() or not is_storable(text):
        raise ValidationError("must be one line of printable characters")


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError("must not be blank")


class Name(fields.String):
    """A name that people gave: one line, not blank."""

    def __init__(self, *, max_length: int = MAX_NAME_LENGTH, **options: Any) -> None:
        rules: list[Callable[[str], Any]] = [_not_blank, _printable, validate.Length(max=max_length)]
        # For the API's description, which knows no functions.
        described = {"pattern": _DESCRIBED, **options.pop("metadata", {})}
        super().__init__(validate=rules, metadata=described, **options)


#: What the rules above check, as JSON Schema says it: words of printable characters, and blanks.
_WORD = r"[^\p{C}\p{Z}]+"
_DESCRIBED = rf"^ *{_WORD}( +{_WORD})* *$"
#: What ``is_email_address`` checks of printable text.
_PLAIN = r"[^\p{C}\p{Z}@<>()\[\],;:\\\"{more}]+"
_LOCAL, _LABEL = _PLAIN.replace("{more}", ""), _PLAIN.replace("{more}", ".")
EMAIL_PATTERN = rf"^{_LOCAL}@{_LABEL}(\.{_LABEL})*$"


class EmailAddress(Name):
    """An e-mail address, in any script."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"pattern": EMAIL_PATTERN}, **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        text = super()._deserialize(value, *args, **options)
        if not is_email_address(text):
            raise ValidationError("must be an e-mail address, such as name@example.com")
        return text


class Names(fields.List[str]):
    """A JSON list of names; marshmallow's own takes an object for the list of its keys."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Name(), **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **options)


class TruthValue(fields.Boolean):
    """``true`` or ``false``, and none of the words that could mean them."""

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class WholeNumber(fields.Integer):
    """A JSON number without a fraction, between two bounds; ``5.0`` is none other than ``5`` there."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(validate=validate.Range(least, most), **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if type(value) is float and value.is_integer():
            return int(value)
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A JSON number between two bounds."""

    def __init__(self, least: float, most: float, **options: Any) -> None:
        super().__init__(validate=validate.Range(least, most), **options)

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        if type(value) not in (int, float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *args, **options)
