"""One reader: reads every export by its recipes, and writes as JSON what it found.

usage: read.py READER FOLDER
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import tables
from compare import differences, understated
from expected import READERS, Items, Refused, Taken, sign
from exports import Export, exports, text_of
from limits import wrong_limits
from recipes import SHARED, Recipe, recipes

# So much is told of a fault.
SHOWN = 600
BIN = Path(__file__).parent / "bin"


class Reader:
    """A reader with its recipes, of which it notes those that it ran."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.recipes = [recipe for recipe in recipes() if recipe.reader == name]
        self.shared = [recipe for recipe in recipes() if recipe.reader == SHARED]
        self.ran: set[Recipe] = set()

    def faults(self, export: Export) -> Iterator[str]:
        """What is wrong with how an export is read, in sentences."""
        try:
            expected, recipe = READERS[self.name][export.column], self.recipe(export)
            if isinstance(expected, Taken) != (recipe is not None):
                yield f"{expected} is written down, and its recipe is {recipe}"
            elif isinstance(expected, Taken):
                table = self.read(export, recipe)
                yield from differences(table, export, expected)
                if export.set_folder.name == "nasty":
                    yield from understated(table, export, expected)
            elif isinstance(expected, Refused):
                yield from self.wrong_refusal(export, expected)
            else:
                yield from self.wrong_items(export, expected)
        except Exception as error:
            yield f"fails: {type(error).__name__}: {error}"

    def recipe(self, export: Export) -> Recipe | None:
        """The block for an export; there is at most one."""
        found = [
            recipe
            for recipe in self.recipes
            if recipe.title == export.file_format
            and ("grouped" in recipe.note) == export.is_grouped
            and (recipe.language == "python" or export.compression in recipe.note.split())
        ]
        if len(found) > 1:
            raise ValueError(f"{len(found)} recipes of {self.name} for {export}")
        return found[0] if found else None

    def read(self, export: Export, recipe: Recipe) -> tables.Table:
        """Runs a recipe in the export's folder."""
        self.ran.add(recipe)
        os.chdir(export.folder)
        if recipe.language == "sh":
            return tables.of_jq(printed(recipe.code.replace("events", export.layout.group or "events")), export.layout.columns)
        scope = self.scope(export)
        exec(recipe.code, scope)
        return tables.OF[self.name](scope["rows"])

    def scope(self, export: Export) -> dict[str, Any]:
        """What the recipes share, with the columns of the export's type."""
        scope: dict[str, Any] = {}
        for recipe in self.shared:
            exec(recipe.code, scope)
        layout = export.layout
        scope |= {"columns": layout.columns, "key": layout.key, "group": layout.group}
        for recipe in self.recipes:
            if not recipe.title:
                exec(recipe.code, scope)
                self.ran.add(recipe)
        return scope

    def call(self, export: Export, code: str) -> dict[str, Any]:
        """Runs what is no recipe."""
        scope = self.scope(export) | {"files": export.files, "text": text_of}
        exec(code, scope)
        return scope

    def wrong_refusal(self, export: Export, refused: Refused) -> Iterator[str]:
        try:
            self.call(export, refused.call)
        except Exception as error:
            if refused.message not in str(error):
                yield f"is refused for another reason than {refused.message!r}: {error}"
        else:
            yield "is read, though it is written down that it is refused"

    def wrong_items(self, export: Export, items: Items) -> Iterator[str]:
        found, rows = len(self.call(export, items.call)["rows"]), export.manifest["totals"]["rows"]
        wanted = sum(len(json.loads(text_of(file))) for file in export.files)
        if found != wanted or found == rows:
            yield f"{found} items, and not {wanted}, which are fewer than its {rows} rows"


def printed(code: str) -> str:
    """What a recipe for a shell prints; the tests' own `jq` and `zstd` are its first choice."""
    path = os.pathsep.join([str(BIN), str(Path(sys.executable).parent), os.environ["PATH"]])
    run = partial(subprocess.run, env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, check=True)
    return run(["bash", "-euo", "pipefail", "-c", code]).stdout.decode()


def main() -> int:
    name, root = sys.argv[1], Path(sys.argv[2]).resolve()
    reader = Reader(name)
    cells = [
        {
            "set": export.set_folder.name,
            "format": export.file_format,
            "compression": export.compression,
            "sign": sign(READERS[name].get(export.column)),
            "faults": [fault[:SHOWN] for fault in reader.faults(export)],
        }
        for export in exports(root)
    ]
    unused = [recipe.code for recipe in reader.recipes if recipe not in reader.ran]
    wrong = wrong_limits(name, root / "nasty")
    print(json.dumps({"cells": cells, "unused": unused, "limits": wrong}))
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # At once: on a busy machine PyArrow's threads abort 1 of 20 ordinary exits, when all is done.
    os._exit(code)
