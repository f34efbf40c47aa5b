"""Silver and gold of the records in PySpark, `local[2]`: the tables of peer_duckdb.py.

    peer_spark.py RECORDS OUT
"""

import sys

from pyspark.sql import SparkSession

SETTINGS = {
    "spark.driver.memory": "6g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "16",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}

RECORD = (
    "event struct<event_id:string,event_type:string,event_timestamp:bigint,anonymous_id:string,user_id:string,page_url:string,"
    "referrer_url:string,currency:string,items:array<struct<item_id:string,price:double,quantity:int>>>,"
    "edge struct<received_at:bigint,device:string>"
)

EVENTS = r"""
with field as (
    select _offset, r.event.event_id, timestamp_millis(r.event.event_timestamp) as ts,
        timestamp_millis(r.edge.received_at) as received, r.event.user_id, r.event.anonymous_id,
        lower(trim(r.event.event_type)) as event_type, r.event.items[0].item_id as product_id,
        r.event.items[0].price as price, r.event.items[0].quantity as quantity, r.event.currency, r.event.page_url as url,
        r.event.referrer_url as referrer,
        regexp_extract(r.event.page_url, '[?&]utm_source=([^&]*)', 1) as utm_source,
        nullif(regexp_extract(r.event.page_url, '[?&]utm_medium=([^&]*)', 1), '') as utm_medium,
        regexp_extract(r.event.page_url, '[?&]utm_campaign=([^&]*)', 1) as utm_campaign, r.edge.device
    from record),
clean as (
    select *, coalesce(user_id, anonymous_id) as visitor_id,
        case when price >= 0 then cast(round(price * 100) as bigint) end as price_cents,
        regexp_extract(coalesce(referrer, ''), '^https?://([^/]+)', 1) as host
    from field where event_id is not null and ts is not null),
once as (
    select * from (select *, row_number() over (partition by event_id order by _offset) as place from clean) where place = 1),
before as (select *, lag(ts) over (partition by visitor_id order by ts, event_id) as previous from once),
session as (
    select *, max(case when previous is null or unix_micros(ts) - unix_micros(previous) > 1800000000 then ts end)
        over (partition by visitor_id order by ts, event_id rows between unbounded preceding and current row)
        as session_start
    from before)
select event_id, ts, received, visitor_id, concat(visitor_id, '-', cast(unix_micros(session_start) as string)) as session_id,
    session_start, user_id, anonymous_id, event_type, product_id, price_cents, quantity, currency,
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
select session_id, any_value(visitor_id) as visitor_id, any_value(session_start) as session_start, max(ts) as session_end,
    count(*) as events, min_by(channel, struct(ts, event_id)) as channel, sum(revenue_cents) as revenue_cents,
    count_if(event_type = 'purchase') as orders,
    min(case when event_type = 'view_item' then ts end) as t_view,
    min(case when event_type = 'add_to_cart' then ts end) as t_cart,
    min(case when event_type = 'begin_checkout' then ts end) as t_checkout,
    min(case when event_type = 'purchase' then ts end) as t_purchase
from silver group by session_id
"""

GOLD = {
    "daily": """
        select to_date(ts) as day, count(*) as events, count(distinct visitor_id) as visitors,
            count(distinct session_id) as sessions, count_if(event_type = 'purchase') as orders,
            sum(revenue_cents) as revenue_cents
        from silver group by 1""",
    "trending": """
        with b as (
            select product_id, timestamp_micros((unix_micros(ts) div 21600000000) * 21600000000) as bucket,
                sum(case event_type when 'purchase' then 5 when 'add_to_cart' then 3 when 'view_item' then 1 else 0 end)
                    as score
            from silver where product_id is not null group by 1, 2),
        w as (
            select product_id, bucket + make_interval(0, 0, 0, 0, 6 * (k + 1)) as window_end, sum(score) as score
            from b lateral view explode(array(0, 1, 2, 3)) t as k group by 1, 2)
        select * from (select *, rank() over (partition by window_end order by score desc) as place from w)
        where place <= 50""",
    "customers": """
        select visitor_id, min(ts) as first_seen, max(ts) as last_seen, count(distinct session_id) as sessions,
            count_if(event_type = 'purchase') as orders, sum(revenue_cents) as revenue_cents,
            max(case when event_type = 'purchase' then ts end) as last_order
        from silver group by 1""",
    "funnel": """
        select to_date(session_start) as day, channel, count(*) as sessions, count(t_view) as viewed,
            count_if(t_cart >= t_view) as carted, count_if(t_cart >= t_view and t_checkout >= t_cart) as checked,
            count_if(t_cart >= t_view and t_checkout >= t_cart and t_purchase >= t_checkout) as purchased
        from sessions group by 1, 2""",
    "channels": """
        select to_date(session_start) as day, channel, count(*) as sessions, count_if(events = 1) as bounces,
            sum(orders) as orders, sum(revenue_cents) as revenue_cents,
            sum(unix_micros(session_end) - unix_micros(session_start)) as duration_us
        from sessions group by 1, 2""",
}


def main(records, out):
    builder = SparkSession.builder.master("local[2]").config("spark.local.dir", f"{out}-tmp")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")

    def write(name, query):
        spark.sql(query).write.parquet(f"{out}/{name}.parquet")
        return spark.read.parquet(f"{out}/{name}.parquet")

    read = spark.read.parquet(records).selectExpr("_offset", f"from_json(record, '{RECORD}') as r")
    read.createOrReplaceTempView("record")
    silver = write("silver", EVENTS)
    silver.createOrReplaceTempView("silver")
    write("sessions", SESSIONS).createOrReplaceTempView("sessions")
    for name, query in GOLD.items():
        write(name, query)
    print(silver.count())
    # The machine is a child that pyspark does not wait for: without this, its CPU time would be nobody's.
    process = spark.sparkContext._gateway.proc
    spark.stop()
    process.stdin.close()
    process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
