-- Made by `python backend/sql/generate.py` from ../gold_device_trends.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, device, browser, os, currency
-- Not null: day, shop_id, device, browser, os, currency, sessions, converted_sessions, conversion_rate, purchases, revenue_minor
WITH visited AS (
  SELECT
    day,
    shop_id,
    device,
    browser,
    os,
    currency,
    COUNT(*) AS sessions,
    COUNT_IF(purchases > 0) AS converted_sessions
  FROM silver_sessions
  WHERE
    NOT is_bot
  GROUP BY
    day,
    shop_id,
    device,
    browser,
    os,
    currency
), sold AS (
  SELECT
    day,
    shop_id,
    device,
    browser,
    os,
    currency,
    COUNT(*) AS purchases,
    CAST(IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_minor
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
  GROUP BY
    day,
    shop_id,
    device,
    browser,
    os,
    currency
)
SELECT
  day,
  shop_id,
  device,
  browser,
  os,
  currency,
  COALESCE(sessions, 0) AS sessions,
  COALESCE(converted_sessions, 0) AS converted_sessions,
  COALESCE(converted_sessions / sessions, 0.0) AS conversion_rate,
  COALESCE(purchases, 0) AS purchases,
  COALESCE(revenue_minor, 0) AS revenue_minor
FROM visited
FULL JOIN sold
  USING (day, shop_id, device, browser, os, currency);
