//! How often a customer may be expected to order again: the BG/NBD model.
//!
//! P. S. Fader, B. G. S. Hardie, K. L. Lee, "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD Model",
//! Marketing Science 24 (2005), 275-284. Customers order at rates of their own and after each order may be lost for good.
//! What is known of one customer is three numbers; what is known of all customers is four parameters.
//!
//! The parameters are those the paper found for CDNOW, an online shop, and not fitted to the shop at hand: fitted ones would
//! move every customer's figure with every order. They are what a customer starts from; with each order and each week
//! without one the customer's own history weighs more.

const R: f64 = 0.243;
const ALPHA: f64 = 4.414;
const A: f64 = 0.793;
const B: f64 = 2.426;

/// What the model knows of a customer, in weeks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    /// Orders after the first one, several on one day counted once.
    pub(crate) repeats: f64,
    /// From the first order to the last.
    pub(crate) last: f64,
    /// From the first order to now.
    pub(crate) age: f64,
}

impl History {
    /// The probability that the customer is not lost.
    pub(crate) fn alive(self) -> f64 {
        1.0 / self.lost_odds()
    }

    /// Orders to expect in the next weeks: equation 10 of the paper, its hypergeometric function brought by Euler's
    /// transformation to a form whose numbers stay small whatever the history.
    pub(crate) fn expected_orders(self, weeks: f64) -> f64 {
        let c = A + B + self.repeats - 1.0;
        let z = weeks / (ALPHA + self.age + weeks);
        let series = hypergeometric(A + B - 1.0 - R, A - 1.0, c, z);
        let orders = c / (A - 1.0) * (1.0 - (1.0 - z).powf(A - 1.0) * series);
        orders / self.lost_odds()
    }

    /// One and the odds of being lost.
    fn lost_odds(self) -> f64 {
        if self.repeats < 1.0 {
            return 1.0;
        }
        let silence = (ALPHA + self.age) / (ALPHA + self.last);
        1.0 + A / (B + self.repeats - 1.0) * silence.powf(R + self.repeats)
    }
}

/// Gauss's series 2F1(a, b; c; z) for 0 <= z < 1 and c > 0.
fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> f64 {
    /// More than enough: at z = 0.99 terms fall below the precision of a sum within 3,000.
    const MOST_TERMS: u32 = 10_000;
    let (mut sum, mut term) = (1.0_f64, 1.0_f64);
    for n in (0..MOST_TERMS).map(f64::from) {
        term *= (a + n) * (b + n) / (c + n) * z / (n + 1.0);
        sum += term;
        if term.abs() <= f64::EPSILON * sum.abs() {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(repeats: f64, last: f64, age: f64) -> History {
        History { repeats, last, age }
    }

    #[test]
    fn customer_of_the_published_example_is_expected_to_order_as_published() {
        // Fader and Hardie, "Implementing the BG/NBD Model for Customer Base Analysis in Excel": customer 1, 39 weeks.
        let orders = history(2.0, 30.43, 38.86).expected_orders(39.0);
        assert!((orders - 1.226).abs() < 0.0005, "{orders}");
    }

    #[test]
    fn one_order_two_days_ago_promises_little_more_than_another() {
        let orders = history(0.0, 0.0, 2.0 / 7.0).expected_orders(52.0);
        assert!((1.0..1.5).contains(&orders), "{orders}");
        // And less with every week of silence.
        assert!(history(0.0, 0.0, 52.0).expected_orders(52.0) < 0.25);
    }

    #[test]
    fn loyal_customer_who_stays_away_is_lost() {
        assert!(history(11.0, 50.0, 52.0).alive() > 0.9);
        assert!(history(11.0, 10.0, 52.0).alive() < 0.001);
    }

    #[test]
    fn no_history_is_too_long_or_too_odd_for_a_number() {
        for repeats in [0.0, 1.0, 500.0, 1e6] {
            for (last, age) in [(0.0, 0.0), (0.0, 4_000.0), (4_000.0, 4_000.0)] {
                let history = history(repeats, last, age);
                let orders = history.expected_orders(52.0);
                assert!(orders.is_finite() && orders >= 0.0, "{history:?} {orders}");
            }
        }
    }
}
