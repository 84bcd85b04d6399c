"""Has every reader read every export that the service wrote into a folder, and prints what came of it.

usage: check.py FOLDER
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import source
from columns import layout
from expected import READERS, table
from exports import Export, exports
from limits import limit
from recipes import PAGE, SHARED, limits, recipes

# As many as the cores that the checks are made for.
AT_ONCE = 2
LEGEND = """Sets of exports: ✓ every row as its source says; ~ the same, without the nested values (PyArrow) or with empty texts
as nulls (pandas); – not the rows, as written down in tests/readers/expected.py; ✗ wrong.
"""


def found_by(reader: str, root: Path) -> dict:
    """What a reader, in a process of its own, says of all exports."""
    read = [sys.executable, str(Path(__file__).parent / "read.py"), reader, str(root)]
    return json.loads(subprocess.run(read, stdout=subprocess.PIPE, check=True).stdout)


def wrong_exports(found: list[Export]) -> Iterator[str]:
    """What is wrong before any reader comes: how many rows were repaired and truncated."""
    for export in found:
        records, columns, told = export.records, export.layout.columns, export.manifest["totals"]
        counts = {"rowsRepaired": sum(source.is_repaired(record, columns) for record in records), "rowsTruncated": 0}
        counts["recordsExcluded"] = len(export.all_records) - len(records)
        if export.file_format == "ParquetBlob":
            counts["rowsTruncated"] = sum(source.is_truncated(record, columns) for record in records)
        yield from (f"{export}: {fault}" for fault in [*idle_parts(export), *wrong_sizes(export)])
        yield from (f"{export}: `{name}` is {told[name]} instead of {count}" for name, count in counts.items() if told[name] != count)


def idle_parts(export: Export) -> Iterator[str]:
    """Parts of a filter without which it would want the same: they show nothing."""
    asked = export.options.get("filter", {})
    for part in asked:
        rest = {name: value for name, value in asked.items() if name != part}
        if len(export.wanted_by(rest)) == len(export.records):
            yield f"the filter's `{part}` excludes nothing"


def wrong_sizes(export: Export) -> Iterator[str]:
    """What is wrong with the files of an export whose size is limited: one chunk at least is in parts."""
    most, files = export.manifest.get("maxFileBytes"), export.manifest["files"]
    if most is not None and not any(file.get("part", 0) > 0 for file in files):
        yield "no chunk is in parts"
    for file, path in zip(files, export.files):
        if path.stat().st_size != file["bytes"] or most is not None and file["bytes"] > most:
            yield f"{path.name} has {path.stat().st_size} bytes, of {file['bytes']} and at most {most}"


def wrong_page() -> Iterator[str]:
    """What is wrong with the page of recipes, beside the recipes."""
    scope: dict = {}
    for recipe in recipes():
        if recipe.reader == SHARED:
            exec(recipe.code, scope)
        elif recipe.reader not in READERS:
            yield f"a block of {recipe.reader} is run by no reader:\n{recipe.code}"
    events = layout("Event", "JsonBlob", {})
    shared = (scope["columns"], scope["key"], scope["group"], scope["times"], scope["integers"], scope["nested"])
    if shared != (events.columns, events.key, events.group, source.TIMES, source.INTEGERS, source.NESTED):
        yield f"what the recipes share is not as the data model says: {shared}"
    if (lines := "\n".join(table())) not in PAGE.read_text():
        yield f"the page has not this table, which is written down:\n{lines}"
    shown = {reader: set(sentences) for reader, sentences in limit.of.items()}
    if limits() != shown:
        differ = [f"{reader}: {it}" for reader in READERS for it in limits().get(reader, set()) ^ shown.get(reader, set())]
        yield f"of the page's limits and those that are shown, only one side has {differ}"


def matrix(found: list[Export], reports: dict[str, dict]) -> Iterator[str]:
    """A line for each reader: how many sets it takes, refuses and gets wrong, by format and compression."""
    columns = sorted({(export.file_format, export.compression) for export in found})
    heads = [f"{file_format} {compression}" for file_format, compression in columns]
    yield " " * 18 + "".join(f"{head:<21}" for head in heads)
    for reader, report in reports.items():
        line = f"{reader + ' ' + version(reader.lower()):<18}"
        for column in columns:
            cells = [cell for cell in report["cells"] if (cell["format"], cell["compression"]) == column]
            signs = Counter("✗" if cell["faults"] else cell["sign"] for cell in cells)
            line += f"{' '.join(f'{count} {sign}' for sign, count in sorted(signs.items(), reverse=True)):<21}"
        yield line


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["--help"], ["-h"]) else 64
    root = Path(sys.argv[1]).resolve()
    found = exports(root)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reports = dict(zip(READERS, pool.map(lambda reader: found_by(reader, root), READERS)))
    faults = [*wrong_exports(found), *wrong_page()]
    passed = 0
    for reader, report in reports.items():
        faults += (f"a recipe of {reader} was not run:\n{code}" for code in report["unused"])
        faults += (f"{reader}: this is not true: {sentence}" for sentence in report["limits"])
        for cell in report["cells"]:
            where = f"{reader}: {cell['set']} as {cell['format']}, {cell['compression']}"
            faults += (f"{where}: {fault}" for fault in cell["faults"])
            passed += not cell["faults"]
    print("\n".join(matrix(found, reports)))
    print(LEGEND)
    print("\n".join(f"✗ {fault}" for fault in faults))
    print(f"{passed} passed, {len(faults)} failed")
    return 1 if faults or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
