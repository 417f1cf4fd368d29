"""Write a comparison as CSV, as JSON, or as JSON with one object on each line, with a few findings in memory."""

from collections.abc import Callable, Iterator, Mapping

from scimsvc.protocol.json_text import write_json
from scimsvc.reconciliation.comparing import Comparison, Finding
from scimsvc.web.csv_lines import write_line


def write_csv(comparison: Comparison) -> Iterator[str]:
    """Yield a header and a line for each finding."""
    yield write_line(Finding._fields)
    yield from map(write_line, comparison.findings())


def write_json_report(comparison: Comparison) -> Iterator[str]:
    """Yield one JSON object: the counts, and all findings as ``items``."""
    yield write_json(comparison.summary)[:-1] + ',"items":['
    separator = "\n"
    for line in _objects(comparison):
        yield separator + line
        separator = ",\n"
    yield "]}\n"


def write_json_lines(comparison: Comparison) -> Iterator[str]:
    """Yield a JSON object for each finding."""
    for line in _objects(comparison):
        yield line + "\n"


def _objects(comparison: Comparison) -> Iterator[str]:
    for finding in comparison.findings():
        yield write_json(finding._asdict())


#: The form of a complete report by the ending of the file name.
FORMS: Mapping[str, Callable[[Comparison], Iterator[str]]] = {
    ".csv": write_csv,
    ".json": write_json_report,
    ".jsonl": write_json_lines,
}
