"""The state of authentication for each app: the signer, caches and counters."""

from flask import Flask

from scimsvc.auth.attempts import Attempts
from scimsvc.auth.callers import Callers, known_callers
from scimsvc.auth.last_uses import LastUses, last_uses
from scimsvc.auth.rate_limit import RateLimit, rate_limit
from scimsvc.auth.signing_keys import ServedKeys, served_keys
from scimsvc.auth.throttling import (
    WrongMetricsTokens,
    WrongPasswords,
    WrongSecrets,
    wrong_metrics_tokens,
    wrong_passwords,
    wrong_secrets,
)
from scimsvc.auth.tokens import TokenSigner
from scimsvc.settings import Settings
from scimsvc.web.client_address import ProxyWarning, proxy_warning
from scimsvc.web.state import AppState

token_signer: AppState[TokenSigner] = AppState("token signer")


def init_auth(app: Flask, settings: Settings) -> None:
    """Create the state of authentication for ``app``."""
    signer = TokenSigner(settings.secret_keys)
    token_signer.init_app(app, signer)
    known_callers.init_app(app, Callers(signer))
    served_keys.init_app(app, ServedKeys(signer))
    rate_limit.init_app(app, RateLimit(settings.rate_limit))
    attempts = Attempts()
    wrong_secrets.init_app(app, WrongSecrets(attempts))
    wrong_passwords.init_app(app, WrongPasswords(attempts))
    wrong_metrics_tokens.init_app(app, WrongMetricsTokens(attempts))
    proxy_warning.init_app(app, ProxyWarning())
    last_uses.init_app(app, LastUses())
