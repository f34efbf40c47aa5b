"""Holds the SQL to the polars plans: makes every table of a lake by Spark and compares it with the published one.

    python backend/sql/parity.py LAKE                every table, made by Spark in a folder that goes away
    python backend/sql/parity.py LAKE --made DIR     what `rebuild.py --lake LAKE --out DIR` has made

Every row and every column of both is compared, and names, order and types of the columns. It exits with 1 where they differ.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

import duckdb
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from delta import configure_spark_with_delta_pip

REPOSITORY = Path(__file__).parents[2]
sys.path.append(str(REPOSITORY / "deploy/databricks"))

import rebuild  # noqa: E402

#: So many of the rows that differ are shown of a table.
SHOWN = 5

KEY = re.compile(r"^## (\w+)$.*?^Key: (.*?);", re.MULTILINE | re.DOTALL)


def keys():
    """The columns that identify a row, by table, as the documentation has them."""
    text = (REPOSITORY / "docs/tables.md").read_text(encoding="utf-8")
    return {table: re.findall(r"`(\w+)`", key) for table, key in KEY.findall(text)}


def session():
    builder = SparkSession.builder.master("local[1]").config("spark.driver.memory", "2g")
    settings = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return configure_spark_with_delta_pip(builder).getOrCreate()


def make(lake, folder):
    """Makes every table by Spark."""
    spark = session()
    place = rebuild.Place(spark, str(folder))
    rebuild.run(spark, rebuild.Lake(spark, str(lake)), place, REPOSITORY / "backend/sql/spark")
    spark.stop()


def published(lake):
    """The newest publication's versions of the tables."""
    newest = max((lake / "_published").glob("*.json"))
    return json.loads(newest.read_text(encoding="utf-8"))["tables"]


def columns(table):
    return [(field.name, str(field.type)) for field in table.schema().fields]


def text_of(side, names):
    """SQL that tells some columns of a side's row."""
    parts = [f"'{name} ' || COALESCE(CAST({side}.{name} AS VARCHAR), 'NULL')" for name in names]
    return " || ', ' || ".join(parts)


def differences(database, table, key, names):
    """What differs between the rows of `polars` and `spark`, in sentences."""
    on = " AND ".join(f"polars.{name} IS NOT DISTINCT FROM spark.{name}" for name in key)
    for side, other, name in [("polars", "spark", "polars"), ("spark", "polars", "SQL")]:
        alone = f"FROM {side} ANTI JOIN {other} ON {on}"
        yield from shown(database, f"{table}: only {name} has", text_of(side, key), alone)
    for name in names:
        value = f"' | polars ' || {text_of('polars', [name])} || ' | SQL ' || {text_of('spark', [name])}"
        changed = f"FROM polars JOIN spark ON {on} WHERE polars.{name} IS DISTINCT FROM spark.{name}"
        told = f"{text_of('polars', key)} || {value}"
        yield from shown(database, f"{table}.{name} differs in", told, changed)


def shown(database, what, told, source):
    count = number(database, f"SELECT COUNT(*) {source}")
    if count > 0:
        yield f"{what} {count} rows"
        for (text,) in database.sql(f"SELECT {told} {source} ORDER BY 1 LIMIT {SHOWN}").fetchall():
            yield f"    {text}"


def number(database, query):
    return database.sql(query).fetchall()[0][0]


def compare(table, key, polars, spark):
    """What differs between a table as polars and as Spark made it, and how many rows and values were compared."""
    if columns(polars) != columns(spark):
        odd = set(columns(polars)) ^ set(columns(spark))
        return [f"{table}: other columns, types or order: {sorted(odd) or 'order'}"], 0, 0
    database = duckdb.connect()
    database.sql("SET TimeZone = 'UTC'")
    database.register("polars", polars.to_pyarrow_table())
    database.register("spark", spark.to_pyarrow_table())
    names = [name for name, _ in columns(polars)]
    found = list(differences(database, table, key, names))
    rows = number(database, "SELECT COUNT(*) FROM polars")
    repeated = number(database, "SELECT COUNT(*) FROM spark") - rows
    if repeated and not found:
        found = [f"{table}: {repeated:+} rows of the same keys by SQL"]
    return found, rows, rows * len(names)


def compare_all(lake, made):
    """Compares every table and prints what differs; returns whether nothing does."""
    versions, identity = published(lake), keys()
    all_rows = all_values = failed = 0
    for table in rebuild.TABLES:
        polars = DeltaTable(str(lake / table), version=versions[table])
        found, rows, values = compare(table, identity[table], polars, DeltaTable(str(made / table)))
        all_rows += rows
        all_values += values
        failed += bool(found)
        print(f"{table}: {rows} rows, {'DIFFERS' if found else 'equal'}")
        for line in found:
            print(f"  {line}")
    for table, reason in rebuild.NOT_SQL.items():
        print(f"{table}: not compared: {reason}")
    print(f"{len(rebuild.TABLES)} tables, {all_rows} rows, {all_values} values; {failed} tables differ")
    return failed == 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("lake", type=Path, help="a lake that `shoptrail build` has published")
    arguments.add_argument("--made", type=Path, help="folder of tables that Spark has made of it")
    given = arguments.parse_args()
    if given.made:
        is_equal = compare_all(given.lake, given.made)
    else:
        with tempfile.TemporaryDirectory() as folder:
            make(given.lake, Path(folder))
            is_equal = compare_all(given.lake, Path(folder))
    sys.exit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
