"""Look up attributes of the table by the names that clients send (RFC 7644 §3.10).

Names are compared without regard to case. The tolerances for spellings of names are applied here.
"""

from functools import lru_cache

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import (
    EMAILS,
    EXTENSION,
    PHONE_NUMBERS,
    USER_ATTRIBUTES,
    Attribute,
    AttributePath,
    fold,
)
from scimsvc.protocol.errors import UnknownAttribute

#: Names that administrators map although they are not part of the standard (contract section 5).
SINGULAR_NAMES = {"email": EMAILS, "phonenumber": PHONE_NUMBERS}

_TOP_LEVEL = {fold(attribute.name): attribute for attribute in USER_ATTRIBUTES}
_CORE_PREFIX = fold(urns.CORE_USER)
_EXTENSION_PREFIX = fold(urns.ENTERPRISE_USER)


def is_singular_name(name: str) -> bool:
    """Return whether ``name`` begins with a singular name of a multi-valued attribute."""
    head = _without_core_urn(name).partition("[")[0].partition(".")[0]
    return fold(head) in SINGULAR_NAMES


def has_dot_after_urn(name: str) -> bool:
    """Return whether ``name`` has a dot instead of a colon, which Entra's old ``customappsso`` job sends."""
    folded = fold(name)
    return any(folded.startswith(prefix + ".") for prefix in (_CORE_PREFIX, _EXTENSION_PREFIX))


@lru_cache(maxsize=1024)
def resolve_name(name: str) -> AttributePath:
    """Return the path of the attribute called ``name``, without regard to case (RFC 7644 §3.10).

    ``name`` is ``title`` or ``name.familyName``, with or without the URN of the schema, or the bare URN of the
    extension. Raises ``UnknownAttribute``.
    """
    folded = fold(name)
    if folded == _EXTENSION_PREFIX:
        return AttributePath((EXTENSION,))
    if folded.startswith((_EXTENSION_PREFIX + ":", _EXTENSION_PREFIX + ".")):
        return AttributePath((EXTENSION, *_descend(EXTENSION, name[len(_EXTENSION_PREFIX) + 1 :], name)))
    head, dot, rest = _without_core_urn(name).partition(".")
    if dot and not rest:
        raise UnknownAttribute(name)
    attribute = _TOP_LEVEL.get(fold(head)) or SINGULAR_NAMES.get(fold(head))
    if attribute is None or attribute is EXTENSION:
        raise UnknownAttribute(name)
    return AttributePath((attribute, *(_descend(attribute, rest, name) if rest else ())))


def resolve_sub_attribute(parent: Attribute, name: str) -> AttributePath:
    """Return the path of the sub-attribute ``name``, relative to ``parent``. Raises ``UnknownAttribute``."""
    return AttributePath(_descend(parent, name, f"{parent.name}.{name}"))


def _descend(parent: Attribute, names: str, whole: str) -> tuple[Attribute, ...]:
    steps: list[Attribute] = []
    for name in names.split("."):
        step = (steps[-1] if steps else parent).find(name)
        if step is None:
            raise UnknownAttribute(whole)
        steps.append(step)
    return tuple(steps)


def _without_core_urn(name: str) -> str:
    if fold(name).startswith((_CORE_PREFIX + ":", _CORE_PREFIX + ".")):
        return name[len(_CORE_PREFIX) + 1 :]
    return name
