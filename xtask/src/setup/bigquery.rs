//! local-bigquery, a server with BigQuery's API for tests and the demo, and the libraries that tests read a lake with: a
//! Python environment of their own.
//!
//! The server's engine, DuckDB, would download its extensions; here they come as packages and are put where it looks,
//! below a home folder that the server alone uses.

use std::ffi::OsStr;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::is_fresh;
use super::machine::install_debian;
use crate::process::answer;
use crate::workspace::Workspace;

/// In the order of preference; the last may be any version.
const NAMES: [&str; 3] = ["python3.14", "python3.13", "python3"];

/// Versions 3.x: local-bigquery needs the first, the pinned DuckDB has packages up to the last.
const MINOR_VERSIONS: RangeInclusive<u32> = 13..=14;

/// Debian packs the modules that make environments apart.
const ASK_VERSION: &str = "import ensurepip, sys, venv; print(sys.version)";

/// One line each: where the packages are, DuckDB's version, and its name for this kind of machine.
const ASK_DUCKDB: &str = "import duckdb, sysconfig
print(sysconfig.get_path('purelib'), duckdb.__version__, duckdb.sql('PRAGMA platform').fetchone()[0], sep='\\n')";

/// Makes the environment below `target/tools/local-bigquery`, unless it came from these very requirements.
///
/// # Errors
/// A sentence when there is no Python that fits; that of pip.
pub fn install(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.path("tests/bigquery/requirements.txt");
    let folder = folder(workspace);
    let stamp = folder.join("requirements.txt");
    // The environment leans on the Python it was made with, and that may be gone.
    if is_fresh(&requirements, &stamp) && python(workspace).is_file() {
        return Ok(());
    }
    let base = find_or_install_python(workspace)?;
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    workspace.run(
        "venv",
        workspace
            .command(base)
            .args(["-m", "venv"])
            .arg(folder.join("venv")),
    )?;
    let mut pip = workspace.command(python(workspace));
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ])
    .arg(&requirements);
    workspace.run("pip", &mut pip)?;
    copy_extensions(workspace)?;
    fs::copy(&requirements, &stamp)
        .with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(())
}

/// The command that serves the tables below `data` on two ports of this machine.
pub fn server(workspace: &Workspace, rest_port: u16, grpc_port: u16, data: &Path) -> Command {
    let mut server = workspace.command(python(workspace));
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

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.tools().join("local-bigquery")
}

/// The environment's own.
fn python(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("venv/bin/python")
}

fn find_or_install_python(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(found) = find_python() {
        return Ok(found);
    }
    // Debian's own may be old; what counts is what is there afterwards.
    let _ = install_debian(workspace, &["python3", "python3-venv"]);
    match find_python() {
        Some(installed) => Ok(installed),
        None => bail!(
            "local-bigquery needs Python 3.13 or 3.14 with its `venv` module: install it from https://www.python.org, \
             or with `pyenv install 3.13`"
        ),
    }
}

fn find_python() -> Option<PathBuf> {
    let candidates = pythons_on_path().into_iter().chain(pythons_of_pyenv());
    // One that is found may still not run: pyenv puts a script of that name in the way of versions that are not chosen.
    candidates.into_iter().find(|python| {
        let version = answer(Command::new(python).args(["-c", ASK_VERSION]));
        version.is_some_and(|version| is_supported(&version))
    })
}

fn pythons_on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let files = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    files.filter(|file| file.is_file()).collect()
}

fn pythons_of_pyenv() -> Vec<PathBuf> {
    let named = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let Some(pyenv) = named.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv"))) else {
        return Vec::new();
    };
    let versions = fs::read_dir(pyenv.join("versions"))
        .into_iter()
        .flatten()
        .flatten();
    let supported =
        versions.filter(|version| version.file_name().to_str().is_some_and(is_supported));
    let mut pythons: Vec<PathBuf> = supported
        .map(|version| version.path().join("bin/python3"))
        .collect();
    pythons.sort();
    pythons
}

/// Whether the pinned packages run on a version, as Python or pyenv write it: `3.13.0`, `3.14.2 (main, …`.
fn is_supported(version: &str) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let (major, minor) = (
        numbers.next(),
        numbers.next().and_then(|minor| minor.parse().ok()),
    );
    major == Some("3") && minor.is_some_and(|minor| MINOR_VERSIONS.contains(&minor))
}

/// Copies DuckDB's extensions from their packages to where DuckDB looks for them.
fn copy_extensions(workspace: &Workspace) -> Result<()> {
    let said = answer(Command::new(python(workspace)).args(["-c", ASK_DUCKDB]))
        .context("the installed DuckDB does not run")?;
    let &[packages, version, platform] = said.lines().collect::<Vec<_>>().as_slice() else {
        bail!("the installed DuckDB does not say what it is: {said}");
    };
    let version = format!("v{version}");
    let target = folder(workspace)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_taken_where_the_pinned_packages_run() {
        assert!(is_supported(
            "3.13.0 (main, Oct 16 2024, 03:23:02) [GCC 12.2.0]\n"
        ));
        assert!(is_supported("3.14.2"));
        assert!(!is_supported("3.12.9"));
        assert!(!is_supported("3.15.0"));
        assert!(!is_supported("3.1.3"));
        assert!(!is_supported("2.13.1"));
        assert!(!is_supported("pypy3.13-7.3"));
    }
}
