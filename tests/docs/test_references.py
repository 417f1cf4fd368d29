"""Every reference in code, tests and payloads leads to a heading, a number or a file of the repository."""

import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import MANUAL, ROOT, without_blocks

DESIGN = ROOT / "docs" / "design"
CONTRACT, ENTRA, PROVIDERS, REQUIREMENTS = (
    (DESIGN / f"{name}.md").read_text("utf-8") for name in ("contract", "entra-facts", "provider-facts", "requirements")
)

SECTIONS = r"sections? (?P<sections>\d+[a-z]?(?:(?:, | and )\d+[a-z]?)*)"
CONTRACT_SECTIONS = re.compile(rf"contract {SECTIONS}")
FACTS_SECTIONS = re.compile(
    rf"(?P<page>Entra|Provider) facts {SECTIONS}(?: rule (?P<rule>\d+))?(?: \((?P<phrases>[^)]*)\))?"
)
NUMBERS = re.compile(r"\b[RP]\d+\b")
PAGES = re.compile(r"[\w./-]*\w\.md\b")
RFC = re.compile(r"RFC \d+ sections? [\d.]+(?:, [\d.]+)*(?:, Figure \d+)?")
KEY = re.compile(r"\[([A-Z]+(?:-[A-Z0-9]+)?)\]")

#: A word that announces a reference must be followed by the form that this test can resolve.
ANNOUNCED = re.compile(
    r"\b(?:contract,? (?:section|point|§)|(?:Entra|Provider) facts\b|entra\.md|reliability,? (?:R\d|section|finding)|protocol list)"
)


def _sections(page: str) -> dict[str, str]:
    """Return the text below each numbered heading, by its number."""
    pieces = re.split(r"^##+ (\d+[a-z]?)\. ", page, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


SECTIONS_OF_CONTRACT = _sections(CONTRACT)
SECTIONS_OF_FACTS = {"Entra": _sections(ENTRA), "Provider": _sections(PROVIDERS)}
REQUIREMENT_NUMBERS = set(re.findall(r"^\| ([RP]\d+) \|", REQUIREMENTS, re.MULTILINE))
SOURCES = {key for facts in (ENTRA, PROVIDERS) for key in KEY.findall(facts.partition("\n## Sources\n")[2])}


def faults(text: str) -> Iterator[str]:
    """Yield each reference in ``text`` that leads nowhere, and each that has no known form."""
    for reference in CONTRACT_SECTIONS.finditer(text):
        if not _numbers(reference) <= SECTIONS_OF_CONTRACT.keys():
            yield reference[0]
    for reference in FACTS_SECTIONS.finditer(text):
        sections = SECTIONS_OF_FACTS[reference["page"]]
        if not _numbers(reference) <= sections.keys() or not _is_in_facts(reference, sections):
            yield reference[0]
    yield from set(NUMBERS.findall(text)) - REQUIREMENT_NUMBERS
    for page in PAGES.findall(text):
        if not any((folder / page).is_file() for folder in (ROOT, DESIGN)):
            yield page
    for announced in ANNOUNCED.finditer(text):
        known = (pattern.match(text, announced.start()) for pattern in (CONTRACT_SECTIONS, FACTS_SECTIONS))
        if not any(known):
            yield text[announced.start() : announced.end() + 20]


def _numbers(reference: re.Match[str]) -> set[str]:
    return set(re.split(r", | and ", reference["sections"]))


def _is_in_facts(reference: re.Match[str], sections: dict[str, str]) -> bool:
    text = "".join(sections[number] for number in _numbers(reference))
    rule = reference["rule"]
    phrases = (reference["phrases"] or "").split(", ")
    return (not rule or f"\n{rule}. " in text) and all(phrase in text for phrase in phrases)


def comments_and_docstrings(path: Path) -> str:
    """Return the comments and the strings of several lines of a module, each with its line breaks as blanks."""
    tokens = list(tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline))
    texts = []
    for token in tokens:
        if token.type == tokenize.COMMENT:
            texts.append(token.string.lstrip("#: "))
        elif token.type == tokenize.STRING and token.string.startswith(('"""', 'r"""')):
            texts.append(token.string + "\n")
        elif token.type not in (tokenize.NL, tokenize.NEWLINE):
            texts.append("\n")
    return re.sub(r"(?<=\S)\n?[ \n]{2,}(?=\S)|(?<=\S)\n(?=\S)", " ", "\n".join(texts))


MODULES = sorted(path for folder in ("scimsvc", "tests") for path in (ROOT / folder).rglob("*.py"))
PAYLOADS = sorted((ROOT / "tests" / "payloads").rglob("*.json"))
THIS = Path(__file__)


def test_references_of_the_code_resolve() -> None:
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in MODULES
        if path != THIS and (wrong := list(faults(comments_and_docstrings(path))))
    }

    assert found == {}


def test_references_of_other_files_resolve() -> None:
    others = [ROOT / "config.py", ROOT / "wsgi.py", ROOT / "setup.cfg", ROOT / "Makefile"]
    others += [path for folder in ("deploy", ".ci") for path in (ROOT / folder).iterdir()]
    others += [path for path in (ROOT / "scimsvc").rglob("*") if path.suffix in (".html", ".css", ".js")]

    found = {str(path.relative_to(ROOT)): wrong for path in others if (wrong := list(faults(path.read_text("utf-8"))))}

    assert found == {}


def test_sources_of_payloads_resolve() -> None:
    found = {}
    for path in PAYLOADS:
        source = json.loads(path.read_text("utf-8"))["source"]
        wrong = [*faults(source), *(set(KEY.findall(source)) - SOURCES)]
        rest = source
        for pattern in (FACTS_SECTIONS, CONTRACT_SECTIONS, RFC, KEY):
            rest = pattern.sub("", rest)
        if wrong or rest.strip(", "):
            found[str(path.relative_to(ROOT))] = [*wrong, rest.strip(", ")]

    assert found == {}


@pytest.mark.parametrize(("page", "of_payloads"), [(ENTRA, {"VAL"}), (PROVIDERS, set())], ids=["Entra", "other"])
def test_every_source_of_the_facts_is_listed(page: str, of_payloads: set[str]) -> None:
    facts, _, sources = page.partition("\n## Sources\n")

    assert set(KEY.findall(facts)) | of_payloads == set(KEY.findall(sources))


@pytest.mark.parametrize(
    "text",
    [
        "contract section 99",
        "contract, section 5",
        "Entra facts section 7 rule 99",
        "Entra facts section 15 (a phrase that is not there)",
        "Provider facts section 99",
        "requirement R99",
        "entra.md section 7",
        "docs/design/nothing.md",
        "reliability section 4",
    ],
)
def test_a_reference_that_leads_nowhere_is_noticed(text: str) -> None:
    assert list(faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "contract sections 5, 5a and 7",
        "Entra facts section 7 rule 3",
        "Entra facts section 15 (string booleans, op case)",
        "Provider facts sections 1 and 3",
        "requirements R1 and P60",
        "docs/design/storage.md",
        "the contract decides",
    ],
)
def test_a_reference_that_leads_somewhere_passes(text: str) -> None:
    assert not list(faults(text))


# Links between the pages.


DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("[A-Z]*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not link.startswith("https://") and not (target.is_file() and (not anchor or anchor in _anchors(target))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_by_name_are_defined_and_used(page: Path) -> None:
    text = without_blocks(page.read_text("utf-8"))
    defined = re.findall(r"^\[(\w+)\]: https://", text, re.MULTILINE)

    assert sorted(defined) == sorted(set(re.findall(r"\]\[(\w+)\]", text)))


FOLDERS = (ROOT, ROOT / "scimsvc", DESIGN)
#: Folders that only a command creates.
CREATED = {"build/docs"}


@pytest.mark.parametrize(
    "page",
    [ROOT / "CONTRIBUTING.md", *(DESIGN / f"{name}.md" for name in ("architecture", "storage", "performance"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    names = set(re.findall(r"`([\w.-]+(?:/[\w.-]*)+|\w+\.(?:py|cfg|toml|md))`", page.read_text("utf-8"))) - CREATED

    assert {name for name in names if not any((folder / name).exists() for folder in FOLDERS)} == set()


def test_the_tree_of_the_architecture_is_the_tree() -> None:
    page = (DESIGN / "architecture.md").read_text("utf-8")
    lines = page.partition("## The tree\n")[2].partition("\n## ")[0].splitlines()
    drawn = {match[1] for line in lines if (match := re.match(r" {6,}(\w+)/ ", line))}

    packages = {path.parent.name for path in (ROOT / "scimsvc").rglob("__init__.py")} - {"scimsvc", "versions"}
    assert drawn == packages
