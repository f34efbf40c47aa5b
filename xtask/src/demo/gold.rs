//! Reads the gold tables as the dashboard does, and waits until they hold what was sent.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use shoptrail_local::addresses::Addresses;

use super::LOOK;
use super::stack::DemoStack;
use crate::interrupt::Interrupt;

/// How long the count of events in gold may stand still: a landing and a build take a few seconds each, over
/// local-bigquery up to half a minute.
const STANDSTILL: Duration = Duration::from_secs(240);

/// The gold tables behind the local web server.
pub(super) struct GoldPages {
    data: String,
}

impl GoldPages {
    pub(super) fn of(addresses: &Addresses) -> Self {
        Self {
            data: format!("{}/data", addresses.shop.trim_end_matches('/')),
        }
    }

    /// The rows of a gold table.
    pub(super) fn rows(&self, table: &str) -> Result<Vec<Value>> {
        let url = format!("{}/{table}.json", self.data);
        let mut reply = ureq::get(&url)
            .call()
            .with_context(|| format!("cannot read {url}"))?;
        reply
            .body_mut()
            .read_json()
            .with_context(|| format!("{url} is no list of rows"))
    }

    /// How many events the gold tables count.
    pub(super) fn events(&self) -> Result<u64> {
        Ok(count_events(&self.rows("gold_conversion_funnel")?))
    }

    /// Waits until gold counts `expected` events; false when interrupted.
    pub(super) fn wait_for(
        &self,
        expected: u64,
        stack: &mut DemoStack,
        interrupt: &Interrupt,
    ) -> Result<bool> {
        let mut counted = self.events()?;
        let mut moved = Instant::now();
        while counted < expected {
            if interrupt.asked() {
                return Ok(false);
            }
            stack.check()?;
            if moved.elapsed() > STANDSTILL {
                bail!(
                    "gold holds {counted} of {expected} events and has not moved for {} s",
                    STANDSTILL.as_secs()
                );
            }
            std::thread::sleep(LOOK);
            let now = self.events()?;
            if now != counted {
                (counted, moved) = (now, Instant::now());
            }
        }
        Ok(true)
    }
}

/// Every event is counted once, under its type.
fn count_events(funnel: &[Value]) -> u64 {
    funnel
        .iter()
        .filter(|row| row["kind"] == "event")
        .filter_map(|row| row["events"].as_u64())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn steps_of_the_funnel_are_not_counted_as_events() {
        let rows = [
            json!({"kind": "event", "step": "view_item", "events": 3}),
            json!({"kind": "event", "step": "purchase", "events": 1}),
            json!({"kind": "step", "step": "view_item", "events": 3}),
        ];
        assert_eq!(count_events(&rows), 4);
    }
}
