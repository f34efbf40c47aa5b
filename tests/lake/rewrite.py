"""Does to a Delta table what other programs do: `rewrite.py WHAT FOLDER`.

`int96` adds the rows of the table's first file again with their times as INT96, as Spark writes them by default;
`compact` merges the files of each partition; `order` sorts the rows of all files anew; `vacuum` deletes every file that
the newest version does not name; `count` prints how many files there are.
"""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
from deltalake import DeltaTable


def commit(folder, version, actions):
    log = Path(folder) / "_delta_log" / f"{version:020}.json"
    with log.open("x") as file:
        file.writelines(json.dumps(action) + "\n" for action in actions)


def int96(folder):
    table = DeltaTable(folder)
    source = Path(table.file_uris()[0])
    target = source.with_name("from-spark.snappy.parquet")
    pq.write_table(pq.ParquetFile(source).read(), target, use_deprecated_int96_timestamps=True, store_schema=False)
    log = Path(folder) / "_delta_log"
    added = [
        action["add"]
        for entry in sorted(log.glob("*.json"))
        for action in map(json.loads, entry.read_text().splitlines())
        if action.get("add", {}).get("path", "").endswith(source.name)
    ]
    add = added[-1] | {
        "path": str(target.relative_to(folder)),
        "size": target.stat().st_size,
        "dataChange": True,
    }
    # Spark leaves statistics out when it is told to.
    add.pop("stats", None)
    commit(folder, table.version() + 1, [{"add": add}])


def compact(folder):
    DeltaTable(folder).optimize.compact()


def order(folder):
    DeltaTable(folder).optimize.z_order(sys.argv[3:])


def vacuum(folder):
    DeltaTable(folder).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


def count(folder):
    print(len(DeltaTable(folder).file_uris()))


{"count": count, "int96": int96, "compact": compact, "order": order, "vacuum": vacuum}[sys.argv[1]](sys.argv[2])
