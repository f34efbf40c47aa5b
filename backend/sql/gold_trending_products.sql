-- gold_trending_products: one row per product and 10-minute window, a window starting every 5
-- minutes (so each event is in two of them): views, carts, purchases, revenue and a trend score.
-- Equals backend/src/gold/trending_products.rs.
WITH
  lines AS (
    SELECT
      items.*,
      -- Of the 5 minutes it lies in, the number since 1970.
      DIV(UNIX_MICROS(items.event_time), 300000000) AS slot
    FROM silver_items AS items
    -- Purchases that count, not their repetitions.
    LEFT JOIN silver_orders AS orders
      ON orders.shop_id = items.shop_id AND orders.purchase_event_id = items.event_id
    WHERE
      NOT items.is_bot
      AND (items.event_type IN ('view_item', 'add_to_cart') OR orders.transaction_id IS NOT NULL)
  ),
  described AS (
    SELECT
      shop_id,
      item_id,
      currency,
      slot,
      event_type,
      CAST(IFNULL(amount_minor, 0) AS NUMERIC) AS amount,
      -- An event that lists a product on two lines is one view, one cart, one order of it.
      item_index = MIN(item_index) OVER (PARTITION BY shop_id, event_id, item_id) AS is_first_line,
      LAST_VALUE(item_name) OVER (
        PARTITION BY shop_id, item_id, currency, slot
        ORDER BY event_time, event_id, item_index
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS last_name
    FROM lines
  ),
  slots AS (
    SELECT
      shop_id,
      item_id,
      currency,
      slot,
      MAX(last_name) AS item_name,
      COUNTIF(event_type = 'view_item' AND is_first_line) AS views,
      COUNTIF(event_type = 'add_to_cart' AND is_first_line) AS carts,
      COUNTIF(event_type = 'purchase' AND is_first_line) AS purchases,
      SUM(IF(event_type = 'purchase', amount, 0)) AS revenue
    FROM described
    GROUP BY shop_id, item_id, currency, slot
  ),
  -- A window begins with each slot, and with the one before it even if nothing happened there.
  starts AS (
    SELECT shop_id, item_id, currency, slot FROM slots
    UNION DISTINCT
    SELECT shop_id, item_id, currency, slot - 1 FROM slots
  ),
  windows AS (
    SELECT
      shop_id,
      item_id,
      currency,
      slot,
      LAST_VALUE(item_name IGNORE NULLS) OVER two_slots AS item_name,
      SUM(views) OVER two_slots AS views,
      SUM(carts) OVER two_slots AS carts,
      SUM(purchases) OVER two_slots AS purchases,
      SUM(revenue) OVER two_slots AS revenue,
      -- Of 24 hours the mean of their 144 windows; a cart says more than a look, an order more yet.
      -- Times a 144th, as polars does where it divides by a number: a division may end one bit off.
      IFNULL(SUM(views + 3 * carts + 5 * purchases) OVER day_before, 0) * (1 / 144) AS baseline
    FROM starts
    LEFT JOIN slots USING (shop_id, item_id, currency, slot)
    WINDOW
      two_slots AS (
        PARTITION BY shop_id, item_id, currency
        ORDER BY slot
        RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING
      ),
      day_before AS (
        PARTITION BY shop_id, item_id, currency
        ORDER BY slot
        RANGE BETWEEN 288 PRECEDING AND 1 PRECEDING
      )
  )
SELECT
  DATE(TIMESTAMP_MICROS(300000000 * (slot + 1)), shops.time_zone) AS day,
  TIMESTAMP_MICROS(300000000 * slot) AS window_start,
  TIMESTAMP_MICROS(300000000 * (slot + 2)) AS window_end,
  shop_id,
  item_id,
  item_name,
  windows.currency,
  views,
  carts,
  purchases,
  -- Money ends at the largest amount, as in backend/src/money.rs. A line may be negative.
  CAST(LEAST(GREATEST(revenue, -9223372036854775807), 9223372036854775807) AS INT64)
    AS revenue_minor,
  (views + 3 * carts + 5 * purchases - baseline) / SQRT(baseline + 1) AS trend_score
FROM windows
JOIN shops USING (shop_id);
