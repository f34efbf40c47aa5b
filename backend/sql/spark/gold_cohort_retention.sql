-- Made by `python backend/sql/generate.py` from ../gold_cohort_retention.sql; do not edit.
-- Logic: 8
-- Key: cohort_month, month, shop_id, currency
-- Not null: cohort_month, month, months_since_first, shop_id, currency, cohort_customers, customers, retention_rate, orders, revenue_gross_minor, revenue_net_minor
WITH orders AS (
  SELECT
    shop_id,
    customer_id,
    currency,
    TRUNC(day, 'MONTH') AS month,
    TRUNC(MIN(day) OVER (PARTITION BY shop_id, customer_id), 'MONTH') AS cohort_month,
    gross_minor,
    net_minor
  FROM silver_orders
  WHERE
    NOT purchase_event_id IS NULL
), cohorts AS (
  SELECT
    cohort_month,
    shop_id,
    COUNT(DISTINCT customer_id) AS cohort_customers
  FROM orders
  GROUP BY
    cohort_month,
    shop_id
), months AS (
  SELECT
    cohort_month,
    month,
    shop_id,
    currency,
    COUNT(DISTINCT customer_id) AS customers,
    COUNT(*) AS orders,
    CAST(IF(SUM(CAST(gross_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(gross_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_gross_minor,
    CAST(IF(SUM(CAST(net_minor AS DECIMAL(38, 9))) IS NULL, NULL, LEAST(SUM(CAST(net_minor AS DECIMAL(38, 9))), 9223372036854775807)) AS BIGINT) AS revenue_net_minor
  FROM orders
  GROUP BY
    cohort_month,
    month,
    shop_id,
    currency
)
SELECT
  cohort_month,
  month,
  CAST(12 * (
    EXTRACT(YEAR FROM month) - EXTRACT(YEAR FROM cohort_month)
  ) + EXTRACT(MONTH FROM month) - EXTRACT(MONTH FROM cohort_month) AS BIGINT) AS months_since_first,
  shop_id,
  currency,
  cohort_customers,
  customers,
  customers / cohort_customers AS retention_rate,
  orders,
  revenue_gross_minor,
  revenue_net_minor
FROM months
JOIN cohorts
  USING (cohort_month, shop_id);
