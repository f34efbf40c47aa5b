-- Made by `python backend/sql/generate.py` from ../gold_customer_ltv.sql; do not edit.
-- Logic: 8
-- Key: customer_id, shop_id, currency
-- Not null: customer_id, shop_id, currency, orders, gross_minor, refunds_minor, lifetime_value_minor, average_order_value_minor, first_order_at, last_order_at, recency_days, rfm_segment, first_channel, alive_probability, expected_orders_12m, expected_value_12m_minor
WITH bg_nbd AS (
  SELECT
    CAST(0.243 AS DOUBLE) AS r,
    CAST(4.414 AS DOUBLE) AS alpha,
    CAST(0.793 AS DOUBLE) AS a,
    CAST(2.426 AS DOUBLE) AS b,
    CAST(365 AS DOUBLE) / 7 AS year_weeks
), orders AS (
  SELECT
    customer_id,
    shop_id,
    currency,
    day,
    ordered_at,
    gross_minor,
    refunds_minor,
    net_minor,
    MAX(day) OVER (PARTITION BY shop_id) AS latest_day,
    FIRST_VALUE(channel) OVER (PARTITION BY customer_id, shop_id, currency ORDER BY ordered_at, transaction_id) AS first_channel
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
), customers AS (
  SELECT
    customer_id,
    shop_id,
    currency,
    COUNT(*) AS orders,
    CAST(IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS gross_minor,
    CAST(IF(SUM(CAST(refunds_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(refunds_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS refunds_minor,
    CAST(IF(SUM(CAST(net_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(net_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS lifetime_value_minor,
    MIN(ordered_at) AS first_order_at,
    MAX(ordered_at) AS last_order_at,
    MAX(first_channel) AS first_channel,
    COUNT(DISTINCT day) - 1 AS repeats,
    DATEDIFF(DAY, MIN(day), latest_day) AS history_days,
    DATEDIFF(DAY, MAX(day), latest_day) AS recency_days
  FROM orders
  GROUP BY
    customer_id,
    shop_id,
    currency,
    latest_day
), histories AS (
  SELECT DISTINCT
    repeats,
    history_days,
    a + b - 1 + repeats AS c,
    year_weeks / (
      alpha + history_days / 7 + year_weeks
    ) AS z
  FROM customers
  CROSS JOIN bg_nbd
), terms AS (
  SELECT
    repeats,
    n + 1 AS power,
    SUM(LN((
      a + b - 1 - r + n
    ) * ABS(a - 1 + n) / (
      (
        c + n
      ) * (
        n + 1
      )
    ))) OVER (PARTITION BY repeats ORDER BY n) AS log_size
  FROM (
    SELECT DISTINCT
      repeats,
      c
    FROM histories
  )
  CROSS JOIN bg_nbd
  LATERAL VIEW
  EXPLODE(SEQUENCE(0, 399)) AS n
), series AS (
  SELECT
    repeats,
    history_days,
    c,
    z,
    1 - SUM(EXP(log_size + power * LN(z))) AS total
  FROM histories
  JOIN terms
    USING (repeats)
  GROUP BY
    repeats,
    history_days,
    c,
    z
), prospects AS (
  SELECT
    customers.*,
    IF(
      repeats = 0,
      1.0,
      1 + a / (
        b + repeats - 1
      ) * EXP(
        IF((
          r + repeats
        ) * LN((
          alpha + history_days / 7
        ) / (
          alpha + (
            history_days - recency_days
          ) / 7
        )) IS NULL, NULL, LEAST(
          (
            r + repeats
          ) * LN((
            alpha + history_days / 7
          ) / (
            alpha + (
              history_days - recency_days
            ) / 7
          )),
          700
        ))
      )
    ) AS lost_odds,
    c / (
      a - 1
    ) * (
      1 - POWER(1 - z, a - 1) * total
    ) AS orders_if_alive
  FROM customers
  JOIN series
    USING (repeats, history_days)
  CROSS JOIN bg_nbd
), valued AS (
  SELECT
    *,
    ROUND(orders_if_alive / lost_odds * lifetime_value_minor / orders) AS expected_value
  FROM prospects
)
SELECT
  customer_id,
  shop_id,
  currency,
  orders,
  gross_minor,
  refunds_minor,
  lifetime_value_minor,
  CAST(ROUND(CAST(gross_minor AS DECIMAL(38, 9)) / orders) AS BIGINT) AS average_order_value_minor,
  first_order_at,
  last_order_at,
  recency_days,
  CASE
    WHEN recency_days <= 30 AND orders >= 4
    THEN 'Champion'
    WHEN recency_days <= 90 AND orders >= 2
    THEN 'Loyal'
    WHEN recency_days <= 30
    THEN 'New'
    WHEN recency_days > 365
    THEN 'Lost'
    WHEN orders >= 2
    THEN 'At risk'
    ELSE 'Occasional'
  END AS rfm_segment,
  first_channel,
  ROUND(1 / lost_odds, 6) AS alive_probability,
  ROUND(orders_if_alive / lost_odds, 6) AS expected_orders_12m,
  IF(expected_value < 9223372036854775807, CAST(expected_value AS BIGINT), 9223372036854775807) AS expected_value_12m_minor
FROM valued;
