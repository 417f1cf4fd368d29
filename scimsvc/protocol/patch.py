"""PATCH as a pure function: a resource and operations in, a new resource out (RFC 7644 §3.5.2).

The operations are in the shapes of the RFCs, which ``protocol.reading`` ensures: names are canonical, values have the
attribute's type, and an absent value is None. ``protocol.resources`` validates the result as a whole once, after the
last operation. Rules for whole users are in ``protocol.users``.
"""

from collections.abc import Callable, Sequence
from itertools import filterfalse
from typing import Any, NamedTuple

from scimsvc.protocol.addresses import unmarked_elements
from scimsvc.protocol.attributes import EMAILS, Attribute, Resource
from scimsvc.protocol.elements import end_older_primary, is_primary, merged_elements, with_added
from scimsvc.protocol.errors import InvalidValue, Mutability, NoTarget
from scimsvc.protocol.filters.matching import comparable, make_test
from scimsvc.protocol.named_elements import named_by
from scimsvc.protocol.patch_work import PatchWork
from scimsvc.protocol.reading.paths import PatchPath
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance


class Operation(NamedTuple):
    """One change. ``op`` is add, replace or remove. A ``value`` of None means absent (RFC 7643 §2.5)."""

    op: str
    path: PatchPath
    value: Any = None


def apply_patch(resource: Resource, operations: Sequence[Operation], notes: RequestNotes | None = None) -> Resource:
    """Return ``resource`` with every operation applied in order (RFC 7644 §3.5.2).

    ``resource`` itself does not change. Raises ``Mutability`` for readOnly and required attributes, ``NoTarget`` if a
    value path matches no element and does not describe a new one, and ``InvalidValue`` if an operation sets two primary
    elements or if the operations take too much work.
    """
    patched = dict(resource)
    for name in {operation.path.target.steps[0].name for operation in operations}:
        if type(patched.get(name)) in _NESTED:
            patched[name] = _copied(patched[name])
    work = PatchWork(notes or RequestNotes())
    for operation in operations:
        _apply(patched, operation, work)
    return patched


def _copied(value: Any) -> Any:
    """Return a deep copy of a JSON value. ``deepcopy`` takes ten times as long, because it handles any object."""
    if type(value) is dict:
        return {name: _copied(member) if type(member) in _NESTED else member for name, member in value.items()}
    return [_copied(element) if type(element) in _NESTED else element for element in value]


_NESTED = (dict, list)


def _apply(resource: Resource, operation: Operation, work: PatchWork) -> None:
    *parents, attribute = operation.path.target.steps
    _refuse_immutable(operation)
    container = resource
    for parent in parents:
        container = container.setdefault(parent.name, {})
    if attribute.multi_valued:
        _change_elements(container, attribute, operation, work)
    elif operation.op == "remove":
        _remove_single(container, attribute, operation.value, work)
    else:
        _set_single(container, attribute, operation, operation.value, work)


def refuse_read_only(path: PatchPath) -> None:
    """Raise ``Mutability`` if only this service can set the attribute at ``path`` (RFC 7644 §3.5.2)."""
    if path.read_only:
        raise Mutability(f"The attribute {path} is readOnly. Remove it from the operations.")


def _refuse_immutable(operation: Operation) -> None:
    path = operation.path
    refuse_read_only(path)
    attribute = path.target.attribute
    if operation.op == "remove" and attribute.required and not attribute.multi_valued and operation.value is None:
        raise Mutability(f"The attribute {path} is required and cannot be removed. Replace its value instead.")


# Single-valued attributes: add and replace have the same effect (RFC 7644 §3.5.2.1, §3.5.2.3).


def _set_single(container: Resource, attribute: Attribute, operation: Operation, value: Any, work: PatchWork) -> None:
    if value is None:
        container.pop(attribute.name, None)
    elif attribute.type == "complex":
        below = container.setdefault(attribute.name, {})
        for name, member in value.items():  # other sub-attributes keep their values
            sub_attribute = attribute.find(name)
            assert sub_attribute is not None, name
            if sub_attribute.multi_valued:
                below[name] = _WHOLE[operation.op](below.get(name, []), sub_attribute, member, work)
            else:
                _set_single(below, sub_attribute, operation, member, work)
    else:
        container[attribute.name] = value


def _remove_single(container: Resource, attribute: Attribute, value: Any, work: PatchWork) -> None:
    present = container.get(attribute.name)
    if value is None:
        if container.pop(attribute.name, None) in (None, {}):
            work.tolerate(Tolerance.REMOVE_OF_ABSENT)
    elif present is None:
        work.tolerate(Tolerance.REMOVE_OF_ABSENT)
    elif attribute.type == "complex":
        for name, member in value.items():
            sub_attribute = attribute.find(name)
            assert sub_attribute is not None, name
            if sub_attribute.multi_valued:
                present[name] = _remove(present.get(name, []), sub_attribute, member, work)
            else:
                _remove_single(present, sub_attribute, member, work)
    elif comparable(attribute, present, work.folded) == comparable(attribute, value, work.folded):
        if attribute.required:
            raise Mutability(
                f"The attribute {attribute.name} is required and cannot be removed. Replace its value instead."
            )
        del container[attribute.name]
    else:
        work.tolerate(Tolerance.REMOVE_OF_ABSENT)


# Multi-valued attributes.


def _change_elements(container: Resource, attribute: Attribute, operation: Operation, work: PatchWork) -> None:
    elements: list[Any] = container.get(attribute.name, [])
    path, sets_primary = operation.path, _may_set_primary(operation)
    work.visit(elements, 1 + path.conditions + sets_primary)
    older = [element for element in elements if is_primary(element)] if sets_primary else []
    if path.condition is None and path.sub_attribute is None:
        changed = _WHOLE[operation.op](elements, attribute, operation.value, work)
    elif operation.op == "remove" or operation.value is None:
        changed = _remove_matching(elements, path, operation, work)
    else:
        changed = _set_matching(elements, path, operation, work)
    if sets_primary:
        end_older_primary(attribute, changed, older)
    container[attribute.name] = changed


def _add(elements: list[Any], attribute: Attribute, value: Any, work: PatchWork) -> list[Any]:
    if value is None:
        return elements
    if attribute.single_element:
        # A user has one role. Entra's AppRoleAssignmentsComplex sends only adds, so that a demoted administrator
        # would otherwise keep the old role (Entra facts section 7, "Roles in PATCH").
        return _replace(elements, attribute, value, work)
    if not attribute.sub_attributes:
        added = elements + [element for element in value if element not in elements]
    else:
        added = with_added(elements, attribute, _replace([], attribute, value, work), work)
    _refuse_too_many(attribute, added, work)
    return added


def _refuse_too_many(attribute: Attribute, elements: list[Any], work: PatchWork) -> None:
    most = attribute.most_elements(work.notes.limits)
    if len(elements) > most:
        raise InvalidValue(f"The attribute {attribute.name} would have {len(elements)} elements. Keep at most {most}.")


def _replace(elements: list[Any], attribute: Attribute, value: Any, work: PatchWork) -> list[Any]:
    if not value or not attribute.sub_attributes:
        return list(value or [])
    # Copies, because later operations change elements, and the operations can be applied again.
    copies = [{**element} for element in value]
    return copies if len(copies) == 1 else merged_elements(attribute, copies, work.folded)


def _remove(elements: list[Any], attribute: Attribute, value: Any, work: PatchWork) -> list[Any]:
    kept = [] if value is None else list(filterfalse(named_by(value, attribute, elements, work), elements))
    if len(kept) == len(elements):
        work.tolerate(Tolerance.REMOVE_OF_ABSENT)
    return kept


_WHOLE: dict[str, Callable[[list[Any], Attribute, Any, PatchWork], list[Any]]] = {
    "add": _add,
    "replace": _replace,
    "remove": _remove,
}


def _remove_matching(elements: list[Any], path: PatchPath, operation: Operation, work: PatchWork) -> list[Any]:
    named = _matching(elements, path, work)
    if operation.value is not None and path.sub_attribute is None:
        named = list(filter(named_by(operation.value, path.target.attribute, named, work), named))
    if operation.op == "remove" and not named:
        work.tolerate(Tolerance.REMOVE_OF_ABSENT)
    if path.sub_attribute is None:
        gone = set(map(id, named))
        return [element for element in elements if id(element) not in gone]
    for element in named:
        _remove_single(element, path.sub_attribute, operation.value, work)
    return elements


def _set_matching(elements: list[Any], path: PatchPath, operation: Operation, work: PatchWork) -> list[Any]:
    implied = path.implied
    matching = _matching(elements, path, work)
    if not matching and path.target.attribute.single_element and len(elements) == 1 and implied is not None:
        # An add or replace of a role changes the user's only role (contract section 7).
        work.tolerate(Tolerance.ONE_ROLE)
        matching = elements
    if not path.target.attribute.sub_attributes:
        return _replace_bare(elements, matching, path, operation)
    if not matching:
        # RFC 7644 §3.5.2.3 answers noTarget here. Entra sends a first work phone like this and relies on its
        # creation (Entra facts section 7 rule 3), so that the element is created with the values in the filter.
        if implied is None:
            raise NoTarget(
                f"No element matches {path}, and its filter does not describe a new one. "
                'Use a filter like [type eq "work"].'
            )
        work.tolerate(Tolerance.ELEMENT_MADE)
        matching = [dict(implied)]
        elements = matching if path.target.attribute.single_element else [*elements, *matching]
        _refuse_too_many(path.target.attribute, elements, work)
    work.copy(operation.value, len(matching))
    if path.sub_attribute is not None:
        for element in matching:
            if path.target.attribute.single_element:
                element.update(implied or {})
            element[path.sub_attribute.name] = operation.value
        return elements
    chosen = set(map(id, matching))
    # An add completes the elements, a replace substitutes them. In both cases the result meets the filter.
    return [
        element
        if id(element) not in chosen
        else (element if operation.op == "add" else {}) | (implied or {}) | operation.value
        for element in elements
    ]


def _replace_bare(elements: list[Any], matching: list[Any], path: PatchPath, operation: Operation) -> list[Any]:
    """Return ``elements``, which are not objects, with the value of ``operation`` in place of those in ``matching``."""
    if not matching:
        raise NoTarget(f"No element matches {path}. Add the value without a filter.")
    return [operation.value if element in matching else element for element in elements]


def _matching(elements: list[Any], path: PatchPath, work: PatchWork) -> list[Any]:
    condition = path.condition
    if condition is None:
        return elements
    work.search(elements, path.searched)
    test = make_test(condition, work.folded)
    if not path.target.attribute.sub_attributes:
        return [element for element in elements if test({"value": element})]
    matching = list(filter(test, elements))
    if (
        not matching
        and path.target.attribute.single_element
        and len(elements) == 1
        and path.implied == {"primary": True}
    ):
        # roles[primary eq "True"] means the only role, even if Entra sent it without primary (contract section 7).
        work.tolerate(Tolerance.ONE_ROLE)
        return elements
    if not matching and path.target.attribute is EMAILS:
        matching = unmarked_elements(elements, path.implied)
        if matching:
            work.tolerate(Tolerance.PRIMARY_ADDRESS)
    return matching


def _may_set_primary(operation: Operation) -> bool:
    """Return whether ``operation`` may lead to a new primary element."""
    sub, value, implied = operation.path.sub_attribute, operation.value, operation.path.implied
    if operation.op == "remove":
        return False
    if sub is not None and value is True:
        return True
    sent = value if isinstance(value, list) else [value]
    return (implied is not None and implied.get("primary") is True) or any(map(is_primary, sent))
