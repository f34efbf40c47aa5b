-- gold_daily_kpis: one row per day, shop and currency: revenue, orders, sessions, conversion.
-- Equals backend/src/gold/daily_kpis.rs.
WITH
  visited AS (
    SELECT
      day,
      shop_id,
      currency,
      COUNT(*) AS sessions,
      COUNT(DISTINCT anonymous_id) AS visitors,
      COUNTIF(purchases > 0) AS converted_sessions,
      COUNTIF(is_bounce) AS bounced_sessions,
      SUM(duration_ms) AS session_duration_ms,
      COUNTIF(adds_to_cart > 0) AS cart_sessions,
      COUNTIF(adds_to_cart > 0 AND purchases = 0) AS abandoned_cart_sessions,
      SUM(page_views) AS page_views
    FROM silver_sessions
    WHERE NOT is_bot
    GROUP BY day, shop_id, currency
  ),
  -- Money ends at the largest amount, as in backend/src/money.rs. An order is never negative.
  sold AS (
    SELECT
      day,
      shop_id,
      currency,
      COUNT(*) AS orders,
      CAST(LEAST(SUM(CAST(gross_minor AS NUMERIC)), 9223372036854775807) AS INT64)
        AS revenue_gross_minor,
      CAST(LEAST(SUM(CAST(refunds_minor AS NUMERIC)), 9223372036854775807) AS INT64)
        AS refunds_minor,
      CAST(LEAST(SUM(CAST(net_minor AS NUMERIC)), 9223372036854775807) AS INT64)
        AS revenue_net_minor
    FROM silver_orders
    WHERE purchase_event_id IS NOT NULL
    GROUP BY day, shop_id, currency
  ),
  refunded AS (
    SELECT
      day,
      shop_id,
      currency,
      CAST(LEAST(SUM(CAST(refund_minor AS NUMERIC)), 9223372036854775807) AS INT64)
        AS refunds_given_minor
    FROM silver_refunds
    GROUP BY day, shop_id, currency
  ),
  -- A day has a row for whatever happened on it, were it only the refund of an old order.
  days AS (
    SELECT
      day,
      shop_id,
      currency,
      IFNULL(revenue_gross_minor, 0) AS revenue_gross_minor,
      IFNULL(refunds_minor, 0) AS refunds_minor,
      IFNULL(revenue_net_minor, 0) AS revenue_net_minor,
      IFNULL(refunds_given_minor, 0) AS refunds_given_minor,
      IFNULL(orders, 0) AS orders,
      IFNULL(sessions, 0) AS sessions,
      IFNULL(visitors, 0) AS visitors,
      IFNULL(converted_sessions, 0) AS converted_sessions,
      IFNULL(bounced_sessions, 0) AS bounced_sessions,
      IFNULL(session_duration_ms, 0) AS session_duration_ms,
      IFNULL(cart_sessions, 0) AS cart_sessions,
      IFNULL(abandoned_cart_sessions, 0) AS abandoned_cart_sessions,
      IFNULL(page_views, 0) AS page_views
    FROM visited
    FULL JOIN sold USING (day, shop_id, currency)
    FULL JOIN refunded USING (day, shop_id, currency)
  )
SELECT
  day,
  shop_id,
  currency,
  revenue_gross_minor,
  refunds_minor,
  revenue_net_minor,
  refunds_given_minor,
  orders,
  IF(orders = 0, 0, CAST(ROUND(CAST(revenue_gross_minor AS NUMERIC) / orders) AS INT64))
    AS average_order_value_minor,
  sessions,
  visitors,
  converted_sessions,
  IF(sessions = 0, 0.0, converted_sessions / sessions) AS conversion_rate,
  bounced_sessions,
  IF(sessions = 0, 0.0, bounced_sessions / sessions) AS bounce_rate,
  session_duration_ms,
  IF(sessions = 0, 0, CAST(ROUND(CAST(session_duration_ms AS NUMERIC) / sessions) AS INT64))
    AS average_session_duration_ms,
  cart_sessions,
  abandoned_cart_sessions,
  IF(cart_sessions = 0, 0.0, abandoned_cart_sessions / cart_sessions) AS cart_abandonment_rate,
  page_views
FROM days;
