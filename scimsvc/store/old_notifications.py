"""Find and delete old rows of the tables that alerts are made of."""

from sqlalchemy import bindparam

from scimsvc.models import ProviderCycle
from scimsvc.store.old_rows import ended

CYCLES = ended(
    ProviderCycle,
    ProviderCycle.started_at,
    ProviderCycle.ended_at < bindparam("before", type_=ProviderCycle.ended_at.type),
)
