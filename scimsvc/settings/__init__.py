"""Read, convert and check the deployment settings of the environment or the host application.

Each setting is listed once in ``SETTINGS``. A test compares the manual's table with it.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scimsvc.protocol.limits import Limits
from scimsvc.settings import single_sign_on, values
from scimsvc.settings.files import FILE_SUFFIX, read_secret_file
from scimsvc.settings.instance import DATABASE_FILE, PREFIX, SettingsError, create_instance_folder, kept_secret_key
from scimsvc.settings.limits import LIMIT_RANGES, LimitRange, limits_of
from scimsvc.settings.mail import MailSettings, mail_of, read_mail_from, read_smtp_url
from scimsvc.settings.quotas import QUOTA_RANGES, Quotas, quotas_of
from scimsvc.settings.single_sign_on import LocalSignIn, Provider, provider_of
from scimsvc.settings.webhooks import Networks, read_webhook_networks

__all__ = [
    "PREFIX",
    "SETTINGS",
    "DeploymentSetting",
    "Settings",
    "SettingsError",
    "check_settings",
    "from_environment",
    "host_settings",
    "kept_secret_key",
    "read_database_url",
    "read_setting",
    "read_settings",
    "unknown_variables",
]


@dataclass(frozen=True, slots=True)
class DeploymentSetting:
    """A setting: its name without the prefix, its default in the manual's words, and the reader of its text."""

    name: str
    default: str
    description: str
    read: Callable[[str], Any]
    #: Whether errors must not show its value.
    is_secret: bool = False
    #: Whether its value may be in a file, which the variable with the suffix ``_FILE`` names.
    may_be_in_file: bool = False

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The values of all deployment settings."""

    database_url: str
    database_pooler: str | None
    instance_path: Path
    secret_keys: tuple[str, ...]
    public_url: str | None
    trusted_proxies: int
    rate_limit: float
    metrics_token: str | None
    log_format: str
    #: Whether spans of requests are sent to an OpenTelemetry collector.
    is_traced: bool
    mail: MailSettings | None
    require_mfa: str
    #: The provider of single sign-on to the console.
    provider: Provider | None
    local_sign_in: LocalSignIn
    #: The networks that webhooks may reach besides public addresses.
    webhook_networks: Networks
    limits: Limits
    quotas: Quotas


def _limit_setting(limit: LimitRange) -> DeploymentSetting:
    return DeploymentSetting(limit.setting, f"`{limit.default}`", f"maximum {limit.description}", limit.read)


SETTINGS = (
    DeploymentSetting("DATABASE_URL", "`scimsvc.db` in the instance folder", "SQLite file or PostgreSQL database",
                      values.read_database_url, may_be_in_file=True),
    DeploymentSetting("DATABASE_POOLER", "unset; no pooler", "`transaction` behind PgBouncer in that mode",
                      values.read_database_pooler),
    DeploymentSetting("INSTANCE_PATH", "`./instance`", "folder of the database file and the secret key",
                      values.read_instance_path),
    DeploymentSetting("SECRET_KEY", "created once, in the instance folder", "keys that sign tokens, newest first",
                      values.read_secret_keys, is_secret=True, may_be_in_file=True),
    DeploymentSetting("PUBLIC_URL", "taken from the request", "prefix of the Tenant URL and of every location",
                      values.read_public_url),
    DeploymentSetting("TRUSTED_PROXIES", "`0`", "number of reverse proxies whose `X-Forwarded-*` headers are trusted",
                      values.read_trusted_proxies),
    DeploymentSetting("RATE_LIMIT", "`0`, no limit", "SCIM requests a second of an enterprise", values.read_rate_limit),
    DeploymentSetting("METRICS_TOKEN", "unset; `/metrics` answers 404", "bearer token that `/metrics` requires",
                      values.read_metrics_token, is_secret=True, may_be_in_file=True),
    DeploymentSetting("LOG_FORMAT", "`text`", "`text` for people, `json` for machines", values.read_log_format),
    DeploymentSetting("TRACING", "`off`", "`otlp` sends spans of requests to an OpenTelemetry collector",
                      values.read_tracing),
    DeploymentSetting("SMTP_URL", "unset; no e-mail is sent", "server that sends e-mail", read_smtp_url,
                      is_secret=True, may_be_in_file=True),
    DeploymentSetting("MAIL_FROM", "unset", "sender of e-mail", read_mail_from),
    DeploymentSetting("REQUIRE_MFA", "`none`", "console accounts that need a second factor: `none`, `operators`, `all`",
                      values.read_require_mfa),
    DeploymentSetting("OIDC_ISSUER", "unset; no single sign-on", "issuer of the OpenID Connect provider",
                      single_sign_on.read_issuer),
    DeploymentSetting("OIDC_CLIENT_ID", "unset", "client ID of this service at the provider",
                      single_sign_on.read_client_id),
    DeploymentSetting("OIDC_CLIENT_SECRET", "unset", "client secret of this service at the provider",
                      single_sign_on.read_client_secret, is_secret=True, may_be_in_file=True),
    DeploymentSetting("OIDC_MFA", "`claims`", "how a second factor at the provider is recognized",
                      single_sign_on.read_mfa),
    DeploymentSetting("LOCAL_SIGN_IN", "`on`", "accounts that may use their passwords",
                      single_sign_on.read_local_sign_in),
    DeploymentSetting("WEBHOOK_NETWORKS", "unset; only public addresses", "networks that webhooks may reach",
                      read_webhook_networks),
    *map(_limit_setting, LIMIT_RANGES),
    *map(_limit_setting, QUOTA_RANGES),
)  # fmt: skip
_BY_NAME = {setting.name: setting for setting in SETTINGS}
#: Where ``scimsvc selftest`` finds the token.
SELFTEST_TOKEN = PREFIX + "SELFTEST_TOKEN"
#: Variables with the prefix that are not settings, but belong to a command or to the tests.
_OTHER_VARIABLES = frozenset({SELFTEST_TOKEN, "SCIMSVC_TEST_POSTGRESQL_URL", "SCIMSVC_TEST_LONG", "SCIMSVC_TEST_AXE"})


def from_environment(name: str) -> str | None:
    """Return the text of the setting ``name`` in the environment, or None if it is not set or empty.

    A secret may be in a file instead, which the variable with the suffix ``_FILE`` names. Raises ``SettingsError`` if
    both variables are set, or if the file cannot be read.
    """
    text = os.environ.get(PREFIX + name) or None
    if not _BY_NAME[name].may_be_in_file:
        return text
    return read_secret_file(PREFIX + name, text, os.environ.get(f"{PREFIX}{name}{FILE_SUFFIX}"))


def read_settings(host: object = None, *, check_new_key: Callable[[str, Path], None] | None = None) -> Settings:
    """Return the settings of the host application, else of the environment, else the defaults.

    ``host`` is a mapping or an object with the settings as items or attributes, with or without the prefix. Creates the
    instance folder and the secret key if they are needed and missing. ``check_new_key`` is called with the URL of the
    database and the path of the key before a key is created. Raises ``SettingsError``.
    """
    read = {setting.name: _read(setting, host) for setting in SETTINGS}
    instance_path = read["INSTANCE_PATH"] or values.read_instance_path("./instance")
    database_url = read["DATABASE_URL"] or f"sqlite:///{create_instance_folder(instance_path) / DATABASE_FILE}"
    check = partial(check_new_key, database_url) if check_new_key is not None else None
    return Settings(
        database_url=database_url,
        database_pooler=read["DATABASE_POOLER"],
        instance_path=instance_path,
        secret_keys=read["SECRET_KEY"] or (kept_secret_key(instance_path, check_new_key=check),),
        public_url=read["PUBLIC_URL"],
        trusted_proxies=read["TRUSTED_PROXIES"] or 0,
        rate_limit=read["RATE_LIMIT"] or 0.0,
        metrics_token=read["METRICS_TOKEN"],
        log_format=read["LOG_FORMAT"] or "text",
        is_traced=read["TRACING"] or False,
        mail=_read_mail(read),
        require_mfa=read["REQUIRE_MFA"] or values.NO_ACCOUNTS,
        provider=provider_of(read),
        local_sign_in=read["LOCAL_SIGN_IN"] or LocalSignIn(),
        webhook_networks=read["WEBHOOK_NETWORKS"] or (),
        limits=limits_of(read),
        quotas=quotas_of(read),
    )


def check_settings(host: object = None) -> None:
    """Raise ``SettingsError`` if any setting is not valid. Creates no files."""
    read = {setting.name: _read(setting, host) for setting in SETTINGS}
    _read_mail(read)
    provider_of(read)


def _read_mail(read: dict[str, Any]) -> MailSettings | None:
    try:
        return mail_of(read)
    except values.Unusable as error:
        raise SettingsError(str(error)) from None


def read_setting(name: str, host: object = None) -> Any:
    """Return the value of the setting ``name``, or None if it has its default. Creates no files.

    Raises ``SettingsError``.
    """
    return _read(_BY_NAME[name], host)


def read_database_url(text: str) -> str:
    """Return the database URL ``text`` in SQLAlchemy's form. Raises ``SettingsError``, without the password."""
    try:
        return values.read_database_url(text)
    except values.Unusable as error:
        raise SettingsError(f"{_without_secrets(text)} is not valid. {error}") from None


def unknown_variables() -> list[str]:
    """Return the environment variables with the prefix that are not settings. They may be misspelled."""
    known = {setting.variable for setting in SETTINGS} | _OTHER_VARIABLES
    known |= {setting.variable + FILE_SUFFIX for setting in SETTINGS if setting.may_be_in_file}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def host_settings(host: object) -> dict[str, Any]:
    """Return the settings of ``host`` for Flask: upper-case names that are not settings of this service."""
    names = list(host) if isinstance(host, Mapping) else dir(host)
    others = [name for name in names if name.isupper() and name.removeprefix(PREFIX) not in _BY_NAME]
    return {name: host[name] if isinstance(host, Mapping) else getattr(host, name) for name in others}


def _read(setting: DeploymentSetting, host: object) -> Any:
    value = _host_value(setting, host)
    if value is None:
        value = from_environment(setting.name)
    if value is None:
        return None
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        return setting.read(text.strip())
    except values.Unusable as error:
        if setting.is_secret:
            raise SettingsError(f"{setting.variable} is not valid. {error}") from None
        raise SettingsError(f"{setting.variable} is {_without_secrets(text)}. {error}") from None


def _host_value(setting: DeploymentSetting, host: object) -> Any:
    for name in (setting.name, setting.variable):
        value = host.get(name) if isinstance(host, Mapping) else getattr(host, name, None)
        if value not in (None, ""):
            return value
    return None


def _without_secrets(text: str) -> str:
    """Return ``text`` in quotes for an error. If it may contain a password, only its scheme is shown."""
    if not re.search(r"@|pass|secret|token|key", text, re.IGNORECASE):
        return repr(text)
    scheme = re.match(r"[a-z][a-z0-9+.-]*://", text)
    return f"'{scheme[0] if scheme else ''}…'"
