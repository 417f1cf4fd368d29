"""The WSGI callable: ``wsgi:app`` for any server, ``python wsgi.py`` for waitress on 127.0.0.1:8000."""

import sys

import config
from scimsvc import create_app
from scimsvc.settings import SettingsError

try:
    app = create_app(config)
except SettingsError as error:
    print(f"scimsvc: {error}", file=sys.stderr)  # noqa: T201  # the one line that a wrong setting is answered with
    raise SystemExit(2) from None

if __name__ == "__main__":
    from scimsvc.operations.server import Server

    try:
        Server(app).run()
    except OSError as error:
        print(f"scimsvc: cannot listen: {error.strerror}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
