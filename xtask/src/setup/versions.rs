//! The versions in `.tool-versions`, the one place that names them: for version managers, for the workflow file and here.
//!
//! What it names is what the tests run on. A machine may have newer ones: Node.js and Java count by their first number, Maven
//! and Python by their first two.

/// Read when xtask is built, so that it cannot be missing.
const TOOL_VERSIONS: &str = include_str!("../../../.tool-versions");

/// The oldest version that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub major: u32,
    pub minor: u32,
}

/// The version of `tool` in `.tool-versions`, or `None` when it is not named there.
pub(super) fn of(tool: &str) -> Option<Version> {
    let lines = TOOL_VERSIONS.lines();
    lines
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| *name == tool)
        .and_then(|(_, version)| read(version))
}

/// The first two numbers of a program's answer: `v20.20.2`, `openjdk version "17.0.15"`, `temurin-17.0.15+6`. A missing second
/// number is 0.
pub(super) fn read(answer: &str) -> Option<Version> {
    // Maven's begins with a colour, terminal or not: `ESC[1m`.
    let is_colour = |start: usize| answer.get(..start).is_some_and(|left| left.ends_with('['));
    let (start, _) = answer
        .match_indices(|c: char| c.is_ascii_digit())
        .find(|(start, _)| !is_colour(*start))?;
    let mut numbers = answer.get(start..)?.split('.').map(first_number);
    Some(Version {
        major: numbers.next()??,
        minor: numbers.next().flatten().unwrap_or(0),
    })
}

fn first_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.get(..end.unwrap_or(text.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32) -> Option<Version> {
        Some(Version { major, minor })
    }

    #[test]
    fn version_is_read_from_the_programs_own_words() {
        assert_eq!(read("v20.20.2\n"), version(20, 20));
        assert_eq!(
            read("openjdk version \"17.0.15\" 2025-04-15"),
            version(17, 0)
        );
        assert_eq!(read("openjdk version \"21\" 2023-09-19"), version(21, 0));
        assert_eq!(read("\u{1b}[1mApache Maven 3.8.7\u{1b}[m"), version(3, 8));
        assert_eq!(read("temurin-17.0.15+6"), version(17, 0));
        assert_eq!(read("none"), None);
    }

    #[test]
    fn every_tool_that_set_up_looks_for_has_a_version() {
        for tool in ["nodejs", "java", "maven", "python"] {
            assert!(of(tool).is_some(), "{tool}");
        }
    }
}
