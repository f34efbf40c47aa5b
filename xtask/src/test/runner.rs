//! Runs the commands of one part, shows what they say and counts.

use std::process::Command;

use anyhow::{Result, bail};

use super::count::Count;
use crate::process::{shown, stream};
use crate::workspace::Workspace;

/// What one part runs its commands with.
pub(super) struct Runner<'a> {
    pub workspace: &'a Workspace,
    /// Before each line that a command says.
    pub prefix: String,
}

impl Runner<'_> {
    /// Runs a command that either passes or fails; it counts as one test.
    pub(super) fn check(&self, command: &mut Command) -> Result<Count> {
        if !stream(command, |text| self.echo(text))? {
            bail!("`{}` failed", shown(command));
        }
        Ok(Count::one())
    }

    /// Runs a test runner and counts its tests.
    pub(super) fn count(&self, runner: &mut Command) -> Result<Count> {
        let mut count = Count::default();
        let success = stream(runner, |text| {
            count.read(text);
            self.echo(text)
        })?;
        if !success && count.failed == 0 {
            bail!("the test runner failed");
        }
        if success && count.passed == 0 {
            bail!("the test runner ran no test");
        }
        Ok(count)
    }

    fn echo(&self, text: &str) -> Result<()> {
        println!("{}{text}", self.prefix);
        Ok(())
    }
}
