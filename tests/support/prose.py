"""Read the prose of the project by file, and find patterns of the old style.

``python -m tests.support.prose scimsvc/cli README.md`` lists the findings of files and folders.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.documents import ROOT

#: A pattern of the old style, and the words to use instead.
PATTERNS = {
    r"(?:^|(?<=[.;:!?] ))(?:What|Who)\b(?![^.?]*\?)": "name the subject: the value, users who, requests that",
    r", what (?:is|was|has|had|does|did)\b": "name the thing",
    r"[;:] what (?:is|was|has|had|does|did|they|it|a|the)\b": "name the thing",
    r"[;:] who (?:is|was|has|had|does|did|may)\b": "name the thing",
    r"(?:^|(?<=[.;:!?] ))Of (?:an?|the|what|several|those|these|each)\b": "put the subject first",
    r"\b(?:whoever|Whoever)\b": "users who, requests that",
    r"(?<!\b[Tt]here )\b(?:is|are) no(?:ne)?\b(?! (?:longer|more|later|earlier|other))": "is not a valid, does not exist",
    r"\balone\b": "only",
    r"\banew\b": "again",
    r"\b[Mm]end(?:s|ed|ing)?\b": "fix",
    r", as (?:it|they|there|nothing|no one|nobody|what|who)\b": "because",
    r", as the\b(?![^.;]*\b(?:do|does|says?)\b)": "because",
    r"\b[Ss]o (?:many|much|long)\b": "at most N, for N hours",
    r"\b(?:[Nn]o|[Ss]ome|[Ee]very)body\b": "no one, users, or the actor's name",
    r"\b(?:is|are|was|were|be|been) told\b": "is returned, is reported, is described",
    r"\bstands?\b(?! for\b)": "is, is stored, is listed",
    r"\bthat there (?:is|are)\b": "leave it out",
    r"\bfor good\b": "permanently",
    r"\bas good as\b|\bgood (?:until|for)\b": "valid until, valid for",
    r"\b[Bb]rakes?\b": "removal limit",
    r"\b[Ll]enien\w+": "tolerance",
    r"(?<!/)\b[Ss]et-up\b": "setup, connect",
    r"\b[Nn]amesakes?\b": "people with the same name",
}
_PATTERNS = {re.compile(pattern): instead for pattern, instead in PATTERNS.items()}
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS).replace("(?:^|", r"(?:\b|"))

#: Pages with quoted words: from Microsoft, or in tests and texts that refer to the pages.
EXEMPT = {ROOT / "docs" / "design" / name for name in ("contract.md", "entra-facts.md", "requirements.md")}


class Finding(NamedTuple):
    """A phrase of the old style, the words to use instead, and the text around it."""

    phrase: str
    instead: str
    around: str

    def __str__(self) -> str:
        return f"'{self.phrase}' in '{self.around}': {self.instead}"


def files(*roots: Path) -> Iterator[Path]:
    """Yield the files with prose in ``roots``, or in the whole project."""
    for root in roots or (*ROOT.glob("*.md"), *(ROOT / name for name in ("docs", "examples", "scimsvc", "tests"))):
        inside = sorted(root.rglob("*")) if root.is_dir() else [root]
        yield from (path for path in inside if path.suffix in _READERS and path not in EXEMPT)


def findings(path: Path) -> Iterator[Finding]:
    """Yield the findings of one file."""
    text = path.read_text("utf-8")
    if _ANY.search(" ".join(text.split())) is None:
        return
    with_messages = "tests" not in path.relative_to(ROOT).parts
    for unit in _READERS[path.suffix](text, with_messages):
        yield from findings_in(" ".join(unit.split()))


def findings_in(text: str) -> Iterator[Finding]:
    """Yield the findings of one paragraph, cell or message. Code in backticks is ignored."""
    text = re.sub(r"(`+).+?\1", "`x`", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    for pattern, instead in _PATTERNS.items():
        for match in pattern.finditer(text):
            yield Finding(match[0], instead, text[max(match.start() - 30, 0) : match.end() + 30])


def _of_module(text: str, with_messages: bool) -> Iterator[str]:
    """Yield docstrings by paragraph, comments, and messages: other strings of several words."""
    tree = ast.parse(text)
    docstrings = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            docstrings.add(id(body[0].value))
            if isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
                yield from body[0].value.value.split("\n\n")
    for block in re.findall(r"(?:^ *#:?(?: .*)?\n)+", text, re.MULTILINE):
        yield re.sub(r"^ *#:?", "", block, flags=re.MULTILINE)
    yield from re.findall(r"\S  # (?!noqa|type:)(.+)", text)
    if with_messages:
        yield from _messages(tree, docstrings)


def _messages(tree: ast.Module, docstrings: set[int]) -> Iterator[str]:
    parts = set(docstrings)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(map(id, node.values))
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield from node.value.split("\n\n")


def _of_page(text: str, _: bool) -> Iterator[str]:
    """Yield paragraphs, list items, headings and table cells of Markdown; not its code blocks."""
    text = re.sub(r"^( *)(`{3,}|~{3,}).*?^ *\2", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in re.split(r"\n\s*\n|\n(?= *(?:[-*+]|\d+\.|#+|\|) )", text):
        if line.startswith("|"):
            yield from line.split("|")
        else:
            yield re.sub(r"^[\s>#*+-]*(?:\d+\. )?", "", line)


def _of_template(text: str, _: bool) -> Iterator[str]:
    """Yield the text between tags, and the values of attributes that people read."""
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
    yield from re.findall(r'"([^"{}<>]* [^"{}<>]*)"', text)
    text = re.sub(r"\{\{.*?\}\}", "X", text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|</?(?:a|b|code|em|strong|span|time|abbr)\b[^>]*>", "", text, flags=re.DOTALL)
    yield from re.split(r"<[^>]*>", text)


def _of_payload(text: str, _: bool) -> Iterator[str]:
    """Yield the sentence that says what a payload file proves."""
    yield json.loads(text).get("proves", "")


def _of_script(text: str, _: bool) -> Iterator[str]:
    """Yield comments and quoted texts of JavaScript and CSS."""
    yield from re.findall(r"/\*(.*?)\*/", text, re.DOTALL)
    for block in re.findall(r"(?:^ *//.*\n)+", text, re.MULTILINE):
        yield re.sub(r"^ *//", "", block, flags=re.MULTILINE)
    yield from re.findall(r'"([^"\n]* [^"\n]*)"', text)


_READERS = {
    ".py": _of_module,
    ".md": _of_page,
    ".html": _of_template,
    ".js": _of_script,
    ".css": _of_script,
    ".json": _of_payload,
}


if __name__ == "__main__":
    for path in files(*(Path(name).resolve() for name in sys.argv[1:])):
        for finding in findings(path):
            print(f"{path.relative_to(ROOT)}: {finding}")
