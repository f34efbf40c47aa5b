-- gold_landing_pages: one row per day, shop, landing page, channel, device, country and currency:
-- sessions that began there, and the orders made in such sessions.
-- Equals backend/src/gold/landing_pages.rs.
WITH
  visits AS (
    SELECT
      day,
      shop_id,
      session_key,
      entry_page AS landing_page,
      channel,
      device,
      IFNULL(country, 'unknown') AS country,
      currency,
      is_engaged,
      is_bounce,
      purchases,
      duration_ms,
      page_views
    FROM silver_sessions
    WHERE NOT is_bot
  ),
  begun AS (
    SELECT
      day,
      shop_id,
      landing_page,
      channel,
      device,
      country,
      currency,
      COUNT(*) AS sessions,
      COUNTIF(is_engaged) AS engaged_sessions,
      COUNTIF(is_bounce) AS bounced_sessions,
      COUNTIF(purchases > 0) AS converted_sessions,
      SUM(duration_ms) AS session_duration_ms,
      SUM(page_views) AS page_views
    FROM visits
    GROUP BY day, shop_id, landing_page, channel, device, country, currency
  ),
  -- An order counts on its own day and in its own currency, under what its session began with.
  orders AS (
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
    JOIN visits USING (shop_id, session_key)
    WHERE silver_orders.purchase_event_id IS NOT NULL
  ),
  -- Money ends at the largest amount, as in backend/src/money.rs. An order is never negative.
  sold AS (
    SELECT
      day,
      shop_id,
      landing_page,
      channel,
      device,
      country,
      currency,
      COUNT(*) AS orders,
      COUNTIF(is_new_customer) AS new_customers,
      CAST(LEAST(SUM(CAST(gross_minor AS NUMERIC)), 9223372036854775807) AS INT64) AS revenue_minor
    FROM orders
    GROUP BY day, shop_id, landing_page, channel, device, country, currency
  ),
  figures AS (
    SELECT
      day,
      shop_id,
      landing_page,
      channel,
      device,
      country,
      currency,
      IFNULL(sessions, 0) AS sessions,
      IFNULL(engaged_sessions, 0) AS engaged_sessions,
      IFNULL(bounced_sessions, 0) AS bounced_sessions,
      IFNULL(converted_sessions, 0) AS converted_sessions,
      IFNULL(session_duration_ms, 0) AS session_duration_ms,
      IFNULL(page_views, 0) AS page_views,
      IFNULL(orders, 0) AS orders,
      IFNULL(new_customers, 0) AS new_customers,
      IFNULL(revenue_minor, 0) AS revenue_minor
    FROM begun
    FULL JOIN sold USING (day, shop_id, landing_page, channel, device, country, currency)
  ),
  pages AS (
    SELECT day, shop_id, landing_page, SUM(sessions) AS sessions, SUM(orders) AS orders
    FROM figures
    GROUP BY day, shop_id, landing_page
  ),
  -- Anybody can make addresses up, and few sessions begin on one: the most visited pages of a day
  -- keep their names, the others are one row.
  names AS (
    SELECT
      day,
      shop_id,
      landing_page,
      ROW_NUMBER() OVER (
        PARTITION BY day, shop_id ORDER BY sessions DESC, orders DESC, landing_page
      ) <= 1000 AS is_named
    FROM pages
  ),
  named AS (
    SELECT figures.* EXCEPT (landing_page), IF(is_named, landing_page, '(other)') AS page
    FROM figures
    JOIN names USING (day, shop_id, landing_page)
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
  CAST(LEAST(SUM(CAST(revenue_minor AS NUMERIC)), 9223372036854775807) AS INT64) AS revenue_minor
FROM named
GROUP BY day, shop_id, page, channel, device, country, currency;
