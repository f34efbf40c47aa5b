"""A lake: Delta tables in a folder or at a URL, read by Spark; in a folder also published."""

import json
import shutil
import sys
import uuid

from pyspark.sql import functions as F


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
        return self.now("bronze_events").agg(last).first()[0]

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
        # Only here, so that nobody needs its library who publishes nothing.
        import turn

        return turn.publish(self.address, self.publication, made, cursor)

    def drop(self, _made):
        """Takes away what was written to be published."""
        shutil.rmtree(self.drafts, ignore_errors=True)
