//! The tables as SQL: one SELECT each in BigQuery's dialect, in `backend/sql/`. What a file may say is told there.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::warehouse::Inputs;

macro_rules! selects {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../sql/", $name, ".sql")))),*]
    };
}

/// Every SELECT with the name of what it makes, each after those that it reads. `shops` is a table of settings, which is
/// not published.
pub const SELECTS: &[(&str, &str)] = selects![
    "shops",
    "silver_events",
    "silver_items",
    "silver_left_out",
    "silver_visitors",
    "silver_orders",
    "silver_refunds",
    "silver_sessions",
    "gold_daily_kpis",
    "gold_product_performance",
    "gold_trending_products",
    "gold_conversion_funnel",
    "gold_customer_ltv",
    "gold_device_trends",
    "gold_landing_pages",
    "gold_search_terms",
    "gold_cohort_retention",
    "gold_channel_attribution",
    "gold_cart_recovery",
    "gold_pipeline_completeness",
];

/// Where a SELECT names an input, and whether it gives it another name.
static PLACE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(FROM|JOIN)\s+([a-z_]+)\b(\s+AS\b)?").ok());

/// Puts what stands for them in the place of a SELECT's inputs, which keep their names.
#[must_use]
pub fn with_inputs(select: &str, inputs: &Inputs) -> String {
    let named = |found: &Captures<'_>| {
        let [whole, keyword, name] = [0, 1, 2].map(|group| &found[group]);
        match (inputs.get(name), found.get(3)) {
            (None, _) => whole.to_owned(),
            (Some(input), Some(_)) => format!("{keyword} {input} AS"),
            (Some(input), None) => format!("{keyword} {input} AS {name}"),
        }
    };
    let select = select.trim_end().trim_end_matches(';');
    match PLACE.as_ref() {
        Some(place) => place.replace_all(select, named).into_owned(),
        None => select.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::build::built_tables;

    #[test]
    fn inputs_get_what_stands_for_them_and_keep_their_names() {
        let inputs = Inputs::from([
            ("shops", "`p.d.s`".to_owned()),
            ("silver_events", "(SELECT 1)".to_owned()),
        ]);
        let select = "-- from shops\nSELECT shops.a FROM silver_events\nJOIN shops USING (a)\n\
                      LEFT JOIN shops AS own ON TRUE CROSS JOIN others;\n";
        assert_eq!(
            with_inputs(select, &inputs),
            "-- from shops\nSELECT shops.a FROM (SELECT 1) AS silver_events\nJOIN `p.d.s` AS shops USING (a)\n\
             LEFT JOIN `p.d.s` AS own ON TRUE CROSS JOIN others"
        );
    }

    #[test]
    fn every_table_has_a_select_after_those_it_reads() {
        // What cannot be counted is told by the contract's validator alone.
        let not_selected = ["silver_quarantine"];
        let made: BTreeSet<&str> = SELECTS.iter().map(|(name, _)| *name).collect();
        for table in built_tables() {
            let is_selected = made.contains(table.name);
            assert_ne!(
                is_selected,
                not_selected.contains(&table.name),
                "{}",
                table.name
            );
        }
        let mut known = BTreeSet::from(["bronze_events", "refused_records", "settings"]);
        let place =
            Regex::new(r"\b(?:FROM|JOIN)\s+((?:bronze|silver|gold)_[a-z_]+|shops)\b").unwrap();
        for (name, select) in SELECTS {
            for found in place.captures_iter(select) {
                assert!(known.contains(&found[1]), "{name} reads {}", &found[1]);
            }
            known.insert(name);
        }
    }
}
