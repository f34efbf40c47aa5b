//! `gold_pipeline_completeness`, and what was lost on purpose.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::super::calendar::{Day, HOUR};
use super::super::csv::Csv;
use super::super::plan::{Household, Step};

const COLUMNS: &str = "day,hour,shop_id,browser,made,missing,received,landed,duplicates,refused,\
    by_programs,used";

/// The columns of the file of what was lost.
pub const LOST_COLUMNS: &str =
    "shop_id,event_id,event_type,event_time,transaction_id,currency,value_minor";

/// What became of events, by day, hour, shop and browser family.
#[derive(Default)]
pub struct Ledger(BTreeMap<(Day, i64, &'static str, &'static str), Sums>);

#[derive(Default)]
struct Sums {
    missing: i64,
    duplicates: i64,
    by_programs: i64,
    used: i64,
}

impl Ledger {
    /// Adds a household. Its steps stand visit by visit, in the order of their numbers.
    pub fn count(&mut self, household: &Household) {
        for visit in household
            .steps
            .chunk_by(|left, right| left.visit == right.visit)
        {
            let mut before = 0;
            for step in visit.iter().filter(|step| !step.way.is_lost) {
                let sums = self.entry(household, step);
                // What was lost is missed by the next one that came.
                sums.missing += step.seq - before - 1;
                before = step.seq;
                sums.duplicates += i64::from(step.way.again.is_some());
                match step.is_program() {
                    true => sums.by_programs += 1,
                    false => sums.used += 1,
                }
            }
        }
    }

    fn entry(&mut self, household: &Household, step: &Step) -> &mut Sums {
        let shop = household.shop;
        let browser = household.browsers[step.browser].machine.browser;
        let hour = step.at.div_euclid(HOUR) * HOUR;
        let key = (shop.day(step.at), hour, shop.id, browser);
        self.0.entry(key).or_default()
    }

    /// Writes the file; returns how many rows it has.
    pub fn write(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_pipeline_completeness", COLUMNS)?;
        for ((day, hour, shop, browser), of) in &self.0 {
            let received = of.by_programs + of.used;
            csv.day(*day)
                .instant(*hour)
                .text(shop)
                .text(browser)
                .numbers([received + of.missing, of.missing, received])
                .numbers([received + of.duplicates, of.duplicates, 0])
                .numbers([of.by_programs, of.used])
                .end()?;
        }
        csv.finish()
    }
}

/// Writes what of a household was lost.
pub fn write_lost(household: &Household, csv: &mut Csv, id: &mut String) -> Result<()> {
    for step in household.steps.iter().filter(|step| step.way.is_lost) {
        let order = step.order.map(|order| household.orders[order].id.as_str());
        csv.text(household.shop.id)
            .text(super::id(step.id, id))
            .text(step.kind.as_str())
            .instant(step.at)
            .maybe(order)
            .maybe(step.currency.map(|currency| currency.code))
            .maybe_number(step.value)
            .end()?;
    }
    Ok(())
}
