//! The pages of the dashboard by name.

use serde::Serialize;

use super::customers::CustomersPage;
use super::funnel::FunnelPage;
use super::live::LivePage;
use super::overview::OverviewPage;
use super::products::ProductsPage;
use super::quality::QualityPage;
use super::question::DayRange;
use super::search::SearchPage;
use super::selected::SelectedRows;
use super::traffic::TrafficPage;

/// A page whose figures can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DashboardPage {
    Overview,
    Traffic,
    Funnel,
    Products,
    Customers,
    Search,
    Live,
    Quality,
}

/// What every answer says of itself.
#[derive(Serialize)]
struct WholeAnswer<'a, T> {
    version: u64,
    currency: &'a str,
    days: DayRange,
    days_before: Option<DayRange>,
    #[serde(flatten)]
    page: T,
}

impl DashboardPage {
    /// The page of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "overview" => Self::Overview,
            "traffic" => Self::Traffic,
            "funnel" => Self::Funnel,
            "products" => Self::Products,
            "customers" => Self::Customers,
            "search" => Self::Search,
            "live" => Self::Live,
            "quality" => Self::Quality,
            _ => return None,
        })
    }

    /// Whether the answer changes with the time of day, and not with publications alone.
    pub(super) fn is_of_the_moment(self) -> bool {
        self == Self::Live
    }

    /// The answer as JSON.
    pub(super) async fn answer(self, rows: &SelectedRows) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Overview => written(rows, OverviewPage::of(rows).await?),
            Self::Traffic => written(rows, TrafficPage::of(rows).await?),
            Self::Funnel => written(rows, FunnelPage::of(rows).await?),
            Self::Products => written(rows, ProductsPage::of(rows).await?),
            Self::Customers => written(rows, CustomersPage::of(rows).await?),
            Self::Search => written(rows, SearchPage::of(rows).await?),
            Self::Live => written(rows, LivePage::of(rows).await?),
            Self::Quality => written(rows, QualityPage::of(rows).await?),
        }
    }
}

fn written<T: Serialize>(rows: &SelectedRows, page: T) -> anyhow::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&WholeAnswer {
        version: rows.publication.version,
        currency: &rows.currency,
        days: rows.days,
        days_before: rows.days_before,
        page,
    })?)
}
