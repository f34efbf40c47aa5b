-- gold_channel_attribution: one row per day of orders, shop, attribution model, channel, campaign
-- and currency: the part of the orders and of their value that the model credits; each model's rows
-- add up to all orders. Equals backend/src/gold/channel_attribution.rs.
WITH
  -- On the path to an order are the sessions of its visitor in the 30 days up to it.
  visits AS (
    SELECT
      orders.shop_id,
      orders.transaction_id,
      orders.day,
      orders.currency,
      orders.gross_minor,
      orders.net_minor,
      sessions.session_key,
      sessions.session_start,
      sessions.channel,
      IFNULL(sessions.utm_campaign, '(not set)') AS utm_campaign,
      TIMESTAMP_DIFF(orders.ordered_at, sessions.session_start, MICROSECOND) AS age_us
    FROM silver_orders AS orders
    JOIN silver_sessions AS sessions
      ON sessions.shop_id = orders.shop_id AND sessions.anonymous_id = orders.anonymous_id
    WHERE orders.purchase_event_id IS NOT NULL AND NOT sessions.is_bot
  ),
  paths AS (
    SELECT
      *,
      COUNTIF(channel != 'Direct') OVER (PARTITION BY shop_id, transaction_id) AS not_direct
    FROM visits
    WHERE age_us >= 0 AND age_us < 2592000000000
  ),
  -- Direct visits get no credit unless the path has no others.
  touches AS (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, transaction_id ORDER BY session_start, session_key
      ) AS place,
      COUNT(*) OVER (PARTITION BY shop_id, transaction_id) AS places
    FROM paths
    WHERE channel != 'Direct' OR not_direct = 0
  ),
  weighed AS (
    SELECT
      *,
      CASE model
        WHEN 'first' THEN IF(place = 1, 1, 0)
        WHEN 'last' THEN IF(place = places, 1, 0)
        WHEN 'linear' THEN 1
        -- 40 % for the first and the last each, 20 % for all between, without fractions.
        WHEN 'position' THEN
          CASE WHEN places <= 2 THEN 1 WHEN place IN (1, places) THEN 40 * (places - 2) ELSE 20 END
        -- Half as much for every 7 days before the order.
        ELSE CAST(ROUND(1000000000 * POW(2, -age_us / 604800000000)) AS INT64)
      END AS weight
    FROM touches
    CROSS JOIN UNNEST(['first', 'last', 'linear', 'position', 'time_decay']) AS model
  ),
  -- What is shared out: the order, in millionths, and its value.
  amounts AS (
    SELECT *, 'orders' AS figure, CAST(1000000 AS NUMERIC) AS amount FROM weighed
    UNION ALL
    SELECT *, 'gross' AS figure, CAST(gross_minor AS NUMERIC) AS amount FROM weighed
    UNION ALL
    SELECT *, 'net' AS figure, CAST(net_minor AS NUMERIC) AS amount FROM weighed
  ),
  parts AS (
    SELECT
      *,
      amount * weight AS dividend,
      SUM(weight) OVER (PARTITION BY shop_id, transaction_id, model, figure) AS divisor
    FROM amounts
  ),
  divided AS (
    SELECT *, MOD(dividend, divisor) AS remainder
    FROM parts
  ),
  -- Each touch gets its part rounded down; what is left goes to those that lost most by it, to the
  -- earlier of equals.
  rounded AS (
    SELECT
      *,
      (dividend - remainder) / divisor AS part,
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, transaction_id, model, figure ORDER BY remainder DESC, place
      ) AS turn
    FROM divided
  ),
  credits AS (
    SELECT
      *,
      part + IF(
        turn <= amount - SUM(part) OVER (PARTITION BY shop_id, transaction_id, model, figure), 1, 0
      ) AS credit
    FROM rounded
  )
SELECT
  day,
  shop_id,
  model,
  channel,
  utm_campaign,
  currency,
  COUNT(DISTINCT transaction_id) AS touched_orders,
  CAST(SUM(IF(figure = 'orders', credit, 0)) AS INT64) AS credited_orders_millionths,
  -- Money ends at the largest amount, as in backend/src/money.rs. An order is never negative.
  CAST(LEAST(SUM(IF(figure = 'gross', credit, 0)), 9223372036854775807) AS INT64)
    AS credited_gross_minor,
  CAST(LEAST(SUM(IF(figure = 'net', credit, 0)), 9223372036854775807) AS INT64)
    AS credited_net_minor
FROM credits
WHERE weight > 0
GROUP BY day, shop_id, model, channel, utm_campaign, currency;
