"""A dataset in BigQuery: read by the Spark BigQuery connector, published in one transaction."""

import json
import os
import sys
import uuid
from datetime import datetime, timedelta, timezone

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from requests.exceptions import RequestException

LANDING = "_shoptrail_landing"
PUBLICATION = "_shoptrail_publication"
STAGING = "_shoptrail_staging_"
# A staging table that nobody has taken away is gone after so long.
EXPIRES_AFTER = timedelta(days=1)


class Dataset:
    """A dataset, and its tables as they were at one moment."""

    def __init__(self, spark, name):
        self.spark = spark
        self.name = name
        self.project = name.partition(".")[0]
        self.client = client(self.project)
        # The connector reads as of a whole millisecond.
        (self.moment,) = self.row("SELECT UNIX_MILLIS(CURRENT_TIMESTAMP())")
        version, state = self.marker_then(PUBLICATION)
        if version == 0:
            sys.exit(f"`{name}` has no publication\nhint: run `shoptrail build` on it once")
        self.publication = {**state, "version": version}

    def row(self, select):
        """The only row that a SELECT gives."""
        (row,) = self.client.query(select).result()
        return row.values()

    def marker(self, table, as_of=""):
        """What is kept in a table of one row, and how often it was written; at first, nothing."""
        try:
            version, state = self.row(f"SELECT version, state FROM `{self.name}.{table}` {as_of}")
        except NotFound:
            return 0, {}
        return version, json.loads(state)

    def marker_then(self, table):
        return self.marker(table, f"FOR SYSTEM_TIME AS OF TIMESTAMP_MILLIS({self.moment})")

    def landed_at(self):
        """The time of the last landing."""
        _, state = self.marker_then(LANDING)
        return state.get("landed_at", 0)

    def read(self, table, **options):
        rows = self.spark.read.format("bigquery").option("parentProject", self.project)
        return rows.options(**options).load(f"{self.name}.{table}")

    def now(self, table):
        """A table of bronze."""
        return self.read(table, snapshotTimeMillis=str(self.moment))

    def published(self, table):
        """A table of the publication."""
        return self.now(table)

    def stage(self, table):
        """Makes an empty table with the columns of one, and returns its name."""
        fields = self.client.get_table(f"{self.name}.{table}").schema
        fields = [bigquery.SchemaField(field.name, field.field_type) for field in fields]
        staging = f"{STAGING}{table}_{uuid.uuid4().hex}"
        made = bigquery.Table(f"{self.name}.{staging}", fields)
        made.expires = datetime.now(timezone.utc) + EXPIRES_AFTER
        self.client.create_table(made)
        return staging

    def write(self, table, rows):
        """Writes a table to be published, and returns it as it was written."""
        staging = self.stage(table)
        writer = rows.write.format("bigquery").option("parentProject", self.project)
        # Direct: by the Storage Write API, all rows in one commit.
        writer = writer.option("writeMethod", "direct").mode("append")
        writer.save(f"{self.name}.{staging}")
        return self.read(staging), staging

    def publish(self, made, cursor):
        """Publishes tables as the successor of the publication, all or none of them.

        `made` has the staging table of each. The transaction is that of `shoptrail build`: it
        fails if another build has moved the marker since it was read.
        """
        before = self.publication
        state = {
            "commit": str(uuid.uuid4()),
            "cursor": cursor,
            "recipe": before["recipe"],
            "tables": sorted({*before["tables"], *made}),
            "published_at": round(datetime.now(timezone.utc).timestamp() * 1000),
        }
        statements = "".join(self.replace(table, staging) for table, staging in made.items())
        script = (
            "BEGIN TRANSACTION;\n"
            f"UPDATE `{self.name}.{PUBLICATION}` SET version = version + 1, state = @state, "
            "changed_at = CURRENT_TIMESTAMP() WHERE version = @expected;\n"
            "ASSERT @@row_count = 1 AS 'another build was faster';\n"
            f"{statements}COMMIT TRANSACTION;"
        )
        parameters = [
            bigquery.ScalarQueryParameter("state", "STRING", json.dumps(state)),
            bigquery.ScalarQueryParameter("expected", "INT64", before["version"]),
        ]
        config = bigquery.QueryJobConfig(query_parameters=parameters)
        try:
            self.client.query(script, job_config=config).result()
        except (GoogleAPIError, RequestException):
            # Whatever was said: the marker tells what became of it.
            version, now = self.marker(PUBLICATION)
            if version == before["version"]:
                raise
            if now["commit"] != state["commit"]:
                sys.exit(
                    "another build has published meanwhile, before this one or after it\nhint: run again"
                )
        return before["version"] + 1

    def replace(self, table, staging):
        columns = [field.name for field in self.client.get_table(f"{self.name}.{staging}").schema]
        columns = ", ".join(columns)
        return (
            f"DELETE FROM `{self.name}.{table}` WHERE TRUE;\n"
            f"INSERT INTO `{self.name}.{table}` ({columns}) "
            f"SELECT {columns} FROM `{self.name}.{staging}`;\n"
        )

    def drop(self, made):
        """Takes away what was written to be published."""
        for staging in made.values():
            self.client.delete_table(f"{self.name}.{staging}", not_found_ok=True)


def client(project):
    """BigQuery's API. A server that the variable names is one for tests: no credentials."""
    if os.environ.get("BIGQUERY_EMULATOR_HOST"):
        return bigquery.Client(project, credentials=AnonymousCredentials())
    return bigquery.Client(project)
