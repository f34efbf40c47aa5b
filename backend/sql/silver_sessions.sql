-- One row per session: its events and the orders made in it, summed up. Equals
-- backend/src/silver/sessions.rs.
WITH
  purchases AS (
    SELECT * FROM silver_orders WHERE purchase_event_id IS NOT NULL
  ),
  -- The funnel's steps, each not before the one before it. A purchase event that repeats an order
  -- (a thank-you page opened again) is none.
  viewed AS (
    SELECT
      events.*,
      purchases.purchase_event_id IS NOT NULL AS is_order,
      MIN(IF(event_type = 'view_item', event_time, NULL)) OVER session AS viewed_at
    FROM silver_events AS events
    LEFT JOIN purchases
      ON purchases.shop_id = events.shop_id AND purchases.purchase_event_id = events.event_id
    WINDOW session AS (PARTITION BY events.shop_id, events.session_key)
  ),
  added AS (
    SELECT
      *,
      MIN(IF(event_type = 'add_to_cart' AND event_time >= viewed_at, event_time, NULL))
        OVER (PARTITION BY shop_id, session_key) AS added_at
    FROM viewed
  ),
  checked_out AS (
    SELECT
      *,
      MIN(IF(event_type = 'begin_checkout' AND event_time >= added_at, event_time, NULL))
        OVER (PARTITION BY shop_id, session_key) AS checked_out_at
    FROM added
  ),
  bought AS (
    SELECT
      *,
      MIN(IF(is_order AND event_time >= checked_out_at, event_time, NULL))
        OVER (PARTITION BY shop_id, session_key) AS bought_at
    FROM checked_out
  ),
  -- The row of the first event tells how the session began; what its other events tell is looked up
  -- from there.
  sums AS (
    SELECT
      shop_id,
      session_key,
      anonymous_id,
      event_time AS session_start,
      LAST_VALUE(event_time) OVER whole AS session_end,
      LAST_VALUE(user_id IGNORE NULLS) OVER whole AS user_id,
      COALESCE(SUM(engagement_time_ms) OVER whole, 0) AS engaged_ms,
      COUNT(*) OVER whole AS events,
      COUNTIF(event_type = 'page_view') OVER whole AS page_views,
      COUNTIF(event_type = 'view_item') OVER whole AS product_views,
      COUNTIF(event_type = 'add_to_cart') OVER whole AS adds_to_cart,
      COUNTIF(event_type = 'begin_checkout') OVER whole AS checkouts,
      FIRST_VALUE(currency IGNORE NULLS) OVER whole AS seen_currency,
      CASE
        WHEN bought_at IS NOT NULL THEN 5
        WHEN checked_out_at IS NOT NULL THEN 4
        WHEN added_at IS NOT NULL THEN 3
        WHEN viewed_at IS NOT NULL THEN 2
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
      is_bot
    FROM bought
    QUALIFY ROW_NUMBER() OVER in_order = 1
    WINDOW
      in_order AS (PARTITION BY shop_id, session_key ORDER BY event_time, seq, event_id),
      whole AS (
        PARTITION BY shop_id, session_key
        ORDER BY event_time, seq, event_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      )
  ),
  first_orders AS (
    SELECT
      shop_id,
      session_key,
      currency,
      COUNT(*) OVER (PARTITION BY shop_id, session_key) AS purchases
    FROM purchases
    QUALIFY
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, session_key
        ORDER BY ordered_at, transaction_id
      ) = 1
  ),
  paid AS (
    SELECT
      shop_id,
      session_key,
      currency,
      COUNT(*) AS orders,
      CAST(
        LEAST(
          GREATEST(SUM(CAST(gross_minor AS NUMERIC)), -9223372036854775807),
          9223372036854775807
        ) AS INT64
      ) AS revenue_minor
    FROM purchases
    GROUP BY shop_id, session_key, currency
  ),
  sessions AS (
    SELECT
      sums.*,
      COALESCE(first_orders.purchases, 0) AS purchases,
      COALESCE(first_orders.currency, sums.seen_currency, shops.currency) AS currency,
      shops.time_zone,
      engaged_ms >= 10000 OR page_views >= 2 OR COALESCE(first_orders.purchases, 0) > 0
        AS is_engaged
    FROM sums
    JOIN shops USING (shop_id)
    LEFT JOIN first_orders USING (shop_id, session_key)
  )
SELECT
  session_key,
  DATE(session_start, time_zone) AS day,
  session_start,
  session_end,
  shop_id,
  anonymous_id,
  user_id,
  DIV(TIMESTAMP_DIFF(session_end, session_start, MICROSECOND), 1000) AS duration_ms,
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
LEFT JOIN paid USING (shop_id, session_key, currency);
