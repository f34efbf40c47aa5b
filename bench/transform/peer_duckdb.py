"""Silver and gold of the records in DuckDB: seven tables of fewer columns than Shoptrail's.

    peer_duckdb.py RECORDS OUT
"""

import sys
from pathlib import Path

import duckdb

EVENTS = """
create table silver as
with record as (select record::json as r, _offset from read_parquet('{records}/*.parquet')),
field as (
    select _offset, r->>'$.event.event_id' as event_id,
        make_timestamptz((r->>'$.event.event_timestamp')::bigint * 1000) as ts,
        make_timestamptz((r->>'$.edge.received_at')::bigint * 1000) as received,
        r->>'$.event.user_id' as user_id, r->>'$.event.anonymous_id' as anonymous_id,
        lower(trim(r->>'$.event.event_type')) as event_type, r->>'$.event.items[0].item_id' as product_id,
        (r->>'$.event.items[0].price')::double as price, (r->>'$.event.items[0].quantity')::int as quantity,
        r->>'$.event.currency' as currency, r->>'$.event.page_url' as url, r->>'$.event.referrer_url' as referrer,
        regexp_extract(r->>'$.event.page_url', '[?&]utm_source=([^&]*)', 1) as utm_source,
        nullif(regexp_extract(r->>'$.event.page_url', '[?&]utm_medium=([^&]*)', 1), '') as utm_medium,
        regexp_extract(r->>'$.event.page_url', '[?&]utm_campaign=([^&]*)', 1) as utm_campaign,
        r->>'$.edge.device' as device
    from record),
clean as (
    select * exclude (price), coalesce(user_id, anonymous_id) as visitor_id,
        case when price >= 0 then round(price * 100)::bigint end as price_cents,
        regexp_extract(coalesce(referrer, ''), '^https?://([^/]+)', 1) as host
    from field where event_id is not null and ts is not null),
-- Finds the narrow winners first: the rows are wide.
winner as (select event_id, min(_offset) as _offset from clean group by event_id),
once as (select clean.* from clean semi join winner using (event_id, _offset)),
before as (select *, lag(ts) over (partition by visitor_id order by ts, event_id) as previous from once),
session as (
    select * exclude (previous),
        max(case when previous is null or epoch_us(ts) - epoch_us(previous) > 1800000000 then ts end)
            over (partition by visitor_id order by ts, event_id rows unbounded preceding) as session_start
    from before)
select event_id, ts, received, visitor_id, visitor_id || '-' || epoch_us(session_start)::varchar as session_id, session_start,
    user_id, anonymous_id, event_type, product_id, price_cents, quantity, currency,
    case when event_type = 'purchase' then coalesce(price_cents * quantity, 0) else 0 end as revenue_cents,
    case when utm_medium in ('cpc', 'ppc', 'paid_search') then 'paid_search'
        when utm_medium = 'email' then 'email'
        when utm_medium in ('social', 'paid_social') or host in ('m.facebook.com', 'www.instagram.com', 't.co') then 'social'
        when host = '' then 'direct' when host = 'shop.example.com' then 'internal'
        when host like '%google.%' or host like '%bing.%' or host like '%duckduckgo.%' then 'organic_search'
        else 'referral' end as channel,
    url, referrer, utm_source, utm_medium, utm_campaign, device
from session
"""

SESSIONS = """
create table sessions as
select session_id, any_value(visitor_id) as visitor_id, any_value(session_start) as session_start, max(ts) as session_end,
    count(*) as events, arg_min(channel, (ts, event_id)) as channel, sum(revenue_cents)::bigint as revenue_cents,
    count(*) filter (event_type = 'purchase') as orders,
    min(ts) filter (event_type = 'view_item') as t_view, min(ts) filter (event_type = 'add_to_cart') as t_cart,
    min(ts) filter (event_type = 'begin_checkout') as t_checkout, min(ts) filter (event_type = 'purchase') as t_purchase
from silver group by session_id
"""

GOLD = {
    "daily": """
        select ts::date as day, count(*) as events, count(distinct visitor_id) as visitors,
            count(distinct session_id) as sessions, count(*) filter (event_type = 'purchase') as orders,
            sum(revenue_cents)::bigint as revenue_cents
        from silver group by 1""",
    "trending": """
        with b as (
            select product_id, time_bucket(interval 6 hour, ts) as bucket,
                sum(case event_type when 'purchase' then 5 when 'add_to_cart' then 3 when 'view_item' then 1 else 0 end)
                    as score
            from silver where product_id is not null group by 1, 2),
        w as (
            select product_id, bucket + interval 6 hour * (k + 1) as window_end, sum(score)::bigint as score
            from b, range(4) r(k) group by 1, 2)
        select *, rank() over (partition by window_end order by score desc) as place from w qualify place <= 50""",
    "customers": """
        select visitor_id, min(ts) as first_seen, max(ts) as last_seen, count(distinct session_id) as sessions,
            count(*) filter (event_type = 'purchase') as orders, sum(revenue_cents)::bigint as revenue_cents,
            max(ts) filter (event_type = 'purchase') as last_order
        from silver group by 1""",
    "funnel": """
        select session_start::date as day, channel, count(*) as sessions, count(t_view) as viewed,
            count(*) filter (t_cart >= t_view) as carted,
            count(*) filter (t_cart >= t_view and t_checkout >= t_cart) as checked,
            count(*) filter (t_cart >= t_view and t_checkout >= t_cart and t_purchase >= t_checkout) as purchased
        from sessions group by 1, 2""",
    "channels": """
        select session_start::date as day, channel, count(*) as sessions, count(*) filter (events = 1) as bounces,
            sum(orders)::bigint as orders, sum(revenue_cents)::bigint as revenue_cents,
            sum(epoch_us(session_end) - epoch_us(session_start))::bigint as duration_us
        from sessions group by 1, 2""",
}


def main(records, out):
    Path(out).mkdir(parents=True)
    settings = {"threads": 2, "memory_limit": "8GB", "preserve_insertion_order": False, "temp_directory": f"{out}/tmp"}
    database = duckdb.connect(config=settings)
    database.execute("set TimeZone = 'UTC'")
    database.execute(EVENTS.format(records=records))
    database.execute(SESSIONS)
    tables = {"silver": "from silver", "sessions": "from sessions", **GOLD}
    for name, query in tables.items():
        database.execute(f"copy ({query}) to '{out}/{name}.parquet' (format parquet, compression zstd)")
    print(database.execute("select count(*) from silver").fetchone()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
