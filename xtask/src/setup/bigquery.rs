//! local-bigquery, a server with BigQuery's API for tests and the demo, and the libraries that tests read a lake with: a
//! Python environment of their own.
//!
//! The server's engine, DuckDB, would download its extensions; here they come as packages and are put where it looks,
//! below a home folder that the server alone uses.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::python::Environment;
use crate::process::answer;
use crate::workspace::Workspace;

/// One line each: where the packages are, DuckDB's version, and its name for this kind of machine.
const ASK_DUCKDB: &str = "import duckdb, sysconfig
print(sysconfig.get_path('purelib'), duckdb.__version__, duckdb.sql('PRAGMA platform').fetchone()[0], sep='\\n')";

/// Makes the environment below `target/tools/local-bigquery`, unless it came from these very requirements.
///
/// # Errors
/// Returns an error if there is no Python that fits, or pip fails.
pub fn install(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.path("tests/bigquery/requirements.txt");
    let environment = environment(workspace);
    environment.install(workspace, &requirements, || copy_extensions(&environment))
}

/// The command that serves the tables below `data` on two ports of this machine.
pub fn server(workspace: &Workspace, rest_port: u16, grpc_port: u16, data: &Path) -> Command {
    let mut server = workspace.command(environment(workspace).program("python"));
    server
        .arg("tests/bigquery/serve.py")
        .arg("--data-dir")
        .arg(data);
    server.args([
        "--port",
        &rest_port.to_string(),
        "--grpc-port",
        &grpc_port.to_string(),
    ]);
    server
}

fn environment(workspace: &Workspace) -> Environment {
    Environment::named(workspace, "local-bigquery")
}

/// Copies DuckDB's extensions from their packages to where DuckDB looks for them.
fn copy_extensions(environment: &Environment) -> Result<()> {
    let said = answer(Command::new(environment.program("python")).args(["-c", ASK_DUCKDB]))
        .context("the installed DuckDB does not run")?;
    let &[packages, version, platform] = said.lines().collect::<Vec<_>>().as_slice() else {
        bail!("the installed DuckDB does not say what it is: {said}");
    };
    let version = format!("v{version}");
    let target = environment
        .folder()
        .join("home/.duckdb/extensions")
        .join(&version)
        .join(platform);
    fs::create_dir_all(&target).with_context(|| format!("cannot create `{}`", target.display()))?;
    for extension in extensions(Path::new(packages), &version)? {
        let name = extension.file_name().unwrap_or_default();
        fs::copy(&extension, target.join(name))
            .with_context(|| format!("cannot copy `{}`", extension.display()))?;
    }
    Ok(())
}

/// The extensions for a version of DuckDB: `PACKAGES/duckdb_extension_NAME/extensions/VERSION/NAME.duckdb_extension`.
fn extensions(packages: &Path, version: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for package in
        fs::read_dir(packages).with_context(|| format!("cannot read `{}`", packages.display()))?
    {
        let folder = package?.path().join("extensions").join(version);
        let files = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|file| file.path());
        found.extend(files.filter(|file| file.extension() == Some(OsStr::new("duckdb_extension"))));
    }
    if found.is_empty() {
        bail!(
            "`{}` has no extensions for DuckDB {version}",
            packages.display()
        );
    }
    Ok(found)
}
