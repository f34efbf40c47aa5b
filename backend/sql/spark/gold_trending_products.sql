-- Made by `python backend/sql/generate.py` from ../gold_trending_products.sql; do not edit.
-- Logic: 8
-- Key: window_start, shop_id, item_id, currency
-- Not null: day, window_start, window_end, shop_id, item_id, item_name, currency, views, carts, purchases, revenue_minor, trend_score
WITH lines AS (
  SELECT
    items.*,
    UNIX_MICROS(items.event_time) DIV 300000000 AS slot
  FROM silver_items AS items
  LEFT JOIN silver_orders AS orders
    ON orders.shop_id = items.shop_id AND orders.purchase_event_id = items.event_id
  WHERE
    NOT items.is_bot
    AND (
      items.event_type IN ('view_item', 'add_to_cart') OR NOT orders.transaction_id IS NULL
    )
), described AS (
  SELECT
    shop_id,
    item_id,
    currency,
    slot,
    event_type,
    CAST(COALESCE(amount_minor, 0) AS DECIMAL(38, 9)) AS amount,
    item_index = MIN(item_index) OVER (PARTITION BY shop_id, event_id, item_id) AS is_first_line,
    LAST_VALUE(item_name) OVER (
      PARTITION BY shop_id, item_id, currency, slot
      ORDER BY event_time, event_id, item_index
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS last_name
  FROM lines
), slots AS (
  SELECT
    shop_id,
    item_id,
    currency,
    slot,
    MAX(last_name) AS item_name,
    COUNT_IF(event_type = 'view_item' AND is_first_line) AS views,
    COUNT_IF(event_type = 'add_to_cart' AND is_first_line) AS carts,
    COUNT_IF(event_type = 'purchase' AND is_first_line) AS purchases,
    SUM(IF(event_type = 'purchase', amount, 0)) AS revenue
  FROM described
  GROUP BY
    shop_id,
    item_id,
    currency,
    slot
), starts AS (
  SELECT
    shop_id,
    item_id,
    currency,
    slot
  FROM slots
  UNION
  SELECT
    shop_id,
    item_id,
    currency,
    slot - 1
  FROM slots
), windows AS (
  SELECT
    shop_id,
    item_id,
    currency,
    slot,
    LAST_VALUE(item_name) IGNORE NULLS OVER two_slots AS item_name,
    SUM(views) OVER two_slots AS views,
    SUM(carts) OVER two_slots AS carts,
    SUM(purchases) OVER two_slots AS purchases,
    SUM(revenue) OVER two_slots AS revenue,
    COALESCE(SUM(views + 3 * carts + 5 * purchases) OVER day_before, 0) * (
      1 / 144
    ) AS baseline
  FROM starts
  LEFT JOIN slots
    USING (shop_id, item_id, currency, slot)
  WINDOW two_slots AS (PARTITION BY shop_id, item_id, currency ORDER BY slot RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING), day_before AS (PARTITION BY shop_id, item_id, currency ORDER BY slot RANGE BETWEEN 288 PRECEDING AND 1 PRECEDING)
)
SELECT
  TO_DATE(FROM_UTC_TIMESTAMP(TIMESTAMP_MICROS(300000000 * (
    slot + 1
  )), shops.time_zone)) AS day,
  TIMESTAMP_MICROS(300000000 * slot) AS window_start,
  TIMESTAMP_MICROS(300000000 * (
    slot + 2
  )) AS window_end,
  shop_id,
  item_id,
  item_name,
  windows.currency,
  views,
  carts,
  purchases,
  CAST(IF(IF(revenue IS NULL, NULL, GREATEST(revenue, -9223372036854775807)) IS NULL, NULL, LEAST(IF(revenue IS NULL, NULL, GREATEST(revenue, -9223372036854775807)), 9223372036854775807)) AS BIGINT) AS revenue_minor,
  (
    views + 3 * carts + 5 * purchases - baseline
  ) / SQRT(baseline + 1) AS trend_score
FROM windows
JOIN shops
  USING (shop_id);
