-- gold_product_performance: one row per day, shop, product and currency: views, carts, purchases,
-- units, revenue and refunds. Equals backend/src/gold/product_performance.rs.
WITH
  -- Purchases and refunds that count, not their repetitions.
  counted AS (
    SELECT shop_id, purchase_event_id AS event_id
    FROM silver_orders
    WHERE purchase_event_id IS NOT NULL
    UNION ALL
    SELECT shop_id, event_id
    FROM silver_refunds
  ),
  lines AS (
    SELECT items.*
    FROM silver_items AS items
    LEFT JOIN counted
      ON counted.shop_id = items.shop_id AND counted.event_id = items.event_id
    WHERE
      NOT items.is_bot
      AND (items.event_type IN ('view_item', 'add_to_cart') OR counted.event_id IS NOT NULL)
  ),
  described AS (
    SELECT
      day,
      shop_id,
      item_id,
      currency,
      event_type,
      CAST(IFNULL(amount_minor, 0) AS NUMERIC) AS amount,
      -- Whole thousandths add up to the same in whatever order.
      CAST(ROUND(quantity * 1000) AS INT64) AS thousandths,
      -- An event that lists a product on two lines is one view, one cart, one order of it.
      item_index = MIN(item_index) OVER (PARTITION BY shop_id, event_id, item_id) AS is_first_line,
      LAST_VALUE(item_name) OVER product_of_day AS last_name,
      LAST_VALUE(item_category IGNORE NULLS) OVER product_of_day AS last_category
    FROM lines
    WINDOW product_of_day AS (
      PARTITION BY day, shop_id, item_id, currency
      ORDER BY event_time, event_id, item_index
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
  ),
  -- Money ends at the largest amount, as in backend/src/money.rs. A line may be negative.
  products AS (
    SELECT
      day,
      shop_id,
      item_id,
      MAX(last_name) AS item_name,
      MAX(last_category) AS item_category,
      currency,
      COUNTIF(event_type = 'view_item' AND is_first_line) AS views,
      COUNTIF(event_type = 'add_to_cart' AND is_first_line) AS carts,
      COUNTIF(event_type = 'purchase' AND is_first_line) AS purchases,
      SUM(IF(event_type = 'purchase', thousandths, 0)) / 1000 AS quantity,
      CAST(
        LEAST(
          GREATEST(SUM(IF(event_type = 'purchase', amount, 0)), -9223372036854775807),
          9223372036854775807
        ) AS INT64
      ) AS revenue_minor,
      COUNTIF(event_type = 'refund' AND is_first_line) AS refunds,
      SUM(IF(event_type = 'refund', thousandths, 0)) / 1000 AS refunded_quantity,
      CAST(
        LEAST(
          GREATEST(SUM(IF(event_type = 'refund', amount, 0)), -9223372036854775807),
          9223372036854775807
        ) AS INT64
      ) AS refunds_minor
    FROM described
    GROUP BY day, shop_id, item_id, currency
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
