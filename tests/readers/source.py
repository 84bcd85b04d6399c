"""What an export must hold, worked out from the source's records as docs/DATA_MODEL.md says: no code of the service."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import UUID

TIMES = {"timestamp", "start", "end"}
INTEGERS = {"campaignId"}
NESTED = {"extras", "tags", "status", "meta", "info", "location", "appInfo"}

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HALF = re.compile("[\ud800-\udfff]")
# A string of JSON, or white space between its tokens.
TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')
# A pair of surrogates, a half of one, another escape.
ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.")
MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ]?(?:(\d\d):(\d\d):(\d\d)(?:\.(\d*))?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True)
class Moment:
    """A moment, as it is written and in nanoseconds since 1970."""

    text: str
    nanoseconds: int


@dataclass(frozen=True)
class Nested:
    """An object or array: its JSON as it is written in one line of a CSV file."""

    text: str


Cell = None | str | int | Moment | Nested
Row = dict[str, Cell]


def members(record: str) -> Iterator[tuple[str, str]]:
    """The members of an object, the values as they are spelled."""
    read, space = json.JSONDecoder().raw_decode, re.compile(r"[ \t\r\n,:{}]*")
    at = space.match(record).end()
    while at < len(record.rstrip()):
        name, at = read(record, at)
        # Behind a key only its colon may be skipped, not a brace that opens the value.
        start = re.compile(r"[ \t\r\n]*:[ \t\r\n]*").match(record, at).end()
        _, end = read(record, start)
        yield name, record[start:end]
        at = space.match(record, end).end()


def whole(text: str) -> str:
    """A text with U+FFFD for each half of a surrogate pair."""
    return HALF.sub("\ufffd", text)


def moment(text: str) -> Moment:
    """A time in RFC 3339 and UTC, with the digits of its fraction as they are given."""
    year, month, day, hour, minute, second, digits, zone = MOMENT.fullmatch(text).groups()
    local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=timezone.utc)
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        local += offset if zone[0] == "-" else -offset
    written = local.strftime("%Y-%m-%dT%H:%M:%S") + (f".{digits}" if digits else "") + "Z"
    seconds = (local - EPOCH) // timedelta(seconds=1)
    return Moment(written, seconds * 10**9 + int((digits or "").ljust(9, "0")))


def nested(raw: str) -> Nested:
    """The value without white space between its tokens, and with U+FFFD for each half of a pair."""

    def escape(found: re.Match[str]) -> str:
        return "\ufffd" if len(found[0]) == len("\\ud83d") else found[0]

    return Nested(TOKEN.sub(lambda found: ESCAPE.sub(escape, found[1]) if found[1] else "", raw))


def cell(name: str, raw: str) -> Cell:
    if raw == "null":
        return None
    if name in NESTED:
        return nested(raw)
    value = json.loads(raw)
    if name in INTEGERS:
        return int(value)
    return moment(value) if name in TIMES else whole(value)


def row(record: str, columns: list[str]) -> Row:
    """A record's row: these columns, absent ones null."""
    found = {name: cell(name, raw) for name, raw in members(record) if name in columns}
    return {name: found.get(name) for name in columns}


def is_wanted(record: str, asked: dict) -> bool:
    """Whether a record is one that a filter wants."""
    if not asked:
        return True
    found = {name: cell(name, raw) for name, raw in members(record) if name in {"name", "deviceId", "sessionId", *TIMES}}
    when = found.get("timestamp") or found.get("start")
    for part, value in asked.items():
        if part == "names":
            [(kind, names)] = value.items()
            holds = (found.get("name") in names) == (kind == "in")
        elif part == "deviceIds":
            holds = uuid_of(found.get("deviceId")) in map(uuid_of, value)
        elif part == "session":
            holds = (found.get("sessionId") is not None) == (value == "present")
        else:
            bound = moment(value).nanoseconds
            holds = when is not None and (when.nanoseconds >= bound if part == "from" else when.nanoseconds < bound)
        if not holds:
            return False
    return True


def uuid_of(spelled: str | None) -> UUID | None:
    """An id, whichever way it is spelled."""
    return None if spelled is None else UUID(spelled)


def is_repaired(record: str, columns: list[str]) -> bool:
    """Whether a value that is exported holds half of a surrogate pair."""
    return any(HALF.search(ascii_of(raw)) for name, raw in members(record) if name in columns)


def is_truncated(record: str, columns: list[str]) -> bool:
    """Whether a time has digits that are finer than microseconds, and not zeros."""
    found = row(record, columns).values()
    return any(isinstance(cell, Moment) and cell.nanoseconds % 1_000 for cell in found)


def ascii_of(raw: str) -> str:
    """All texts of a value, keys too, with their escapes read."""
    return "".join(json.loads(found[1]) for found in TOKEN.finditer(raw) if found[1])
