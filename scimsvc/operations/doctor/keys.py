"""Check that the configured secret keys fit the database, and what other keys signed."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from scimsvc import clock
from scimsvc.auth.signing_keys import has_no_key, why_no_key_fits
from scimsvc.auth.state import token_signer
from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Subject, Topic
from scimsvc.operations.files import find_missing_key
from scimsvc.protocol.errors import listed
from scimsvc.store.admins import list_admins
from scimsvc.store.engine.transactions import reading
from scimsvc.store.tokens import list_tokens

UNREADABLE = Kind("keys.unreadable", Severity.ERROR, "The file of the secret key cannot be read, or is too short.")
MISSING = Kind(
    "keys.missing", Severity.ERROR, "No secret key is configured, and servers used the database with a key.",
)  # fmt: skip
NONE_YET = Kind("keys.none_yet", Severity.INFO, "There is no secret key yet. The first start creates one.")
MISFIT = Kind("keys.misfit", Severity.ERROR, "No configured secret key fits the database.")
UNVERIFIABLE = Kind(
    "keys.unverifiable_tokens", Severity.WARNING, "Valid tokens were signed with a key that is not configured.",
    "console_integrations.list_",
)  # fmt: skip
OLD_APPS = Kind(
    "keys.old_authenticators", Severity.WARNING,
    "Authenticator apps of console accounts belong to a key that is not configured.", "console_all_accounts.list_",
)  # fmt: skip
_RESTORE = "Restore the key, or set SCIMSVC_SECRET_KEY. If the key is lost, run 'scimsvc key adopt'."


def find() -> Iterator[Finding]:
    """Find keys that do not fit, and what no configured key verifies."""
    misfit = why_no_key_fits(token_signer.current)
    if has_no_key():
        path = find_missing_key()
        if path is not None and misfit is not None:
            yield MISSING.found(f"There is no secret key at {path}. {misfit}", _RESTORE)
        elif path is not None:
            yield NONE_YET.found(f"There is no secret key at {path}.", "Start the service, which creates it.")
        return
    if misfit is not None:
        yield MISFIT.found(misfit.partition(" Restore")[0], _RESTORE)
        return
    yield from _tokens()
    yield from _authenticators()


def _tokens() -> Iterator[Finding]:
    verifies, now = token_signer.current.verifies, clock.timestamp(clock.now())
    with reading() as connection:
        tokens = list_tokens(connection)
    keys: dict[Subject, Counter[str]] = defaultdict(Counter)
    for token in tokens:
        if token.revoked_at is None and token.expires_at > now and not verifies(token.key_id):
            keys[Subject(token.enterprise_id, token.enterprise)][str(token.key_id)] += 1
    for enterprise, counted in keys.items():
        yield UNVERIFIABLE.found(
            f"{counted.total():,} valid tokens need the key {listed(sorted(counted))}, which is not configured.",
            "Add this key to SCIMSVC_SECRET_KEY after the current one, or replace the tokens.",
            enterprise=enterprise,
        )


def _authenticators() -> Iterator[Finding]:
    known = token_signer.current.key_ids
    with reading() as connection:
        accounts = list_admins(connection)
    old = [each.email for each in accounts if each.second_factor_key_id not in (None, *known)]
    if old:
        yield OLD_APPS.found(
            f"The authenticator apps of {listed(old)} belong to a key that is not configured.",
            "Add this key to SCIMSVC_SECRET_KEY after the current one, or run 'scimsvc admin reset-mfa'.",
        )


TOPIC = Topic(
    "keys", "The secret keys fit the database and verify all tokens.", find,
    (UNREADABLE, MISSING, NONE_YET, MISFIT, UNVERIFIABLE, OLD_APPS),
)  # fmt: skip
