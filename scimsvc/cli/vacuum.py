"""``vacuum``: rebuild the SQLite file."""

from scimsvc.cli.output import result_command
from scimsvc.operations.vacuum import vacuum_database


@result_command(None, "vacuum")
def vacuum() -> dict[str, int]:
    """Rebuild the SQLite file without its unused space, such as after many rows were pruned.

    The service may keep running, but writes wait meanwhile, about 15 seconds for each gigabyte. Writes that wait too
    long are answered 503, and Entra sends them again. Twice the size of the used space must be free.
    """
    return vacuum_database()
