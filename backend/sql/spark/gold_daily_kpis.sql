-- Made by `python backend/sql/generate.py` from ../gold_daily_kpis.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, currency
-- Not null: day, shop_id, currency, revenue_gross_minor, refunds_minor, revenue_net_minor, refunds_given_minor, orders, average_order_value_minor, sessions, visitors, converted_sessions, conversion_rate, bounced_sessions, bounce_rate, session_duration_ms, average_session_duration_ms, cart_sessions, abandoned_cart_sessions, cart_abandonment_rate, page_views
WITH visited AS (
  SELECT
    day,
    shop_id,
    currency,
    COUNT(*) AS sessions,
    COUNT(DISTINCT anonymous_id) AS visitors,
    COUNT_IF(purchases > 0) AS converted_sessions,
    COUNT_IF(is_bounce) AS bounced_sessions,
    SUM(duration_ms) AS session_duration_ms,
    COUNT_IF(adds_to_cart > 0) AS cart_sessions,
    COUNT_IF(adds_to_cart > 0 AND purchases = 0) AS abandoned_cart_sessions,
    SUM(page_views) AS page_views
  FROM silver_sessions
  WHERE
    NOT is_bot
  GROUP BY
    day,
    shop_id,
    currency
), sold AS (
  SELECT
    day,
    shop_id,
    currency,
    COUNT(*) AS orders,
    CAST(IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_gross_minor,
    CAST(IF(SUM(CAST(refunds_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(refunds_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS refunds_minor,
    CAST(IF(SUM(CAST(net_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(net_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_net_minor
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
  GROUP BY
    day,
    shop_id,
    currency
), refunded AS (
  SELECT
    day,
    shop_id,
    currency,
    CAST(IF(SUM(CAST(refund_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(refund_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS refunds_given_minor
  FROM silver_refunds
  GROUP BY
    day,
    shop_id,
    currency
), days AS (
  SELECT
    day,
    shop_id,
    currency,
    COALESCE(revenue_gross_minor, 0) AS revenue_gross_minor,
    COALESCE(refunds_minor, 0) AS refunds_minor,
    COALESCE(revenue_net_minor, 0) AS revenue_net_minor,
    COALESCE(refunds_given_minor, 0) AS refunds_given_minor,
    COALESCE(orders, 0) AS orders,
    COALESCE(sessions, 0) AS sessions,
    COALESCE(visitors, 0) AS visitors,
    COALESCE(converted_sessions, 0) AS converted_sessions,
    COALESCE(bounced_sessions, 0) AS bounced_sessions,
    COALESCE(session_duration_ms, 0) AS session_duration_ms,
    COALESCE(cart_sessions, 0) AS cart_sessions,
    COALESCE(abandoned_cart_sessions, 0) AS abandoned_cart_sessions,
    COALESCE(page_views, 0) AS page_views
  FROM visited
  FULL JOIN sold
    USING (day, shop_id, currency)
  FULL JOIN refunded
    USING (day, shop_id, currency)
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
  IF(orders = 0, 0, CAST(ROUND(CAST(revenue_gross_minor AS DECIMAL(38, 9)) / orders) AS BIGINT)) AS average_order_value_minor,
  sessions,
  visitors,
  converted_sessions,
  IF(sessions = 0, 0.0, converted_sessions / sessions) AS conversion_rate,
  bounced_sessions,
  IF(sessions = 0, 0.0, bounced_sessions / sessions) AS bounce_rate,
  session_duration_ms,
  IF(sessions = 0, 0, CAST(ROUND(CAST(session_duration_ms AS DECIMAL(38, 9)) / sessions) AS BIGINT)) AS average_session_duration_ms,
  cart_sessions,
  abandoned_cart_sessions,
  IF(cart_sessions = 0, 0.0, abandoned_cart_sessions / cart_sessions) AS cart_abandonment_rate,
  page_views
FROM days;
