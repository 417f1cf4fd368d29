"""SCIM 2.0 provisioning from Microsoft Entra ID for any application. ``create_app`` creates the application."""

TYPE_CHECKING = False  # type checkers treat it as true, and typing is not imported
if TYPE_CHECKING:
    from flask import Flask

    from scimsvc.settings import Settings

__version__ = "0.1.0"


def create_app(config: object = None) -> "Flask":
    """Create the application. ``config`` (a mapping or an object) overrides settings from the environment.

    Raises ``scimsvc.settings.SettingsError`` if a setting is invalid. A host application may mount this application
    under a prefix. Other entries of ``config`` are passed to Flask.
    """
    # Imports are local, so that scimsvc.protocol and scimsvc.settings can be used without loading everything.
    from scimsvc.settings import host_settings, read_settings
    from scimsvc.store.engine.database import init_database
    from scimsvc.store.upkeep.new_keys import refuse_second_key
    from scimsvc.web.application import Application

    settings = read_settings(config, check_new_key=refuse_second_key)
    app = Application(__name__, instance_path=str(settings.instance_path), static_folder=None)
    app.config.from_mapping(host_settings(config))
    _configure(app, settings)
    init_database(app, settings.database_url, settings.limits, pooler=settings.database_pooler)
    _init_log(settings)
    _init_features(app, settings)
    _init_requests(app, settings)
    _register_front_ends(app)
    _wrap(app, settings)
    return app


def _configure(app: "Flask", settings: "Settings") -> None:
    from scimsvc.settings.keys import SESSIONS, derive_key
    from scimsvc.web.form_parser import LONGEST_FORM, MOST_FIELDS

    # Flask, its extensions and a host application see only this key. They cannot sign tokens with it.
    newest, *older = (derive_key(key, SESSIONS) for key in settings.secret_keys)
    app.config["SECRET_KEY"], app.config["SECRET_KEY_FALLBACKS"] = newest, older
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body
    app.config["MAX_FORM_MEMORY_SIZE"] = LONGEST_FORM
    app.config["MAX_FORM_PARTS"] = MOST_FIELDS


def _init_log(settings: "Settings") -> None:
    import logging

    from scimsvc.settings import unknown_variables
    from scimsvc.web.request_log import init_request_log

    init_request_log(settings.log_format)
    for name in unknown_variables():
        logging.getLogger("scimsvc").warning("%s is not a setting of scimsvc. The manual lists all settings.", name)


def _init_features(app: "Flask", settings: "Settings") -> None:
    """Initialize the state and error handlers of each feature for ``app``."""
    from scimsvc.activity.state import init_activity
    from scimsvc.auth.error_handlers import init_auth_errors
    from scimsvc.auth.state import init_auth
    from scimsvc.console.environment import init_console
    from scimsvc.operations.state import init_operations
    from scimsvc.reports.hourly_counts import init_hourly_counts
    from scimsvc.web.downloads import init_downloads
    from scimsvc.web.errors import init_errors
    from scimsvc.web.mail import Mailer, mailer
    from scimsvc.web.quotas import init_quotas
    from scimsvc.web.state import init_web

    init_web(app, settings)
    init_quotas(app, settings)
    init_errors(app)
    init_downloads(app)
    mailer.init_app(app, Mailer(settings.mail))
    init_auth(app, settings)
    init_auth_errors(app)
    init_activity(app)
    init_hourly_counts(app)
    init_operations(app, settings)
    init_console(app, version=__version__)


def _init_requests(app: "Flask", settings: "Settings") -> None:
    """Register the steps before and after every request, in order."""
    from scimsvc.auth.expiry import announce_expiry
    from scimsvc.auth.guard import guard
    from scimsvc.auth.last_uses import note_use
    from scimsvc.auth.refusal_log import log_refused_token
    from scimsvc.scim.negotiation import set_answer_type
    from scimsvc.scim.refusal_log import log_refused_request
    from scimsvc.web.hooks import After, init_hooks

    after: list[After] = [announce_expiry, log_refused_token, log_refused_request, note_use, set_answer_type]
    if settings.metrics_token:
        from scimsvc.operations.metrics import count

        after.insert(0, count)
    init_hooks(app, before=[guard], after=after)


def _register_front_ends(app: "Flask") -> None:
    from scimsvc import api, console
    from scimsvc.auth.blueprint import auth
    from scimsvc.cli.command_group import CommandGroup
    from scimsvc.operations.blueprint import operations
    from scimsvc.scim.blueprint import scim
    from scimsvc.scim.discovery import discovery
    from scimsvc.scim.group_blueprint import scim_groups

    for blueprint in (auth, scim, scim_groups, discovery, operations, *api.blueprints, *console.blueprints):
        app.register_blueprint(blueprint)
    app.cli = CommandGroup(app.name)


def _wrap(app: "Flask", settings: "Settings") -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    from scimsvc.web.clean_paths import CleanPaths
    from scimsvc.web.forwarding import CheckedForwarding

    if settings.is_traced:
        from scimsvc.web.tracing import init_tracing

        init_tracing(app, version=__version__)
    app.wsgi_app = CleanPaths(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = CheckedForwarding(app.wsgi_app)  # type: ignore[method-assign]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_prefix=count)  # type: ignore[method-assign]
