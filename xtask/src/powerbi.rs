//! `cargo xtask powerbi`: writes what the Power BI project takes from the gold tables' definitions, or checks that it is fresh.
//!
//! Generated are one model table per gold table, the currencies, the parameters, the functions that read tables and the model's list of tables. Everything
//! else under `powerbi/` (measures, relationships, the calendar, the report) is written by hand and never touched.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use shoptrail_local::progress::{line, step};
use shoptrail_local::warehouse_address::{project_id, table_name};

use crate::workspace::Workspace;

mod currency;
mod definition;
mod model;
mod name;
mod settings;
mod source;

use definition::GoldTable;
use settings::{ModelSettings, StorageMode};
use source::SourceKind;

/// The TMDL definition of the semantic model.
const DEFINITION: &str = "powerbi/Shoptrail.SemanticModel/definition";

/// Options of `cargo xtask powerbi`. Parameters, sources and mode keep their values unless given.
#[derive(Args, Default)]
pub struct PowerbiArgs {
    /// Writes nothing and fails when a file is stale
    #[arg(long)]
    check: bool,
    /// Google Cloud project that holds the gold tables
    #[arg(long, value_name = "PROJECT", value_parser = project_id)]
    project: Option<String>,
    /// Dataset of the gold tables
    #[arg(long, value_name = "DATASET", value_parser = table_name)]
    gold: Option<String>,
    /// Google Cloud project that pays for the queries
    #[arg(long, value_name = "PROJECT", value_parser = project_id)]
    billing: Option<String>,
    /// Folder of the lake, or its address in Azure storage
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    lake: Option<String>,
    /// Where the gold tables are read from; of several the parameter `Source` chooses, at first the first
    #[arg(long, value_enum, value_delimiter = ',')]
    source: Vec<SourceKind>,
    /// Where figures are computed: from an imported copy, or by the source at every look
    #[arg(long, value_enum)]
    mode: Option<StorageMode>,
}

/// Writes the generated files, or compares them with `--check`.
///
/// # Errors
/// Returns an error if the backend cannot be built, a file cannot be written, or with `--check` when one is stale.
pub fn run(workspace: &Workspace, args: &PowerbiArgs) -> Result<()> {
    let files = generate(workspace, args)?;
    if args.check {
        return compare(&files, &leftovers(workspace, &files)?);
    }
    for (path, text) in &files {
        fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    for path in leftovers(workspace, &files)? {
        fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    }
    line(&format!("{} files in `{DEFINITION}`", files.len()));
    Ok(())
}

/// Fails when a generated file is not what the generator writes now.
///
/// # Errors
/// As [`run`].
pub fn check(workspace: &Workspace) -> Result<()> {
    run(
        workspace,
        &PowerbiArgs {
            check: true,
            ..PowerbiArgs::default()
        },
    )
}

/// Path and text of every generated file.
fn generate(workspace: &Workspace, args: &PowerbiArgs) -> Result<Vec<(PathBuf, String)>> {
    let tables = step("table definitions", || read_tables(workspace))?;
    let folder = workspace.path(DEFINITION);
    let settings = ModelSettings::read(&folder)?.with(args)?;
    let mut files = vec![
        (folder.join("expressions.tmdl"), settings.expressions()),
        (folder.join("model.tmdl"), model::list(&tables)),
        (folder.join("tables/Currency.tmdl"), currency::table()),
    ];
    for table in &tables {
        let path = folder.join(format!("tables/{}.tmdl", table.title()));
        files.push((path, model::table(table, settings.mode)));
    }
    Ok(files)
}

/// A folder as text in M, which a quotation mark would end and `#(` would begin an escape in.
fn folder(text: &str) -> Result<String, &'static str> {
    if text.contains('"') || text.contains("#(") {
        return Err("a folder has no `\"` and no `#(`");
    }
    Ok(text.to_owned())
}

/// The gold tables as the backend defines them.
fn read_tables(workspace: &Workspace) -> Result<Vec<GoldTable>> {
    crate::demo::build_backend(workspace)?;
    let output = workspace
        .shoptrail()
        .args(["tables", "--format", "json"])
        .output()
        .context("cannot start `shoptrail tables`")?;
    if !output.status.success() {
        bail!(
            "`shoptrail tables` failed\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    definition::gold(&output.stdout)
}

/// Files an earlier run generated for tables that are gone.
fn leftovers(workspace: &Workspace, files: &[(PathBuf, String)]) -> Result<Vec<PathBuf>> {
    let folder = workspace.path(DEFINITION).join("tables");
    let mut left = Vec::new();
    for entry in
        fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?
    {
        let path = entry?.path();
        let is_listed = files.iter().any(|(listed, _)| *listed == path);
        if !is_listed && fs::read_to_string(&path)?.contains(model::GENERATED) {
            left.push(path);
        }
    }
    Ok(left)
}

fn compare(files: &[(PathBuf, String)], leftovers: &[PathBuf]) -> Result<()> {
    let is_stale =
        |(path, text): &&(PathBuf, String)| fs::read_to_string(path).ok().as_ref() != Some(text);
    let stale = files
        .iter()
        .filter(is_stale)
        .map(|(path, _)| path)
        .chain(leftovers);
    let stale: Vec<String> = stale.map(|path| format!("`{}`", path.display())).collect();
    if !stale.is_empty() {
        bail!("stale: {}\nhint: cargo xtask powerbi", stale.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_left_over_file_is_named() {
        let file = std::env::temp_dir().join(format!("shoptrail-powerbi-{}", std::process::id()));
        fs::write(&file, "old").unwrap();
        assert!(compare(&[(file.clone(), "old".into())], &[]).is_ok());
        let changed = compare(&[(file.clone(), "new".into())], &[])
            .unwrap_err()
            .to_string();
        let left = compare(&[], std::slice::from_ref(&file))
            .unwrap_err()
            .to_string();
        fs::remove_file(&file).unwrap();
        assert!(
            changed.starts_with("stale: ") && changed.contains(file.to_str().unwrap()),
            "{changed}"
        );
        assert_eq!(changed, left);
    }
}
