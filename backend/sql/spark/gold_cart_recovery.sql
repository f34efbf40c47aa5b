-- Made by `python backend/sql/generate.py` from ../gold_cart_recovery.sql; do not edit.
-- Logic: 8
-- Key: shop_id, cart_id
-- Not null: cart_id, day, shop_id, anonymous_id, opened_at, ended_at, status, sessions, adds, removals, currency, value_minor
WITH changes AS (
  SELECT
    events.shop_id,
    events.anonymous_id,
    events.session_key,
    events.event_id,
    events.event_time,
    events.seq,
    events.day,
    events.event_type = 'add_to_cart' AS is_add,
    events.event_type = 'remove_from_cart' AS is_removal,
    events.currency,
    events.value_minor,
    orders.transaction_id
  FROM silver_events AS events
  LEFT JOIN silver_orders AS orders
    ON orders.shop_id = events.shop_id AND orders.purchase_event_id = events.event_id
  WHERE
    NOT events.is_bot
    AND (
      events.event_type IN ('add_to_cart', 'remove_from_cart') OR NOT orders.transaction_id IS NULL
    )
), paused AS (
  SELECT
    *,
    LAG(transaction_id) OVER of_visitor IS NULL
    AND TIMESTAMPDIFF(MICROSECOND, LAG(event_time) OVER of_visitor, event_time) <= 2592000000000 AS continues
  FROM changes
  WINDOW of_visitor AS (PARTITION BY shop_id, anonymous_id ORDER BY event_time, seq, event_id)
), numbered AS (
  SELECT
    *,
    COUNT_IF(NOT continues IS TRUE) OVER (
      PARTITION BY shop_id, anonymous_id
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS cart_number
  FROM paused
), counted AS (
  SELECT
    *,
    COUNT_IF(is_add) OVER (
      PARTITION BY shop_id, anonymous_id, cart_number
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS added
  FROM numbered
), opened AS (
  SELECT
    counted.*,
    FIRST_VALUE(event_id) OVER cart AS cart_id,
    FIRST_VALUE(day) OVER cart AS first_day,
    FIRST_VALUE(session_key) OVER cart AS first_session,
    LAST_VALUE(IF(transaction_id IS NULL, NULL, session_key)) OVER cart AS order_session,
    COALESCE(FIRST_VALUE(counted.currency) OVER cart, shops.currency) AS cart_currency
  FROM counted
  JOIN shops
    USING (shop_id)
  WHERE
    added > 0
  WINDOW cart AS (
    PARTITION BY shop_id, anonymous_id, cart_number
    ORDER BY event_time, seq, event_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  )
), carts AS (
  SELECT
    shop_id,
    cart_id,
    anonymous_id,
    first_day,
    first_session,
    order_session,
    cart_currency,
    MIN(event_time) AS opened_at,
    MAX(event_time) AS ended_at,
    COUNT(DISTINCT session_key) AS sessions,
    COUNT_IF(is_add) AS adds,
    COUNT_IF(is_removal) AS removals,
    SUM(
      CASE
        WHEN currency IS DISTINCT FROM cart_currency
        THEN 0
        WHEN is_add
        THEN CAST(value_minor AS DECIMAL(38, 9))
        WHEN is_removal
        THEN -CAST(value_minor AS DECIMAL(38, 9))
      END
    ) AS value,
    MAX(IF(transaction_id IS NULL AND session_key IS DISTINCT FROM order_session, event_time, NULL)) AS left_at,
    MAX(transaction_id) AS transaction_id
  FROM opened
  GROUP BY
    shop_id,
    cart_id,
    anonymous_id,
    first_day,
    first_session,
    order_session,
    cart_currency
)
SELECT
  cart_id,
  first_day AS day,
  shop_id,
  anonymous_id,
  opened_at,
  ended_at,
  CASE
    WHEN order_session IS NULL
    THEN 'abandoned'
    WHEN order_session = first_session
    THEN 'bought'
    ELSE 'recovered'
  END AS status,
  sessions,
  adds,
  removals,
  cart_currency AS currency,
  CAST(IF(IF(COALESCE(value, 0) IS NULL, NULL, GREATEST(COALESCE(value, 0), 0)) IS NULL, NULL, LEAST(IF(COALESCE(value, 0) IS NULL, NULL, GREATEST(COALESCE(value, 0), 0)), 9223372036854775807)) AS BIGINT) AS value_minor,
  left_at,
  transaction_id,
  IF(order_session <> first_session, TIMESTAMPDIFF(MICROSECOND, left_at, ended_at) DIV 1000, NULL) AS time_to_recovery_ms
FROM carts;
