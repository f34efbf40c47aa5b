-- Made by `python backend/sql/generate.py` from ../silver_left_out.sql; do not edit.
-- Logic: 8
-- Key: record_id
-- Not null: record_id, event_time, day, shop_id, browser, session_id, reason
WITH records AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      *,
      (
        ROW_NUMBER() OVER (
          PARTITION BY shop_id, event_id, received_at, record_hash
          ORDER BY _landed_at, _topic, _partition, _offset
        ) = 1
      ) AS qualifies
    FROM bronze_events
    WHERE
      NOT event_id IS NULL
  ) AS marked
  WHERE
    qualifies
), repeated AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      *,
      (
        ROW_NUMBER() OVER (PARTITION BY shop_id, event_id ORDER BY received_at, record_hash) > 1
      ) AS qualifies
    FROM records
  ) AS marked
  WHERE
    qualifies
)
SELECT
  CONCAT(event_id, '/', CAST(UNIX_MICROS(received_at) AS STRING), '/', CAST(record_hash AS STRING), '/', shop_id) AS record_id,
  event_time,
  TO_DATE(FROM_UTC_TIMESTAMP(event_time, shops.time_zone)) AS day,
  shop_id,
  browser,
  anonymous_id,
  COALESCE(session_id, '') AS session_id,
  seq,
  'duplicate' AS reason
FROM repeated
JOIN shops
  USING (shop_id)
UNION ALL
SELECT
  record_id,
  event_time,
  day,
  shop_id,
  browser,
  anonymous_id,
  session_id,
  seq,
  reason
FROM refused_records;
