-- Made by `python backend/sql/generate.py` from ../silver_refunds.sql; do not edit.
-- Logic: 8
-- Key: shop_id, event_id
-- Not null: event_id, day, refunded_at, shop_id, transaction_id, currency, refund_minor
WITH events AS (
  SELECT
    *,
    event_type = 'refund' AS is_refund,
    FIRST_VALUE(currency) OVER in_order AS order_currency,
    FIRST_VALUE(IF(event_type = 'refund', 0, COALESCE(value_minor, 0))) OVER in_order AS gross_minor
  FROM silver_events
  WHERE
    event_type IN ('purchase', 'refund') AND NOT is_bot
  WINDOW in_order AS (PARTITION BY shop_id, transaction_id ORDER BY event_type = 'refund', event_time, seq, event_id)
), refunds AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      *,
      (
        ROW_NUMBER() OVER (
          PARTITION BY shop_id, transaction_id, session_key, currency, value_minor
          ORDER BY event_time, seq, event_id
        ) = 1
      ) AS qualifies
    FROM events
    WHERE
      is_refund AND (
        currency IS NULL OR currency IS NOT DISTINCT FROM order_currency
      )
  ) AS marked
  WHERE
    qualifies
), added_up AS (
  SELECT
    *,
    SUM(CAST(COALESCE(value_minor, 0) AS DECIMAL(38, 9))) OVER (
      PARTITION BY shop_id, transaction_id
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS so_far_minor
  FROM refunds
), counted AS (
  SELECT
    *,
    CAST(IF(so_far_minor IS NULL OR gross_minor IS NULL, NULL, LEAST(so_far_minor, gross_minor)) - IF(so_far_minor - value_minor IS NULL OR gross_minor IS NULL, NULL, LEAST(so_far_minor - value_minor, gross_minor)) AS BIGINT) AS refund_minor
  FROM added_up
)
SELECT
  event_id,
  TO_DATE(FROM_UTC_TIMESTAMP(event_time, shops.time_zone)) AS day,
  event_time AS refunded_at,
  shop_id,
  transaction_id,
  COALESCE(order_currency, shops.currency) AS currency,
  refund_minor
FROM counted
JOIN shops
  USING (shop_id)
WHERE
  refund_minor > 0;
