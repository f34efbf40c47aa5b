"""Reads one Delta table with every Python library that people read a lake with, whole and through filters of every type.

`read.py FOLDER ROWS` fails unless each of them finds what is there: the rows are counted once without any filter or
statistics, file by file, and each filter is applied to them in plain Python.
"""

import os
import sys
from datetime import date, datetime, timezone
from pathlib import Path

# DuckDB looks for its extensions below HOME; set-up put them beside the environment. Before DuckDB is imported.
os.environ["HOME"] = str(Path(sys.prefix).parent / "home")

import duckdb  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.compute as pc  # noqa: E402
import pyarrow.dataset as ds  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from deltalake import DeltaTable  # noqa: E402

FILTERS = [
    ("day", "=", date(2026, 11, 20)),
    ("day", ">", date(2026, 11, 20)),
    ("number", "=", 7),
    ("number", ">=", 3),
    ("text", "=", "EUR"),
    ("text", ">", "EUR"),
    ("text", "=", "https://shop.example/" + "a" * 60),
    ("ratio", "<", 0.5),
    ("yes", "=", True),
    ("yes", "=", False),
    ("date", ">=", date(2026, 11, 21)),
    ("instant", "=", datetime(2026, 11, 20, 23, 0, 0, 123456, tzinfo=timezone.utc)),
    ("instant", ">", datetime(2026, 11, 20, 23, 0, 0, 123455, tzinfo=timezone.utc)),
]
OPERATORS = {
    "=": lambda left, right: left == right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
}


def expected(rows, condition):
    column, operator, value = condition
    return sum(1 for row in rows if row[column] is not None and OPERATORS[operator](row[column], value))


def readers(folder):
    """Name of each reader, with how it counts the rows that satisfy a condition."""
    table = DeltaTable(folder)
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.execute("LOAD delta")
    dataset = table.to_pyarrow_dataset()

    def arrow(condition):
        column, operator, value = condition
        field = pc.field(column)
        kind = dataset.schema.field(column).type
        return OPERATORS[operator](field, pa.scalar(value, kind))

    def delta_polars(condition):
        column, operator, value = condition
        return pl.scan_delta(folder).filter(OPERATORS[operator](pl.col(column), pl.lit(value))).collect().height

    def duck(condition):
        column, operator, value = condition
        sql = f"SELECT count(*) FROM delta_scan(?) WHERE {column} {operator} ?"
        return database.execute(sql, [folder, value]).fetchone()[0]

    return {
        "deltalake to pandas": lambda condition: len(table.to_pandas(filters=[condition])),
        "deltalake to pyarrow": lambda condition: table.to_pyarrow_table(filters=[condition]).num_rows,
        "pyarrow dataset": lambda condition: dataset.to_table(filter=arrow(condition)).num_rows,
        "polars": delta_polars,
        "duckdb": duck,
    }


def file_readers(file):
    """The same for one file, read as plain Parquet."""

    def plain_arrow(condition):
        return pq.read_table(file, filters=[condition], partitioning=None).num_rows

    def plain_pandas(condition):
        return len(pd.read_parquet(file, filters=[condition], partitioning=None))

    def plain_polars(condition):
        column, operator, value = condition
        rows = pl.scan_parquet(file, hive_partitioning=False, glob=False)
        return rows.filter(OPERATORS[operator](pl.col(column), pl.lit(value))).collect().height

    return {"pyarrow": plain_arrow, "pandas": plain_pandas, "polars": plain_polars}


def check_files(table, folder):
    for path in table.file_uris():
        file = pq.ParquetFile(path)
        assert b"ARROW:schema" not in (file.metadata.metadata or {}), f"{path} has a schema of one library"
        assert not any(pa.types.is_string_view(field.type) for field in file.schema_arrow), path
        rows = file.read().to_pylist()
        for condition in FILTERS:
            if condition[0] == "day":
                continue
            for name, count in file_readers(path).items():
                found, wanted = count(condition), expected(rows, condition)
                assert found == wanted, f"{name} finds {found} of {wanted} rows of {path} by {condition}"


def main():
    folder, height = sys.argv[1], int(sys.argv[2])
    table = DeltaTable(folder)
    rows = []
    for fragment in table.to_pyarrow_dataset().get_fragments():
        # Each file by itself, its partition added, no filter: no statistics are asked.
        rows += fragment.to_table(schema=table.to_pyarrow_dataset().schema).to_pylist()
    assert len(rows) == height, f"{len(rows)} rows, not {height}"
    for condition in FILTERS:
        wanted = expected(rows, condition)
        assert wanted > 0, f"no row tests {condition}"
        for name, count in readers(folder).items():
            found = count(condition)
            assert found == wanted, f"{name} finds {found} of {wanted} rows by {condition}"
    nulls = sum(1 for row in rows if row["text"] is None)
    assert nulls > 0
    assert pl.scan_delta(folder).filter(pl.col("text").is_null()).collect().height == nulls
    assert table.to_pyarrow_dataset().to_table(filter=ds.field("text").is_null()).num_rows == nulls
    sql = "SELECT count(*) FROM delta_scan(?) WHERE text IS NULL"
    database = duckdb.connect()
    database.execute("LOAD delta")
    assert database.execute(sql, [folder]).fetchone()[0] == nulls
    check_files(table, folder)
    print(len(FILTERS) * len(readers(folder)), "filters find what is there")


main()
