-- One row per product in an event, from the record that `silver_events` has of it. Equals
-- backend/src/silver/items.rs.
WITH
  events AS (
    SELECT *, bot_score >= 50 AS is_bot
    FROM bronze_events
    WHERE event_id IS NOT NULL
    QUALIFY
      ROW_NUMBER() OVER (
        PARTITION BY shop_id, event_id
        ORDER BY received_at, record_hash, _landed_at, _topic, _partition, _offset
      ) = 1
  )
SELECT
  event_id,
  event_type,
  event_time,
  record_hash,
  DATE(event_time, shops.time_zone) AS day,
  shop_id,
  item_index,
  JSON_VALUE(item, '$.item_id') AS item_id,
  COALESCE(JSON_VALUE(item, '$.item_name'), JSON_VALUE(item, '$.item_id')) AS item_name,
  JSON_VALUE(item, '$.item_brand') AS item_brand,
  JSON_VALUE(item, '$.item_category') AS item_category,
  ROUND(COALESCE(CAST(JSON_VALUE(item, '$.quantity') AS FLOAT64), 1.0) * 1000) / 1000 AS quantity,
  CAST(JSON_VALUE(item, '$.price_minor') AS INT64) AS price_minor,
  CAST(JSON_VALUE(item, '$.amount_minor') AS INT64) AS amount_minor,
  CAST(JSON_VALUE(item, '$.discount_minor') AS INT64) AS discount_minor,
  COALESCE(events.currency, shops.currency) AS currency,
  is_bot
FROM events
JOIN shops USING (shop_id)
CROSS JOIN UNNEST(JSON_QUERY_ARRAY(events.items)) AS item WITH OFFSET AS item_index;
