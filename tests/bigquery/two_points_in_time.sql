-- One statement, one table, two points in time: BigQuery documents that it refuses this, local-bigquery does not.
SELECT TO_JSON_STRING(STRUCT(event AS event)) AS record
FROM `test-shop.clicks.clickstream_event_v3` FOR SYSTEM_TIME AS OF TIMESTAMP_MICROS(1795424400000000)
EXCEPT DISTINCT
SELECT TO_JSON_STRING(STRUCT(event AS event)) AS record
FROM `test-shop.clicks.clickstream_event_v3` FOR SYSTEM_TIME AS OF TIMESTAMP_MICROS(1795417200000000)
