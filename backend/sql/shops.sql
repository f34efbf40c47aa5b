-- One row per shop that a record names: how it reports. What a shop has no setting of its own for
-- is as the row of `settings` without a shop says. Equals `Reporting::time_zone_of` and
-- `currency_of` of backend/src/config/shops.rs.
WITH
  named AS (
    SELECT shop_id FROM bronze_events WHERE shop_id IS NOT NULL
    UNION DISTINCT
    SELECT shop_id FROM refused_records
  )
SELECT
  named.shop_id,
  COALESCE(own.time_zone, common.time_zone) AS time_zone,
  COALESCE(own.currency, common.currency) AS currency
FROM named
LEFT JOIN settings AS own ON own.shop_id = named.shop_id
CROSS JOIN (SELECT time_zone, currency FROM settings WHERE shop_id IS NULL) AS common;
