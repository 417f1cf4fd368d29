"""The enterprise API ``/api/v1``: one blueprint per kind of resource (contract section 8)."""

from scimsvc.api.attributes import attributes
from scimsvc.api.description import description
from scimsvc.api.enterprise import enterprise
from scimsvc.api.groups import groups
from scimsvc.api.integrations import integrations
from scimsvc.api.records import records
from scimsvc.api.roles import roles
from scimsvc.api.tokens import tokens
from scimsvc.api.users import users
from scimsvc.api.webhooks import webhooks

blueprints = (enterprise, roles, groups, attributes, integrations, tokens, users, webhooks, records, description)
