"""SCIM 2.0 provisioning from Microsoft Entra ID for any application; ``create_app`` is the composition root."""

TYPE_CHECKING = False  # as type checkers understand it, without importing typing
if TYPE_CHECKING:
    from flask import Flask

__version__ = "0.1.0"


def create_app(config: object = None) -> "Flask":
    """Return the application, with the settings of ``config`` (a mapping or an object) over the environment's.

    Raises ``scimsvc.settings.SettingsError`` for a setting that makes no sense. A host may mount the application
    under a prefix of its own; what ``config`` holds beside this service's settings is handed to Flask.
    """
    # Imported here, so that scimsvc.protocol and scimsvc.settings can be used without loading everything.
    import logging

    from werkzeug.middleware.proxy_fix import ProxyFix

    from scimsvc import api, console
    from scimsvc.auth.blueprint import auth
    from scimsvc.cli.group import CommandGroup
    from scimsvc.console.environment import init_console
    from scimsvc.operations.blueprint import operations
    from scimsvc.scim.blueprint import scim
    from scimsvc.scim.discovery import discovery
    from scimsvc.settings import host_settings, read_settings, unknown_variables
    from scimsvc.store.database import init_database
    from scimsvc.web.application import Application
    from scimsvc.web.errors import init_errors
    from scimsvc.web.hooks import init_hooks
    from scimsvc.web.paths import CleanPaths
    from scimsvc.web.request_log import init_request_log
    from scimsvc.web.runtime import make_runtime

    settings = read_settings(config)
    app = Application(__name__, instance_path=str(settings.instance_path), static_folder=None)
    app.config.from_mapping(host_settings(config))
    app.config["SECRET_KEY"] = settings.secret_keys[0]
    app.config["SECRET_KEY_FALLBACKS"] = list(settings.secret_keys[1:])
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body
    app.extensions["scimsvc"] = make_runtime(settings)

    init_database(app, settings.database_url)
    init_request_log(settings.log_format)
    for name in unknown_variables():
        logging.getLogger("scimsvc").warning("%s is no setting of scimsvc; the README lists those that there are", name)
    init_hooks(app)
    init_console(app)
    init_errors(app)
    for blueprint in (auth, scim, discovery, operations, *api.blueprints, *console.blueprints):
        app.register_blueprint(blueprint)
    app.cli = CommandGroup(app.name)

    app.wsgi_app = CleanPaths(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        trusted = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=trusted, x_prefix=trusted)  # type: ignore[method-assign]
    return app
