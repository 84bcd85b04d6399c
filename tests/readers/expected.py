"""What each reader makes of each format, written down: what it cannot is asserted as well as what it can."""

from dataclasses import dataclass

from values import Fidelity

SPELLED = Fidelity(spelling=True)


@dataclass(frozen=True)
class Taken:
    """The recipe gives every row: with these types of its columns, and values as exact as this says."""

    nested: Fidelity
    text: str
    time: str
    integer: str
    json: str
    # The reader takes an empty text for none.
    is_empty_null: bool = False
    # Times have no digits that are finer than microseconds.
    is_cut: bool = False
    # Columns that are never null say so.
    is_required_told: bool = False
    # Columns of objects and arrays are not there.
    without_nested: bool = False


@dataclass(frozen=True)
class Refused:
    """There is no recipe, and this call fails, with this in its message."""

    call: str
    message: str


@dataclass(frozen=True)
class Items:
    """There is no recipe, and this call counts the items of the array, not the rows."""

    call: str


Outcome = Taken | Refused | Items

DUCKDB = {"text": "VARCHAR", "time": "TIMESTAMPTZ_NS", "integer": "BIGINT", "json": "JSON"}
PANDAS = {"text": "str", "time": "datetime64[ns, UTC]", "integer": "int64"}
POLARS = {"text": "String", "time": "Datetime(time_unit='ns', time_zone='UTC')", "integer": "Int64", "json": "String"}
PYARROW = {"text": "string", "time": "timestamp[ns, tz=UTC]", "integer": "int64", "json": "string"}

DUCKDB_JSON = Taken(Fidelity(repeated_keys=True, numbers="integers"), **DUCKDB)
PANDAS_JSON = Taken(Fidelity(numbers="integers"), json="object", **PANDAS)
POLARS_JSON = Taken(Fidelity(), **POLARS)
JQ_JSON = Taken(Fidelity(numbers="digits"), text="str", time="str", integer="int", json="dict | list")

POLARS_ITEMS = Items("""
import polars as pl
schema = {group: pl.List(pl.Struct({"name": pl.String}))}
rows = pl.concat(pl.read_json(file, schema=schema) for file in files)
""")
PYARROW_ARRAY = Refused("from pyarrow import json; json.read_json(files[0])", "from object to array")
JQ_CSV = Refused("import jq; jq.compile('.').input_text(text(files[0])).all()", "parse error")

JQ_PARQUET = Refused("import jq; jq.compile('.').input_text(files[0].read_bytes().decode('latin-1')).all()", "parse error")

# The types of the files' own schema.
DUCKDB_PARQUET = Taken(SPELLED, "VARCHAR", "TIMESTAMP WITH TIME ZONE", "BIGINT", "VARCHAR", is_cut=True)
PANDAS_PARQUET = Taken(SPELLED, "str", "datetime64[us, UTC]", "int64", "str", is_cut=True)
POLARS_PARQUET = Taken(SPELLED, "String", "Datetime(time_unit='us', time_zone='UTC')", "Int64", "String", is_cut=True)
PYARROW_PARQUET = Taken(SPELLED, "string", "timestamp[us, tz=UTC]", "int64", "string", is_cut=True, is_required_told=True)

READERS: dict[str, dict[str, Outcome]] = {
    "DuckDB": {
        "CsvBlob": Taken(SPELLED, **DUCKDB),
        "JsonLinesBlob": DUCKDB_JSON,
        "JsonBlob": DUCKDB_JSON,
        "JsonBlob grouped": DUCKDB_JSON,
        "ParquetBlob": DUCKDB_PARQUET,
    },
    "pandas": {
        "CsvBlob": Taken(SPELLED, json="str", is_empty_null=True, **PANDAS),
        "JsonLinesBlob": PANDAS_JSON,
        "JsonBlob": PANDAS_JSON,
        "JsonBlob grouped": PANDAS_JSON,
        "ParquetBlob": PANDAS_PARQUET,
    },
    "Polars": {
        "CsvBlob": Taken(SPELLED, **POLARS),
        "JsonLinesBlob": POLARS_JSON,
        "JsonBlob": POLARS_JSON,
        "JsonBlob grouped": POLARS_ITEMS,
        "ParquetBlob": POLARS_PARQUET,
    },
    "PyArrow": {
        "CsvBlob": Taken(SPELLED, **PYARROW),
        "JsonLinesBlob": Taken(SPELLED, without_nested=True, **PYARROW),
        "JsonBlob": PYARROW_ARRAY,
        "JsonBlob grouped": PYARROW_ARRAY,
        "ParquetBlob": PYARROW_PARQUET,
    },
    "jq": {
        "CsvBlob": JQ_CSV,
        "JsonLinesBlob": JQ_JSON,
        "JsonBlob": JQ_JSON,
        "JsonBlob grouped": JQ_JSON,
        "ParquetBlob": JQ_PARQUET,
    },
}


def sign(expected: Outcome | None) -> str:
    """How an outcome is shown: all rows, all but what is written down, or no rows."""
    if not isinstance(expected, Taken):
        return "–"
    return "~" if expected.is_empty_null or expected.without_nested else "✓"


def table() -> list[str]:
    """The table of the page, a line for each reader."""
    formats = list(dict.fromkeys(file_format for outcomes in READERS.values() for file_format in outcomes))
    head = ["| |" + "|".join(f" {file_format} " for file_format in formats) + "|", "|---" * (len(formats) + 1) + "|"]
    lines = (f"| {reader} | " + " | ".join(sign(of.get(it)) for it in formats) + " |" for reader, of in READERS.items())
    return [*head, *lines]
