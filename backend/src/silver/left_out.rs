//! `silver_left_out`: records of bronze that are no row of `silver_events`, because they repeat an event or cannot be counted
//! as one. Feeds `gold_pipeline_completeness`, so that every record is accounted for.

use polars::prelude::*;
use serde_json::Value;

use super::{events, quarantine};
use crate::bronze::{TIMES_MS, Unreadable};
use crate::config::Reporting;
use crate::table::ColumnType::{Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

/// Why a repeated record is left out.
pub const DUPLICATE: &str = "duplicate";

/// What stands for a shop or a browser that a record does not tell.
const UNKNOWN: &str = "unknown";

const COLUMNS: &[Column] = &[
    Column::new(
        "record_id",
        Text,
        "Of a duplicate its event, time of receipt, hash and shop; of another record its `record_id` in `silver_quarantine`",
    ),
    Column::new(
        "event_time",
        Timestamp,
        "When the event happened; of a record that cannot be counted when the edge received it, 1970 where it tells no time",
    ),
    Column::new("day", Date, "Day of that, in the reporting time zone"),
    Column::new(
        "shop_id",
        Text,
        "Shop; `unknown` where the record tells none",
    ),
    Column::new(
        "browser",
        Text,
        "Browser family; `unknown` where the record tells none",
    ),
    Column::new("anonymous_id", Text, "Visitor, as the tracker knows it").optional(),
    Column::new(
        "session_id",
        Text,
        "The tracker's id of the visit; `record_id` where the record tells none",
    ),
    Column::new(
        "seq",
        Integer,
        "Number of the event within the tracker's session",
    )
    .optional(),
    Column::new(
        "reason",
        Text,
        "`duplicate`, or the code that `silver_quarantine` has",
    ),
];

/// One row per record that is left out.
pub static TABLE: Table = Table {
    name: "silver_left_out",
    layer: Layer::Silver,
    description: "One row per record of bronze that is no row of `silver_events`: it repeats an event, or cannot be counted as \
        one. A record that came twice in the same words is here, and counted, once",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["record_id"],
};

/// What of a record of an event is needed here.
pub const REPEATABLE: [&str; 9] = [
    "shop_id",
    "event_id",
    "received_at",
    "record_hash",
    "event_time",
    "browser",
    "anonymous_id",
    "session_id",
    "seq",
];

/// The rows of records that another record of the same event has won against.
pub fn repeated(records: LazyFrame, winners: LazyFrame, reporting: &Reporting) -> LazyFrame {
    let rivalry = || events::RIVALRY.map(col);
    let text = |column: Expr| lit("/") + column.cast(DataType::String);
    let record_id = col("event_id")
        + text(col("received_at").to_physical())
        + text(col("record_hash"))
        + text(col("shop_id"));
    let losers = records
        .select(REPEATABLE.map(col))
        .unique(
            Some(by_name(events::RIVALRY, true, false)),
            UniqueKeepStrategy::Any,
        )
        .join(winners, rivalry(), rivalry(), JoinArgs::new(JoinType::Anti));
    TABLE.conform(losers.with_columns([
        record_id.alias("record_id"),
        super::day("event_time", reporting).alias("day"),
        col("session_id").fill_null(lit("")),
        lit(DUPLICATE).alias("reason"),
    ]))
}

/// The rows of records that cannot be counted, with as much as each tells.
pub(crate) fn refused(
    unreadable: &[(String, Unreadable)],
    reporting: &Reporting,
) -> PolarsResult<DataFrame> {
    let told: Vec<Told> = unreadable.iter().map(|(text, _)| Told::by(text)).collect();
    let texts = |text: fn(&Told) -> &str| told.iter().map(text).collect::<Vec<_>>();
    let rows = df!(
        "record_id" => texts(|told| &told.record_id),
        "event_time" => told.iter().map(|told| told.time_ms * 1_000).collect::<Vec<_>>(),
        "shop_id" => texts(|told| &told.shop_id),
        "browser" => texts(|told| &told.browser),
        "anonymous_id" => told.iter().map(|told| told.anonymous_id.as_deref()).collect::<Vec<_>>(),
        "session_id" => texts(|told| &told.session_id),
        "seq" => told.iter().map(|told| told.seq).collect::<Vec<_>>(),
        "reason" => unreadable.iter().map(|(_, why)| why.code).collect::<Vec<_>>(),
    )?;
    let instant = col("event_time").cast(Timestamp.polars());
    let rows = rows
        .lazy()
        .with_column(instant)
        .with_column(super::day("event_time", reporting).alias("day"));
    TABLE.conform(once(rows)).collect()
}

/// Each record once.
pub(crate) fn once(rows: LazyFrame) -> LazyFrame {
    quarantine::once(rows)
}

/// What a record tells that is no event.
struct Told {
    record_id: String,
    time_ms: i64,
    shop_id: String,
    browser: String,
    anonymous_id: Option<String>,
    session_id: String,
    seq: Option<i64>,
}

impl Told {
    fn by(text: &str) -> Self {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let told = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
        let number = |pointer: &str| record.pointer(pointer).and_then(Value::as_i64);
        let times = ["/edge/received_at", "/event/event_timestamp"];
        let time_ms = times
            .into_iter()
            .filter_map(number)
            .find(|time| TIMES_MS.contains(time));
        let record_id = quarantine::record_id(text);
        Self {
            time_ms: time_ms.unwrap_or_default(),
            shop_id: told("/edge/shop_id").unwrap_or(UNKNOWN).to_owned(),
            browser: told("/edge/browser").unwrap_or(UNKNOWN).to_owned(),
            anonymous_id: told("/event/anonymous_id").map(str::to_owned),
            session_id: told("/event/session_id").unwrap_or(&record_id).to_owned(),
            seq: number("/event/seq").filter(|seq| *seq > 0),
            record_id,
        }
    }
}
