-- Made by `python backend/sql/generate.py` from ../silver_sessions.sql; do not edit.
-- Logic: 8
-- Key: shop_id, session_key
-- Not null: session_key, day, session_start, session_end, shop_id, anonymous_id, duration_ms, engaged_ms, events, page_views, product_views, adds_to_cart, checkouts, purchases, revenue_minor, currency, funnel_step, entry_page, exit_page, channel, device, browser, os, is_bounce, is_engaged, is_bot
WITH purchases AS (
  SELECT
    *
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
), viewed AS (
  SELECT
    events.*,
    NOT purchases.purchase_event_id IS NULL AS is_order,
    MIN(IF(event_type = 'view_item', event_time, NULL)) OVER session AS viewed_at
  FROM silver_events AS events
  LEFT JOIN purchases
    ON purchases.shop_id = events.shop_id AND purchases.purchase_event_id = events.event_id
  WINDOW session AS (PARTITION BY events.shop_id, events.session_key)
), added AS (
  SELECT
    *,
    MIN(IF(event_type = 'add_to_cart' AND event_time >= viewed_at, event_time, NULL)) OVER (PARTITION BY shop_id, session_key) AS added_at
  FROM viewed
), checked_out AS (
  SELECT
    *,
    MIN(IF(event_type = 'begin_checkout' AND event_time >= added_at, event_time, NULL)) OVER (PARTITION BY shop_id, session_key) AS checked_out_at
  FROM added
), bought AS (
  SELECT
    *,
    MIN(IF(is_order AND event_time >= checked_out_at, event_time, NULL)) OVER (PARTITION BY shop_id, session_key) AS bought_at
  FROM checked_out
), sums AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      shop_id,
      session_key,
      anonymous_id,
      event_time AS session_start,
      LAST_VALUE(event_time) OVER whole AS session_end,
      LAST_VALUE(user_id) IGNORE NULLS OVER whole AS user_id,
      COALESCE(SUM(engagement_time_ms) OVER whole, 0) AS engaged_ms,
      COUNT(*) OVER whole AS events,
      COUNT_IF(event_type = 'page_view') OVER whole AS page_views,
      COUNT_IF(event_type = 'view_item') OVER whole AS product_views,
      COUNT_IF(event_type = 'add_to_cart') OVER whole AS adds_to_cart,
      COUNT_IF(event_type = 'begin_checkout') OVER whole AS checkouts,
      FIRST_VALUE(currency) IGNORE NULLS OVER whole AS seen_currency,
      CASE
        WHEN NOT bought_at IS NULL
        THEN 5
        WHEN NOT checked_out_at IS NULL
        THEN 4
        WHEN NOT added_at IS NULL
        THEN 3
        WHEN NOT viewed_at IS NULL
        THEN 2
        ELSE 1
      END AS funnel_step,
      page_path AS entry_page,
      LAST_VALUE(page_path) OVER whole AS exit_page,
      referrer_host,
      channel,
      utm_source,
      utm_medium,
      utm_campaign,
      device,
      browser,
      os,
      country,
      is_bot,
      (
        ROW_NUMBER() OVER in_order = 1
      ) AS qualifies
    FROM bought
    WINDOW in_order AS (PARTITION BY shop_id, session_key ORDER BY event_time, seq, event_id), whole AS (
      PARTITION BY shop_id, session_key
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
  ) AS marked
  WHERE
    qualifies
), first_orders AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      shop_id,
      session_key,
      currency,
      COUNT(*) OVER (PARTITION BY shop_id, session_key) AS purchases,
      (
        ROW_NUMBER() OVER (PARTITION BY shop_id, session_key ORDER BY ordered_at, transaction_id) = 1
      ) AS qualifies
    FROM purchases
  ) AS marked
  WHERE
    qualifies
), paid AS (
  SELECT
    shop_id,
    session_key,
    currency,
    COUNT(*) AS orders,
    CAST(IF(IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, GREATEST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), -9223372036854775807)) IS NULL, NULL, LEAST(
      IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, GREATEST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), -9223372036854775807)),
      9223372036854775807
    )) AS BIGINT) AS revenue_minor
  FROM purchases
  GROUP BY
    shop_id,
    session_key,
    currency
), sessions AS (
  SELECT
    sums.*,
    COALESCE(first_orders.purchases, 0) AS purchases,
    COALESCE(first_orders.currency, sums.seen_currency, shops.currency) AS currency,
    shops.time_zone,
    engaged_ms >= 10000 OR page_views >= 2 OR COALESCE(first_orders.purchases, 0) > 0 AS is_engaged
  FROM sums
  JOIN shops
    USING (shop_id)
  LEFT JOIN first_orders
    USING (shop_id, session_key)
)
SELECT
  session_key,
  TO_DATE(FROM_UTC_TIMESTAMP(session_start, time_zone)) AS day,
  session_start,
  session_end,
  shop_id,
  anonymous_id,
  user_id,
  TIMESTAMPDIFF(MICROSECOND, session_start, session_end) DIV 1000 AS duration_ms,
  engaged_ms,
  events,
  page_views,
  product_views,
  adds_to_cart,
  checkouts,
  purchases,
  COALESCE(revenue_minor, 0) AS revenue_minor,
  purchases - COALESCE(paid.orders, 0) AS orders_in_other_currencies,
  currency,
  funnel_step,
  entry_page,
  exit_page,
  referrer_host,
  channel,
  utm_source,
  utm_medium,
  utm_campaign,
  device,
  browser,
  os,
  country,
  NOT is_engaged AS is_bounce,
  is_engaged,
  is_bot
FROM sessions
LEFT JOIN paid
  USING (shop_id, session_key, currency);
