-- gold_pipeline_completeness: one row per hour, shop and browser: what became of the events that
-- trackers made, those of programs too. Equals backend/src/gold/pipeline_completeness.rs.
--
-- A tracker numbers the events of a session from 1 without holes: a number that nobody has seen is
-- missing, in the hour of the next event that came.
WITH
  records AS (
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
    SELECT day, event_time, shop_id, browser, anonymous_id, session_id, seq, reason AS fate
    FROM silver_left_out
  ),
  -- A session has no long pause, so the number before lies on the same day or on one beside it:
  -- each record stands on all days from which it is seen.
  days_around AS (
    SELECT -1 AS days
    UNION ALL SELECT 0
    UNION ALL SELECT 1
  ),
  received AS (
    SELECT *, DATE_ADD(day, INTERVAL days DAY) AS seen_on
    FROM records
    CROSS JOIN days_around
    WHERE fate != 'duplicate'
  ),
  numbered AS (
    SELECT
      *,
      LAG(seq) OVER (
        PARTITION BY shop_id, IFNULL(anonymous_id, ''), IFNULL(session_id, ''), seen_on
        ORDER BY seq, event_time, browser, fate
      ) AS seq_before
    FROM received
  ),
  holes AS (
    SELECT day, event_time, shop_id, browser, fate, seq - IFNULL(seq_before, 0) - 1 AS hole
    FROM numbered
    WHERE seen_on = day
    UNION ALL
    SELECT day, event_time, shop_id, browser, fate, 0 AS hole
    FROM records
    WHERE fate = 'duplicate'
  ),
  hours AS (
    SELECT
      day,
      TIMESTAMP_TRUNC(event_time, HOUR) AS hour,
      shop_id,
      browser,
      COUNT(*) AS landed,
      -- Longer holes are numbers that somebody made up: no tracker loses as many in a row.
      SUM(IF(hole BETWEEN 1 AND 10000, hole, 0)) AS missing,
      COUNTIF(fate = 'duplicate') AS duplicates,
      COUNTIF(fate = 'malformed_record') AS refused_malformed_record,
      COUNTIF(fate = 'time_out_of_range') AS refused_time_out_of_range,
      COUNTIF(fate = 'unknown_currency') AS refused_unknown_currency,
      COUNTIF(fate = 'amount_too_large') AS refused_amount_too_large,
      COUNTIF(fate = 'program') AS by_programs,
      COUNTIF(fate = 'used') AS used
    FROM holes
    GROUP BY day, hour, shop_id, browser
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
