"""The deployment settings, each from the environment variable with its name and the prefix SCIMSVC_.

``wsgi.py`` reads this file, and so do ``flask`` and WSGI servers that serve ``wsgi:app``. The ``scimsvc`` command reads
only the variables, so set variables instead of editing this file. docs/reference/settings.md lists them.
"""

from scimsvc.settings import from_environment

# A SQLite file or a PostgreSQL database. Default: scimsvc.db in the instance folder.
DATABASE_URL = from_environment("DATABASE_URL")
# transaction if PgBouncer in transaction mode is in front of PostgreSQL. Default: no pooler.
DATABASE_POOLER = from_environment("DATABASE_POOLER")
# The folder of the database file and the secret key.
INSTANCE_PATH = from_environment("INSTANCE_PATH") or "./instance"
# One key or several, newest first. Default: a key that is created once in the instance folder.
SECRET_KEY = from_environment("SECRET_KEY")
# The prefix of all locations, such as https://app.example.com. Default: taken from the request.
PUBLIC_URL = from_environment("PUBLIC_URL")
# The number of reverse proxies whose X-Forwarded-* headers are trusted.
TRUSTED_PROXIES = from_environment("TRUSTED_PROXIES") or "0"
# SCIM requests a second for each enterprise; 0 means no limit.
RATE_LIMIT = from_environment("RATE_LIMIT") or "0"
# The bearer token that /metrics requires. Without a token, /metrics answers 404.
METRICS_TOKEN = from_environment("METRICS_TOKEN")
# text for people, json for machines.
LOG_FORMAT = from_environment("LOG_FORMAT") or "text"
# otlp sends a span of each request to the collector of OTEL_EXPORTER_OTLP_ENDPOINT. It needs the extra otel.
TRACING = from_environment("TRACING") or "off"
# The server that sends e-mail, such as smtp://user:password@mail.example.com, and the sender. Default: no e-mail.
SMTP_URL = from_environment("SMTP_URL")
MAIL_FROM = from_environment("MAIL_FROM")
# The console accounts that need a second factor: none, operators, or all.
REQUIRE_MFA = from_environment("REQUIRE_MFA") or "none"
# Single sign-on to the console by OpenID Connect. docs/operate/single-sign-on.md describes it.
OIDC_ISSUER = from_environment("OIDC_ISSUER")
OIDC_CLIENT_ID = from_environment("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = from_environment("OIDC_CLIENT_SECRET")
# claims: a second factor at the provider counts if the sign-in states it. trusted: the provider always asks for one.
OIDC_MFA = from_environment("OIDC_MFA") or "claims"
# on, off, or the e-mail address of the operator who keeps the password.
LOCAL_SIGN_IN = from_environment("LOCAL_SIGN_IN") or "on"
# The networks that webhooks may reach besides public addresses, such as 10.20.0.0/16.
WEBHOOK_NETWORKS = from_environment("WEBHOOK_NETWORKS")
# The limits on requests. docs/reference/errors.md describes them.
MAX_BODY = from_environment("MAX_BODY") or "1048576"
MAX_HEADERS = from_environment("MAX_HEADERS") or "65536"
MAX_JSON_DEPTH = from_environment("MAX_JSON_DEPTH") or "32"
MAX_STRING_LENGTH = from_environment("MAX_STRING_LENGTH") or "262144"
MAX_ELEMENTS = from_environment("MAX_ELEMENTS") or "500"
MAX_MEMBERS = from_environment("MAX_MEMBERS") or "10000"
MAX_DOCUMENT = from_environment("MAX_DOCUMENT") or "262144"
MAX_PATCH_OPERATIONS = from_environment("MAX_PATCH_OPERATIONS") or "1000"
MAX_PATCH_CONDITIONS = from_environment("MAX_PATCH_CONDITIONS") or "1000"
MAX_BULK_OPERATIONS = from_environment("MAX_BULK_OPERATIONS") or "1000"
MAX_FILTER_LENGTH = from_environment("MAX_FILTER_LENGTH") or "8000"
MAX_FILTER_CONDITIONS = from_environment("MAX_FILTER_CONDITIONS") or "100"
MAX_FILTER_DEPTH = from_environment("MAX_FILTER_DEPTH") or "20"
MAX_PAGE = from_environment("MAX_PAGE") or "1000"
# The seconds that the database may take for a read, and for a write or a whole request.
MAX_READ_SECONDS = from_environment("MAX_READ_SECONDS") or "5"
MAX_WRITE_SECONDS = from_environment("MAX_WRITE_SECONDS") or "15"
# The quotas of each enterprise. docs/operate/growth.md describes them.
MAX_USERS = from_environment("MAX_USERS") or "1000000"
MAX_STORED_BYTES = from_environment("MAX_STORED_BYTES") or "10000000000"
MAX_GROUPS = from_environment("MAX_GROUPS") or "10000"
MAX_MEMBERSHIPS = from_environment("MAX_MEMBERSHIPS") or "10000000"
MAX_ROLES = from_environment("MAX_ROLES") or "1000"
MAX_ALIASES = from_environment("MAX_ALIASES") or "1000"
MAX_INTEGRATIONS = from_environment("MAX_INTEGRATIONS") or "1000"
MAX_TOKENS = from_environment("MAX_TOKENS") or "100000"
MAX_WEBHOOKS = from_environment("MAX_WEBHOOKS") or "10"
MAX_LOG_ENTRIES = from_environment("MAX_LOG_ENTRIES") or "5000000"
