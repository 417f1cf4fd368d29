"""Roles: from ``roles[primary eq "True"]``, the attribute that the provider sends, to a role of the enterprise.

Entra's administrator maps an app role to ``roles[primary eq "True"].value``. The app role's *value* must be the name
or an alias of one of the enterprise's roles. A user has one role, decided in this order (contract section 7):

1. The provider sends a role. If its value is the name or an alias of a role, without regard to case, the user gets
   this role. Any other value is refused with 400 ``invalidValue``, and nothing changes. Elements without a value are
   ignored, because Entra sends such elements if only ``.type`` or ``.display`` is mapped. If several elements have a
   value, the one with ``primary`` true counts. The request is refused unless exactly one of them is primary. If the
   enterprise's setting ``several_roles`` is ``highest`` and none is primary, the first known one in its order counts.
2. The provider sends no role, and the user is a member of groups that give roles. The user has the first of these roles
   in the enterprise's order.
3. Otherwise the user has the enterprise's default role, also after another role becomes the default.

Where each rule lives:

- ``resolve``: the decision above as a pure function. Nothing there reads or writes.
- ``judge``: the role of a user after a create, a replace or a patch. It is judged once, after the last operation, so
  that the operations of a request may name and describe the role in any order. A client may send back the element
  that a response showed: this changes nothing, even if the role was renamed in between.
- ``roles``: the enterprise's roles and aliases, and the operations on them. ``names_of_roles`` and ``groups_of_roles``
  are parts of it.
- ``preview``: the users whom a value or a change of a role concerns.
- ``role_changes``: the consequences of a changed role for its users.
- ``effective_values``: under a role that restricts editing, the directory's title and organization win.
- ``entra``: the mapping as Entra's administrator enters it.

Two modules deal with the spelling of ``roles`` before the decision:

- ``protocol.role_elements`` unpacks Entra's JSON text of an app role assignment, and creates the element that
  responses show for the default role.
- ``protocol.attributes`` marks ``roles`` as ``single_element``. ``protocol.patch`` reads this from the table: an
  ``add`` replaces the element, and ``roles[primary eq "True"]`` selects it even if it is not marked as primary.
"""

from scimsvc.mapping.resolve import resolve_role

__all__ = ["resolve_role"]
