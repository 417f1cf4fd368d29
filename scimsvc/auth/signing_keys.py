"""Compare the keys of this process with those of the database, and note which keys its servers have.

The database stores the IDs of the keys of the server that started last. They are a fingerprint: they do not reveal the
keys. A process of which no key fits the database is not ready, because it would refuse all tokens, and its own tokens
would be refused elsewhere. A command that runs with another key than the server warns.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Any

from flask import current_app

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, Target, audited, changed
from scimsvc.auth.tokens import TokenSigner
from scimsvc.protocol.errors import listed
from scimsvc.settings import SettingsError
from scimsvc.settings.keys import TEMPORARY_KEY, key_id
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.signing_keys import list_signing_keys, lock_signing_keys, replace_signing_keys
from scimsvc.vocabulary import Action
from scimsvc.web.state import AppState

_log = logging.getLogger("scimsvc")
_ADVICE = "Set the same SCIMSVC_SECRET_KEY, or the same SCIMSVC_INSTANCE_PATH, for both."
_REFUSED = "The server does not accept this token. It is signed with"


def why_not_the_servers_key(signer: TokenSigner, *, effect: str = _REFUSED) -> str | None:
    """Return a warning with the ``effect`` if the server does not have the key of this process, else None."""
    served = _read_served()
    if not served or signer.key_ids[0] in served:
        return None
    return (
        f"{effect} the key {signer.key_ids[0]}, and the server that started last with this database has "
        f"{listed(served)}. {_ADVICE}"
    )


def why_no_key_fits(signer: TokenSigner) -> str | None:
    """Return the reason if no key of this process is one of the database, else None. Raises ``DATABASE_ERRORS``.

    A database without keys, which no server has used yet, fits every key.
    """
    return _misfit(_read_served(), signer)


def refuse_other_key(signer: TokenSigner) -> None:
    """Raise ``SettingsError`` if no key of this process is one of the database."""
    reason = why_no_key_fits(signer)
    if reason is not None:
        raise SettingsError(reason)


def has_no_key() -> bool:
    """Return whether this command has only a temporary key, because no key is configured and it needs none."""
    return bool(current_app.config.get(TEMPORARY_KEY))


def _misfit(served: Collection[str], signer: TokenSigner) -> str | None:
    if not served or set(served) & set(signer.key_ids):
        return None
    if has_no_key():
        return f"No secret key is configured here, and servers used this database with the key {listed(served)}."
    return (
        f"No secret key of this process ({listed(signer.key_ids)}) fits the database, which servers used with the key "
        f"{listed(served)}. Restore that key, beside the new one if you are replacing it, or run 'scimsvc key adopt'."
    )


def _read_served() -> list[str]:
    with reading() as connection:
        return _list_served(connection)


def _list_served(connection: Connection) -> list[str]:
    return [row.key_id for row in list_signing_keys(connection)]


@audited
def adopt_keys(secret_keys: Sequence[str]) -> dict[str, Any]:
    """Let the database fit ``secret_keys`` only. Processes with other keys are no longer ready."""
    adopted = list(map(key_id, secret_keys))
    with writing() as connection:
        lock_signing_keys(connection)
        served = _list_served(connection)
        replace_signing_keys(connection, adopted, at=clock.timestamp(clock.now()))
        difference = changed({"key_ids": served}, {"key_ids": sorted(adopted)})
        AuditLog(connection).record(Action.KEY_ADOPTED, Target(None, None), difference)
    return {"key_ids": adopted, "previous_key_ids": served}


class ServedKeys:
    """Notes the keys of a server once, when it starts or when it writes the first last uses."""

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer
        self._is_noted = False

    def note(self) -> None:
        """Note the keys, or warn in the log if none of them fits the database.

        If the database cannot be written, or another process notes the same keys at this moment, the next call tries
        it again.
        """
        if self._is_noted:
            return
        try:
            warning = _note_served_keys(self._signer)
        except DATABASE_ERRORS:
            return
        self._is_noted = True
        if warning is not None:
            _log.warning("%s", warning)


served_keys: AppState[ServedKeys] = AppState("served keys")


@retried
def _note_served_keys(signer: TokenSigner) -> str | None:
    """Note the keys unless none of them fits. Return the reason in that case."""
    served = _read_served()
    if set(served) == set(signer.key_ids):
        return None
    with writing() as connection:
        lock_signing_keys(connection)
        misfit = _misfit(_list_served(connection), signer)
        if misfit is None:
            replace_signing_keys(connection, signer.key_ids, at=clock.timestamp(clock.now()))
    return misfit
