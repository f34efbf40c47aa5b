-- One row per refund that counts: no repetitions, none beyond its order or in another currency.
-- Equals backend/src/silver/refunds.rs.
WITH
  events AS (
    SELECT
      *,
      event_type = 'refund' AS is_refund,
      FIRST_VALUE(currency) OVER in_order AS order_currency,
      FIRST_VALUE(IF(event_type = 'refund', 0, COALESCE(value_minor, 0))) OVER in_order
        AS gross_minor
    FROM silver_events
    WHERE event_type IN ('purchase', 'refund') AND NOT is_bot
    WINDOW
      in_order AS (
        PARTITION BY shop_id, transaction_id
        ORDER BY event_type = 'refund', event_time, seq, event_id
      )
  ),
  refunds AS (
    SELECT *
    FROM events
    WHERE is_refund AND (currency IS NULL OR currency IS NOT DISTINCT FROM order_currency)
    -- One of the same amount in the same session is the same refund, sent again.
    QUALIFY
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, transaction_id, session_key, currency, value_minor
        ORDER BY event_time, seq, event_id
      ) = 1
  ),
  added_up AS (
    SELECT
      *,
      SUM(CAST(COALESCE(value_minor, 0) AS NUMERIC)) OVER (
        PARTITION BY shop_id, transaction_id
        ORDER BY event_time, seq, event_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS so_far_minor
    FROM refunds
  ),
  counted AS (
    SELECT
      *,
      CAST(
        LEAST(so_far_minor, gross_minor) - LEAST(so_far_minor - value_minor, gross_minor)
        AS INT64
      ) AS refund_minor
    FROM added_up
  )
SELECT
  event_id,
  DATE(event_time, shops.time_zone) AS day,
  event_time AS refunded_at,
  shop_id,
  transaction_id,
  COALESCE(order_currency, shops.currency) AS currency,
  refund_minor
FROM counted
JOIN shops USING (shop_id)
WHERE refund_minor > 0;
