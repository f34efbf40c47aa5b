"""A lake: Delta tables in a folder or at a URL."""

import json
import sys

from pyspark.sql import functions as F


class Lake:
    """A lake's Delta tables, as its newest publication names them."""

    def __init__(self, spark, address):
        self.spark = spark
        self.address = address.rstrip("/")
        self.publication = self.newest_publication()

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
