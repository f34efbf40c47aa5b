-- gold_device_trends: one row per day, shop, device, browser, operating system and currency:
-- sessions, purchases, revenue. Equals backend/src/gold/device_trends.rs.
WITH
  visited AS (
    SELECT
      day,
      shop_id,
      device,
      browser,
      os,
      currency,
      COUNT(*) AS sessions,
      COUNTIF(purchases > 0) AS converted_sessions
    FROM silver_sessions
    WHERE NOT is_bot
    GROUP BY day, shop_id, device, browser, os, currency
  ),
  -- Money ends at the largest amount, as in backend/src/money.rs. An order is never negative.
  sold AS (
    SELECT
      day,
      shop_id,
      device,
      browser,
      os,
      currency,
      COUNT(*) AS purchases,
      CAST(LEAST(SUM(CAST(gross_minor AS NUMERIC)), 9223372036854775807) AS INT64) AS revenue_minor
    FROM silver_orders
    WHERE purchase_event_id IS NOT NULL
    GROUP BY day, shop_id, device, browser, os, currency
  )
SELECT
  day,
  shop_id,
  device,
  browser,
  os,
  currency,
  IFNULL(sessions, 0) AS sessions,
  IFNULL(converted_sessions, 0) AS converted_sessions,
  -- NULL without sessions, as of an order after midnight.
  IFNULL(converted_sessions / sessions, 0.0) AS conversion_rate,
  IFNULL(purchases, 0) AS purchases,
  IFNULL(revenue_minor, 0) AS revenue_minor
FROM visited
FULL JOIN sold USING (day, shop_id, device, browser, os, currency);
