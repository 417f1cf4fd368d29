"""The state of authentication for each app: the signer, caches and counters."""

from flask import Flask

from scimsvc.auth.callers import Callers, known_callers
from scimsvc.auth.expiry import ExpiryNotices, expiry_notices
from scimsvc.auth.last_uses import LastUses, last_uses
from scimsvc.auth.throttling import RateLimit, WrongPasswords, WrongSecrets, rate_limit, wrong_passwords, wrong_secrets
from scimsvc.auth.tokens import TokenSigner
from scimsvc.settings import Settings
from scimsvc.web.state import AppState

token_signer: AppState[TokenSigner] = AppState("token signer")


def init_auth(app: Flask, settings: Settings) -> None:
    """Create the state of authentication for ``app``."""
    signer = TokenSigner(settings.secret_keys)
    token_signer.init_app(app, signer)
    known_callers.init_app(app, Callers(signer))
    rate_limit.init_app(app, RateLimit(settings.rate_limit))
    wrong_secrets.init_app(app, WrongSecrets())
    wrong_passwords.init_app(app, WrongPasswords())
    last_uses.init_app(app, LastUses())
    expiry_notices.init_app(app, ExpiryNotices())
