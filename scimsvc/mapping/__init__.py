"""Roles: from ``roles[primary eq "True"]``, the attribute that the provider sends, to a role of the enterprise.

Entra's administrator maps an app role to ``roles[primary eq "True"].value``. The app role's *value* must be the name
or an alias of one of the enterprise's roles. A user has one role, decided in this order (contract section 7):

1. A role is sent for the user. Its value is the name or an alias of a role, without regard to case: the user gets
   this role. It is neither: the request is refused with 400 ``invalidValue``, and nothing changes. Elements without
   a value are no role, because Entra sends such elements if only ``.type`` or ``.display`` is mapped. Of several
   elements the one with ``primary`` true counts; several of which none, or more than one, is primary are refused.
2. No role is sent: the user is on the enterprise's default role, the current one and any later one.

Groups that give roles come between the two; they are not built yet.

Where each rule lives:

- ``resolve``: the decision above as a pure function. Nothing there reads or writes.
- ``judge``: which role a create, a replace or a patch leads to. It is judged once, after the last operation, so that
  the operations of a request may name and describe the role in any order. A replace or patch that sends back the
  element that answers show changes nothing, also if the role was renamed since.
- ``roles``: the enterprise's roles and aliases, and what may be done to them.
- ``role_changes``: what a change of a role means for its users.
- ``effective``: a role that restricts editing lets the directory's title and organization win.
- ``entra``: the mapping as Entra's administrator enters it.

Two things about ``roles`` come before the decision, because they are about spelling and not about roles:

- ``protocol.role_elements`` unpacks Entra's JSON text of an app role assignment, and makes the element that answers
  show for the default role.
- ``protocol.attributes`` marks ``roles`` as ``single_element``. ``protocol.patch`` takes this from the table: an
  ``add`` replaces the element, and ``roles[primary eq "True"]`` is that element, whatever was sent of it before.
"""

from scimsvc.mapping.resolve import resolve_role

__all__ = ["resolve_role"]
