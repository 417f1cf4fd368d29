"""The console ``/console``: one blueprint for each kind of page (contract section 10)."""

from flask import Blueprint

from scimsvc.console.environment import protect
from scimsvc.console.views.accounts import accounts, own_account
from scimsvc.console.views.administrators import administrators
from scimsvc.console.views.alerts import alerts, own_alerts
from scimsvc.console.views.all_accounts import all_accounts
from scimsvc.console.views.appearance import appearance
from scimsvc.console.views.attributes import attributes
from scimsvc.console.views.audit import audit, audit_of_all
from scimsvc.console.views.connect import connect
from scimsvc.console.views.enterprises import enterprises, one_enterprise
from scimsvc.console.views.explain import explain
from scimsvc.console.views.front import front
from scimsvc.console.views.groups import groups
from scimsvc.console.views.health import health
from scimsvc.console.views.help import help_page
from scimsvc.console.views.integrations import integrations
from scimsvc.console.views.log import log
from scimsvc.console.views.overview import overview
from scimsvc.console.views.reconciliation import reconciliation
from scimsvc.console.views.roles import roles
from scimsvc.console.views.search import search, search_inside
from scimsvc.console.views.second_factor import code_of_sign_in, second_factor
from scimsvc.console.views.selftest import selftest
from scimsvc.console.views.service_settings import service_settings
from scimsvc.console.views.sessions import own_sessions, sessions
from scimsvc.console.views.settings import settings
from scimsvc.console.views.single_sign_on import own_identity, sign_in_by_provider
from scimsvc.console.views.tokens import tokens
from scimsvc.console.views.user_files import user_files
from scimsvc.console.views.users import users
from scimsvc.console.views.webhooks import webhooks
from scimsvc.paths import CONSOLE_PREFIX

#: Serves the style sheet, the script and the pictures, and contains the templates.
static = Blueprint(
    "console_static",
    __name__,
    static_folder="static",
    static_url_path="/static",
    template_folder="templates",
    url_prefix=CONSOLE_PREFIX,
)

blueprints = (
    static, front, accounts, own_account, own_alerts, appearance, help_page, service_settings, health,
    selftest,
    search, search_inside, own_sessions, sessions, code_of_sign_in, second_factor,
    sign_in_by_provider, own_identity, enterprises, one_enterprise,
    overview, alerts, connect, users, user_files, reconciliation, groups, log, explain, roles, attributes,
    integrations, tokens, webhooks, audit, audit_of_all, settings, administrators, all_accounts,
)  # fmt: skip

for _blueprint in blueprints:
    _blueprint.after_request(protect)
