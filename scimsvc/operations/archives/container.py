"""The file of an archive: a ZIP file with JSON lines and a manifest that has their checksums.

Reading is safe for files of unknown origin. Only the expected names are opened and nothing is extracted. A file that
would grow too much, a line that is too long, and whatever the checksums do not match are refused.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from scimsvc.errors import InvalidInput
from scimsvc.protocol.json_text import InvalidJSON, read_json, write_json
from scimsvc.protocol.limits import DEFAULTS

#: The format of the archive, and its version.
FORMAT, VERSION = "scimsvc-enterprise", 1
MANIFEST = "manifest.json"
_LONGEST_MANIFEST = 64 * 1024
#: Bytes of a line.
LONGEST_LINE = 16 * 1024 * 1024
#: How much larger than in the archive a file may be. Rows have random IDs, so that real files stay far below.
_MOST_GROWTH = 200
_GROWTH_ALLOWED = 1024 * 1024
#: A row is a flat object. Documents in it are text.
_LIMITS = replace(DEFAULTS, body=LONGEST_LINE, string_length=LONGEST_LINE, json_depth=3)
#: The first bytes of a ZIP file that contains files.
_BEGINNING = b"PK\x03\x04"
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


class InvalidArchive(InvalidInput):
    """The file is not an archive that can be imported."""


class ArchivedFile(NamedTuple):
    """The description of a file of an archive in the manifest."""

    rows: int
    bytes: int
    sha256: str


class ArchiveWriter:
    """Write the files of an archive, one after another."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, ArchivedFile] = {}

    def write_rows(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the rows of a table as JSON lines."""
        digest, count, size = hashlib.sha256(), 0, 0
        with self._archive.open(_zip_entry(_file_name(table)), "w", force_zip64=True) as file:
            for row in rows:
                line = write_json(row).encode() + b"\n"
                file.write(line)
                digest.update(line)
                count += 1
                size += len(line)
        self.files[_file_name(table)] = ArchivedFile(count, size, digest.hexdigest())

    def write_manifest(self, members: Mapping[str, Any]) -> None:
        """Write the manifest, with ``members`` and the description of the files. It is the last file."""
        files = {name: file._asdict() for name, file in self.files.items()}
        manifest = {"format": FORMAT, "version": VERSION, **members, "files": files}
        with self._archive.open(_zip_entry(MANIFEST), "w") as file:
            file.write(write_json(manifest).encode() + b"\n")


def _zip_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _file_name(table: str) -> str:
    return f"{table}.jsonl"


@contextmanager
def writing_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Write an archive to ``path``."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        yield ArchiveWriter(archive)


class ArchiveReader:
    """Read the files of an archive. Every method raises ``InvalidArchive`` if the archive is faulty."""

    def __init__(self, archive: zipfile.ZipFile, tables: Iterable[str]) -> None:
        self._archive = archive
        self._refuse_other_files({MANIFEST, *map(_file_name, tables)})
        self.manifest = self._read_manifest()
        self._files = _described_files(self.manifest, {_file_name(table) for table in tables})

    def _refuse_other_files(self, expected: set[str]) -> None:
        entries = self._archive.infolist()
        names = [entry.filename for entry in entries]
        if len(set(names)) != len(names):
            raise InvalidArchive("The archive contains a file twice. Export the enterprise again.")
        if set(names) != expected:
            raise InvalidArchive(
                "The archive does not contain exactly the files of an exported enterprise. "
                "Use a file that 'scimsvc enterprise export' wrote."
            )
        for entry in entries:
            if entry.file_size > _MOST_GROWTH * entry.compress_size + _GROWTH_ALLOWED:
                raise InvalidArchive(f"{entry.filename} in the archive would grow too much. It was not read.")

    def _read_manifest(self) -> dict[str, Any]:
        with _faults_of(MANIFEST), self._archive.open(MANIFEST) as file:
            content = file.read(_LONGEST_MANIFEST + 1)
        if len(content) > _LONGEST_MANIFEST:
            raise InvalidArchive(f"{MANIFEST} in the archive is too long.")
        manifest = _read_object(content, MANIFEST)
        if manifest.get("format") != FORMAT:
            raise InvalidArchive("The file is not an exported enterprise. Use a file of 'scimsvc enterprise export'.")
        if manifest.get("version") != VERSION:
            raise InvalidArchive(
                f"The archive has version {str(manifest.get('version'))[:20]} of the format, "
                f"and this installation reads version {VERSION}. Upgrade this installation first."
            )
        return manifest

    def count_rows(self) -> int:
        """Return the number of all rows in the manifest."""
        return sum(file.rows for file in self._files.values())

    def iterate_rows(self, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the place of each row, such as ``users.jsonl line 3``, and the row. Check the file at its end."""
        name = _file_name(table)
        described, digest, count, size = self._files[name], hashlib.sha256(), 0, 0
        with _faults_of(name), self._archive.open(name) as file:
            for count, line in enumerate(_lines(file, name), start=1):
                digest.update(line)
                size += len(line)
                yield f"{name} line {count}", _read_object(line, f"{name} line {count}")
        if ArchivedFile(count, size, digest.hexdigest()) != described:
            raise InvalidArchive(
                f"{name} in the archive does not match its checksum. The file was changed or damaged. Copy it again."
            )


def _lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise InvalidArchive(f"{name} in the archive has a line of more than {LONGEST_LINE:,} bytes.")
        yield line


def _read_object(content: bytes, place: str) -> dict[str, Any]:
    try:
        value: Any = read_json(content, _LIMITS)
    except InvalidJSON as error:
        raise InvalidArchive(f"{place} in the archive {error.fault}.") from None
    if not isinstance(value, dict):
        raise InvalidArchive(f"{place} in the archive is not a JSON object.")
    return value


def _described_files(manifest: Mapping[str, Any], expected: set[str]) -> dict[str, ArchivedFile]:
    files = manifest.get("files")
    kinds = {"rows": int, "bytes": int, "sha256": str}
    if not isinstance(files, dict) or files.keys() != expected:
        raise InvalidArchive(f"{MANIFEST} in the archive does not describe its files.")
    for file in files.values():
        if not isinstance(file, dict) or {key: type(value) for key, value in file.items()} != kinds:
            raise InvalidArchive(f"{MANIFEST} in the archive does not describe its files.")
    return {name: ArchivedFile(**file) for name, file in files.items()}


@contextmanager
def _faults_of(name: str) -> Iterator[None]:
    """Report what is wrong with the compressed file ``name``."""
    try:
        yield
    except _FAULTS:
        raise InvalidArchive(f"{name} in the archive is damaged. Copy the archive again.") from None


@contextmanager
def reading_archive(path: Path, tables: Iterable[str]) -> Iterator[ArchiveReader]:
    """Open the archive at ``path``. Raises ``InvalidArchive``."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InvalidArchive(f"Cannot read '{path}': {error.strerror}.") from None
    except _FAULTS:
        raise InvalidArchive(_describe_unreadable(path)) from None
    with archive:
        yield ArchiveReader(archive, tuple(tables))


def _describe_unreadable(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(len(_BEGINNING)) == _BEGINNING:
            return f"The archive '{path}' is incomplete or damaged. Copy it again."
    return f"'{path}' is not an archive. Use a file of 'scimsvc enterprise export'."
