"""Takes turns on a lake of the golden cases.

    python backend/sql/turns.py SHOPTRAIL LAKE

DuckDB makes the tables, in Spark's place, and `deploy/databricks/turn.py` publishes them. Then
events come, and `shoptrail build` adds them to what was published so.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import golden
from deltalake import write_deltalake
from parity import DuckDB, Lake, in_order

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy/databricks"))
import turn  # noqa: E402

BOUNDS = {"delta.dataSkippingNumIndexedCols": "-1"}


def made(lake, folder):
    """The folder of each table, made of a lake's bronze by SQL."""
    engine = DuckDB(lake)
    folders = {}
    for table, _ in in_order():
        if table != "shops":
            folders[table] = str(folder / table)
            rows = engine.made(table)
            by = ["day"] if "day" in rows.column_names else None
            write_deltalake(folders[table], rows, partition_by=by, configuration=BOUNDS)
    return folders


def publish(lake):
    """Publishes what SQL makes of the bronze that is published.

    Then come a turn that is too late, and one that ends before its publication.
    """
    before = lake.publication
    with tempfile.TemporaryDirectory(dir=lake.folder) as drafts:
        version = turn.publish(lake.folder, before, made(lake, Path(drafts)), before["cursor"])
    print(f"published: {version}")
    try:
        turn.publish(lake.folder, before, {}, before["cursor"])
    except SystemExit as refused:
        print(f"too late: {refused}")
    turn.commit(lake.folder / "gold_search_terms", [])


def come(lake):
    """Lands some events again, under ids of their own."""
    rows = lake.bronze_events().to_pylist()
    again = []
    for number, row in enumerate(row for row in rows if row["event_id"] is not None):
        text, own = golden.under_own_id(row["record"], number)
        place = {"_offset": len(rows) + number, "_landed_at": golden.LANDED_AT + 1_000_000}
        again.append({**row, **place, "record": text, "event_id": own})
    golden.land(lake.folder, again[::3])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("shoptrail", help="the product's command")
    arguments.add_argument("lake", type=Path, help="a lake that `golden.py` has made")
    given = arguments.parse_args()
    publish(Lake(given.lake))
    come(Lake(given.lake))
    golden.build(given.shoptrail, given.lake)
    print(f"built: {Lake(given.lake).publication['version']}")


if __name__ == "__main__":
    main()
