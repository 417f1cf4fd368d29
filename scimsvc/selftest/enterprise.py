"""A throw-away enterprise for a run beside the database: no other enterprise sees the users of the self-test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from scimsvc.auth.grants import TokenRequest, issue_token
from scimsvc.auth.tokens import TokenSigner
from scimsvc.enterprises.enterprises import create_enterprise, delete_enterprise, list_enterprises
from scimsvc.errors import Conflict, NoSuchThing
from scimsvc.selftest.session import RESERVED_NAME
from scimsvc.vocabulary import API_SCOPE, SCIM_SCOPE

#: The roles beside the default role, which the sequences give to users.
ROLES = ("SigningHub_Admin", "User")
_NAME = re.compile(re.escape(RESERVED_NAME) + "[0-9a-f]{8}")
#: The deletion of the enterprise ends its tokens earlier.
_TOKEN_DAYS = 1


class Throwaway(NamedTuple):
    """The tokens of a throw-away enterprise."""

    scim_token: str
    api_token: str


@contextmanager
def throwaway_enterprise(run: str, signer: TokenSigner) -> Iterator[Throwaway]:
    """Create an enterprise for the ``run``, and delete it at the end with everything in it.

    Also delete the enterprises of earlier runs that crashed. Raises the errors of ``create_enterprise``, and
    ``Conflict`` at the end if the enterprise was deleted meanwhile, because the findings are then about that.
    """
    delete_abandoned()
    made = create_enterprise(RESERVED_NAME + run, roles=list(ROLES), scim_enabled=True)
    is_lost = False
    try:
        scim, api = (
            issue_token(made["id"], TokenRequest(scope, days=_TOKEN_DAYS, name="Self-test"), signer=signer)
            for scope in (SCIM_SCOPE, API_SCOPE)
        )
        yield Throwaway(scim["access_token"], api["access_token"])
    finally:
        try:
            delete_enterprise(made["id"])
        except NoSuchThing:
            is_lost = True
    if is_lost:
        raise Conflict(
            "The enterprise of this self-test was deleted during the run, for example by another self-test. The run "
            "has no result. Start one self-test at a time."
        )


def delete_abandoned() -> None:
    """Delete the enterprises of earlier runs. Their names are those of a self-test, followed by the run."""
    for enterprise in list_enterprises():
        if _NAME.fullmatch(enterprise["name"]):
            with suppress(NoSuchThing):
                delete_enterprise(enterprise["id"])
