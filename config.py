"""The deployment's settings file: every setting with its environment variable, SCIMSVC_ before its name.

``wsgi.py`` reads it, and so do ``flask`` and every WSGI server that is pointed at ``wsgi:app``. The ``scimsvc`` command
reads the same variables without this file, so that a setting belongs into the environment, where both see it. What
each may hold stands in the README.
"""

from scimsvc.settings import from_environment

# A SQLite file or a PostgreSQL database; unset: scimsvc.db in the instance folder.
DATABASE_URL = from_environment("DATABASE_URL")
# Where the database file and the secret key are kept.
INSTANCE_PATH = from_environment("INSTANCE_PATH") or "./instance"
# One key or several, newest first; unset: one is made once and kept in the instance folder.
SECRET_KEY = from_environment("SECRET_KEY")
# What locations begin with, such as https://app.example.com; unset: taken from the request.
PUBLIC_URL = from_environment("PUBLIC_URL")
# How many reverse proxies' X-Forwarded-* headers to believe.
TRUSTED_PROXIES = from_environment("TRUSTED_PROXIES") or "0"
# SCIM requests a second and enterprise; 0 is no limit.
RATE_LIMIT = from_environment("RATE_LIMIT") or "0"
# What /metrics wants as bearer; unset: there is no /metrics.
METRICS_TOKEN = from_environment("METRICS_TOKEN")
# text for people, json for machines.
LOG_FORMAT = from_environment("LOG_FORMAT") or "text"
