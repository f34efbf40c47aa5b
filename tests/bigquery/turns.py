"""Takes turns in a dataset by `deploy/databricks/dataset.py`; rows come by SQL, in Spark's place."""

import os
import sys
from pathlib import Path

from google.api_core.exceptions import GoogleAPICallError

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy/databricks"))
from dataset import PUBLICATION, Dataset, client  # noqa: E402

NAME = os.environ["DATASET"]
TABLE = "silver_quarantine"
CURSOR = '{"landed_at":1}'


def ask(sql):
    return client(NAME.partition(".")[0]).query(sql).result()


def staged(dataset, *records):
    """A staging table of quarantine, with these records."""
    staging = dataset.stage(TABLE)
    rows = ", ".join(f"('{record}', 'malformed_record', 'odd', '{record}')" for record in records)
    ask(f"INSERT INTO `{NAME}.{staging}` (record_id, code, reason, record) VALUES {rows}")
    return staging


def half_a_row(dataset, table):
    """A staging table whose row lacks what every row of the table has."""
    staging = dataset.stage(table)
    ask(f"INSERT INTO `{NAME}.{staging}` (shop_id) VALUES ('demo')")
    return staging


def records():
    rows = ask(f"SELECT record FROM `{NAME}.{TABLE}` ORDER BY record")
    return " ".join(record for (record,) in rows)


def main():
    # As the first build leaves it.
    state = f'{{"cursor": "{{}}", "recipe": {{"logic": 8}}, "tables": ["{TABLE}"]}}'
    ask(f"UPDATE `{NAME}.{PUBLICATION}` SET version = 1, state = '{state}' WHERE TRUE")

    first = Dataset(None, NAME)
    made = {TABLE: staged(first, "a", "b")}
    print(f"published {first.publish(made, CURSOR)}: {records()}")
    first.drop(made)

    made = {TABLE: staged(first, "late")}
    try:
        first.publish(made, CURSOR)
    except SystemExit as refused:
        print(f"too late: {refused}")
    print(f"still: {records()}")
    first.drop(made)

    second = Dataset(None, NAME)
    made = {TABLE: staged(second, "c"), "silver_visitors": half_a_row(second, "silver_visitors")}
    try:
        second.publish(made, CURSOR)
    except GoogleAPICallError:
        print(f"failed, still: {records()}")
    second.drop(made)

    now = Dataset(None, NAME).publication
    print(f"publication {now['version']}, cursor {now['cursor']}, tables {now['tables']}")


if __name__ == "__main__":
    main()
