//! Checks that tables which tell the same agree, day by day.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::super::SESSION_DAYS;
use super::super::rows::{days_in, semi};
use super::super::staged::Staged;
use super::{Found, keyed};
use crate::gold::{
    channel_attribution, conversion_funnel, daily_kpis, device_trends, landing_pages,
    product_performance,
};
use crate::money;
use crate::silver::{items, orders, refunds, sessions};
use crate::table::Table;
use crate::warehouse::{Day, Query};

const MONEY: &[&str] = &["day", "shop_id", "currency"];
const VISITS: &[&str] = &["day", "shop_id"];

/// A figure that several tables tell for each day, shop and, of money, currency.
pub(super) struct Total {
    pub(super) name: &'static str,
    pub(super) by: &'static [&'static str],
    /// The table the others follow from.
    pub(super) source: Teller,
    pub(super) tellers: &'static [Teller],
}

/// How a table tells a figure.
pub(super) struct Teller {
    pub(super) table: &'static Table,
    pub(super) rows: Which,
    pub(super) figure: Figure,
}

/// Which rows of a table tell.
#[derive(Clone, Copy)]
pub(super) enum Which {
    All,
    With(&'static str),
    Is(&'static str, &'static str),
    OfPeople,
}

/// What they tell, added up.
#[derive(Clone, Copy)]
pub(super) enum Figure {
    Column(&'static str),
    Rows,
}

impl Which {
    fn plan(self) -> Expr {
        match self {
            Self::All => lit(true),
            Self::With(column) => col(column).is_not_null(),
            Self::Is(column, value) => col(column).eq(lit(value)),
            Self::OfPeople => col("is_bot").not(),
        }
    }

    /// The same in BigQuery's dialect.
    pub(super) fn sql(self) -> String {
        match self {
            Self::All => "TRUE".to_owned(),
            Self::With(column) => format!("{column} IS NOT NULL"),
            Self::Is(column, value) => format!("{column} = '{value}'"),
            Self::OfPeople => "NOT is_bot".to_owned(),
        }
    }
}

impl Figure {
    fn plan(self) -> Expr {
        match self {
            Self::Column(column) => col(column),
            // Every row has a day; a literal would be one for all rows of a group.
            Self::Rows => col("day").is_not_null(),
        }
    }

    /// The same in BigQuery's dialect.
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Column(column) => column,
            Self::Rows => "1",
        }
    }
}

const fn teller(table: &'static Table, rows: Which, figure: Figure) -> Teller {
    Teller {
        table,
        rows,
        figure,
    }
}

/// All figures.
pub(super) static TOTALS: [Total; 3] = [
    Total {
        name: "total revenue",
        by: MONEY,
        source: teller(
            &orders::TABLE,
            Which::With("purchase_event_id"),
            Figure::Column("gross_minor"),
        ),
        tellers: &[
            teller(
                &daily_kpis::GOLD.table,
                Which::All,
                Figure::Column("revenue_gross_minor"),
            ),
            teller(
                &device_trends::GOLD.table,
                Which::All,
                Figure::Column("revenue_minor"),
            ),
            teller(
                &landing_pages::GOLD.table,
                Which::All,
                Figure::Column("revenue_minor"),
            ),
            teller(
                &channel_attribution::GOLD.table,
                Which::Is("model", "linear"),
                Figure::Column("credited_gross_minor"),
            ),
        ],
    },
    Total {
        name: "total refunds",
        by: MONEY,
        source: teller(&refunds::TABLE, Which::All, Figure::Column("refund_minor")),
        tellers: &[teller(
            &daily_kpis::GOLD.table,
            Which::All,
            Figure::Column("refunds_given_minor"),
        )],
    },
    Total {
        name: "total sessions",
        by: VISITS,
        source: teller(&sessions::TABLE, Which::OfPeople, Figure::Rows),
        tellers: &[
            teller(
                &daily_kpis::GOLD.table,
                Which::All,
                Figure::Column("sessions"),
            ),
            teller(
                &device_trends::GOLD.table,
                Which::All,
                Figure::Column("sessions"),
            ),
            teller(
                &landing_pages::GOLD.table,
                Which::All,
                Figure::Column("sessions"),
            ),
            teller(
                &conversion_funnel::GOLD.table,
                Which::Is("step", "sessions"),
                Figure::Column("sessions"),
            ),
        ],
    },
];

/// What is read of a table, once for all figures.
static COLUMNS: [(&Table, &[&str]); 8] = [
    (
        &orders::TABLE,
        &[
            "day",
            "shop_id",
            "currency",
            "gross_minor",
            "purchase_event_id",
        ],
    ),
    (
        &refunds::TABLE,
        &["day", "shop_id", "currency", "refund_minor"],
    ),
    (&sessions::TABLE, &["day", "shop_id", "is_bot"]),
    (
        &daily_kpis::GOLD.table,
        &[
            "day",
            "shop_id",
            "currency",
            "revenue_gross_minor",
            "refunds_given_minor",
            "sessions",
        ],
    ),
    (
        &device_trends::GOLD.table,
        &["day", "shop_id", "currency", "revenue_minor", "sessions"],
    ),
    (
        &landing_pages::GOLD.table,
        &["day", "shop_id", "currency", "revenue_minor", "sessions"],
    ),
    (
        &channel_attribution::GOLD.table,
        &[
            "day",
            "shop_id",
            "currency",
            "model",
            "credited_gross_minor",
        ],
    ),
    (
        &conversion_funnel::GOLD.table,
        &["day", "shop_id", "step", "sessions"],
    ),
];

/// The days on which a run changes what totals are made of.
///
/// # Errors
/// Returns an error if the partition of a table is not a day.
pub(super) fn days(staged: &Staged<'_>) -> PolarsResult<BTreeSet<Day>> {
    let mut days = BTreeSet::new();
    for (table, _) in &COLUMNS {
        days.extend(staged.days(table)?);
    }
    Ok(days)
}

/// Holds every figure's tellers against its source, on the days that this run changes: the figure's name, the teller, and
/// the days and keys at which it differs.
pub(super) async fn check(
    staged: &Staged<'_>,
    days: &BTreeSet<Day>,
) -> anyhow::Result<Vec<(&'static str, &'static Table, Found)>> {
    let mut outcomes = Vec::new();
    if days.is_empty() {
        return Ok(outcomes);
    }
    let tables = read(staged, days).await?;
    for total in &TOTALS {
        for teller in total.tellers {
            let found = total.differences(&tables, teller)?;
            outcomes.push((total.name, teller.table, found));
        }
    }
    Ok(outcomes)
}

type Tables = BTreeMap<&'static str, DataFrame>;

async fn read(staged: &Staged<'_>, days: &BTreeSet<Day>) -> anyhow::Result<Tables> {
    let mut tables = Tables::new();
    for (table, columns) in &COLUMNS {
        let query = Query::all().columns(columns).days(days);
        tables.insert(table.name, staged.contents(table, query).await?);
    }
    Ok(tables)
}

impl Total {
    fn differences(&self, tables: &Tables, teller: &Teller) -> PolarsResult<Found> {
        let by = || self.by.iter().copied().map(col).collect::<Vec<_>>();
        let names = [self.source.table.name, teller.table.name];
        let both = JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns);
        let told = self.source.sums(tables, by());
        let differs = told
            .join(teller.sums(tables, by()), by(), by(), both)
            .with_columns(names.map(|name| col(name).fill_null(lit(0_i64))))
            .filter(col(names[0]).neq(col(names[1])));
        Found::of(differs, &[self.by, &names].concat())
    }
}

impl Teller {
    fn sums(&self, tables: &Tables, by: Vec<Expr>) -> LazyFrame {
        let name = self.table.name;
        let rows = tables
            .get(name)
            .cloned()
            .unwrap_or_else(|| self.table.empty());
        let figure = money::total(self.figure.plan().cast(DataType::Int64)).alias(name);
        rows.lazy()
            .filter(self.rows.plan())
            .group_by(by)
            .agg([figure])
    }
}

/// The sessions of this run whose revenue is not that of their orders.
pub(super) async fn sessions(staged: &Staged<'_>) -> anyhow::Result<Found> {
    let (_, made) = staged.replaced(&sessions::TABLE);
    let days = days_in(&made, "day")?;
    let days = days
        .iter()
        .flat_map(|day| *day..=day + SESSION_DAYS)
        .collect();
    let columns = ["shop_id", "session_key", "currency", "gross_minor"];
    let query = Query::all().columns(&columns).days(&days);
    let query = keyed(query, "session_key", &made, "session_key")?;
    let orders = staged.contents(&orders::TABLE, query).await?;
    let by = || ["shop_id", "session_key", "currency"].map(col);
    let paid = orders
        .lazy()
        .group_by(by())
        .agg([money::total(col("gross_minor")).alias("silver_orders")]);
    let differs = made
        .lazy()
        .join(paid, by(), by(), JoinArgs::new(JoinType::Left))
        .with_column(col("silver_orders").fill_null(lit(0_i64)))
        .filter(col("silver_orders").neq(col("revenue_minor")));
    let columns = ["shop_id", "session_key", "silver_orders", "revenue_minor"];
    Ok(Found::of(differs, &columns)?)
}

/// The days and shops at which products' revenue is not that of the lines of the orders.
pub(super) async fn products(staged: &Staged<'_>) -> anyhow::Result<Found> {
    let table = &product_performance::GOLD.table;
    let days = staged.days(table)?;
    let on_days = |columns| Query::all().columns(columns).days(&days);
    let orders = on_days(&["day", "shop_id", "purchase_event_id"]);
    let orders = staged.contents(&orders::TABLE, orders).await?.lazy();
    let lines = [
        "day",
        "shop_id",
        "event_id",
        "currency",
        "amount_minor",
        "is_bot",
    ];
    let lines = staged.contents(&items::TABLE, on_days(&lines)).await?;
    let products = on_days(&["day", "shop_id", "currency", "revenue_minor"]);
    let products = staged.contents(table, products).await?.lazy();
    let by = || MONEY.iter().copied().map(col).collect::<Vec<_>>();
    let names = [items::TABLE.name, table.name];
    let orders = orders.select([col("shop_id"), col("purchase_event_id").alias("event_id")]);
    let sold = semi(lines.lazy(), orders, &["shop_id", "event_id"])
        .filter(col("is_bot").not())
        .group_by(by())
        .agg([money::total(col("amount_minor")).alias(names[0])]);
    let listed = products
        .group_by(by())
        .agg([money::total(col("revenue_minor")).alias(names[1])]);
    let both = JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns);
    let differs = sold
        .join(listed, by(), by(), both)
        .with_columns(names.map(|name| col(name).fill_null(lit(0_i64))))
        .filter(col(names[0]).neq(col(names[1])));
    Ok(Found::of(differs, &[MONEY, &names].concat())?)
}
