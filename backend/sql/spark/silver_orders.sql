-- Made by `python backend/sql/generate.py` from ../silver_orders.sql; do not edit.
-- Logic: 8
-- Key: shop_id, transaction_id
-- Not null: transaction_id, day, ordered_at, first_event_at, last_event_at, shop_id, customer_id, anonymous_id, session_key, currency, gross_minor, tax_minor, shipping_minor, refunds_minor, net_minor, quantity, order_number, is_new_customer, channel, device, browser, os
WITH events AS (
  SELECT
    *,
    event_type = 'refund' AS is_refund,
    COALESCE(value_minor, 0) AS amount_minor,
    ROW_NUMBER() OVER in_order AS place,
    FIRST_VALUE(currency) OVER in_order AS order_currency
  FROM silver_events
  WHERE
    event_type IN ('purchase', 'refund') AND NOT is_bot
  WINDOW in_order AS (PARTITION BY shop_id, transaction_id ORDER BY event_type = 'refund', event_time, seq, event_id)
), marked AS (
  SELECT
    *,
    is_refund AND (
      currency IS NULL OR currency IS NOT DISTINCT FROM order_currency
    ) AS is_in_currency,
    ROW_NUMBER() OVER (
      PARTITION BY shop_id, transaction_id, session_key, currency, value_minor, is_refund
      ORDER BY event_time, seq, event_id
    ) > 1 AS is_repeated
  FROM events
), sums AS (
  SELECT
    shop_id,
    transaction_id,
    MIN(event_time) AS first_event_at,
    MAX(event_time) AS last_event_at,
    CAST(IF(SUM(CAST(IF(is_in_currency, amount_minor, 0) AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(IF(is_in_currency, amount_minor, 0) AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS sent_minor,
    CAST(IF(SUM(CAST(IF(is_in_currency AND NOT is_repeated, amount_minor, 0) AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(
      SUM(CAST(IF(is_in_currency AND NOT is_repeated, amount_minor, 0) AS DECIMAL(38, 9))),
      9223372036854775807
    )) AS BIGINT) AS counted_minor,
    COUNT_IF(is_refund AND NOT is_in_currency) AS refunds_in_other_currencies
  FROM marked
  GROUP BY
    shop_id,
    transaction_id
), quantities AS (
  SELECT
    shop_id,
    event_id,
    CAST(SUM(CAST(ROUND(quantity * 1000) AS BIGINT)) AS DOUBLE) / 1000 AS quantity
  FROM silver_items
  GROUP BY
    shop_id,
    event_id
), orders AS (
  SELECT
    first.*,
    sums.*
    EXCEPT (shop_id, transaction_id),
    IF(is_refund, 0, amount_minor) AS gross_minor,
    IF(is_refund, NULL, first.event_id) AS purchase_event_id,
    COALESCE(first.user_id, silver_visitors.customer_id, first.anonymous_id) AS customer_id
  FROM events AS first
  JOIN sums
    USING (shop_id, transaction_id)
  LEFT JOIN silver_visitors
    USING (shop_id, anonymous_id)
  WHERE
    first.place = 1
), counted AS (
  SELECT
    *,
    IF(counted_minor IS NULL OR gross_minor IS NULL, NULL, LEAST(counted_minor, gross_minor)) AS refunds_minor,
    COUNT(purchase_event_id) OVER (
      PARTITION BY shop_id, customer_id
      ORDER BY event_time, transaction_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS order_number
  FROM orders
)
SELECT
  transaction_id,
  TO_DATE(FROM_UTC_TIMESTAMP(event_time, shops.time_zone)) AS day,
  event_time AS ordered_at,
  first_event_at,
  last_event_at,
  shop_id,
  customer_id,
  anonymous_id,
  user_id,
  session_key,
  purchase_event_id,
  COALESCE(counted.currency, shops.currency) AS currency,
  gross_minor,
  IF(is_refund, 0, COALESCE(tax_minor, 0)) AS tax_minor,
  IF(is_refund, 0, COALESCE(shipping_minor, 0)) AS shipping_minor,
  refunds_minor,
  sent_minor - refunds_minor AS excess_refunds_minor,
  refunds_in_other_currencies,
  gross_minor - refunds_minor AS net_minor,
  IF(is_refund, 0.0, COALESCE(quantities.quantity, 0.0)) AS quantity,
  coupon,
  payment_method,
  order_number,
  order_number = 1 AND NOT purchase_event_id IS NULL AS is_new_customer,
  channel,
  device,
  browser,
  os
FROM counted
JOIN shops
  USING (shop_id)
LEFT JOIN quantities
  USING (shop_id, event_id);
