//! Revenue by the channels that led to it, by each attribution model.

use polars::prelude::*;
use serde::Serialize;

use super::figures::{JsonRows, largest};
use super::question::Question;
use super::selected::SelectedRows;
use crate::gold::Silver;
use crate::gold::channel_attribution::{GOLD, LOOKBACK_DAYS};
use crate::money;
use crate::silver::{orders, sessions};

/// Campaigns on the page.
const MOST: IdxSize = 50;
const MODELS: [&str; 5] = ["first", "last", "linear", "position", "time_decay"];
/// The campaign of sessions without one.
const NO_CAMPAIGN: &str = "(not set)";

/// What each model credits: rows with revenue and orders of all models side by side.
#[derive(Serialize)]
pub(super) struct Attribution {
    channels: JsonRows,
    campaigns: JsonRows,
}

impl Attribution {
    /// Credits of the orders of the days asked for, in the currency shown.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let credited = credited(rows).await?;
        let is_shown = col("currency").eq(lit(rows.currency.clone()));
        let credited = credited.filter(is_shown).collect()?.lazy();
        let by = |rows: LazyFrame, column: &str| {
            let sums: Vec<Expr> = MODELS.iter().copied().flat_map(credits).collect();
            largest(
                rows.group_by([col(column)]).agg(sums),
                "last_minor",
                column,
                MOST,
            )
        };
        let is_campaign = col("utm_campaign").neq(lit(NO_CAMPAIGN));
        Ok(Self {
            channels: by(credited.clone(), "channel")?,
            campaigns: by(credited.filter(is_campaign), "utm_campaign")?,
        })
    }
}

/// What a model credits.
fn credits(model: &'static str) -> [Expr; 2] {
    let sum = |column: &str| {
        let is_model = col("model").eq(lit(model));
        money::total(col(column).filter(is_model))
    };
    [
        sum("credited_gross_minor").alias(format!("{model}_minor")),
        sum("credited_orders_millionths").alias(format!("{model}_millionths")),
    ]
}

/// The credits under all filters. The orders are those of the sessions that the other filters leave, each with its whole
/// path; a channel leaves what that channel is credited with.
async fn credited(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    let question = &rows.question;
    if question.is_told_by(&GOLD.table) {
        return rows.gold(&GOLD, rows.days).await;
    }
    let ordered = rows.asking(Question {
        channel: None,
        ..question.clone()
    });
    let came = rows.asking(question.unfiltered());
    let back = rows.days.reaching_back(LOOKBACK_DAYS);
    let credited = (GOLD.build)(&Silver {
        orders: ordered.input(&GOLD, &orders::TABLE, rows.days).await?,
        sessions: came.input(&GOLD, &sessions::TABLE, back).await?,
        ..rows.no_silver()
    })?;
    Ok(question.narrow(&GOLD.table, credited))
}
