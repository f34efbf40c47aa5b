-- Made by `python backend/sql/generate.py` from ../gold_search_terms.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, search_term
-- Not null: day, shop_id, search_term, searches, sessions, clicked_searches, click_through_rate, refined_searches, converted_searches, conversion_rate, orders
WITH orders AS (
  SELECT
    shop_id,
    purchase_event_id AS event_id
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
), actions AS (
  SELECT
    events.shop_id,
    events.session_key,
    events.event_time,
    events.seq,
    events.event_id,
    events.day,
    LOWER(REGEXP_REPLACE(events.search_term, '^[\\t-\\r\\x85\\p{Z}]+|[\\t-\\r\\x85\\p{Z}]+$', '')) AS search_term,
    events.event_type = 'search' AND NOT events.search_term IS NULL AS is_search,
    events.event_type IN ('select_item', 'view_item') AS is_click,
    NOT orders.event_id IS NULL AS is_order
  FROM silver_events AS events
  LEFT JOIN orders
    ON orders.shop_id = events.shop_id AND orders.event_id = events.event_id
  WHERE
    NOT events.is_bot
), numbered AS (
  SELECT
    *,
    COUNT_IF(is_search) OVER (
      PARTITION BY shop_id, session_key
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS search_number
  FROM actions
), searches AS (
  SELECT
    shop_id,
    session_key,
    search_number,
    MAX(IF(is_search, day, NULL)) AS day,
    MAX(IF(is_search, search_term, NULL)) AS search_term,
    COUNT_IF(is_click) AS clicks,
    COUNT_IF(is_order) AS orders
  FROM numbered
  WHERE
    search_number > 0
  GROUP BY
    shop_id,
    session_key,
    search_number
), followed AS (
  SELECT
    *,
    LEAD(search_term) OVER (PARTITION BY shop_id, session_key ORDER BY search_number) AS next_term
  FROM searches
), terms AS (
  SELECT
    day,
    shop_id,
    search_term,
    COUNT(*) AS searches,
    COUNT(DISTINCT session_key) AS sessions,
    COUNT_IF(clicks > 0) AS clicked_searches,
    COUNT_IF(clicks = 0 AND next_term <> search_term) AS refined_searches,
    COUNT_IF(orders > 0) AS converted_searches,
    SUM(orders) AS orders
  FROM followed
  GROUP BY
    day,
    shop_id,
    search_term
)
SELECT
  day,
  shop_id,
  search_term,
  searches,
  sessions,
  clicked_searches,
  clicked_searches / searches AS click_through_rate,
  refined_searches,
  converted_searches,
  converted_searches / searches AS conversion_rate,
  orders
FROM terms;
