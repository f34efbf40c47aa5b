-- Made by `python backend/sql/generate.py` from ../silver_visitors.sql; do not edit.
-- Logic: 8
-- Key: shop_id, anonymous_id
-- Not null: shop_id, anonymous_id, customer_id, sessions, first_seen_at, first_session_key, first_channel, last_seen_at, last_session_key, last_channel
WITH visits AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      shop_id,
      anonymous_id,
      session_key,
      event_time AS session_start,
      LAST_VALUE(user_id) IGNORE NULLS OVER whole AS user_id,
      channel,
      utm_source,
      utm_medium,
      utm_campaign,
      (
        ROW_NUMBER() OVER in_order = 1
      ) AS qualifies
    FROM silver_events
    WHERE
      NOT is_bot
    WINDOW in_order AS (PARTITION BY shop_id, session_key ORDER BY event_time, seq, event_id), whole AS (
      PARTITION BY shop_id, session_key
      ORDER BY event_time, seq, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
  ) AS marked
  WHERE
    qualifies
)
SELECT
  *
  EXCEPT (qualifies)
FROM (
  SELECT
    shop_id,
    anonymous_id,
    COALESCE(LAST_VALUE(user_id) IGNORE NULLS OVER whole, anonymous_id) AS customer_id,
    LAST_VALUE(user_id) IGNORE NULLS OVER whole AS user_id,
    LAST_VALUE(IF(user_id IS NULL, NULL, session_start)) IGNORE NULLS OVER whole AS identified_at,
    LAST_VALUE(IF(user_id IS NULL, NULL, session_key)) IGNORE NULLS OVER whole AS identified_session_key,
    COUNT(*) OVER whole AS sessions,
    session_start AS first_seen_at,
    session_key AS first_session_key,
    channel AS first_channel,
    utm_source AS first_utm_source,
    utm_medium AS first_utm_medium,
    utm_campaign AS first_utm_campaign,
    LAST_VALUE(session_start) OVER whole AS last_seen_at,
    LAST_VALUE(session_key) OVER whole AS last_session_key,
    LAST_VALUE(channel) OVER whole AS last_channel,
    LAST_VALUE(utm_source) OVER whole AS last_utm_source,
    LAST_VALUE(utm_medium) OVER whole AS last_utm_medium,
    LAST_VALUE(utm_campaign) OVER whole AS last_utm_campaign,
    (
      ROW_NUMBER() OVER in_order = 1
    ) AS qualifies
  FROM visits
  WINDOW in_order AS (PARTITION BY shop_id, anonymous_id ORDER BY session_start, session_key), whole AS (
    PARTITION BY shop_id, anonymous_id
    ORDER BY session_start, session_key
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  )
) AS marked
WHERE
  qualifies;
