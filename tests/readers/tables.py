"""What a recipe's `rows` are, in one form for all readers: types, and values by column."""

import json
from dataclasses import dataclass
from typing import Any

import source

# Behind the type of a column that says that it is never null.
REQUIRED = " not null"


@dataclass(frozen=True)
class Table:
    """Columns in their order. Times are nanoseconds since 1970, nested values JSON, and what is missing is `None`."""

    types: dict[str, str]
    values: dict[str, list[Any]]

    def __len__(self) -> int:
        return max(map(len, self.values.values()), default=0)


def of_duckdb(rows: Any) -> Table:
    types = {name: str(kind) for name, kind in zip(rows.columns, rows.types)}
    cells = (f'epoch_ns("{name}")' if kind.startswith("TIMESTAMP") else f'"{name}"' for name, kind in types.items())
    found = rows.project(", ".join(cells)).fetchall()
    return Table(types, {name: [row[at] for row in found] for at, name in enumerate(types)})


def of_pandas(rows: Any) -> Table:
    def cell(value: Any) -> Any:
        if isinstance(value, (dict, list)):
            return json.dumps(value)
        if value is None or value != value:
            return None
        return value.value if hasattr(value, "value") else value

    types = {name: str(kind) for name, kind in rows.dtypes.items()}
    return Table(types, {name: list(map(cell, rows[name])) for name in rows.columns})


def of_polars(rows: Any) -> Table:
    types = {name: str(kind) for name, kind in rows.schema.items()}
    times = (rows[name].dt.timestamp("ns") if kind.startswith("Datetime") else rows[name] for name, kind in types.items())
    return Table(types, {name: column.to_list() for name, column in zip(types, times)})


def of_pyarrow(rows: Any) -> Table:
    def values(name: str) -> list[Any]:
        column = rows[name]
        if types[name].startswith("timestamp"):
            column = column.cast("timestamp[ns]").cast("int64")
        return column.to_pylist()

    types = {field.name: f"{field.type}{'' if field.nullable else REQUIRED}" for field in rows.schema}
    return Table(types, {name: values(name) for name in types})


def of_jq(text: str, columns: list[str]) -> Table:
    """The rows that jq printed; what each has of the columns, and nothing else."""
    values: dict[str, list[Any]] = {name: [] for name in columns}
    types: dict[str, str] = {}
    for line in text.removesuffix("\n").split("\n"):
        found = dict(source.members(line))
        for name in found:
            values.setdefault(name, [])
        for name, cells in values.items():
            raw = found.get(name)
            value = None if raw is None else json.loads(raw)
            if raw is not None:
                types[name] = type(value).__name__
            if name in source.TIMES and raw is not None:
                value = source.moment(value).nanoseconds
            cells.append(raw if isinstance(value, (dict, list)) else value)
    return Table(types, values)


OF = {"DuckDB": of_duckdb, "pandas": of_pandas, "Polars": of_polars, "PyArrow": of_pyarrow}
