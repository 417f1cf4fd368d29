"""Refuse clients that guess secrets or passwords.

The token endpoint refuses a client from an address after twenty wrong secrets a minute (contract section 4). A secret
has 256 random bits, so that guessing is hopeless, and the limits only bound its cost. They must never stop an honest
client because of a stranger. Therefore a right secret passes unless twenty wrong ones of the same client came from the
same address, and even then if that client has sent its right secret from there before.

A person chooses a password, so that limits must stop guessing. A browser in which the account signed in before is
counted apart (``console.browsers``). Strangers reach only the limits of other browsers.
"""

from collections.abc import Callable
from typing import TypeVar

from scimsvc.auth.attempts import Attempts, Limit, digest_key, limit
from scimsvc.auth.errors import InvalidClient, TooManyWrongSecrets
from scimsvc.errors import TooManyAttempts
from scimsvc.web.state import AppState

ClientT = TypeVar("ClientT")

#: The maximum of wrong client secrets a minute: for a client from one address, for a client, from an address, in all.
MOST_WRONG = 20
MOST_FOR_CLIENT = 100
MOST_SECRETS_FROM_ADDRESS = 100
MOST_SECRETS = 600

#: The maximum of wrong passwords a minute: for an account from one address or known browser, for an account, from an
#: address, and in all. The last one bounds the slow computations of hashes.
MOST_PASSWORDS = 5
MOST_FOR_ACCOUNT = 20
MOST_FROM_ADDRESS = 30
MOST_IN_ALL = 120

#: The maximum of wrong metrics tokens a minute: from an address, and in all.
MOST_METRICS_TOKENS = 20
MOST_METRICS_TOKENS_IN_ALL = 200


class WrongSecrets:
    """Counts wrong client secrets. Requests with a valid token are not affected, because they do not come here."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def authenticate(self, address: str, client_id: str, authenticate: Callable[[], ClientT]) -> ClientT:
        """Return the result of ``authenticate``, or count its ``InvalidClient`` and raise it.

        Raises ``TooManyWrongSecrets`` if a maximum was reached.
        """
        pair = limit(MOST_WRONG, "secret", address, client_id)
        mark = digest_key("secret was right", address, client_id)
        wait, marked_until = self._attempts.look_up([pair], mark)
        try:
            client = authenticate()
        except InvalidClient:
            wait = wait or self._attempts.take(_secret_limits(pair, address, client_id))
            if wait:
                raise _too_many_secrets(wait) from None
            raise
        if wait and marked_until is None:
            raise _too_many_secrets(wait)
        self._attempts.mark(mark, marked_until=marked_until)
        return client


def _secret_limits(pair: Limit, address: str, client_id: str) -> list[Limit]:
    return [
        pair,
        limit(MOST_FOR_CLIENT, "secret of client", client_id),
        limit(MOST_SECRETS_FROM_ADDRESS, "secret from address", address),
        limit(MOST_SECRETS, "secrets"),
    ]


def _too_many_secrets(wait: int) -> TooManyWrongSecrets:
    return TooManyWrongSecrets(
        f"Too many wrong client secrets were sent within a minute. Try again in {wait} seconds.", retry_after=wait
    )


class WrongPasswords:
    """Counts wrong passwords of the console's accounts. Unknown accounts count like known ones."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def take(self, address: str, account: str, browser: str | None) -> list[Limit]:
        """Count an attempt to sign in, and return its limits. Give it back if the password is right.

        ``browser`` identifies a browser in which the account signed in before. Raises ``TooManyAttempts`` if a maximum
        was reached.
        """
        limits = _password_limits(address, account) if browser is None else _known_limits(browser, account)
        wait = self._attempts.take(limits)
        if wait:
            raise TooManyAttempts(
                f"Too many wrong passwords or codes were sent. Try again in {wait} seconds.", retry_after=wait
            )
        return limits


def _password_limits(address: str, account: str) -> list[Limit]:
    return [
        limit(MOST_PASSWORDS, "password", address, account),
        limit(MOST_FOR_ACCOUNT, "password of account", account),
        limit(MOST_FROM_ADDRESS, "password from address", address),
        limit(MOST_IN_ALL, "passwords"),
    ]


def _known_limits(browser: str, account: str) -> list[Limit]:
    return [
        limit(MOST_PASSWORDS, "password in browser", browser, account),
        limit(MOST_FOR_ACCOUNT, "password of account in known browsers", account),
    ]


class WrongMetricsTokens:
    """Counts wrong tokens of ``/metrics``. The right token is never refused."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def count(self, address: str) -> None:
        """Count a wrong token. Raises ``TooManyAttempts`` if a maximum was reached."""
        wait = self._attempts.take(
            [
                limit(MOST_METRICS_TOKENS, "metrics token from address", address),
                limit(MOST_METRICS_TOKENS_IN_ALL, "metrics tokens"),
            ]
        )
        if wait:
            raise TooManyAttempts(
                f"Too many wrong metrics tokens were sent. Try again in {wait} seconds.", retry_after=wait
            )


wrong_secrets: AppState[WrongSecrets] = AppState("wrong secrets")
wrong_passwords: AppState[WrongPasswords] = AppState("wrong passwords")
wrong_metrics_tokens: AppState[WrongMetricsTokens] = AppState("wrong metrics tokens")
