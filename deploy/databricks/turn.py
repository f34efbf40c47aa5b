"""A turn on a lake: tables that were made elsewhere become its next publication.

It keeps what `shoptrail build` keeps (backend/src/warehouse/lake). Who publishes holds a lock of
the file system meanwhile, files are on disk before a commit names them, and the commits of all
tables come before the one file that readers follow. Commits without it are taken back by the next
turn.
"""

import fcntl
import json
import os
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from deltalake import DeltaTable, PostCommitHookProperties
from deltalake.transaction import AddAction

# So many old publications stay for readers that are still at them.
KEPT = 20


def publish(lake, before, made, cursor):
    """Publishes tables as the successor of the publication `before`, and returns its version.

    `made` has the folder of each table's rows: a Delta table of one commit, on the lake's file
    system. Its files move into the lake.
    """
    lake = Path(lake)
    with turn(lake):
        if newest(lake)["version"] != before["version"]:
            sys.exit("another build has published meanwhile\nhint: run again")
        moved = {table: moved_into(lake / table, Path(folder)) for table, folder in made.items()}
        tables = {table: commit(lake / table, actions) for table, actions in moved.items()}
        publication = {
            "version": before["version"] + 1,
            "cursor": cursor,
            "recipe": before["recipe"],
            "tables": before["tables"] | tables,
            "published_at": round(time.time() * 1000),
        }
        write(lake / "_published", publication)
    return publication["version"]


@contextmanager
def turn(lake):
    """Waits until no other build publishes. The lock ends with its process."""
    with open(lake / "_publishing.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def newest(lake):
    """The newest publication of a lake."""
    return json.loads(max(lake.glob("_published/*.json")).read_bytes())


def moved_into(folder, made):
    """Moves the files of a table into the lake's, and returns what names them there."""
    held, new = DeltaTable(folder), DeltaTable(made)
    types = {field.name: field.type for field in held.schema().fields}
    for field in new.schema().fields:
        if types.pop(field.name, None) != field.type:
            sys.exit(f"table `{folder.name}`: column `{field.name}` is {field.type.to_json()}")
    if types or new.metadata().partition_columns != held.metadata().partition_columns:
        sys.exit(f"table `{folder.name}`: its columns or partitions are not those of the lake")
    if new.version() != 0:
        sys.exit(f"table `{folder.name}`: `{made}` has more than one commit")
    actions = []
    for line in (made / "_delta_log" / f"{0:020}.json").read_text(encoding="utf-8").splitlines():
        if add := json.loads(line).get("add"):
            move(made / unquote(add["path"]), folder / unquote(add["path"]))
            actions.append(action(add, new.schema().fields))
    return actions


def move(file, to):
    """Moves a file, whose content and name then survive the loss of power."""
    sync(file)
    to.parent.mkdir(exist_ok=True)
    file.rename(to)
    sync(to.parent)
    sync(to.parent.parent)


def action(add, fields):
    """The action that names a file, with bounds of every column.

    Spark gives none to booleans, and cuts those of times to milliseconds. Readers that take one
    that is missing for NULL, or one that is cut for exact, would pass over rows.
    """
    bounds = json.loads(add["stats"])
    least, greatest = bounds.setdefault("minValues", {}), bounds.setdefault("maxValues", {})
    nulls = bounds.get("nullCount", {})
    for field in fields:
        kind = field.type.to_json().strip('"')
        if kind == "boolean" and nulls.get(field.name, 0) < bounds["numRecords"]:
            least.setdefault(field.name, False)
            greatest.setdefault(field.name, True)
        if kind == "timestamp" and field.name in greatest:
            greatest[field.name] = latest(greatest[field.name])
    return AddAction(
        path=add["path"],
        size=add["size"],
        partition_values=add["partitionValues"],
        modification_time=add["modificationTime"],
        data_change=True,
        stats=json.dumps(bounds),
    )


def latest(time):
    """The last microsecond of a time that was cut to milliseconds."""
    second, dot, fraction = time.removesuffix("Z").partition(".")
    return f"{second}.{fraction}999Z" if dot and len(fraction) == 3 else time


def commit(folder, actions):
    """Commits files in the place of all that a table has, on disk to stay; returns its version."""
    table = DeltaTable(folder)
    table.create_write_transaction(
        actions,
        mode="overwrite",
        schema=table.schema(),
        partition_by=table.metadata().partition_columns,
        # What is still published may need the log's old entries: only `shoptrail` knows.
        post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
    )
    table.update_incremental()
    log = folder / "_delta_log"
    for file in log.glob(f"{table.version():020}.*"):
        sync(file)
    sync(log)
    return table.version()


def write(folder, publication):
    """Makes a publication, whole or not at all."""
    draft = folder / f"{uuid.uuid4()}.draft"
    draft.write_text(json.dumps(publication, indent=2), encoding="utf-8")
    sync(draft)
    # A hard link appears with its whole content, and fails when the name is taken.
    os.link(draft, folder / f"{publication['version']:012}.json")
    draft.unlink()
    sync(folder)
    (folder / f"{publication['version'] - KEPT:012}.json").unlink(missing_ok=True)


def sync(path):
    """Makes a file, or the names in a folder, survive the loss of power."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
