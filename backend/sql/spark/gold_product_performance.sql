-- Made by `python backend/sql/generate.py` from ../gold_product_performance.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, item_id, currency
-- Not null: day, shop_id, item_id, item_name, currency, views, carts, purchases, quantity, revenue_minor, refunds, refunded_quantity, refunds_minor, cart_rate, purchase_rate, view_to_purchase_rate
WITH counted AS (
  SELECT
    shop_id,
    purchase_event_id AS event_id
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
  UNION ALL
  SELECT
    shop_id,
    event_id
  FROM silver_refunds
), lines AS (
  SELECT
    items.*
  FROM silver_items AS items
  LEFT JOIN counted
    ON counted.shop_id = items.shop_id AND counted.event_id = items.event_id
  WHERE
    NOT items.is_bot
    AND (
      items.event_type IN ('view_item', 'add_to_cart') OR NOT counted.event_id IS NULL
    )
), described AS (
  SELECT
    day,
    shop_id,
    item_id,
    currency,
    event_type,
    CAST(COALESCE(amount_minor, 0) AS DECIMAL(38, 9)) AS amount,
    CAST(ROUND(quantity * 1000) AS BIGINT) AS thousandths,
    item_index = MIN(item_index) OVER (PARTITION BY shop_id, event_id, item_id) AS is_first_line,
    LAST_VALUE(item_name) OVER product_of_day AS last_name,
    LAST_VALUE(item_category) IGNORE NULLS OVER product_of_day AS last_category
  FROM lines
  WINDOW product_of_day AS (
    PARTITION BY day, shop_id, item_id, currency
    ORDER BY event_time, event_id, item_index
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  )
), products AS (
  SELECT
    day,
    shop_id,
    item_id,
    MAX(last_name) AS item_name,
    MAX(last_category) AS item_category,
    currency,
    COUNT_IF(event_type = 'view_item' AND is_first_line) AS views,
    COUNT_IF(event_type = 'add_to_cart' AND is_first_line) AS carts,
    COUNT_IF(event_type = 'purchase' AND is_first_line) AS purchases,
    SUM(IF(event_type = 'purchase', thousandths, 0)) / 1000 AS quantity,
    CAST(IF(IF(SUM(IF(event_type = 'purchase', amount, 0)) IS NULL, NULL, GREATEST(SUM(IF(event_type = 'purchase', amount, 0)), -9223372036854775807)) IS NULL, NULL, LEAST(
      IF(SUM(IF(event_type = 'purchase', amount, 0)) IS NULL, NULL, GREATEST(SUM(IF(event_type = 'purchase', amount, 0)), -9223372036854775807)),
      9223372036854775807
    )) AS BIGINT) AS revenue_minor,
    COUNT_IF(event_type = 'refund' AND is_first_line) AS refunds,
    SUM(IF(event_type = 'refund', thousandths, 0)) / 1000 AS refunded_quantity,
    CAST(IF(IF(SUM(IF(event_type = 'refund', amount, 0)) IS NULL, NULL, GREATEST(SUM(IF(event_type = 'refund', amount, 0)), -9223372036854775807)) IS NULL, NULL, LEAST(
      IF(SUM(IF(event_type = 'refund', amount, 0)) IS NULL, NULL, GREATEST(SUM(IF(event_type = 'refund', amount, 0)), -9223372036854775807)),
      9223372036854775807
    )) AS BIGINT) AS refunds_minor
  FROM described
  GROUP BY
    day,
    shop_id,
    item_id,
    currency
)
SELECT
  day,
  shop_id,
  item_id,
  item_name,
  item_category,
  currency,
  views,
  carts,
  purchases,
  quantity,
  revenue_minor,
  refunds,
  refunded_quantity,
  refunds_minor,
  IF(views = 0, 0.0, carts / views) AS cart_rate,
  IF(carts = 0, 0.0, purchases / carts) AS purchase_rate,
  IF(views = 0, 0.0, purchases / views) AS view_to_purchase_rate
FROM products;
