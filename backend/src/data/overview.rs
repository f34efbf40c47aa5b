//! The first page: is the shop on track?

use serde::Serialize;

use super::course::course;
use super::customers::most_valuable;
use super::figures::{JsonRows, Sums, totals};
use super::selected::SelectedRows;
use super::{funnel, products, traffic};

/// Products among the best sellers.
const BEST_SELLERS: u32 = 12;
/// Customers among the most valuable.
const BEST_CUSTOMERS: u32 = 25;

/// The page "Overview".
#[derive(Serialize)]
pub(super) struct OverviewPage {
    now: Sums,
    before: Option<Sums>,
    course: JsonRows,
    course_before: Option<JsonRows>,
    steps: JsonRows,
    events: JsonRows,
    products: JsonRows,
    trending: JsonRows,
    channels: JsonRows,
    devices: JsonRows,
    customers: JsonRows,
}

impl OverviewPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let (before, course_before) = match rows.days_before {
            Some(days) => (
                Some(totals(rows, days).await?),
                Some(course(rows, days).await?),
            ),
            None => (None, None),
        };
        Ok(Self {
            now: totals(rows, rows.days).await?,
            before,
            course: course(rows, rows.days).await?,
            course_before,
            steps: funnel::steps(rows, rows.days).await?,
            events: funnel::events(rows, rows.days).await?,
            products: products::products(rows, rows.days, BEST_SELLERS).await?,
            trending: products::trending(rows).await?,
            channels: traffic::channels(rows, rows.days).await?,
            devices: traffic::devices(rows, rows.days).await?,
            customers: most_valuable(rows, BEST_CUSTOMERS).await?,
        })
    }
}
