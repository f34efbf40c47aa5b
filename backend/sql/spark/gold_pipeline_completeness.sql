-- Made by `python backend/sql/generate.py` from ../gold_pipeline_completeness.sql; do not edit.
-- Logic: 8
-- Key: day, hour, shop_id, browser
-- Not null: day, hour, shop_id, browser, made, missing, received, landed, duplicates, refused, refused_malformed_record, refused_time_out_of_range, refused_unknown_currency, refused_amount_too_large, by_programs, used
WITH records AS (
  SELECT
    day,
    event_time,
    shop_id,
    browser,
    anonymous_id,
    session_id,
    seq,
    IF(is_bot, 'program', 'used') AS fate
  FROM silver_events
  UNION ALL
  SELECT
    day,
    event_time,
    shop_id,
    browser,
    anonymous_id,
    session_id,
    seq,
    reason AS fate
  FROM silver_left_out
), days_around AS (
  SELECT
    -1 AS days
  UNION ALL
  SELECT
    0
  UNION ALL
  SELECT
    1
), received AS (
  SELECT
    *,
    DATE_ADD(day, days) AS seen_on
  FROM records
  CROSS JOIN days_around
  WHERE
    fate <> 'duplicate'
), numbered AS (
  SELECT
    *,
    LAG(seq) OVER (
      PARTITION BY shop_id, COALESCE(anonymous_id, ''), COALESCE(session_id, ''), seen_on
      ORDER BY seq, event_time, browser, fate
    ) AS seq_before
  FROM received
), holes AS (
  SELECT
    day,
    event_time,
    shop_id,
    browser,
    fate,
    seq - COALESCE(seq_before, 0) - 1 AS hole
  FROM numbered
  WHERE
    seen_on = day
  UNION ALL
  SELECT
    day,
    event_time,
    shop_id,
    browser,
    fate,
    0 AS hole
  FROM records
  WHERE
    fate = 'duplicate'
), hours AS (
  SELECT
    day,
    DATE_TRUNC('HOUR', event_time) AS hour,
    shop_id,
    browser,
    COUNT(*) AS landed,
    SUM(IF(hole BETWEEN 1 AND 10000, hole, 0)) AS missing,
    COUNT_IF(fate = 'duplicate') AS duplicates,
    COUNT_IF(fate = 'malformed_record') AS refused_malformed_record,
    COUNT_IF(fate = 'time_out_of_range') AS refused_time_out_of_range,
    COUNT_IF(fate = 'unknown_currency') AS refused_unknown_currency,
    COUNT_IF(fate = 'amount_too_large') AS refused_amount_too_large,
    COUNT_IF(fate = 'program') AS by_programs,
    COUNT_IF(fate = 'used') AS used
  FROM holes
  GROUP BY
    day,
    hour,
    shop_id,
    browser
)
SELECT
  day,
  hour,
  shop_id,
  browser,
  landed - duplicates + missing AS made,
  missing,
  landed - duplicates AS received,
  landed,
  duplicates,
  landed - duplicates - by_programs - used AS refused,
  refused_malformed_record,
  refused_time_out_of_range,
  refused_unknown_currency,
  refused_amount_too_large,
  by_programs,
  used
FROM hours;
