"""The lifetimes of new tokens: defaults, the maximum of the operator, and the end of the token that issues another."""

from datetime import timedelta

from scimsvc import clock
from scimsvc.errors import InvalidInput, NotAllowed
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.settings import get_global_settings
from scimsvc.web.state import Caller


def default_lifetime(connection: Connection, *, long_lived: bool, issuer: Caller | None = None) -> timedelta:
    """Return ``scim_token_days`` for a ``long_lived`` token, else ``access_token_hours``.

    It ends earlier with ``token_max_days``, and with the token of ``issuer``, which issues it.
    """
    settings = get_global_settings(connection)
    name = "scim_token_days" if long_lived else "access_token_hours"
    lifetime = timedelta(days=settings[name]) if long_lived else timedelta(hours=settings[name])
    longest = timedelta(days=settings["token_max_days"])
    return min(lifetime, longest, _rest_of(issuer) if issuer is not None else longest)


def bounded_lifetime(connection: Connection, lifetime: timedelta) -> timedelta:
    """Return ``lifetime``, or ``token_max_days`` if it is longer."""
    return min(lifetime, timedelta(days=get_global_settings(connection)["token_max_days"]))


def read_days(connection: Connection, days: int, *, issuer: Caller | None = None) -> timedelta:
    """Return a lifetime of ``days``.

    Raises ``InvalidInput`` if it exceeds ``token_max_days``, and ``NotAllowed`` if it outlives the token of ``issuer``.
    """
    most = get_global_settings(connection)["token_max_days"]
    if days > most:
        problem = f"Enter at most {most}. The operator limits tokens to that number of days with token_max_days."
        raise InvalidInput(f"days: {problem}", {"days": [problem]})
    lifetime = timedelta(days=days)
    if issuer is not None and lifetime > _rest_of(issuer):
        end = clock.timestamp(issuer.token_expires_at)
        raise NotAllowed(
            f"A token cannot issue one that outlives it, and this one expires at {end}. Leave out days for "
            "the same end, or create the token in the console or with scimsvc token issue."
        )
    return lifetime


def _rest_of(issuer: Caller) -> timedelta:
    return issuer.token_expires_at - clock.now().replace(microsecond=0)
