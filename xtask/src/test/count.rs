//! Counts tests from what the runners say at their end.

use std::ops::Add;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub passed: u64,
    pub failed: u64,
}

impl Count {
    /// One passed test.
    pub(super) fn one() -> Self {
        Self {
            passed: 1,
            failed: 0,
        }
    }

    /// Adds what a line of cargo's or Node's runner reports; other lines count nothing.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
        } else if let Some(passed) = line.strip_prefix("ℹ pass ") {
            self.passed += passed.parse().unwrap_or(0);
        } else if let Some(failed) = line.strip_prefix("ℹ fail ") {
            self.failed += failed.parse().unwrap_or(0);
        }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let number = text
        .split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let mut count = Count::default();
        count.read("test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s");
        count.read("ℹ pass 4");
        count.read("ℹ fail 2");
        count.read("test money::tests::yen_has_no_cents ... ok");
        assert_eq!(
            count,
            Count {
                passed: 16,
                failed: 3
            }
        );
    }
}
