-- Made by `python backend/sql/generate.py` from ../gold_landing_pages.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, landing_page, channel, device, country, currency
-- Not null: day, shop_id, landing_page, channel, device, country, currency, sessions, engaged_sessions, bounced_sessions, converted_sessions, session_duration_ms, page_views, orders, new_customers, revenue_minor
WITH visits AS (
  SELECT
    day,
    shop_id,
    session_key,
    entry_page AS landing_page,
    channel,
    device,
    COALESCE(country, 'unknown') AS country,
    currency,
    is_engaged,
    is_bounce,
    purchases,
    duration_ms,
    page_views
  FROM silver_sessions
  WHERE
    NOT is_bot
), begun AS (
  SELECT
    day,
    shop_id,
    landing_page,
    channel,
    device,
    country,
    currency,
    COUNT(*) AS sessions,
    COUNT_IF(is_engaged) AS engaged_sessions,
    COUNT_IF(is_bounce) AS bounced_sessions,
    COUNT_IF(purchases > 0) AS converted_sessions,
    SUM(duration_ms) AS session_duration_ms,
    SUM(page_views) AS page_views
  FROM visits
  GROUP BY
    day,
    shop_id,
    landing_page,
    channel,
    device,
    country,
    currency
), orders AS (
  SELECT
    silver_orders.day,
    shop_id,
    visits.landing_page,
    visits.channel,
    visits.device,
    visits.country,
    silver_orders.currency,
    silver_orders.is_new_customer,
    silver_orders.gross_minor
  FROM silver_orders
  JOIN visits
    USING (shop_id, session_key)
  WHERE
    NOT silver_orders.purchase_event_id IS NULL
), sold AS (
  SELECT
    day,
    shop_id,
    landing_page,
    channel,
    device,
    country,
    currency,
    COUNT(*) AS orders,
    COUNT_IF(is_new_customer) AS new_customers,
    CAST(IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_minor
  FROM orders
  GROUP BY
    day,
    shop_id,
    landing_page,
    channel,
    device,
    country,
    currency
), figures AS (
  SELECT
    day,
    shop_id,
    landing_page,
    channel,
    device,
    country,
    currency,
    COALESCE(sessions, 0) AS sessions,
    COALESCE(engaged_sessions, 0) AS engaged_sessions,
    COALESCE(bounced_sessions, 0) AS bounced_sessions,
    COALESCE(converted_sessions, 0) AS converted_sessions,
    COALESCE(session_duration_ms, 0) AS session_duration_ms,
    COALESCE(page_views, 0) AS page_views,
    COALESCE(orders, 0) AS orders,
    COALESCE(new_customers, 0) AS new_customers,
    COALESCE(revenue_minor, 0) AS revenue_minor
  FROM begun
  FULL JOIN sold
    USING (day, shop_id, landing_page, channel, device, country, currency)
), pages AS (
  SELECT
    day,
    shop_id,
    landing_page,
    SUM(sessions) AS sessions,
    SUM(orders) AS orders
  FROM figures
  GROUP BY
    day,
    shop_id,
    landing_page
), names AS (
  SELECT
    day,
    shop_id,
    landing_page,
    ROW_NUMBER() OVER (PARTITION BY day, shop_id ORDER BY sessions DESC, orders DESC, landing_page) <= 1000 AS is_named
  FROM pages
), named AS (
  SELECT
    figures.*
    EXCEPT (landing_page),
    IF(is_named, landing_page, '(other)') AS page
  FROM figures
  JOIN names
    USING (day, shop_id, landing_page)
)
SELECT
  day,
  shop_id,
  page AS landing_page,
  channel,
  device,
  country,
  currency,
  SUM(sessions) AS sessions,
  SUM(engaged_sessions) AS engaged_sessions,
  SUM(bounced_sessions) AS bounced_sessions,
  SUM(converted_sessions) AS converted_sessions,
  SUM(session_duration_ms) AS session_duration_ms,
  SUM(page_views) AS page_views,
  SUM(orders) AS orders,
  SUM(new_customers) AS new_customers,
  CAST(IF(SUM(CAST(revenue_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(revenue_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_minor
FROM named
GROUP BY
  day,
  shop_id,
  page,
  channel,
  device,
  country,
  currency;
