"""The deployment's settings file: every setting with its environment variable, SCIMSVC_ before its name.

``wsgi.py`` reads it, and so do ``flask`` and every WSGI server that is pointed at ``wsgi:app``. The ``scimsvc`` command
reads the same variables without this file, so that a setting belongs into the environment, where both see
it. docs/reference/settings.md lists them.
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
# How much a request may ask for, at most; docs/reference/errors.md lists the limits.
MAX_BODY = from_environment("MAX_BODY") or "1048576"
MAX_HEADERS = from_environment("MAX_HEADERS") or "65536"
MAX_JSON_DEPTH = from_environment("MAX_JSON_DEPTH") or "32"
MAX_STRING_LENGTH = from_environment("MAX_STRING_LENGTH") or "262144"
MAX_ELEMENTS = from_environment("MAX_ELEMENTS") or "500"
MAX_PATCH_OPERATIONS = from_environment("MAX_PATCH_OPERATIONS") or "1000"
MAX_PATCH_CONDITIONS = from_environment("MAX_PATCH_CONDITIONS") or "1000"
MAX_BULK_OPERATIONS = from_environment("MAX_BULK_OPERATIONS") or "1000"
MAX_FILTER_LENGTH = from_environment("MAX_FILTER_LENGTH") or "8000"
MAX_FILTER_CONDITIONS = from_environment("MAX_FILTER_CONDITIONS") or "100"
MAX_FILTER_DEPTH = from_environment("MAX_FILTER_DEPTH") or "20"
MAX_PAGE = from_environment("MAX_PAGE") or "1000"
