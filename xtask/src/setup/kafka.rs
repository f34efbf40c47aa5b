//! The local broker: Apache Kafka's jars, as `local/kafka/pom.xml` names them.

use anyhow::{Context, Result};

use super::is_fresh;
use crate::workspace::Workspace;

/// Fetches the jars into `target/tools/kafka/lib`, unless they came from this very pom.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let pom = workspace.path("local/kafka/pom.xml");
    let folder = workspace.tools().join("kafka");
    let stamp = folder.join("pom.xml");
    if is_fresh(&pom, &stamp) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    let mut maven = workspace.command("mvn");
    maven
        .args(["-q", "-B", "-f"])
        .arg(&pom)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!(
        "-DoutputDirectory={}",
        folder.join("lib").display()
    ));
    workspace.run("maven", &mut maven)?;
    std::fs::copy(&pom, &stamp).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(())
}
