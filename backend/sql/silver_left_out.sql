-- One row per record of bronze that is no row of `silver_events`: it repeats an event, or cannot be
-- counted as one. A record that came twice in the same words is here once. Equals
-- backend/src/silver/left_out.rs.
WITH
  records AS (
    SELECT *
    FROM bronze_events
    WHERE event_id IS NOT NULL
    QUALIFY
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, event_id, received_at, record_hash
        ORDER BY _landed_at, _topic, _partition, _offset
      ) = 1
  ),
  repeated AS (
    SELECT *
    FROM records
    QUALIFY
      ROW_NUMBER() OVER (PARTITION BY shop_id, event_id ORDER BY received_at, record_hash) > 1
  )
SELECT
  CONCAT(
    event_id,
    '/', CAST(UNIX_MICROS(received_at) AS STRING),
    '/', CAST(record_hash AS STRING),
    '/', shop_id
  ) AS record_id,
  event_time,
  DATE(event_time, shops.time_zone) AS day,
  shop_id,
  browser,
  anonymous_id,
  COALESCE(session_id, '') AS session_id,
  seq,
  'duplicate' AS reason
FROM repeated
JOIN shops USING (shop_id)
UNION ALL
SELECT record_id, event_time, day, shop_id, browser, anonymous_id, session_id, seq, reason
FROM refused_records;
