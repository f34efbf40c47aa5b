-- Made by `python backend/sql/generate.py` from ../shops.sql; do not edit.
-- Logic: 8
WITH named AS (
  SELECT
    shop_id
  FROM bronze_events
  WHERE
    NOT shop_id IS NULL
  UNION
  SELECT
    shop_id
  FROM refused_records
)
SELECT
  named.shop_id,
  COALESCE(own.time_zone, common.time_zone) AS time_zone,
  COALESCE(own.currency, common.currency) AS currency
FROM named
LEFT JOIN settings AS own
  ON own.shop_id = named.shop_id
CROSS JOIN (
  SELECT
    time_zone,
    currency
  FROM settings
  WHERE
    shop_id IS NULL
) AS common;
