"""The second factors of console accounts, and their recovery codes."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, update

from scimsvc.models import RecoveryCode, SecondFactor
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class SecondFactorRow(NamedTuple):
    """The authenticator app of an account."""

    admin_id: str
    salt: str
    key_id: str
    enabled_at: str
    last_step: int
    wrong_codes: int


class _Count(NamedTuple):
    number: int


_ADMIN_ID = bindparam("admin_id", type_=SecondFactor.admin_id.type)
_DIGEST = bindparam("digest", type_=RecoveryCode.digest.type)
_THIS = SecondFactor.admin_id == _ADMIN_ID
_OF_THIS = RecoveryCode.admin_id == _ADMIN_ID
_FIND = Query(
    select(
        SecondFactor.admin_id,
        SecondFactor.salt,
        SecondFactor.key_id,
        SecondFactor.enabled_at,
        SecondFactor.last_step,
        SecondFactor.wrong_codes,
    ).where(_THIS),
    SecondFactorRow,
)
_INSERT = Write(insert(SecondFactor))
_DELETE = Write(delete(SecondFactor).where(_THIS))
#: The condition on the step ensures that only the first of two concurrent uses of a code changes a row.
_ACCEPT_STEP = Write(
    update(SecondFactor)
    .where(_THIS, SecondFactor.last_step < bindparam("step"))
    .values(last_step=bindparam("new_last_step"), wrong_codes=0)
)
_COUNT_WRONG = Write(update(SecondFactor).where(_THIS).values(wrong_codes=SecondFactor.wrong_codes + 1))
_FORGET_WRONG = Write(update(SecondFactor).where(_THIS).values(wrong_codes=0))
_COUNT_CODES = Query(select(func.count().label("number")).select_from(RecoveryCode).where(_OF_THIS), _Count)
_INSERT_CODE = Write(insert(RecoveryCode))
_DELETE_CODE = Write(delete(RecoveryCode).where(_OF_THIS, RecoveryCode.digest == _DIGEST))
_DELETE_CODES = Write(delete(RecoveryCode).where(_OF_THIS))


def find_second_factor(connection: Connection, admin_id: str) -> SecondFactorRow | None:
    """Return the second factor of the account."""
    return _FIND.first(connection, {"admin_id": admin_id})


def replace_second_factor(connection: Connection, row: SecondFactorRow, digests: Iterable[str]) -> None:
    """Store the second factor in place of the previous one, with the digests of its recovery codes."""
    delete_second_factor(connection, row.admin_id)
    _INSERT.run(connection, row._asdict())
    replace_recovery_codes(connection, row.admin_id, digests)


def delete_second_factor(connection: Connection, admin_id: str) -> bool:
    """Delete the second factor of the account and its recovery codes. False if the account has none."""
    return _DELETE.run(connection, {"admin_id": admin_id}) == 1


def accept_step(connection: Connection, admin_id: str, step: int) -> bool:
    """Note that the code of this ``step`` is used. False if a code of this step or of a later one was used before."""
    return _ACCEPT_STEP.run(connection, {"admin_id": admin_id, "step": step, "new_last_step": step}) == 1


def accept_recovery_code(connection: Connection, admin_id: str, digest: str) -> bool:
    """Delete the recovery code with this digest. False if the account has no such code."""
    if _DELETE_CODE.run(connection, {"admin_id": admin_id, "digest": digest}) == 0:
        return False
    _FORGET_WRONG.run(connection, {"admin_id": admin_id})
    return True


def count_wrong_code(connection: Connection, admin_id: str) -> None:
    """Count a wrong code of the account."""
    _COUNT_WRONG.run(connection, {"admin_id": admin_id})


def count_recovery_codes(connection: Connection, admin_id: str) -> int:
    """Return the number of recovery codes that were not used."""
    return _COUNT_CODES.one(connection, {"admin_id": admin_id}).number


def replace_recovery_codes(connection: Connection, admin_id: str, digests: Iterable[str]) -> None:
    """Store the digests of new recovery codes in place of the previous ones."""
    _DELETE_CODES.run(connection, {"admin_id": admin_id})
    _INSERT_CODE.run_many(connection, [{"admin_id": admin_id, "digest": digest} for digest in digests])
