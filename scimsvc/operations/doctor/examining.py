"""Run all checks of the current app."""

from collections.abc import Iterator

from scimsvc.operations.doctor import addresses, configuration, database, enterprises, files, keys, messages, upkeep
from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Topic, worst_first
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage

SKIPPED = Kind("doctor.skipped", Severity.INFO, "Checks that need the database were skipped.")
UNREADABLE = Kind("database.unreadable", Severity.ERROR, "A part of the database cannot be read.")

_INSIDE = (keys.TOPIC, *enterprises.TOPICS, *messages.TOPICS, *upkeep.TOPICS)
TOPICS = (configuration.TOPIC, files.TOPIC, addresses.TOPIC, addresses.CONNECTING, database.TOPIC, *_INSIDE)
#: Every kind of finding. A finding of a topic without a fault has the topic's name as its ID.
KINDS = (*(kind for topic in TOPICS for kind in topic.kinds), UNREADABLE, SKIPPED)


def examine_settings() -> list[Finding]:
    """Return the findings about the settings, which need no app."""
    return _run(configuration.TOPIC)


def examine(
    before: list[Finding], *, invalid: frozenset[str] = frozenset(), connect: bool = False, thorough: bool = True
) -> list[Finding]:
    """Return all findings about the current app and ``before``, the worst first.

    ``invalid`` has the variables that are not valid, so that the app has no value of them. With ``connect``, ask the
    public URL too. Without ``thorough``, leave out the check of the whole database file.
    """
    with longer_deadline(LONG_SECONDS):
        return worst_first([*before, *_examine(invalid, connect=connect, thorough=thorough)])


def _examine(invalid: frozenset[str], *, connect: bool, thorough: bool) -> Iterator[Finding]:
    yield from _run(files.TOPIC)
    if not invalid & addresses.VARIABLES:
        for topic in (addresses.TOPIC, *((addresses.CONNECTING,) if connect else ())):
            yield from _run(topic)
    of_database = _run(database.TOPIC if thorough else database.QUICK_TOPIC)
    yield from of_database
    if any(each.severity == Severity.ERROR and each.id != database.READ_ONLY.id for each in of_database):
        yield skipped()
    else:
        for topic in _INSIDE:
            yield from _run(topic)


def skipped() -> Finding:
    """Return the finding that the content of the database was not examined."""
    return SKIPPED.found(
        "The content of the database was not examined.", "Correct the errors, and run the doctor again."
    )


def _run(topic: Topic) -> list[Finding]:
    findings = list(_guarded(topic))
    if any(each.severity != Severity.OK for each in findings):
        return findings
    return [Finding(topic.name, Severity.OK, topic.sound), *findings]


def _guarded(topic: Topic) -> Iterator[Finding]:
    try:
        yield from topic.check()
    except DATABASE_ERRORS as error:
        yield UNREADABLE.found(
            f"The {topic.name} could not be examined: {describe_outage(error).rstrip('.')}.", "Run 'scimsvc check'."
        )
