//! Counts tests, and keeps the reports of those that failed, from what the runners say at their end.

use std::ops::Add;

/// Lines of a runner's report that are kept; the whole of it stands in its output.
const REPORT_LINES: usize = 200;

/// How many tests passed and failed, and how they failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub passed: u64,
    pub failed: u64,
    /// The runner's report of the failed ones.
    pub report: Vec<String>,
    is_reporting: bool,
}

impl Count {
    /// One passed test.
    pub(super) fn one() -> Self {
        Self {
            passed: 1,
            ..Self::default()
        }
    }

    /// One check that failed, with its reason.
    pub(super) fn failure(reason: String) -> Self {
        Self {
            failed: 1,
            report: vec![reason],
            ..Self::default()
        }
    }

    /// Adds what a line of cargo's or Node's runner reports; other lines count nothing.
    pub(super) fn read(&mut self, line: &str) {
        self.keep_report(line);
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
        } else if let Some(passed) = line.strip_prefix("ℹ pass ") {
            self.passed += passed.parse().unwrap_or(0);
        } else if let Some(failed) = line.strip_prefix("ℹ fail ") {
            self.failed += failed.parse().unwrap_or(0);
        }
    }

    /// Cargo's report ends with the result, Node's with its output.
    fn keep_report(&mut self, line: &str) {
        match line {
            "failures:" | "✖ failing tests:" => self.is_reporting = true,
            _ if line.starts_with("test result: ") => self.is_reporting = false,
            _ => {}
        }
        if self.is_reporting && self.report.len() < REPORT_LINES {
            self.report.push(line.to_owned());
        }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.passed += other.passed;
        self.failed += other.failed;
        self.report.extend(other.report);
        self
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
        assert_eq!((count.passed, count.failed), (16, 3));
        assert!(count.report.is_empty());
    }

    #[test]
    fn reports_of_both_runners_are_kept() {
        let mut count = Count::default();
        for line in [
            "test a ... FAILED",
            "failures:",
            "---- a stdout ----",
            "test result: FAILED. 0 passed; 1 failed; 0 ignored",
            "     Running tests/b.rs",
            "ℹ fail 1",
            "✖ failing tests:",
            "✖ c (12ms)",
        ] {
            count.read(line);
        }
        assert_eq!(
            count.report,
            [
                "failures:",
                "---- a stdout ----",
                "✖ failing tests:",
                "✖ c (12ms)"
            ]
        );
        assert_eq!((count.passed, count.failed), (0, 2));
    }
}
