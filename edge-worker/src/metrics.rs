//! Metrics by outcome, in Workers Analytics Engine: one point for each request and each consumed batch. Columns:
//! `blob1` what it is about (`collect`, `consume`), `blob2` the outcome, `blob3` the shop; the doubles are documented in
//! `docs/deploy-edge.md`. `index1` is the shop, by which the platform samples.

use worker::{AnalyticsEngineDataPointBuilder, Env};

/// The dataset's binding in `wrangler.toml`.
const DATASET: &str = "METRICS";

/// One point.
#[derive(Debug)]
pub struct Point<'a> {
    /// What it is about.
    pub about: &'static str,
    /// How it ended.
    pub outcome: &'a str,
    /// The shop, where it is known.
    pub shop_id: Option<&'a str>,
    /// The figures, in a fixed order.
    pub figures: &'a [usize],
}

/// Writes a point; returns whether there is a dataset to write to.
#[must_use]
pub fn write(env: &Env, point: &Point<'_>) -> bool {
    let Ok(dataset) = env.analytics_engine(DATASET) else {
        return false;
    };
    let shop_id = point.shop_id.unwrap_or_default();
    let mut builder = AnalyticsEngineDataPointBuilder::new().indexes([shop_id]);
    for blob in [point.about, point.outcome, shop_id] {
        builder = builder.add_blob(blob);
    }
    for figure in point.figures {
        builder = builder.add_double(*figure as f64);
    }
    dataset.write_data_point(&builder.build()).is_ok()
}
