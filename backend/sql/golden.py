"""Puts the golden cases into a lake as landing leaves them, typed, for `parity.py`.

    python backend/sql/golden.py SHOPTRAIL LAKE

The cases are records as Kafka has them. What each tells by itself is asked of the product: a build
of them, each under an id of its own, tells their columns. With these they are landed under the ids
they have, and `shoptrail build` builds.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

CASES = Path(__file__).parents[1] / "tests/golden"

# East of UTC, so that no shop's day is UTC's, and one shop that reports otherwise than the others.
REPORTING = ["--time-zone", "Europe/Berlin", "--currency", "EUR"]
OWN_REPORTING = ["--shop-reporting", '{"second":{"time_zone":"America/New_York","currency":"USD"}}']

LANDED_AT = 1_795_392_000_000_000

# What an event's column is called in silver.
IN_SILVER = {
    "campaign_source": "utm_source",
    "campaign_medium": "utm_medium",
    "campaign_name": "utm_campaign",
    "channel": "page_channel",
}

OF_ITEM = [
    "item_id",
    "item_name",
    "item_brand",
    "item_category",
    "quantity",
    "price_minor",
    "discount_minor",
    "amount_minor",
]


def records():
    """The texts of all cases' records."""
    for case in sorted(CASES.glob("*/input.jsonl")):
        yield from case.read_text(encoding="utf-8").splitlines()


def build(shoptrail, lake):
    command = [shoptrail, "build", "--warehouse", f"lake:{lake}", *REPORTING, *OWN_REPORTING]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def land(lake, rows):
    """Appends rows of bronze, each of the columns it has."""
    table = DeltaTable(f"{lake}/bronze_events")
    schema = pa.schema(table.schema().to_arrow())
    landed = {"_topic": "golden", "_partition": 0, "_landed_at": LANDED_AT, "schema_id": 1}
    rows = [{**landed, "_offset": offset, **row} for offset, row in enumerate(rows)]
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    write_deltalake(table, pa.Table.from_arrays(columns, schema=schema), mode="append")


def rows_of(lake, table):
    newest = max((lake / "_published").glob("*.json"))
    version = json.loads(newest.read_text(encoding="utf-8"))["tables"][table]
    return DeltaTable(str(lake / table), version=version).to_pyarrow_table().to_pylist()


def under_own_id(text, number):
    """The record with an id of its own, and that id; a text that is no event stays as it is."""
    try:
        record = json.loads(text)
        event_id = record["event"]["event_id"]
        own = f"{event_id[:-12]}{number:012x}"
        record["event"]["event_id"] = own
        return json.dumps(record), own
    except (ValueError, TypeError, KeyError):
        return text, None


def told(shoptrail, texts):
    """What each record tells by itself: the event and the products that a build makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder)
        build(shoptrail, lake)
        own = [under_own_id(text, number) for number, text in enumerate(texts)]
        land(lake, [{"record": text} for text, _ in own])
        build(shoptrail, lake)
        events = {row["event_id"]: row for row in rows_of(lake, "silver_events")}
        items = {}
        for row in sorted(rows_of(lake, "silver_items"), key=lambda row: row["item_index"]):
            items.setdefault(row["event_id"], []).append(row)
    return [(events.get(event_id), items.get(event_id, [])) for _, event_id in own]


def typed(text, event, items):
    """The row of bronze of a record that tells an event and products."""
    if event is None:
        return {"record": text}
    record = json.loads(text)
    record["event"].pop("properties", None)
    digest = hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=8).digest()
    lines = [{name: item[name] for name in OF_ITEM if item[name] is not None} for item in items]
    row = {name: value for name, value in event.items() if name not in ("day", "session_key")}
    row |= {name: event[silver] for name, silver in IN_SILVER.items()}
    return row | {
        "record": text,
        "event_id": record["event"]["event_id"],
        "bot_score": record["edge"]["bot_score"],
        "items": json.dumps(lines) if lines else None,
        "record_hash": int.from_bytes(digest, "big", signed=True),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("shoptrail", help="the product's command")
    arguments.add_argument("lake", type=Path, help="folder for the lake; there is none yet")
    given = arguments.parse_args()
    if given.lake.exists():
        sys.exit(f"`{given.lake}` exists already")
    texts = list(records())
    given.lake.mkdir(parents=True)
    tells = told(given.shoptrail, texts)
    rows = [typed(text, *told) for text, told in zip(texts, tells, strict=True)]
    build(given.shoptrail, given.lake)
    land(given.lake, rows)
    build(given.shoptrail, given.lake)


if __name__ == "__main__":
    main()
