"""Bodies and command arguments outside SCIM, validated and normalised by marshmallow; made once, used for all."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.protocol.resources import is_email_address

MAX_NAME_LENGTH = 200
MAX_ALIASES = 100
#: The scopes of a token, the usual one first; ``scimsvc.auth.tokens`` says what each opens.
SCOPES = ("scim", "api")


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


class EnterpriseSchema(Schema):
    """A new enterprise."""

    name = Name(required=True)
    default_role = Name(required=True)
    roles = Names(load_default=list)
    scim_enabled = TruthValue(load_default=False)


class RemovalLimitSchema(Schema):
    """How many users may be disabled or deleted within some hours: a number, a percentage, or the smaller of both."""

    users = WholeNumber(0, 10_000_000, allow_none=True)
    percent = WholeNumber(1, 100, allow_none=True)
    hours = WholeNumber(1, 24 * 366)

    @validates_schema
    def _limits_something(self, given: dict[str, Any], **_: Any) -> None:
        if given.get("users") is None and given.get("percent") is None:
            raise ValidationError("needs users or percent, or both", "users")


class EnterpriseChangesSchema(Schema):
    """What may be changed of an enterprise (contract section 8, ``/enterprise``)."""

    scim_enabled = TruthValue()
    default_role = Name()
    unique_user_name = TruthValue()
    reject_unknown_attributes = TruthValue()
    removal_limit = fields.Nested(RemovalLimitSchema, allow_none=True)
    paused = TruthValue()


class RoleSchema(Schema):
    """A role (contract section 8, ``/roles``)."""

    name = Name(required=True)
    aliases = Names(load_default=list, validate=validate.Length(max=MAX_ALIASES))
    restrict_editing = TruthValue(load_default=False)
    is_default = TruthValue(validate=validate.OneOf((True,), error="can be made true alone; then another role is not"))


class IntegrationSchema(Schema):
    """An integration (contract section 8, ``/integrations``)."""

    name = Name(required=True)


class RotationSchema(Schema):
    """How long the secret before stays good."""

    overlap_hours = Number(0, 24 * 365, load_default=0.0)


class TokenSchema(Schema):
    """A token to issue (contract section 8, ``/tokens``); by the first integration unless told otherwise."""

    scope = fields.String(load_default=SCOPES[0], validate=validate.OneOf(SCOPES))
    days = WholeNumber(1, 3650)
    client_id = Name()


class ManualUserSchema(Schema):
    """A manual user (contract section 8, ``/users``)."""

    email = EmailAddress(required=True, max_length=MAX_KEY_LENGTH)
    user_name = Name(required=True, max_length=MAX_KEY_LENGTH)
    given_name = Name(allow_none=True)
    family_name = Name(allow_none=True)
    phone = Name(allow_none=True)
    title = Name(allow_none=True)
    organization = Name(allow_none=True)
    role = Name(allow_none=True)
    external_id = Name(max_length=MAX_KEY_LENGTH, allow_none=True)
    active = TruthValue(load_default=True)


class AdminSchema(Schema):
    """An account of the console."""

    email = EmailAddress(required=True, max_length=MAX_KEY_LENGTH)


class ProfileSchema(Schema):
    """What a user may edit of its own (contract section 6); null takes a value away."""

    title = Name(allow_none=True)
    organization = Name(allow_none=True)


class ExplainSchema(Schema):
    """A SCIM request to be explained (contract section 8, ``/explain``)."""

    method = fields.String(required=True, validate=validate.OneOf(("GET", "POST", "PUT", "PATCH", "DELETE")))
    path = Name(required=True, max_length=10_000)
    body = fields.Raw(allow_none=True)


class TokenRequestSchema(Schema):
    """The form of the token endpoint (RFC 6749 §4.4.2); an empty parameter counts as absent (§3.2)."""

    class Meta:
        """Unrecognised parameters are ignored (RFC 6749 §3.2)."""

        unknown = EXCLUDE

    grant_type = fields.String(required=True, error_messages={"required": "is missing; it must be client_credentials"})
    scope = fields.String()


class RevocationRequestSchema(Schema):
    """The form of the revocation endpoint (RFC 7009 §2.1)."""

    class Meta:
        """Unrecognised parameters are ignored; so is ``token_type_hint``, as there is one type."""

        unknown = EXCLUDE

    token = fields.String(required=True, error_messages={"required": "is missing; it must be the token to revoke"})


ENTERPRISE = EnterpriseSchema()
ENTERPRISE_CHANGES = EnterpriseChangesSchema()
ROLE = RoleSchema()
INTEGRATION = IntegrationSchema()
ROTATION = RotationSchema()
TOKEN = TokenSchema()
MANUAL_USER = ManualUserSchema()
ADMIN = AdminSchema()
PROFILE = ProfileSchema()
EXPLAIN = ExplainSchema()
TOKEN_REQUEST = TokenRequestSchema()
REVOCATION_REQUEST = RevocationRequestSchema()


def load(schema: Schema, given: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """Return ``given`` as ``schema`` normalises it, with defaults unless ``partial``; raises ``ValidationError``."""
    return dict(schema.load(given, partial=partial))


def messages_of(error: ValidationError) -> str:
    """Return every message of ``error`` in one line: ``name: must not be blank; roles: …``."""
    return "; ".join(
        f"{name}: {message}" for name, messages in messages_by_field(error).items() for message in messages
    )


def messages_by_field(error: ValidationError) -> dict[str, list[str]]:
    """Return every message of ``error`` under the dotted name of its field."""
    found: dict[str, list[str]] = {}
    for path, message in _flattened(error.messages_dict, ()):
        found.setdefault(".".join(path), []).append(message.rstrip("."))
    return found


def _flattened(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(messages, dict):
        for name, below in messages.items():
            # Marshmallow's own name for what is wrong with an object as a whole is no field.
            yield from _flattened(below, path if name == "_schema" and path else (*path, str(name)))
    else:
        yield from ((path, message) for message in messages)
