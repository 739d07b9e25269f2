"""The fenced snippets and the links of the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.house.pages import ROOT, pages

_FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Snippet:
    """A fenced block. One that is marked `sketch` leaves something out and is not checked."""

    path: Path
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def documents() -> list[Path]:
    """All pages, and those at the root that are there already."""
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    return [*pages(), *(ROOT / name for name in names if (ROOT / name).is_file())]


def snippets(language: str) -> list[Snippet]:
    """Every snippet of a language that is meant to work."""
    found = []
    for path in documents():
        text = path.read_text()
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Snippet(path, line, match[1], match[2].strip(), match[3]))
    return [each for each in found if each.language == language and "sketch" not in each.mark]


def prose(path: Path) -> str:
    """A page without its code, of the same number of lines."""
    text = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), path.read_text())
    return re.sub(r"`[^`\n]*`", "``", text)


def links(path: Path) -> list[str]:
    """The targets of a page's links that lie in the repository."""
    text = _FENCE.sub("", path.read_text())
    targets = _LINK.findall(re.sub(r"`[^`\n]*`", "", text))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
