//! `shoptrail man`: manual pages, made from the flags themselves.

use std::io::Write;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;

/// Prints the page of `command`, or of one of its commands.
///
/// # Errors
/// Returns an error if there is no such command, or `out` does not take the page.
pub(super) fn write(
    mut command: Command,
    name: Option<&str>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    command.build();
    let page = match name {
        Some(name) => command.find_subcommand(name).cloned().with_context(|| {
            format!("there is no command `{name}`\nhint: `shoptrail --help` lists them")
        })?,
        None => command,
    };
    let version = concat!("shoptrail ", env!("CARGO_PKG_VERSION"));
    Ok(Man::new(page)
        .source(version)
        .manual("Shoptrail")
        .render(out)?)
}
