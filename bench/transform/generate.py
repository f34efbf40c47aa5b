"""Makes the benchmark's world: records as the edge hands them to Kafka, in the order in which they arrive, as Parquet files
with the columns `_offset`, `key` and `record`.

    generate.py OUT EVENTS DAYS [SEED]

Visitors come again (log-normal), sessions have six events on average (geometric), days have the hours of a shop. 2 % of the
records are sent twice, 1 % arrive 10 minutes to 48 hours late, 60 % of the visitors are known customers, products are bought
by a power law that moves from day to day. The same seed makes the same world.
"""

import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

DAY_ONE = 1_767_225_600_000  # 2026-01-01T00:00:00Z, milliseconds
DAY = 86_400
RECORDS_A_FILE = 500_000
EVENTS_A_SESSION = 6.0
EVENTS_A_VISITOR = 50
REPEATED = 0.02
LATE = 0.01
KNOWN = 0.6

# Of the hours of a day, how many sessions begin in each.
HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 11, 10, 9, 9, 9, 10, 12, 14, 15, 13, 9, 5])
TYPES = ["page_view", "view_item", "add_to_cart", "begin_checkout", "purchase", "page_ping"]
PAGE_VIEW, VIEW_ITEM, ADD_TO_CART, BEGIN_CHECKOUT, PURCHASE, PAGE_PING = range(6)
DEVICES = {"mobile": 0.6, "desktop": 0.33, "tablet": 0.07}
CURRENCIES = {"USD": 0.8, "EUR": 0.15, "GBP": 0.05}
# How sessions come: share, referrer, and source, medium and campaign in the address.
LANDINGS = [
    (0.30, None, None),
    (0.22, "https://www.google.com/search?q=x", None),
    (0.12, "https://www.google.com/", ("google", "cpc", "brand")),
    (0.08, "https://m.facebook.com/", ("facebook", "social", "spring")),
    (0.08, None, ("newsletter", "email", "weekly")),
    (0.04, "https://www.bing.com/", None),
    (0.04, "https://t.co/abc", None),
    (0.05, "https://blog.partner.example/post", None),
    (0.05, "https://www.instagram.com/", ("instagram", "paid_social", "launch")),
    (0.02, "https://duckduckgo.com/", None),
]

# Ids are made from a hash of the event's number, as UUIDs of version 7 with the event's own time.
RECORDS = """
    with ids as (select *, md5(number::varchar || '/' || seed::varchar) as hash, printf('%012x', time) as hex from events)
    select _offset, key, '{"event":{' || concat_ws(',',
        '"event_id":"' || hex[1:8] || '-' || hex[9:12] || '-7' || hash[1:3] || '-8' || hash[4:6] || '-' || hash[7:18] || '"',
        '"event_type":"' || type || '","event_timestamp":' || time || ',"seq":1',
        '"anonymous_id":"' || key || '","session_id":"' || key[1:18] || '"',
        '"page_url":"https://shop.example.com/' || coalesce('p/' || product, 'home') || coalesce('?' || campaign, '') || '"',
        '"page_title":"Demo shop","consent":{"analytics":true,"ads":false}',
        '"user_id":"' || customer || '"',
        '"referrer_url":"' || referrer || '"',
        case when type = 'page_ping' then '"engagement_time_msec":4000' end,
        case when product is not null then '"currency":"' || currency || '","value":' || printf('%.2f', price * quantity)
            || ',"items":[{"item_id":"' || product || '","item_name":"Product ' || product
            || '","item_category":"C' || product_number % 9 || '","price":' || printf('%.2f', price)
            || ',"quantity":' || quantity || '}]' end,
        case when type = 'purchase' then '"transaction_id":"T-' || hash[1:20] || '"' end)
    || '},"batch":{"sent_at":' || received || ',"tracker":{"name":"shoptrail-js","version":"0.1.0"}}'
    || ',"edge":{"received_at":' || received || ',"shop_id":"demo","schema_version":1,"country":"DE","device":"' || device
    || '","browser":"Chrome","os":"Android","bot_score":0,"bot_reasons":[]}}' as record
    from ids order by _offset
"""


def sessions(rng, events, days, visitors):
    """Draws who comes, when (seconds from the first day) and for how many events."""
    count = int(events / EVENTS_A_SESSION) + 1
    often = rng.lognormal(0, 1.1, visitors)
    visitor = rng.choice(visitors, count, p=often / often.sum())
    hour = rng.choice(24, count, p=HOURS / HOURS.sum())
    start = rng.integers(0, days, count) * DAY + hour * 3600 + rng.random(count) * 3600
    length = np.clip(rng.geometric(1 / EVENTS_A_SESSION, count), 1, 60)
    landing = rng.choice(len(LANDINGS), count, p=[share for share, _, _ in LANDINGS])
    depth = np.select([rng.random(count) < share for share in (0.03, 0.05, 0.12)], [3, 2, 1], 0)
    return visitor, start, length, landing, depth


def happenings(rng, events, days, visitors, products):
    """Draws the events, session after session."""
    visitor, start, length, landing, depth = sessions(rng, events, days, visitors)
    session = np.repeat(np.arange(len(length)), length)[:events]
    events = len(session)
    first = np.r_[True, session[1:] != session[:-1]]
    begin = np.flatnonzero(first)
    length = np.diff(np.r_[begin, events])
    left = np.repeat(length, length) - 1 - (np.arange(events) - np.repeat(begin, length))

    pause = np.minimum(rng.exponential(70, events), 1500)
    pause = np.where(rng.random(events) < 0.004, 1800 + rng.exponential(1200, events), pause)
    pause[first] = 0
    passed = np.cumsum(pause)
    passed -= np.repeat(passed[begin], length)
    time = DAY_ONE + ((start[session] + passed) * 1000).astype(np.int64)

    kind = np.where(rng.random(events) < 0.45, PAGE_VIEW, VIEW_ITEM)
    kind[rng.random(events) < 0.03] = ADD_TO_CART
    kind[rng.random(events) < 0.003] = PAGE_PING
    depth = np.where(np.repeat(length, length) > depth[session], depth[session], 0)
    for step, name in enumerate([ADD_TO_CART, BEGIN_CHECKOUT, PURCHASE]):
        kind[(depth > step) & (left == depth - 1 - step)] = name

    liked = 1 / np.arange(1, products + 1) ** 0.8
    moved = (time - DAY_ONE) // (DAY * 1000) * 37
    product = (rng.choice(products, events, p=liked / liked.sum()) + moved) % products
    quantity = np.where(kind >= ADD_TO_CART, 1 + rng.poisson(0.3, events), 1)
    return visitor[session], time, kind, np.where(first, landing[session], -1), product, quantity


def arrivals(rng, time, records):
    """Draws when each event reaches the edge, and which come twice; in the order of arrival."""
    received = time + (rng.exponential(2000, len(time))).astype(np.int64)
    late = rng.random(len(time)) < LATE
    received[late] += (rng.uniform(600, 2 * DAY, late.sum()) * 1000).astype(np.int64)
    twice = rng.choice(len(time), records - len(time), replace=False)
    again = received[twice] + 1 + (rng.exponential(30_000, len(twice))).astype(np.int64)
    event = np.r_[np.arange(len(time)), twice]
    received = np.r_[received, again]
    order = np.argsort(received, kind="stable")
    return event[order], received[order]


def texts(values, codes):
    return pa.array(values, pa.string()).take(pa.array(codes, mask=codes < 0))


def drawn(rng, shares, visitors, visitor):
    """Draws one of some words for each visitor, and repeats it for each event."""
    return texts(list(shares), rng.choice(len(shares), visitors, p=list(shares.values()))[visitor])


def world(records, days, seed):
    """Makes all records as a table; text is put together file by file."""
    rng = np.random.default_rng(seed)
    visitors, products = max(100, records // EVENTS_A_VISITOR), 20_000 if records >= 1_000_000 else 2_000
    draws = happenings(rng, int(records / (1 + REPEATED)), days, visitors, products)
    event, received = arrivals(rng, draws[1], records)
    price = np.round(np.exp(rng.normal(3.3, 0.9, products)), 2)
    known = rng.random(visitors) < KNOWN
    names = [rng.bytes(16).hex() for _ in range(visitors)]
    ids = [f"{n[:8]}-{n[8:12]}-4{n[13:16]}-8{n[17:20]}-{n[20:]}" for n in names]
    visitor, time, kind, landing, product, quantity = (column[event] for column in draws)
    has_product = (kind != PAGE_VIEW) & (kind != PAGE_PING)
    campaigns = [c and "utm_source={}&utm_medium={}&utm_campaign={}".format(*c) for _, _, c in LANDINGS]
    return pa.table(
        {
            "_offset": np.arange(records),
            "seed": np.full(records, seed),
            "number": event,
            "time": time,
            "received": received,
            "type": texts(TYPES, kind),
            "key": texts(ids, visitor),
            "customer": texts([f"u{n:07d}" for n in range(visitors)], np.where(known[visitor], visitor, -1)),
            "product": texts([f"P{n:05d}" for n in range(products)], np.where(has_product, product, -1)),
            "product_number": product,
            "price": price[product],
            "quantity": quantity,
            "referrer": texts([referrer for _, referrer, _ in LANDINGS], landing),
            "campaign": texts(campaigns, landing),
            "device": drawn(rng, DEVICES, visitors, visitor),
            "currency": drawn(rng, CURRENCIES, visitors, visitor),
        }
    )


def main(out, records, days, seed=42):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    table = world(int(records), int(days), int(seed))
    for number, start in enumerate(range(0, table.num_rows, RECORDS_A_FILE)):
        events = table.slice(start, RECORDS_A_FILE)
        duckdb.register("events", events)
        duckdb.sql(RECORDS).write_parquet(str(out / f"{number:05d}.parquet"), compression="zstd")


if __name__ == "__main__":
    main(*sys.argv[1:])
