"""The columns of each type, as docs/DATA_MODEL.md lists them."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "DATA_MODEL.md"


@dataclass(frozen=True)
class Layout:
    """The columns of a type's rows, and those of them that are never null; for a JsonBlob that groups them, the group's key and the name of its array."""

    columns: list[str]
    required: set[str]
    key: list[str]
    group: str | None


def layout(export_type: str, file_format: str, options: dict) -> Layout:
    """What a file has of the documented columns, which some options choose or add to."""
    fields, item = re.search(rf"^\| {export_type} \| (.*?) \| (.*?) \|$", PAGE.read_text(), re.MULTILINE).groups()
    columns, required = re.findall(r"`(\w+)`", fields), set(re.findall(r"`(\w+)`\\\*", fields))
    grouped = re.match(r"`\{(.*), (\w+): \[\{", item)
    key = grouped[1].split(", ") if grouped else []
    if not options.get("exportUserId") and "userId" in columns:
        columns.remove("userId")
    if export_type == "Activity" and file_format == "JsonBlob":
        if options.get("exportDeviceId"):
            key.append("deviceId")
        else:
            columns.remove("deviceId")
    columns = options.get("columns", columns)
    return Layout(columns, required, key, grouped[2] if grouped else None)
