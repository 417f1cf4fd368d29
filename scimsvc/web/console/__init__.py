"""The console ``/console``: a blueprint for each kind of page (contract section 10)."""

from flask import Blueprint

from scimsvc.web.console.accounts import accounts, own_account
from scimsvc.web.console.clients import clients
from scimsvc.web.console.enterprises import enterprises, one_enterprise
from scimsvc.web.console.environment import protect
from scimsvc.web.console.explain import explain
from scimsvc.web.console.log import log
from scimsvc.web.console.overview import overview
from scimsvc.web.console.roles import roles
from scimsvc.web.console.set_up import set_up
from scimsvc.web.console.settings import settings
from scimsvc.web.console.users import users
from scimsvc.web.paths import CONSOLE_PREFIX

#: Style sheet, script and pictures.
static = Blueprint(
    "console_static", "scimsvc", static_folder="static", static_url_path="/static", url_prefix=CONSOLE_PREFIX
)

blueprints = (
    static, accounts, own_account, enterprises, one_enterprise,
    overview, set_up, users, log, explain, roles, clients, settings,
)  # fmt: skip

for _blueprint in blueprints:
    _blueprint.after_request(protect)
