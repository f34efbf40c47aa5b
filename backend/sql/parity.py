"""Makes every silver and gold table of a lake by SQL and compares it with the one polars made.

    python backend/sql/parity.py LAKE                BigQuery's dialect, read by DuckDB
    python backend/sql/parity.py LAKE --made DIR     Spark's: what `rebuild.py` has made in DIR

Every row and every column of both is compared, and the names, the order and the types of the
columns. It exits with 1 where they differ.
"""

import argparse
import json
import re
import sys
from datetime import datetime, timedelta, timezone
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from sqlglot import exp, parse_one

SQL = Path(__file__).parent
DOCUMENTATION = SQL.parents[1] / "docs/tables.md"

# What no SELECT over bronze can tell, and why.
NOT_SQL = {
    "silver_quarantine": "what is wrong with a record is said by the contract's validator, in Rust",
    "gold_quality_checks": "it tells what checks of runs found and since when",
    "gold_runs": "it tells what runs of `shoptrail build` did and took",
}

# So many of the rows that differ are shown of a column.
SHOWN = 5

KEY = re.compile(r"^## (\w+)$.*?^Key: (.*?);", re.MULTILINE | re.DOTALL)


def keys():
    """The columns that identify a row of each silver and gold table."""
    found = KEY.findall(DOCUMENTATION.read_text(encoding="utf-8"))
    return {
        table: re.findall(r"`(\w+)`", key) for table, key in found if not table.startswith("bronze")
    }


class Lake:
    """A lake's tables, as its newest publication names them."""

    def __init__(self, folder):
        self.folder = folder
        newest = max(folder.glob("_published/*.json"))
        self.publication = json.loads(newest.read_text(encoding="utf-8"))

    def published(self, table):
        return read(self.folder / table, self.publication["tables"][table])

    def bronze_events(self):
        """The rows of bronze that the publication was made from."""
        micros = json.loads(self.publication["cursor"])["landed_at"]
        landed_at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)
        rows = DeltaTable(self.folder / "bronze_events")
        return rows.to_pyarrow_table(filters=[("_landed_at", "<=", landed_at)])

    def refused_records(self):
        rows = self.published("silver_left_out")
        return rows.filter(pa.compute.not_equal(rows["reason"], "duplicate"))

    def settings(self):
        recipe = self.publication["recipe"]
        shops = [{"shop_id": shop_id, **own} for shop_id, own in recipe.get("shops", {}).items()]
        shops.append(
            {"shop_id": None, "time_zone": recipe["time_zone"], "currency": recipe["currency"]}
        )
        schema = pa.schema([(name, pa.string()) for name in ("shop_id", "time_zone", "currency")])
        return pa.Table.from_pylist(shops, schema)


def read(folder, version=None):
    return DeltaTable(folder, version=version).to_pyarrow_table()


class DuckDB:
    """Every table, made of a lake's bronze by the SQL in BigQuery's dialect."""

    def __init__(self, lake):
        self.lake = lake
        self.database = database()
        self.database.register("bronze_events", lake.bronze_events())
        self.database.register("refused_records", lake.refused_records())
        self.database.register("settings", lake.settings())
        self.tables = {}
        for table, query in in_order():
            self.database.sql(f"CREATE TABLE {table} AS {query.sql(dialect='duckdb')}")

    def made(self, table):
        # Its sums have 128 bits; what is beyond 64 fails here.
        rows = self.database.sql(f"FROM {table}").to_arrow_table()
        published = self.lake.published(table).schema
        expected = pa.schema([field.with_nullable(True) for field in published])
        return rows.cast(expected) if rows.column_names == expected.names else rows


def in_order():
    """Each table with its SELECT, after those that it is made from."""
    queries = {
        path.stem: for_duckdb(path.read_text(encoding="utf-8")) for path in SQL.glob("*.sql")
    }
    inputs = {
        table: {input.name for input in query.find_all(exp.Table)} & queries.keys()
        for table, query in queries.items()
    }
    return [(table, queries[table]) for table in TopologicalSorter(inputs).static_order()]


def for_duckdb(text):
    """A SELECT, with what sqlglot leaves otherwise than DuckDB has it."""
    query = parse_one(text, read="bigquery")
    for number in query.find_all(exp.DataType):
        if number.is_type(exp.DataType.Type.DECIMAL) and not number.expressions:
            number.replace(exp.DataType.build("DECIMAL(38, 9)"))
    # Of nothing but NULLs DuckDB's COUNT_IF is NULL.
    for count in query.find_all(exp.CountIf):
        is_counted = exp.Case(ifs=[exp.If(this=count.this.copy(), true=exp.Literal.number(1))])
        count.replace(exp.Count(this=is_counted))
    # DuckDB counts from 1.
    for unnest in query.find_all(exp.Unnest):
        place = unnest.args.get("offset")
        for column in unnest.find_ancestor(exp.Select).expressions if place else []:
            if column.name == place.name:
                column.replace(
                    exp.alias_(
                        exp.Sub(this=column.copy(), expression=exp.Literal.number(1)), place.name
                    )
                )
    return query


class Made:
    """Every table, as Spark has written it to a folder."""

    def __init__(self, folder):
        self.folder = folder

    def made(self, table):
        return read(self.folder / table)


def database():
    made = duckdb.connect()
    made.sql("SET TimeZone = 'UTC'")
    return made


class Comparison:
    """A table as polars and as SQL made it."""

    def __init__(self, table, key, polars, sql):
        self.table = table
        self.key = key
        self.schemas = [sorted_out(side.schema) for side in (polars, sql)]
        self.names = polars.column_names
        self.rows = polars.num_rows
        self.more_rows = sql.num_rows - polars.num_rows
        self.database = database()
        self.database.register("polars", polars)
        self.database.register("sql", sql)
        self.on = " AND ".join(f"polars.{name} IS NOT DISTINCT FROM sql.{name}" for name in key)

    def differences(self):
        """What differs, in sentences."""
        if self.schemas[0] != self.schemas[1]:
            return [f"columns differ: polars {self.schemas[0]}, SQL {self.schemas[1]}"]
        found = []
        for side, other in [("polars", "sql"), ("sql", "polars")]:
            alone = f"FROM {side} ANTI JOIN {other} ON {self.on}"
            found += self.shown(f"only {side} has", told(side, self.key), alone)
        for name in self.names:
            both = f"{told('polars', [name])} || ', SQL ' || {told('sql', [name])}"
            values = f"{told('polars', self.key)} || ': ' || {both}"
            changed = f"FROM polars JOIN sql ON {self.on} WHERE polars.{name} IS DISTINCT FROM sql.{name}"
            found += self.shown(f"`{name}` differs in", values, changed)
        if self.more_rows and not found:
            found.append(f"SQL has {self.more_rows} rows more, of the same keys")
        return found

    def shown(self, what, values, source):
        """How many rows a query finds, and some of them."""
        count = self.database.sql(f"SELECT COUNT(*) {source}").fetchall()[0][0]
        if count == 0:
            return []
        samples = self.database.sql(f"SELECT {values} {source} ORDER BY 1 LIMIT {SHOWN}").fetchall()
        return [f"{what} {count} rows", *(f"  {sample}" for (sample,) in samples)]


def sorted_out(schema):
    """Names and types; how a text or a time is held in memory is no difference."""
    types = {"string_view": "string", "large_string": "string"}
    return [(field.name, types.get(str(field.type), str(field.type))) for field in schema]


def told(side, names):
    """SQL that tells some columns of a row."""
    parts = [f"'{name} ' || COALESCE(CAST({side}.{name} AS VARCHAR), 'NULL')" for name in names]
    return " || ', ' || ".join(parts)


def compare(lake, engine):
    """Compares every table and prints what differs; returns how many do."""
    rows = values = differing = 0
    for table, key in keys().items():
        if table in NOT_SQL:
            print(f"{table}: not compared: {NOT_SQL[table]}")
            continue
        comparison = Comparison(table, key, lake.published(table), engine.made(table))
        found = comparison.differences()
        print(f"{table}: {comparison.rows} rows, {'DIFFERENT' if found else 'equal'}")
        for line in found:
            print(f"  {line}")
        rows += comparison.rows
        values += comparison.rows * len(comparison.names)
        differing += bool(found)
    print(f"{rows} rows, {values} values, {differing} tables different")
    return differing


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("lake", type=Path, help="a lake that `shoptrail build` has published")
    arguments.add_argument("--made", type=Path, help="folder of tables that Spark has made of it")
    given = arguments.parse_args()
    lake = Lake(given.lake)
    engine = Made(given.made) if given.made else DuckDB(lake)
    sys.exit(1 if compare(lake, engine) else 0)


if __name__ == "__main__":
    main()
