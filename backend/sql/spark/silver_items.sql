-- Made by `python backend/sql/generate.py` from ../silver_items.sql; do not edit.
-- Logic: 8
-- Key: shop_id, event_id, item_index
-- Not null: event_id, event_type, event_time, record_hash, day, shop_id, item_index, item_id, item_name, quantity, currency, is_bot
WITH events AS (
  SELECT
    *
    EXCEPT (qualifies)
  FROM (
    SELECT
      *,
      bot_score >= 50 AS is_bot,
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
)
SELECT
  event_id,
  event_type,
  event_time,
  record_hash,
  TO_DATE(FROM_UTC_TIMESTAMP(event_time, shops.time_zone)) AS day,
  shop_id,
  item_index,
  GET_JSON_OBJECT(item, '$.item_id') AS item_id,
  COALESCE(GET_JSON_OBJECT(item, '$.item_name'), GET_JSON_OBJECT(item, '$.item_id')) AS item_name,
  GET_JSON_OBJECT(item, '$.item_brand') AS item_brand,
  GET_JSON_OBJECT(item, '$.item_category') AS item_category,
  ROUND(COALESCE(CAST(GET_JSON_OBJECT(item, '$.quantity') AS DOUBLE), 1.0) * 1000) / 1000 AS quantity,
  CAST(GET_JSON_OBJECT(item, '$.price_minor') AS BIGINT) AS price_minor,
  CAST(GET_JSON_OBJECT(item, '$.amount_minor') AS BIGINT) AS amount_minor,
  CAST(GET_JSON_OBJECT(item, '$.discount_minor') AS BIGINT) AS discount_minor,
  COALESCE(events.currency, shops.currency) AS currency,
  is_bot
FROM events
JOIN shops
  USING (shop_id)
LATERAL VIEW
POSEXPLODE(FROM_JSON(events.items, 'ARRAY<STRING>')) AS item_index, item;
