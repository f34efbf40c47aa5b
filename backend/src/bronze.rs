//! Bronze: events as they came, append only, beside what each tells by itself; and what could not be read, with its reason.

mod field;
mod sorted;
mod understood;

use polars::prelude::{DataFrame, PolarsResult};

use self::field::Read::{Boolean, Integer as Number, Text as Words};
use self::field::{Field, Read, followed_by};
pub(crate) use self::sorted::{completed, sorted};
pub(crate) use self::understood::{ItemText, TIMES_MS, Understood, Unreadable};
use crate::table::ColumnType::{Boolean as YesOrNo, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

/// The column that tells when a row landed.
pub const LANDED_AT: &str = "_landed_at";

/// Where a record comes from, and the record.
const RECORD: [Column; 7] = [
    Column::new(
        "_topic",
        Text,
        "Kafka topic; `#N` follows once it was created again N times",
    ),
    Column::new("_partition", Integer, "Kafka partition"),
    Column::new("_offset", Integer, "Kafka offset"),
    Column::new(
        "_kafka_timestamp",
        Timestamp,
        "Time the broker gave the record",
    )
    .optional(),
    Column::new(
        LANDED_AT,
        Timestamp,
        "Time of the landing that brought the record, later than that of every landing before",
    ),
    Column::new("schema_id", Integer, "Id of its schema in Schema Registry"),
    Column::new("record", Text, "The record's JSON: event, batch and edge"),
];

/// What a record's event tells by itself. Rows that landed before these columns were made lack them.
static FIELDS: [Field<Understood>; 44] = [
    field(
        Column::new("event_id", Text, "Id the event was born with, UUIDv7"),
        Words(|row| Some(&row.record.event.event_id)),
    ),
    field(
        Column::new("event_type", Text, "Type of the event"),
        Words(|row| Some(row.record.event.event_type.as_str())),
    ),
    field(
        Column::new(
            "event_time",
            Timestamp,
            "When it happened: the browser's clock, corrected where it is clearly off",
        ),
        Number(|row| Some(row.derived.event_time * 1_000)),
    ),
    field(
        Column::new(
            "clock_corrected",
            YesOrNo,
            "Whether the browser's clock was corrected",
        ),
        Boolean(|row| Some(row.derived.clock_corrected)),
    ),
    field(
        Column::new("received_at", Timestamp, "When the edge received it"),
        Number(|row| Some(row.record.edge.received_at * 1_000)),
    ),
    field(
        Column::new("shop_id", Text, "Shop"),
        Words(|row| Some(&row.record.edge.shop_id)),
    ),
    field(
        Column::new("anonymous_id", Text, "Visitor, as the tracker knows it"),
        Words(|row| Some(&row.record.event.anonymous_id)),
    ),
    field(
        Column::new(
            "visitor_bucket",
            Integer,
            "Hash of shop and visitor, 0 to 63",
        ),
        Number(|row| Some(row.derived.visitor_bucket.into())),
    ),
    field(
        Column::new("session_id", Text, "The tracker's id of the visit"),
        Words(|row| Some(&row.record.event.session_id)),
    ),
    field(
        Column::new("user_id", Text, "Customer number, where the shop gave it"),
        Words(|row| row.record.event.user_id.as_deref()),
    ),
    field(
        Column::new(
            "seq",
            Integer,
            "Number of the event within the tracker's session, from 1",
        ),
        Number(|row| Some(row.record.event.seq)),
    ),
    field(
        Column::new("page_url", Text, "Address of the page"),
        Words(|row| Some(&row.record.event.page_url)),
    ),
    field(
        Column::new("page_host", Text, "Its host, without `www.`"),
        Words(|row| Some(&row.derived.page_host)),
    ),
    field(
        Column::new("page_path", Text, "Its path"),
        Words(|row| Some(&row.derived.page_path)),
    ),
    field(
        Column::new("page_title", Text, "Title of the page"),
        Words(|row| row.record.event.page_title.as_deref()),
    ),
    field(
        Column::new(
            "campaign_source",
            Text,
            "`utm_source`, or the platform that a click id names",
        ),
        Words(|row| row.derived.campaign_source.as_deref()),
    ),
    field(
        Column::new(
            "campaign_medium",
            Text,
            "`utm_medium`, or what a click id stands for",
        ),
        Words(|row| row.derived.campaign_medium.as_deref()),
    ),
    field(
        Column::new("campaign_name", Text, "`utm_campaign`"),
        Words(|row| row.derived.campaign_name.as_deref()),
    ),
    field(
        Column::new("campaign_term", Text, "`utm_term`"),
        Words(|row| row.derived.campaign_term.as_deref()),
    ),
    field(
        Column::new("campaign_content", Text, "`utm_content`"),
        Words(|row| row.derived.campaign_content.as_deref()),
    ),
    field(
        Column::new("click_id", Text, "Id that a platform gave the click"),
        Words(|row| row.derived.click_id.as_deref()),
    ),
    field(
        Column::new("click_id_kind", Text, "Its name: `gclid`, `msclkid`, …"),
        Words(|row| row.derived.click_id_kind.as_deref()),
    ),
    field(
        Column::new(
            "referrer_host",
            Text,
            "Host of the referrer, without `www.`",
        ),
        Words(|row| row.derived.referrer_host.as_deref()),
    ),
    field(
        Column::new(
            "referrer_kind",
            Text,
            "Kind of place the referrer is: none, own, search, social, …",
        ),
        Words(|row| Some(row.derived.referrer_kind.as_str())),
    ),
    field(
        Column::new(
            "channel",
            Text,
            "Channel that the page and the referrer tell, by GA4's default channel group",
        ),
        Words(|row| Some(row.derived.channel.as_str())),
    ),
    field(
        Column::new("search_term", Text, "What was searched for"),
        Words(|row| row.record.event.search_term.as_deref()),
    ),
    field(
        Column::new("transaction_id", Text, "Order number"),
        Words(|row| row.record.event.transaction_id.as_deref()),
    ),
    field(
        Column::new("currency", Text, "ISO 4217 code"),
        Words(|row| row.record.event.currency.as_deref()),
    ),
    field(
        Column::new("value_minor", Integer, "Value, minor units"),
        Number(|row| row.derived.value_minor),
    ),
    field(
        Column::new("tax_minor", Integer, "Tax, minor units"),
        Number(|row| row.derived.tax_minor),
    ),
    field(
        Column::new("shipping_minor", Integer, "Shipping, minor units"),
        Number(|row| row.derived.shipping_minor),
    ),
    field(
        Column::new("coupon", Text, "Coupon"),
        Words(|row| row.record.event.coupon.as_deref()),
    ),
    field(
        Column::new("payment_method", Text, "Payment method"),
        Words(|row| row.record.event.payment_method.as_deref()),
    ),
    field(
        Column::new(
            "engagement_time_ms",
            Integer,
            "Milliseconds in view and in use, of `page_ping`",
        ),
        Number(|row| row.record.event.engagement_time_msec),
    ),
    field(
        Column::new(
            "consent_analytics",
            Text,
            "Consent to measuring visits: granted, denied or not_asked",
        ),
        Words(|row| Some(row.derived.consent_analytics.as_str())),
    ),
    field(
        Column::new(
            "consent_ads",
            Text,
            "Consent to advertising: granted, denied or not_asked",
        ),
        Words(|row| Some(row.derived.consent_ads.as_str())),
    ),
    field(
        Column::new("device", Text, "desktop, mobile, tablet or other"),
        Words(|row| Some(row.record.edge.device.as_str())),
    ),
    field(
        Column::new("browser", Text, "Browser family"),
        Words(|row| Some(&row.record.edge.browser)),
    ),
    field(
        Column::new("os", Text, "Operating system"),
        Words(|row| Some(&row.record.edge.os)),
    ),
    field(
        Column::new("country", Text, "Country, ISO 3166 code"),
        Words(|row| row.record.edge.country.as_deref()),
    ),
    field(
        Column::new(
            "bot_score",
            Integer,
            "How sure the edge is that no person made it, 0 to 100",
        ),
        Number(|row| Some(row.record.edge.bot_score.into())),
    ),
    field(
        Column::new(
            "items",
            Text,
            "Products as a JSON list: id, name, brand, category, quantity, amounts in minor units",
        ),
        Words(|row| row.items.as_deref()),
    ),
    field(
        Column::new(
            "rules_version",
            Integer,
            "Version of the rules that derived page, campaign, referrer, channel and amounts",
        ),
        Number(|row| Some(row.derived.rules_version.into())),
    ),
    field(
        Column::new(
            "record_hash",
            Integer,
            "XXH3 of the record without `properties`; decides between two records of one event",
        ),
        Number(|row| Some(row.hash)),
    ),
];

const COLUMNS: [Column; 51] = followed_by(&RECORD, &FIELDS);

/// Events as they came.
pub static EVENTS: Table = Table {
    name: "bronze_events",
    layer: Layer::Bronze,
    description: "One row per Kafka record that holds an event: the record as it came, and what its event tells by itself",
    columns: &COLUMNS,
    partition: None,
    key: &["_topic", "_partition", "_offset"],
};

const fn field(column: Column, read: Read<Understood>) -> Field<Understood> {
    Field {
        column: column.optional(),
        read,
    }
}

/// Records that hold no event.
pub static QUARANTINE: Table = Table {
    name: "bronze_quarantine",
    layer: Layer::Bronze,
    description: "One row per Kafka record that could not be read, with the reason",
    columns: &[
        Column::new(
            "_topic",
            Text,
            "Kafka topic; `#N` follows once it was created again N times",
        ),
        Column::new("_partition", Integer, "Kafka partition"),
        Column::new("_offset", Integer, "Kafka offset"),
        Column::new(
            "_kafka_timestamp",
            Timestamp,
            "Time the broker gave the record",
        )
        .optional(),
        Column::new(
            LANDED_AT,
            Timestamp,
            "Time of the landing that brought the record, later than that of every landing before",
        ),
        Column::new("code", Text, "What is wrong, a bounded list"),
        Column::new(
            "pointer",
            Text,
            "Where in the record: JSON Pointer, empty for the whole",
        ),
        Column::new("reason", Text, "What is wrong, in a sentence"),
        Column::new("value_base64", Text, "The record's bytes"),
    ],
    partition: None,
    key: &["_topic", "_partition", "_offset"],
};

/// The columns of what records tell; empty for one that tells nothing that can be counted.
pub(crate) fn understood_columns<'a>(
    events: impl IntoIterator<Item = Option<&'a Understood>>,
) -> PolarsResult<DataFrame> {
    let events: Vec<_> = events.into_iter().collect();
    field::frame(&FIELDS, &events)
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, *};
    use shoptrail_schemas::Record;

    use super::*;
    use crate::judging::{Judging, JudgingArgs};

    fn record(event_id: &str) -> String {
        format!(
            r#"{{"event":{{"event_id":"{event_id}","event_type":"page_view","event_timestamp":1795392000000,"seq":1,
            "anonymous_id":"a","session_id":"s","page_url":"https://shop.example/","consent":{{"analytics":"granted","ads":"denied"}}}},
            "batch":{{"sent_at":1795392000000,"tracker":{{"name":"t","version":"1"}}}},
            "edge":{{"received_at":1795392000000,"shop_id":"demo","schema_version":1,"device":"desktop","browser":"Chrome",
            "os":"Linux","bot_score":0,"bot_reasons":[]}}}}"#
        )
    }

    fn texts(records: &[String]) -> DataFrame {
        let column = Column::new("record".into(), records.to_vec());
        DataFrame::new(records.len(), vec![column]).unwrap()
    }

    #[test]
    fn row_tells_the_same_whether_landing_or_a_build_understood_it() {
        let records = ["one", "two"].map(record);
        let known = records
            .each_ref()
            .map(|text| Understood::read(text, &Judging::default()).unwrap());
        let known = understood_columns(known.iter().map(Some)).unwrap();
        let read = sorted(&texts(&records), &Judging::default()).unwrap();
        assert!(read.events.equals_missing(&known));

        // One row as it lands now, without its text, and one as it landed once.
        let landed = known
            .slice(0, 1)
            .hstack(&[Column::new("record".into(), [None::<&str>])]);
        let old = texts(&records[1..]).lazy();
        let missing = known.columns().iter().map(|column| {
            lit(NULL)
                .cast(column.dtype().clone())
                .alias(column.name().clone())
        });
        let old = old
            .with_columns(missing.collect::<Vec<_>>())
            .select([all().exclude_cols(["record"]).as_expr(), col("record")]);
        let old = old.collect().unwrap();
        let mixed = landed.unwrap().vstack(&old).unwrap();
        assert!(
            sorted(&mixed, &Judging::default())
                .unwrap()
                .events
                .equals_missing(&known)
        );
    }

    #[test]
    fn record_that_tells_nothing_is_set_aside_with_its_reason() {
        let texts = texts(&["nonsense".to_owned(), record("one")]);
        let rows = sorted(&texts, &Judging::default()).unwrap();
        assert_eq!(rows.events.height(), 1);
        assert_eq!(rows.unreadable[0].0, "nonsense");
        assert_eq!(rows.unreadable[0].1.code, "malformed_record");
    }

    #[test]
    fn record_that_is_set_aside_is_cleaned_where_no_edge_has_done_so() {
        let args = JudgingArgs {
            privacy: Some(r#"{"fields":{"anonymous_id":"hash"}}"#.to_owned()),
            hash_key: Some("0123456789abcdef0123456789abcdef".to_owned()),
            ..JudgingArgs::default()
        };
        let kept = |text: &str| {
            let rows = sorted(&texts(&[text.to_owned()]), &args.read().unwrap()).unwrap();
            let [(kept, _)] = &rows.unreadable[..] else {
                panic!("one is set aside")
            };
            kept.clone()
        };
        let old = record("one")
            .replacen("1795392000000", "1794000000000", 1)
            .replace(
                r#"https://shop.example/""#,
                r#"https://shop.example/?token=s3cret","user_id":"c-42""#,
            );
        let granted = kept(&old);
        assert!(granted.contains("c-42"), "{granted}");
        let denied = kept(&old.replace("granted", "denied"));
        assert!(!denied.contains("c-42"), "{denied}");
        for kept in [granted, denied] {
            assert!(!kept.contains("s3cret"), "{kept}");
            assert!(!kept.contains(r#""anonymous_id":"a""#), "{kept}");
        }
        let derived = Understood::read(&record("one"), &Judging::default()).unwrap();
        let mut cleaned: Record = serde_json::from_str(&old).unwrap();
        cleaned.edge.derived = Some(derived.derived);
        let cleaned = serde_json::to_string(&cleaned).unwrap();
        assert_eq!(kept(&cleaned), cleaned);
    }
}
