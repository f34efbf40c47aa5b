-- Made by `python backend/sql/generate.py` from ../gold_conversion_funnel.sql; do not edit.
-- Logic: 8
-- Key: day, shop_id, device, channel, kind, step
-- Not null: day, shop_id, device, channel, kind, step, step_order, sessions, events
WITH funnel AS (
  SELECT
    1 AS step_order,
    'sessions' AS step
  UNION ALL
  SELECT
    2,
    'view_item'
  UNION ALL
  SELECT
    3,
    'add_to_cart'
  UNION ALL
  SELECT
    4,
    'begin_checkout'
  UNION ALL
  SELECT
    5,
    'purchase'
), steps AS (
  SELECT
    day,
    shop_id,
    device,
    channel,
    step,
    step_order,
    COUNT_IF(funnel_step >= step_order) AS sessions
  FROM silver_sessions
  CROSS JOIN funnel
  WHERE
    NOT is_bot
  GROUP BY
    day,
    shop_id,
    device,
    channel,
    step,
    step_order
), event_types AS (
  SELECT
    day,
    shop_id,
    device,
    channel,
    event_type,
    COUNT(DISTINCT session_key) AS sessions,
    COUNT(*) AS events
  FROM silver_events
  WHERE
    NOT is_bot
  GROUP BY
    day,
    shop_id,
    device,
    channel,
    event_type
)
SELECT
  day,
  shop_id,
  device,
  channel,
  'step' AS kind,
  step,
  CAST(step_order AS BIGINT) AS step_order,
  sessions,
  sessions AS events
FROM steps
UNION ALL
SELECT
  day,
  shop_id,
  device,
  channel,
  'event' AS kind,
  event_type AS step,
  CAST(0 AS BIGINT) AS step_order,
  sessions,
  events
FROM event_types;
