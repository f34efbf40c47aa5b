//! Sums of money. An event's amounts fit into 64 bits; what many events add up to might not, and a sum that wraps is a
//! negative revenue. Anybody can send events, so sums end at the largest amount instead.

use polars::prelude::*;

/// What is beyond this as a 64-bit float may not fit into 64 bits as an integer.
const LARGEST: f64 = 9.2e18;

/// Returns the sum of minor units; [`i64::MAX`] on either side of zero where it does not fit.
pub(crate) fn total(minor_units: Expr) -> Expr {
    let about = minor_units.clone().cast(DataType::Float64).sum();
    let fits = about
        .clone()
        .gt_eq(lit(-LARGEST))
        .and(about.clone().lt_eq(lit(LARGEST)));
    // The first branch gives its name to all of it.
    when(fits)
        .then(minor_units.sum())
        .when(about.gt(lit(0.0)))
        .then(lit(i64::MAX))
        .otherwise(lit(-i64::MAX))
}

/// Returns the sums of minor units so far, none of them negative; [`i64::MAX`] from where they do not fit.
pub(crate) fn running_total(minor_units: Expr) -> Expr {
    let about = minor_units.clone().cast(DataType::Float64).cum_sum(false);
    when(about.lt_eq(lit(LARGEST)))
        .then(minor_units.cum_sum(false))
        .otherwise(lit(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(amounts: &[Option<i64>]) -> DataFrame {
        let groups = vec!["a"; amounts.len()];
        let frame = df!("group" => groups, "minor" => amounts).unwrap();
        let sum = frame
            .lazy()
            .group_by([col("group")])
            .agg([total(col("minor"))]);
        sum.collect().unwrap()
    }

    fn one(amounts: &[Option<i64>]) -> i64 {
        let totals = totals(amounts);
        totals
            .column("minor")
            .unwrap()
            .i64()
            .unwrap()
            .get(0)
            .unwrap()
    }

    #[test]
    fn sums_are_exact_and_never_wrap() {
        assert_eq!(one(&[None]), 0);
        let exact = 9_007_199_254_740_993;
        assert_eq!(one(&[Some(exact), None, Some(1)]), exact + 1);
        assert_eq!(one(&[Some(i64::MAX), Some(1)]), i64::MAX);
        assert_eq!(one(&[Some(-i64::MAX), Some(-2)]), -i64::MAX);
        assert_eq!(one(&vec![Some(10_000_000_000_000_000); 1000]), i64::MAX);
    }
}
