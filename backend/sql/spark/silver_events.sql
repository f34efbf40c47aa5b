-- Made by `python backend/sql/generate.py` from ../silver_events.sql; do not edit.
-- Logic: 8
-- Key: shop_id, event_id
-- Not null: event_id, event_type, event_time, received_at, day, shop_id, anonymous_id, session_key, seq, page_url, page_path, page_channel, channel, device, browser, os, is_bot, record_hash
WITH events AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      *,
      bot_score >= 50 AS is_bot,
      UNIX_MICROS(event_time) DIV 43200000000 AS half_day,
      (
        ROW_NUMBER() OVER (
          PARTITION BY shop_id, event_id
          ORDER BY received_at, record_hash, _landed_at, _topic, _partition, _offset
        ) = 1
      ) AS qualifies
    FROM bronze_events
    WHERE
      NOT event_id IS NULL
  ) AS marked
  WHERE
    qualifies
), after_pauses AS (
  SELECT
    *,
    TIMESTAMPDIFF(MICROSECOND, LAG(event_time) OVER in_order, event_time) AS pause_us,
    LAG(half_day) OVER in_order AS half_day_before
  FROM events
  WINDOW in_order AS (PARTITION BY shop_id, anonymous_id, is_bot ORDER BY event_time, seq, event_id)
), in_half_days AS (
  SELECT
    *,
    UNIX_MICROS(MIN(event_time) OVER half) - half_day * 43200000000 <= 1800000000
    AND (
      half_day + 1
    ) * 43200000000 - UNIX_MICROS(MAX(event_time) OVER half) <= 1800000000
    AND COALESCE(MAX(IF(half_day_before = half_day, pause_us, NULL)) OVER half, 0) <= 1800000000 AS fills_half_day
  FROM after_pauses
  WINDOW half AS (PARTITION BY shop_id, anonymous_id, is_bot, half_day)
), beginnings AS (
  SELECT
    *,
    pause_us IS NULL
    OR pause_us > 1800000000
    OR (
      half_day <> half_day_before AND LAG(fills_half_day) OVER in_order
    ) AS begins_session
  FROM in_half_days
  WINDOW in_order AS (PARTITION BY shop_id, anonymous_id, is_bot ORDER BY event_time, seq, event_id)
), numbered AS (
  SELECT
    *,
    COUNT_IF(begins_session) OVER (
      PARTITION BY shop_id, anonymous_id, is_bot
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM beginnings
)
SELECT
  event_id,
  event_type,
  event_time,
  received_at,
  TO_DATE(FROM_UTC_TIMESTAMP(event_time, shops.time_zone)) AS day,
  shop_id,
  anonymous_id,
  user_id,
  FIRST_VALUE(event_id) OVER of_session AS session_key,
  session_id,
  seq,
  page_url,
  page_path,
  page_title,
  referrer_host,
  campaign_source AS utm_source,
  campaign_medium AS utm_medium,
  campaign_name AS utm_campaign,
  channel AS page_channel,
  FIRST_VALUE(channel) OVER of_session AS channel,
  search_term,
  transaction_id,
  numbered.currency,
  value_minor,
  tax_minor,
  shipping_minor,
  coupon,
  payment_method,
  engagement_time_ms,
  device,
  browser,
  os,
  country,
  is_bot,
  record_hash
FROM numbered
JOIN shops
  USING (shop_id)
WINDOW of_session AS (PARTITION BY shop_id, anonymous_id, is_bot, session_number ORDER BY event_time, seq, event_id);
