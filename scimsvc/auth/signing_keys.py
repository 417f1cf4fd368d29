"""Compare the keys of this process with those of the server that started last, and warn if they differ.

A token is valid only where its key is configured. A command that runs with another key than the server, for example
from another folder, would otherwise issue tokens that the server refuses.
"""

import logging

from scimsvc import clock
from scimsvc.auth.tokens import TokenSigner
from scimsvc.protocol.errors import listed
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.signing_keys import list_signing_keys, replace_signing_keys
from scimsvc.web.state import AppState

_log = logging.getLogger("scimsvc")
_ADVICE = "Set the same SCIMSVC_SECRET_KEY, or the same SCIMSVC_INSTANCE_PATH, for both."


_REFUSED = "The server does not accept this token. It is signed with"


def why_not_the_servers_key(signer: TokenSigner, *, effect: str = _REFUSED) -> str | None:
    """Return a warning with the ``effect`` if the server does not have the key of this process, else None."""
    with reading() as connection:
        served = [row.key_id for row in list_signing_keys(connection)]
    if not served or signer.key_ids[0] in served:
        return None
    return (
        f"{effect} the key {signer.key_ids[0]}, and the server that started last with this database has "
        f"{listed(served)}. {_ADVICE}"
    )


class ServedKeys:
    """Notes the keys of a server once, when it starts or when it writes the first last uses."""

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer
        self._is_noted = False

    def note(self) -> None:
        """Note the keys, and warn in the log if the server that started before this one has none of them.

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
    with reading() as connection:
        served = [row.key_id for row in list_signing_keys(connection)]
    if set(served) == set(signer.key_ids):
        return None
    with writing() as connection:
        replace_signing_keys(connection, signer.key_ids, at=clock.timestamp(clock.now()))
    if not served or set(served) & set(signer.key_ids):
        return None
    return (
        f"This server has the key {listed(signer.key_ids)}, and the server that started before it with this database "
        f"had {listed(served)}. Tokens of the one are refused by the other. {_ADVICE} If you replaced the key, "
        "write the old one after the new one, separated by a comma, until its tokens have expired."
    )
