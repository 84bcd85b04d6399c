"""The recipes of docs/READERS.md: blocks of code, each below the headings of its reader and format."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "READERS.md"
# The section whose code runs before each recipe.
SHARED = "What the recipes share"
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """A block of code; what it is told to be for: of a shell's, the compression, of a JsonBlob's, whether it is grouped."""

    reader: str
    title: str
    language: str
    note: str
    code: str


def limits() -> dict[str, set[str]]:
    """The sentences of each reader's list of limits."""
    found = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        _, has_limits, rest = section.partition("\n### Limits\n")
        if has_limits:
            sentences = rest.strip().removeprefix("- ").split("\n- ")
            found[section.partition("\n")[0]] = {" ".join(sentence.split()) for sentence in sentences}
    return found


def recipes() -> list[Recipe]:
    """Every block of the page, in its order."""
    found = []
    for section in PAGE.read_text().split("\n## ")[1:]:
        reader, *parts = section.split("\n### ")
        for part in [reader, *parts]:
            title = part.partition("\n")[0] if part != reader else ""
            for info, code in FENCE.findall(part):
                language, _, note = info.partition(" ")
                found.append(Recipe(reader.partition("\n")[0], title, language, note, code))
    return found
