"""Makes every silver and gold table again from bronze, by the SQL of `backend/sql/spark`.

With `--out` it reads what the newest publication was made from, so its tables equal the published
ones, and writes them to a place of their own: a folder, or a schema as `CATALOG.SCHEMA`. With
`--publish` it reads all that has landed, and takes a turn with `shoptrail build`: its tables become
the next publication.
"""

import argparse
import importlib
import json
import os
import re
import shutil
import sys
import uuid
from graphlib import TopologicalSorter
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType

SETTINGS = "shop_id STRING, time_zone STRING, currency STRING"


class Table:
    """A table's SELECT, and what every row of it keeps."""

    def __init__(self, path):
        text = path.read_text(encoding="utf-8")
        self.name = path.stem
        self.select = re.sub(r"--.*", "", text).strip().removesuffix(";")
        self.logic = int(told(text, "Logic")[0])
        self.key = told(text, "Key")
        self.full = told(text, "Not null")


def told(text, what):
    """What a comment of the file lists."""
    line = re.search(rf"^-- {what}: (.*)$", text, re.MULTILINE)
    return line[1].split(", ") if line else []


class Lake:
    """A lake's Delta tables, as its newest publication names them."""

    def __init__(self, spark, address):
        self.spark = spark
        self.address = address.rstrip("/")
        self.publication = self.newest_publication()
        self.drafts = f"{self.address}/_spark/{uuid.uuid4()}"

    def newest_publication(self):
        files = self.spark.read.format("binaryFile").option("pathGlobFilter", "*.json")
        newest = files.load(f"{self.address}/_published").orderBy(F.desc("path")).first()
        if newest is None:
            sys.exit(f"`{self.address}` has no publication\nhint: run `shoptrail build` on it once")
        return json.loads(newest.content)

    def published(self, table):
        """A table of the publication."""
        version = self.publication["tables"][table]
        rows = self.spark.read.format("delta").option("versionAsOf", version)
        return rows.load(f"{self.address}/{table}")

    def now(self, table):
        """A table of bronze."""
        return self.spark.read.format("delta").load(f"{self.address}/{table}")

    def landed_at(self):
        """The time of the last landing; rows that land meanwhile have a later one."""
        last = F.max(F.unix_micros("_landed_at"))
        return self.now("bronze_events").agg(last).first()[0] or 0

    def write(self, table, rows):
        """Writes a table to be published, and returns it as it was written."""
        folder = f"{self.drafts}/{table}"
        # Bounds of every column, as in the lake: readers look for rows by any.
        writer = rows.write.format("delta").option("delta.dataSkippingNumIndexedCols", "-1")
        if "day" in rows.columns:
            writer = writer.partitionBy("day")
        writer.save(folder)
        return self.spark.read.format("delta").load(folder), folder

    def publish(self, made, cursor):
        """Publishes tables as the successor of the publication, all or none of them."""
        return beside("turn").publish(self.address, self.publication, made, cursor)

    def drop(self, _made):
        """Takes away what was written to be published."""
        shutil.rmtree(self.drafts, ignore_errors=True)


class Place:
    """Where tables of their own are written: a folder, or a schema."""

    def __init__(self, spark, address):
        self.spark = spark
        self.address = address.rstrip("/")
        self.is_folder = "/" in address

    def write(self, table, rows):
        """Replaces a table whole, and returns it as it was written."""
        writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        if "day" in rows.columns:
            writer = writer.partitionBy("day")
        if self.is_folder:
            writer.save(f"{self.address}/{table.name}")
            return self.spark.read.format("delta").load(f"{self.address}/{table.name}")
        writer.saveAsTable(f"{self.address}.{table.name}")
        return self.spark.table(f"{self.address}.{table.name}")


def settings(spark, recipe):
    """How shops report: the row without a shop is for all that have none of their own."""
    shops = recipe.get("shops", {}).items()
    rows = [(shop_id, own["time_zone"], own["currency"]) for shop_id, own in shops]
    rows.append((None, recipe["time_zone"], recipe["currency"]))
    return spark.createDataFrame(rows, SETTINGS)


def check_bronze(source, bronze):
    """Stops where bronze has records that only `shoptrail build` can read.

    Those without typed columns have been read by the publication if they are in its quarantine.
    """
    untyped = bronze.where("event_id IS NULL").select("record").distinct()
    known = source.published("silver_quarantine").select("record")
    unknown = untyped.join(known, "record", "left_anti").count()
    if unknown > 0:
        sys.exit(
            f"{unknown} records of bronze have no typed columns, which only `shoptrail build` "
            "reads\nhint: Spark makes the tables of what `shoptrail land` landed; where some of "
            "it cannot be counted, `shoptrail build` has to run first"
        )


def check(table, rows):
    """Stops where a row lacks what every row has, or two rows have one key."""
    missing = F.count_if(F.expr(" OR ".join(f"{name} IS NULL" for name in table.full)))
    counts = rows.agg(F.count("*"), missing, F.count_distinct(F.struct(*table.key))).first()
    if counts[1] > 0 or counts[0] != counts[2]:
        sys.exit(
            f"`{table.name}`: {counts[1]} of {counts[0]} rows lack a value, {counts[2]} keys\n"
            "hint: nothing is published"
        )


def with_wide_integers(rows):
    """The product's integers have 64 bits; Spark numbers rows in 32."""
    narrow = [field.name for field in rows.schema if isinstance(field.dataType, IntegerType)]
    return rows.withColumns({name: F.col(name).cast("bigint") for name in narrow})


def make(spark, source, up_to, tables, keep):
    """Makes every table of what landed up to a time, each from what `keep` returns of others."""
    bronze = source.now("bronze_events").where(F.unix_micros("_landed_at") <= up_to)
    check_bronze(source, bronze)
    refused = source.published("silver_left_out").where("reason <> 'duplicate'")
    bronze.createOrReplaceTempView("bronze_events")
    settings(spark, source.publication["recipe"]).createOrReplaceTempView("settings")
    refused.createOrReplaceTempView("refused_records")
    for table in tables:
        rows = with_wide_integers(spark.sql(table.select))
        # How shops report is an input, and no table that anybody reads.
        if table.name != "shops":
            rows = keep(table, rows)
            print(f"{table.name}: {rows.count()} rows", flush=True)
        rows.createOrReplaceTempView(table.name)


def publish(spark, source, tables):
    """Makes every table of all that has landed, and publishes them."""
    up_to = source.landed_at()
    if up_to <= published_up_to(source):
        print(f"nothing has landed since publication {source.publication['version']}")
        return
    logic = source.publication["recipe"]["logic"]
    if logic != tables[0].logic:
        sys.exit(
            f"what is published was made by logic {logic}, this SQL is of logic {tables[0].logic}\n"
            "hint: take the SQL of the version of `shoptrail` that builds, and let it build once"
        )
    made = {}

    def keep(table, rows):
        rows, made[table.name] = source.write(table.name, rows)
        check(table, rows)
        return rows

    try:
        make(spark, source, up_to, tables, keep)
        cursor = json.dumps({"landed_at": up_to}, separators=(",", ":"))
        version = source.publish(made, cursor)
    finally:
        source.drop(made)
    print(f"publication {version}")


def published_up_to(source):
    """The time up to which the publication has what landed."""
    cursor = json.loads(source.publication["cursor"] or "{}")
    if "landed_at" not in cursor:
        sys.exit(
            "what is published was not made from what `shoptrail land` landed\n"
            "hint: Spark needs the typed columns, which Confluent's sink does not write"
        )
    return cursor["landed_at"]


def in_order(sql):
    """Each table after those that it is made from."""
    tables = {path.stem: Table(path) for path in sorted(sql.glob("*.sql"))}
    inputs = {
        table.name: set(re.findall(r"\w+", table.select)) & tables.keys()
        for table in tables.values()
    }
    return [tables[name] for name in TopologicalSorter(inputs).static_order()]


def session():
    """A session with Delta; where Databricks has one already, that."""
    builder = SparkSession.builder.appName("shoptrail rebuild")
    spark = builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def opened(spark, given):
    """The tables that are read."""
    if given.lake:
        return Lake(spark, given.lake)
    return beside("dataset").Dataset(spark, given.bigquery)


def beside(module):
    """A module of this folder, whose libraries only those need who use it."""
    # Databricks runs a file in its folder, which may not be on the path.
    sys.path.append(os.getcwd())
    return importlib.import_module(module)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--lake", help="address of the lake: a folder or a URL")
    source.add_argument("--bigquery", help="the dataset in BigQuery, as PROJECT.DATASET")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", help="where the tables go: a folder, a URL or CATALOG.SCHEMA")
    target.add_argument(
        "--publish", action="store_true", help="publish what is made as the next publication"
    )
    parser.add_argument(
        "--sql", required=True, type=Path, help="folder with Spark's SQL, `backend/sql/spark`"
    )
    given = parser.parse_args()
    if given.publish and given.lake and not Path(given.lake).is_dir():
        parser.error(
            f"`{given.lake}` is no folder: turns on a lake are taken by a lock on its disk"
        )
    return given


def main():
    given = arguments()
    spark = session()
    source = opened(spark, given)
    tables = in_order(given.sql)
    if given.publish:
        publish(spark, source, tables)
    else:
        place = Place(spark, given.out)
        make(spark, source, published_up_to(source), tables, place.write)


if __name__ == "__main__":
    main()
