-- gold_cohort_retention: one row per month of customers' first orders (the cohort), month, shop and
-- currency: who of the cohort ordered in the month, and for how much.
-- Equals backend/src/gold/cohort_retention.rs.
WITH
  orders AS (
    SELECT
      shop_id,
      customer_id,
      currency,
      DATE_TRUNC(day, MONTH) AS month,
      DATE_TRUNC(MIN(day) OVER (PARTITION BY shop_id, customer_id), MONTH) AS cohort_month,
      gross_minor,
      net_minor
    FROM silver_orders
    WHERE purchase_event_id IS NOT NULL
  ),
  cohorts AS (
    SELECT cohort_month, shop_id, COUNT(DISTINCT customer_id) AS cohort_customers
    FROM orders
    GROUP BY cohort_month, shop_id
  ),
  -- Money ends at the largest amount, as in backend/src/money.rs. An order is never negative.
  months AS (
    SELECT
      cohort_month,
      month,
      shop_id,
      currency,
      COUNT(DISTINCT customer_id) AS customers,
      COUNT(*) AS orders,
      CAST(LEAST(SUM(CAST(gross_minor AS NUMERIC)), 9223372036854775807) AS INT64)
        AS revenue_gross_minor,
      CAST(LEAST(SUM(CAST(net_minor AS NUMERIC)), 9223372036854775807) AS INT64)
        AS revenue_net_minor
    FROM orders
    GROUP BY cohort_month, month, shop_id, currency
  )
SELECT
  cohort_month,
  month,
  CAST(
    12 * (EXTRACT(YEAR FROM month) - EXTRACT(YEAR FROM cohort_month))
      + EXTRACT(MONTH FROM month)
      - EXTRACT(MONTH FROM cohort_month) AS INT64
  ) AS months_since_first,
  shop_id,
  currency,
  cohort_customers,
  customers,
  customers / cohort_customers AS retention_rate,
  orders,
  revenue_gross_minor,
  revenue_net_minor
FROM months
JOIN cohorts USING (cohort_month, shop_id);
