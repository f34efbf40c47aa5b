-- Made by `python backend/sql/generate.py` from ../gold_channel_attribution.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, model, channel, utm_campaign, currency
-- Not null: day, shop_id, model, channel, utm_campaign, currency, touched_orders, credited_orders_millionths, credited_gross_minor, credited_net_minor
WITH visits AS (
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
    COALESCE(sessions.utm_campaign, '(not set)') AS utm_campaign,
    TIMESTAMPDIFF(MICROSECOND, sessions.session_start, orders.ordered_at) AS age_us
  FROM silver_orders AS orders
  JOIN silver_sessions AS sessions
    ON sessions.shop_id = orders.shop_id AND sessions.anonymous_id = orders.anonymous_id
  WHERE
    NOT orders.purchase_event_id IS NULL AND NOT sessions.is_bot
), paths AS (
  SELECT
    *,
    COUNT_IF(channel <> 'Direct') OVER (PARTITION BY shop_id, transaction_id) AS not_direct
  FROM visits
  WHERE
    age_us >= 0 AND age_us < 2592000000000
), touches AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY shop_id, transaction_id ORDER BY session_start, session_key) AS place,
    COUNT(*) OVER (PARTITION BY shop_id, transaction_id) AS places
  FROM paths
  WHERE
    channel <> 'Direct' OR not_direct = 0
), weighed AS (
  SELECT
    *,
    CASE model
      WHEN 'first'
      THEN IF(place = 1, 1, 0)
      WHEN 'last'
      THEN IF(place = places, 1, 0)
      WHEN 'linear'
      THEN 1
      WHEN 'position'
      THEN CASE WHEN places <= 2 THEN 1 WHEN place IN (1, places) THEN 40 * (
        places - 2
      ) ELSE 20 END
      ELSE CAST(ROUND(1000000000 * POWER(2, -age_us / 604800000000)) AS BIGINT)
    END AS weight
  FROM touches
  LATERAL VIEW
  EXPLODE(ARRAY('first', 'last', 'linear', 'position', 'time_decay')) AS model
), amounts AS (
  SELECT
    *,
    'orders' AS figure,
    CAST(1000000 AS DECIMAL(38, 9)) AS amount
  FROM weighed
  UNION ALL
  SELECT
    *,
    'gross' AS figure,
    CAST(gross_minor AS DECIMAL(38, 9)) AS amount
  FROM weighed
  UNION ALL
  SELECT
    *,
    'net' AS figure,
    CAST(net_minor AS DECIMAL(38, 9)) AS amount
  FROM weighed
), parts AS (
  SELECT
    *,
    amount * weight AS dividend,
    SUM(weight) OVER (PARTITION BY shop_id, transaction_id, model, figure) AS divisor
  FROM amounts
), divided AS (
  SELECT
    *,
    dividend % divisor AS remainder
  FROM parts
), rounded AS (
  SELECT
    *,
    (
      dividend - remainder
    ) / divisor AS part,
    ROW_NUMBER() OVER (PARTITION BY shop_id, transaction_id, model, figure ORDER BY remainder DESC, place) AS turn
  FROM divided
), credits AS (
  SELECT
    *,
    part + IF(turn <= amount - SUM(part) OVER (PARTITION BY shop_id, transaction_id, model, figure), 1, 0) AS credit
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
  CAST(SUM(IF(figure = 'orders', credit, 0)) AS BIGINT) AS credited_orders_millionths,
  CAST(IF(SUM(IF(figure = 'gross', credit, 0)) IS NULL, NULL, LEAST(SUM(IF(figure = 'gross', credit, 0)), 9223372036854775807)) AS BIGINT) AS credited_gross_minor,
  CAST(IF(SUM(IF(figure = 'net', credit, 0)) IS NULL, NULL, LEAST(SUM(IF(figure = 'net', credit, 0)), 9223372036854775807)) AS BIGINT) AS credited_net_minor
FROM credits
WHERE
  weight > 0
GROUP BY
  day,
  shop_id,
  model,
  channel,
  utm_campaign,
  currency;
