//! The local broker: Apache Kafka's jars, as `local/kafka/pom.xml` names them.

use std::path::Path;

use anyhow::{Context, Result};

use super::is_fresh;
use crate::process::{command, run};

/// Fetches the jars into `TOOLS/kafka/lib`, unless they came from this very pom.
pub(super) fn install(root: &Path, tools: &Path) -> Result<()> {
    let pom = root.join("local/kafka/pom.xml");
    let folder = tools.join("kafka");
    let stamp = folder.join("pom.xml");
    if is_fresh(&pom, &stamp) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    let mut maven = command(root, "mvn");
    maven
        .args(["-q", "-B", "-f"])
        .arg(&pom)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!(
        "-DoutputDirectory={}",
        folder.join("lib").display()
    ));
    run(root, "maven", &mut maven)?;
    std::fs::copy(&pom, &stamp).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(())
}
