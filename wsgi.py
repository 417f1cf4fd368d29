"""The WSGI application: ``wsgi:app`` for any server; ``python wsgi.py`` starts waitress on 127.0.0.1:8000."""

import sys

import config
from scimsvc import create_app
from scimsvc.settings import SettingsError

try:
    app = create_app(config)
except SettingsError as error:
    print(f"scimsvc: {error}", file=sys.stderr)  # noqa: T201  # an invalid setting ends the start with one line
    raise SystemExit(2) from None

if __name__ == "__main__":
    from scimsvc.operations.serving.server import Server

    try:
        Server(app).run()
    except OSError as error:
        print(f"scimsvc: Cannot listen: {error.strerror}.", file=sys.stderr)  # noqa: T201
        sys.exit(1)
