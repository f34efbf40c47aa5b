//! Placeholder: the worker's author writes this file.

use std::path::Path;

/// Builds the worker.
pub fn build(_root: &Path, _tools: &Path) -> anyhow::Result<()> {
    anyhow::bail!("the worker cannot be built yet")
}
