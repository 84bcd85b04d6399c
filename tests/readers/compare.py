"""Whether a table is what the source's records come to."""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import replace

import source
from expected import Taken
from exports import Export
from tables import REQUIRED, Table
from values import value

SHOWN = 3


def differences(table: Table, export: Export, taken: Taken) -> Iterator[str]:
    """What is wrong, in sentences; nothing when all is well."""
    rows = export.rows()
    manifest = export.manifest
    counts = {len(table), len(rows), manifest["totals"]["rows"], sum(file["rows"] for file in manifest["files"])}
    if len(counts) > 1:
        yield f"{len(table)} rows, {len(rows)} in the source, {manifest['totals']['rows']} in the manifest"
    columns = [name for name in export.layout.columns if not (taken.without_nested and name in source.NESTED)]
    if list(table.values) != columns:
        yield f"columns {list(table.values)} instead of {columns}"
        return
    yield from wrong_types(table, export, taken)
    found = Counter(zip(*(cells(table, name, taken) for name in columns)))
    wanted = Counter(tuple(wanted_cell(row[name], taken) for name in columns) for row in rows)
    for what, rest in (("is missing", wanted - found), ("is not of the source", found - wanted)):
        yield from (f"{what}, {times} times: {row}" for row, times in list(rest.items())[:SHOWN])


def understated(table: Table, export: Export, taken: Taken) -> Iterator[str]:
    """In what the reader is better than is written down."""
    for fidelity in taken.nested.stricter():
        if not any(differences(table, export, replace(taken, nested=fidelity))):
            yield f"keeps more of nested values than is written down: {fidelity}"
    if taken.is_empty_null and not any(differences(table, export, replace(taken, is_empty_null=False))):
        yield "keeps empty texts, though it is written down that they become null"


def wrong_types(table: Table, export: Export, taken: Taken) -> Iterator[str]:
    for name, found in table.types.items():
        is_required = taken.is_required_told and name in export.layout.required
        wanted = type_of(name, taken) + (REQUIRED if is_required else "")
        if found not in wanted.split(" | "):
            yield f"`{name}` is of the type {found} instead of {wanted}"


def type_of(name: str, taken: Taken) -> str:
    if name in source.NESTED:
        return taken.json
    if name in source.TIMES:
        return taken.time
    return taken.integer if name in source.INTEGERS else taken.text


def cells(table: Table, name: str, taken: Taken) -> Iterator[Hashable]:
    """The values of a column, nested ones in the form that is compared."""
    is_nested = name in source.NESTED
    return (value(cell, taken.nested) if is_nested and cell is not None else cell for cell in table.values[name])


def wanted_cell(cell: source.Cell, taken: Taken) -> Hashable:
    """The same of a value that is expected."""
    if isinstance(cell, source.Moment):
        return cell.nanoseconds // 1_000 * 1_000 if taken.is_cut else cell.nanoseconds
    if isinstance(cell, source.Nested):
        return value(cell.text, taken.nested)
    return None if cell == "" and taken.is_empty_null else cell
