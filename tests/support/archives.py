"""Read archives of enterprises, and write changed ones."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
Rows = list[dict[str, Any]]


def read_archive(path: Path) -> dict[str, Rows]:
    """Return the rows of each table."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".jsonl"): [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
            if name != MANIFEST
        }


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest."""
    with zipfile.ZipFile(path) as archive:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
        return manifest


def texts_of(path: Path) -> dict[str, bytes]:
    """Return the content of each file."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(rows: Rows) -> bytes:
    """Return ``rows`` as JSON lines."""
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def changed_archive(
    source: Path,
    target: Path,
    *,
    rows: Callable[[dict[str, Rows]], object] = lambda _: None,
    files: Callable[[dict[str, bytes]], object] = lambda _: None,
    manifest: Callable[[dict[str, Any]], object] = lambda _: None,
    seal: bool = True,
) -> Path:
    """Write a copy of an archive that each function may change, with new checksums if ``seal`` is set."""
    tables, described = read_archive(source), read_manifest(source)
    rows(tables)
    content = {f"{table}.jsonl": lines(each) for table, each in tables.items()}
    files(content)
    if seal:
        described["files"] = {name: _describe(each) for name, each in content.items()}
    manifest(described)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in content.items():
            archive.writestr(name, each)
        archive.writestr(MANIFEST, json.dumps(described))
    return target


def _describe(content: bytes) -> dict[str, Any]:
    return {"rows": content.count(b"\n"), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
