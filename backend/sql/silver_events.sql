-- One row per event: of its records the one received first, in the session that its visitor's
-- pauses make. Equals backend/src/silver/events.rs, and `cut` of backend/src/silver/sessions.rs.
WITH
  -- What a program did under a visitor's id is in sessions of its own.
  events AS (
    SELECT *, bot_score >= 50 AS is_bot, DIV(UNIX_MICROS(event_time), 43200000000) AS half_day
    FROM bronze_events
    WHERE event_id IS NOT NULL
    QUALIFY
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, event_id
        ORDER BY received_at, record_hash, _landed_at, _topic, _partition, _offset
      ) = 1
  ),
  after_pauses AS (
    SELECT
      *,
      TIMESTAMP_DIFF(event_time, LAG(event_time) OVER in_order, MICROSECOND) AS pause_us,
      LAG(half_day) OVER in_order AS half_day_before
    FROM events
    WINDOW
      in_order AS (
        PARTITION BY shop_id, anonymous_id, is_bot
        ORDER BY event_time, seq, event_id
      )
  ),
  -- A half day without a pause longer than 30 minutes ends a session: a program that never rests
  -- makes sessions of less than 24 hours.
  in_half_days AS (
    SELECT
      *,
      UNIX_MICROS(MIN(event_time) OVER half) - half_day * 43200000000 <= 1800000000
      AND (half_day + 1) * 43200000000 - UNIX_MICROS(MAX(event_time) OVER half) <= 1800000000
      AND COALESCE(MAX(IF(half_day_before = half_day, pause_us, NULL)) OVER half, 0) <= 1800000000
        AS fills_half_day
    FROM after_pauses
    WINDOW half AS (PARTITION BY shop_id, anonymous_id, is_bot, half_day)
  ),
  beginnings AS (
    SELECT
      *,
      pause_us IS NULL
      OR pause_us > 1800000000
      OR (half_day <> half_day_before AND LAG(fills_half_day) OVER in_order) AS begins_session
    FROM in_half_days
    WINDOW
      in_order AS (
        PARTITION BY shop_id, anonymous_id, is_bot
        ORDER BY event_time, seq, event_id
      )
  ),
  numbered AS (
    SELECT
      *,
      COUNTIF(begins_session) OVER (
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
  DATE(event_time, shops.time_zone) AS day,
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
JOIN shops USING (shop_id)
WINDOW
  of_session AS (
    PARTITION BY shop_id, anonymous_id, is_bot, session_number
    ORDER BY event_time, seq, event_id
  );
