"""The enterprise API ``/api/v1``: a blueprint for each kind of thing (contract section 8)."""

from scimsvc.web.api.description import description
from scimsvc.web.api.enterprise import enterprise
from scimsvc.web.api.integrations import integrations
from scimsvc.web.api.records import records
from scimsvc.web.api.roles import roles
from scimsvc.web.api.tokens import tokens
from scimsvc.web.api.users import users

blueprints = (enterprise, roles, integrations, tokens, users, records, description)
