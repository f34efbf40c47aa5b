//! Checks that data keeps coming, and as much of it as usual: both warn, neither stops a run.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::super::staged::Staged;
use super::{FEW, Found, LATE_AFTER_HOURS, MANY, SESSIONS_KNOWN, WEEKS_KNOWN};
use crate::config::Reporting;
use crate::gold::daily_kpis;
use crate::silver::events;
use crate::warehouse::{Day, Query};

const HOUR_US: i64 = 60 * 60 * 1_000_000;
const WEEK: Day = 7;

/// The newest event of the run, where it is old.
pub(super) fn freshness(staged: &Staged<'_>, now_us: i64) -> PolarsResult<Found> {
    let (_, made) = staged.replaced(&events::TABLE);
    let columns = ["shop_id", "received_at"];
    let newest = made
        .lazy()
        .group_by([col("shop_id")])
        .agg([col("received_at").max()])
        .filter(
            col("received_at")
                .to_physical()
                .lt(lit(now_us - LATE_AFTER_HOURS * HOUR_US)),
        );
    Found::of(newest, &columns)
}

/// The shops whose last full day had unusually few or many sessions; looked at once, when a new day begins in their time zone.
pub(super) async fn volume(
    staged: &Staged<'_>,
    reporting: &Reporting,
) -> anyhow::Result<Option<Found>> {
    let kpis = &daily_kpis::GOLD.table;
    let (known, made) = staged.replaced(kpis);
    let time_zone_of = |shop_id: &str| reporting.time_zone_of(shop_id).as_str();
    let mut all: Option<Found> = None;
    for (time_zone, newest) in begun(&known, &made, time_zone_of)? {
        let full = newest - 1;
        let days: BTreeSet<Day> = (0..=4).map(|weeks| full - weeks * WEEK).collect();
        let query = Query::all()
            .columns(&["day", "shop_id", "sessions"])
            .days(&days);
        let rows = staged.contents(kpis, query).await?;
        let is_there: BooleanChunked = rows
            .column("shop_id")?
            .str()?
            .iter()
            .map(|shop_id| Some(shop_id.is_some_and(|id| time_zone_of(id) == time_zone)))
            .collect();
        let found = unusual(rows.filter(&is_there)?.lazy(), full)?;
        match &mut all {
            Some(all) => all.add(found),
            None => all = Some(found),
        }
    }
    Ok(all)
}

/// The newest day in each time zone, where it is one that was not known before.
fn begun<'a>(
    known: &DataFrame,
    made: &DataFrame,
    time_zone_of: impl Fn(&str) -> &'a str,
) -> PolarsResult<BTreeMap<&'a str, Day>> {
    let days = |rows: &DataFrame| {
        let (shops, days) = (rows.column("shop_id")?.str()?, rows.column("day")?.date()?);
        let days = shops.iter().zip(days.physical().iter());
        let days = days.filter_map(|(shop_id, day)| Some((time_zone_of(shop_id?), day?)));
        PolarsResult::Ok(days.collect::<BTreeSet<_>>())
    };
    let known = days(known)?;
    // Of a zone's days the last one stays.
    let newest: BTreeMap<&str, Day> = days(made)?.into_iter().collect();
    let begun = newest
        .into_iter()
        .filter(|(time_zone, day)| !known.contains(&(*time_zone, *day)));
    Ok(begun.collect())
}

/// The shops of which a day is unusual among the same weekdays before it.
fn unusual(rows: LazyFrame, day: Day) -> PolarsResult<Found> {
    let is_day = || col("day").to_physical().eq(lit(day));
    let before = |column: &str| col(column).filter(is_day().not());
    let shops = rows
        .group_by([col("day"), col("shop_id")])
        .agg([col("sessions").sum()])
        .group_by([col("shop_id")])
        .agg([
            col("sessions").filter(is_day()).sum().alias("sessions"),
            before("sessions").mean().alias("usual"),
            before("day").len().cast(DataType::Int64).alias("weeks"),
        ])
        .filter(col("weeks").gt_eq(lit(WEEKS_KNOWN as i64)))
        .filter(col("usual").gt_eq(lit(SESSIONS_KNOWN)));
    let ratio = || col("sessions").cast(DataType::Float64) / col("usual");
    let is_unusual = ratio().lt(lit(FEW)).or(ratio().gt(lit(MANY)));
    Found::of(shops.filter(is_unusual), &["shop_id", "sessions", "usual"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weeks(sessions: &[i64]) -> LazyFrame {
        let days: Vec<Day> = (0..).step_by(7).take(sessions.len()).collect();
        df!("day" => days, "shop_id" => vec!["demo"; sessions.len()], "sessions" => sessions)
            .unwrap()
            .lazy()
            .with_column(col("day").cast(DataType::Date))
    }

    #[test]
    fn new_day_begins_in_each_time_zone_by_itself() {
        let rows = |rows: &[(&str, Day)]| {
            let (shops, days): (Vec<&str>, Vec<Day>) = rows.iter().copied().unzip();
            df!("shop_id" => shops, "day" => days)
                .unwrap()
                .lazy()
                .with_column(col("day").cast(DataType::Date))
                .collect()
                .unwrap()
        };
        let time_zone_of = |shop_id: &str| match shop_id {
            "east" => "Asia/Tokyo",
            _ => "UTC",
        };
        let made = rows(&[("demo", 7), ("demo", 8), ("east", 9)]);
        let begun = |known: &[(&str, Day)]| {
            let days = begun(&rows(known), &made, time_zone_of).unwrap();
            days.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(begun(&[("demo", 7)]), [("Asia/Tokyo", 9), ("UTC", 8)]);
        assert_eq!(begun(&[("other", 8), ("east", 8)]), [("Asia/Tokyo", 9)]);
        assert_eq!(begun(&[("demo", 8), ("east", 9)]), []);
    }

    #[test]
    fn day_is_compared_with_the_same_weekday_of_the_weeks_before() {
        let found = |sessions: &[i64]| unusual(weeks(sessions), 28).unwrap().failing;
        assert_eq!(found(&[100, 120, 80, 100, 51]), 0);
        assert_eq!(found(&[100, 120, 80, 100, 49]), 1);
        assert_eq!(found(&[100, 120, 80, 100, 201]), 1);
        // Nothing came at all on the day.
        assert_eq!(unusual(weeks(&[100, 120, 80, 100]), 28).unwrap().failing, 1);
        // Too few to say what is usual.
        assert_eq!(found(&[10, 12, 8, 10, 1]), 0);
        assert_eq!(unusual(weeks(&[100, 1]), 7).unwrap().failing, 0);
    }
}
