//! `shoptrail simulate --out`: a world written into files, with the truth about it.
//!
//! Follow a household: [`people`] says who they are and when they come, [`journey`] what they do in the [`market`], and
//! [`sending`] what becomes of it on its way. That is the [`plan`]. [`records`] writes it as the records that Kafka would have,
//! and [`truth`] counts from it what every table must say: neither knows the other, and neither knows the pipeline.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

mod calendar;
mod csv;
mod journey;
mod market;
mod people;
mod plan;
mod records;
mod sending;
mod truth;

use records::Records;
use truth::{Told, Truth};

/// How many households may wait to be counted.
const HOUSEHOLDS_AHEAD: usize = 256;

/// What was written, printed as one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// The seed that makes the same world again.
    pub seed: u64,
    /// Events and their repetitions in the files.
    pub records: u64,
    /// Files that they are in.
    pub files: usize,
    /// What the truth has.
    #[serde(flatten)]
    pub told: Told,
    /// How long it took.
    pub seconds: f64,
}

/// Writes a world of so many records at least into a folder that is empty or not there yet.
///
/// # Errors
/// Returns an error if there is something in the folder, if it cannot be written to, or if the work was stopped.
pub fn write(out: &Path, records: u64, seed: u64, stop: &CancellationToken) -> Result<Written> {
    let began = Instant::now();
    make_empty(out)?;
    fs::write(out.join("shop-reporting.json"), shop_reporting())
        .with_context(|| format!("cannot write to `{}`", out.display()))?;
    let mut files = Records::create(out.join("records"))?;
    let mut truth = Truth::create(out.join("truth"))?;
    // Both take as long; the truth is counted on a thread of its own.
    let (households, to_count) = mpsc::sync_channel(HOUSEHOLDS_AHEAD);
    let counted = thread::scope(|scope| {
        let counting = scope.spawn(move || {
            for household in to_count {
                truth.count(&household)?;
            }
            truth.finish()
        });
        for number in 0.. {
            if files.written >= records || stop.is_cancelled() {
                break;
            }
            let household = people::household(seed, number);
            files.write(&household)?;
            // Nobody takes it if the truth cannot be written, which is told below.
            if households.send(household).is_err() {
                break;
            }
        }
        drop(households);
        counting
            .join()
            .unwrap_or_else(|_| bail!("the truth was not counted"))
    });
    let told = counted?;
    if stop.is_cancelled() {
        bail!("stopped: what is in `{}` is not whole", out.display());
    }
    Ok(Written {
        seed,
        records: files.written,
        files: files.finish()?,
        told,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// The setting under which the truth holds, as `--shop-reporting` and [`write()`]'s file have it.
#[must_use]
pub fn shop_reporting() -> String {
    let shops = market::SHOPS.iter().map(|shop| {
        let own = serde_json::json!({
            "time_zone": shop.zone,
            "currency": shop.reporting_currency(),
        });
        (shop.id.to_owned(), own)
    });
    serde_json::Value::Object(shops.collect()).to_string()
}

/// The files with records in a folder that [`write()`] filled, in the order of receipt.
///
/// # Errors
/// Returns an error if the folder cannot be read.
pub fn record_files(out: &Path) -> Result<Vec<PathBuf>> {
    let folder = out.join("records");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

fn make_empty(out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot create `{}`", out.display()))?;
    let mut entries =
        fs::read_dir(out).with_context(|| format!("cannot read `{}`", out.display()))?;
    if entries.next().is_some() {
        bail!(
            "`{}` is not empty\nhint: name a new folder with `--out`, so that no two worlds mix",
            out.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
