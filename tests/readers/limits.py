"""What docs/READERS.md says that a reader cannot, or does unasked, shown: the sentences of its lists of limits."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path


class Limits:
    """Sentences about a reader, each with what shows it in the files of the set `nasty` or in a few bytes."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, Callable[[Path], bool]]] = {}

    def __call__(self, reader: str, sentence: str) -> Callable[[Callable[[Path], bool]], Callable[[Path], bool]]:
        def add(shows: Callable[[Path], bool]) -> Callable[[Path], bool]:
            self.of.setdefault(reader, {})[sentence] = shows
            return shows

        return add


limit = Limits()

SPARED = "It refuses a file that holds"
HALF = r'"\ud83d"'
HUGE = "1e400"


def fails(call: Callable[[], object], message: str) -> bool:
    """Whether a call fails, with this in its message."""
    try:
        call()
    except Exception as error:
        return message in str(error)
    return False


def first(nasty: Path, file_format: str) -> Path:
    """The first file of a format, not compressed."""
    return min((nasty / "files" / file_format / "none").glob("date=*/part-*"))


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def duckdb_json(value: str) -> str:
    """A value as DuckDB reads it from a file of one row."""
    import duckdb

    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(f'{{"v":{value}}}\n')
        file.flush()
        return duckdb.read_json(file.name, columns={"v": "JSON"}).fetchall()[0][0]


@limit("DuckDB", "Without `allow_quoted_nulls = false`, an empty text of a CSV file becomes null.")
def duckdb_empty(nasty: Path) -> bool:
    import duckdb

    rows = duckdb.read_csv(str(first(nasty, "CsvBlob")), quotechar='"', escapechar='"', header=True, all_varchar=True)
    return len(rows.filter("name IS NULL")) > 0


@limit("DuckDB", "Without `quote` and `escape`, a CSV file is refused where the first quoted line end comes late.")
def duckdb_late_quote(_: Path) -> bool:
    import duckdb

    text = "a,b\r\n" + "x,y\r\n" * 60_000 + '"line\r\nline",y\r\n'
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        file.write(text)
        file.flush()
        is_refused = fails(lambda: duckdb.read_csv(file.name).fetchall(), "CSV Error")
        return is_refused and len(duckdb.read_csv(file.name, quotechar='"', escapechar='"')) == 60_001


@limit("DuckDB", "In JSON, numbers with a fraction or an exponent become doubles: `0.1000` comes back as `0.1`. CSV and Parquet keep the digits.")
def duckdb_numbers(_: Path) -> bool:
    return duckdb_json('[0.1000,1E+05,123456789012345678901234567890]') == "[0.1,100000.0,123456789012345678901234567890]"


@limit("DuckDB", f"{SPARED} half of a surrogate pair, and one with more than 128 levels. No file has either.")
def duckdb_spared(_: Path) -> bool:
    return fails(lambda: duckdb_json(HALF), "no low surrogate") and fails(lambda: duckdb_json(deep(130)), "recursion depth")


@limit("DuckDB", "`read_json` counts the items of a `JsonBlob` of activities, events or errors, not its rows.")
def duckdb_items(nasty: Path) -> bool:
    import json

    import duckdb

    file = first(nasty, "JsonBlob")
    return len(duckdb.read_json(str(file))) == len(json.loads(file.read_text()))


@limit("pandas", '`read_csv` takes `""` and nothing for the same: an empty text becomes missing.')
def pandas_empty(_: Path) -> bool:
    import pandas as pd

    engines = ("c", "python", "pyarrow")
    read = (pd.read_csv(io.BytesIO(b'a,b\n"",\n'), dtype=str, keep_default_na=False, na_values=[""], engine=it) for it in engines)
    return all(bool(rows.isna().all(axis=None)) for rows in read)


@limit("pandas", "Without `keep_default_na=False`, texts such as `null`, `NA`, `NaN` and `None` become missing.")
def pandas_words(_: Path) -> bool:
    import pandas as pd

    return bool(pd.read_csv(io.BytesIO(b"a\nnull\nNA\nNaN\nNone\n"), dtype=str)["a"].isna().all())


@limit("pandas", "Without `dtype=str`, a column of texts such as `007` becomes numbers, without the zeros.")
def pandas_zeros(_: Path) -> bool:
    import pandas as pd

    return pd.read_csv(io.BytesIO(b"a\n007\n"))["a"].tolist() == [7]


@limit("pandas", "`read_json` refuses a file that holds a whole number of more than 64 bits.")
def pandas_large(nasty: Path) -> bool:
    import pandas as pd

    return fails(lambda: pd.read_json(first(nasty, "JsonLinesBlob"), lines=True, dtype=False), "Value is too big")


@limit("pandas", "Of a key that an object repeats, the last value counts.")
def pandas_repeated(_: Path) -> bool:
    import json

    return json.loads('{"twice":1,"twice":2}') == {"twice": 2}


@limit("Polars", "Without `infer_schema=False`, a column of texts such as `007` becomes numbers, without the zeros.")
def polars_zeros(_: Path) -> bool:
    import polars as pl

    return pl.read_csv(io.BytesIO(b"a\n007\n"))["a"].to_list() == [7]


@limit("Polars", "Of a key that an object repeats, `json_path_match` gives the last value, and a whole number of more than 64 bits as a double.")
def polars_path(_: Path) -> bool:
    import polars as pl

    found = pl.Series(['{"a":{"twice":1,"twice":2,"b":18446744073709551616}}']).str.json_path_match("$.a")
    return found.to_list() == ['{"twice":2,"b":1.8446744073709552e+19}']


@limit("Polars", "`scan_ndjson` with a schema of texts leaves out the backslashes within nested values.")
def polars_escapes(_: Path) -> bool:
    import polars as pl

    found = pl.read_ndjson(io.BytesIO(rb'{"a":{"b":"\\ \u0001"}}'), schema={"a": pl.String})
    return found["a"].to_list() == ['{"b": "\\ \u0001"}']


@limit("Polars", "`read_ndjson` without a schema refuses a file where the values of a key differ in type.")
def polars_types(_: Path) -> bool:
    import polars as pl

    return fails(lambda: pl.read_ndjson(io.BytesIO(b'{"a":{"b":1}}\n{"a":{"b":true}}')), "cannot parse 'true'")


@limit("Polars", "A line with half of a surrogate pair, with `1e400` or with more than 128 levels becomes nulls. No file has any of them.")
def polars_spared(_: Path) -> bool:
    import polars as pl

    lines = pl.Series([f'{{"a":"b","c":{value}}}' for value in (HALF, HUGE, deep(130))])
    return lines.str.json_path_match("$.a").is_null().all()


@limit("PyArrow", "`read_json` refuses a file where an object repeats a key, or where the values of a key differ in type.")
def pyarrow_json(_: Path) -> bool:
    from pyarrow import json

    twice, types = rb'{"a":{"b":1,"b":2}}', b'{"a":{"b":1}}\n{"a":{"b":"one"}}'
    return fails(lambda: json.read_json(io.BytesIO(twice)), "specified twice") and fails(
        lambda: json.read_json(io.BytesIO(types)), "changed from number to string"
    )


@limit("PyArrow", f"{SPARED} half of a surrogate pair, and one with `1e400`. No file has either.")
def pyarrow_spared(_: Path) -> bool:
    from pyarrow import json

    def read(value: str) -> object:
        return json.read_json(io.BytesIO(f'{{"a":{value}}}'.encode()))

    return fails(lambda: read(HALF), "surrogate pair") and fails(lambda: read(HUGE), "too big")


@limit("PyArrow", "A row that is longer than `block_size`, 1 MiB unless it is given, is refused.")
def pyarrow_long(_: Path) -> bool:
    from pyarrow import csv

    text = b"a\n" + b"x" * 2**22 + b"\n" + b"y" * 2**22 + b"\n"
    return fails(lambda: csv.read_csv(io.BytesIO(text)), "straddling")


@limit("PyArrow", "Without `newlines_in_values=True`, a text that holds a line end may break a CSV file in two.")
def pyarrow_lines(_: Path) -> bool:
    from pyarrow import csv

    text = b'a,b\n"' + b"line\n" * 1000 + b'",2\n'
    small = csv.ReadOptions(block_size=512)
    whole = csv.read_csv(io.BytesIO(text), parse_options=csv.ParseOptions(newlines_in_values=True))
    return whole.num_rows == 1 and fails(lambda: csv.read_csv(io.BytesIO(text), read_options=small), "CSV parse error")


@limit("jq", "Arithmetic rounds numbers to doubles; jq 1.7 and later keep the digits of a number that a program passes on.")
def jq_numbers(_: Path) -> bool:
    import jq

    text = "9007199254740993"
    return jq.compile("(. + 0, .) | tojson").input_text(text).all() == ["9007199254740992", text]


@limit("jq", "Of a key that an object repeats, the last value counts.")
def jq_repeated(_: Path) -> bool:
    import jq

    return jq.compile("tojson").input_text('{"twice":1,"twice":2}').all() == ['{"twice":2}']


@limit("jq", f"{SPARED} half of a surrogate pair. No file has one.")
def jq_spared(_: Path) -> bool:
    import jq

    return fails(jq.compile(".").input_text(HALF).all, "surrogate pair")


def wrong_limits(reader: str, nasty: Path) -> list[str]:
    """The sentences about a reader that are not true."""
    return [sentence for sentence, shows in limit.of[reader].items() if not shows(nasty)]
