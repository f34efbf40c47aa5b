"""Makes every silver and gold table again from a lake's bronze, by the SQL of `backend/sql/spark`.

It reads what the lake's newest publication was made from, so its tables equal the published ones,
and writes them to a place of their own: `--out` is a folder, or a schema as `CATALOG.SCHEMA`.
"""

import argparse
import json
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType

SETTINGS = "shop_id STRING, time_zone STRING, currency STRING"


class Lake:
    """A lake's Delta tables, as its newest publication names them."""

    def __init__(self, spark, address):
        self.spark = spark
        self.address = address.rstrip("/")
        self.publication = self.newest_publication()
        self.recipe = self.publication["recipe"]

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

    def bronze_events(self):
        """The rows of bronze that the publication was made from."""
        landed_at = json.loads(self.publication["cursor"])["landed_at"]
        rows = self.spark.read.format("delta").load(f"{self.address}/bronze_events")
        return rows.where(F.unix_micros("_landed_at") <= landed_at)

    def settings(self):
        """How shops report: the row without a shop is for all that have none of their own."""
        shops = self.recipe.get("shops", {}).items()
        rows = [(shop_id, own["time_zone"], own["currency"]) for shop_id, own in shops]
        rows.append((None, self.recipe["time_zone"], self.recipe["currency"]))
        return self.spark.createDataFrame(rows, SETTINGS)


class Place:
    """Where the tables are written: a folder, or a schema."""

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
            writer.save(f"{self.address}/{table}")
            return self.spark.read.format("delta").load(f"{self.address}/{table}")
        writer.saveAsTable(f"{self.address}.{table}")
        return self.spark.table(f"{self.address}.{table}")


def check_bronze(lake):
    """Stops where bronze has events without typed columns, which only `shoptrail build` reads."""
    untyped = lake.bronze_events().where("event_id IS NULL").select("record").distinct().count()
    quarantined = lake.published("silver_quarantine").count()
    if untyped > quarantined:
        sys.exit(
            f"{untyped - quarantined} events of bronze have no typed columns, which only "
            "`shoptrail build` reads\n"
            "hint: Spark makes the tables of what `shoptrail land` landed"
        )


def with_wide_integers(rows):
    """The product's integers have 64 bits; Spark numbers rows in 32."""
    narrow = [field.name for field in rows.schema if isinstance(field.dataType, IntegerType)]
    return rows.withColumns({name: F.col(name).cast("bigint") for name in narrow})


def run(spark, lake, place, sql):
    """Makes every table, each from those before it as they were written."""
    check_bronze(lake)
    refused = lake.published("silver_left_out").where("reason <> 'duplicate'")
    lake.bronze_events().createOrReplaceTempView("bronze_events")
    lake.settings().createOrReplaceTempView("settings")
    refused.createOrReplaceTempView("refused_records")
    for table, select in in_order(sql):
        rows = with_wide_integers(spark.sql(select))
        # How shops report is an input, and no table that anybody reads.
        if table != "shops":
            rows = place.write(table, rows)
            print(f"{table}: {rows.count()} rows", flush=True)
        rows.createOrReplaceTempView(table)


def in_order(sql):
    """Each table with its SELECT, after those that it is made from."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in sorted(sql.glob("*.sql"))}
    selects = {
        table: re.sub(r"--.*", "", text).strip().removesuffix(";") for table, text in files.items()
    }
    inputs = {
        table: set(re.findall(r"\w+", select)) & selects.keys() for table, select in selects.items()
    }
    return [(table, selects[table]) for table in TopologicalSorter(inputs).static_order()]


def session():
    """A session with Delta; where Databricks has one already, that."""
    builder = SparkSession.builder.appName("shoptrail rebuild")
    spark = builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lake", required=True, help="address of the lake: a folder or a URL")
    parser.add_argument(
        "--out", required=True, help="where the tables go: a folder, a URL or CATALOG.SCHEMA"
    )
    parser.add_argument(
        "--sql", required=True, type=Path, help="folder with Spark's SQL, `backend/sql/spark`"
    )
    return parser.parse_args()


def main():
    given = arguments()
    spark = session()
    lake = Lake(spark, given.lake)
    run(spark, lake, Place(spark, given.out), given.sql)


if __name__ == "__main__":
    main()
