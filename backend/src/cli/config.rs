//! `shoptrail config`: the settings as they are in effect here, and where each comes from.

use std::io::{self, Write};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, ValueEnum};
use serde::Serialize;
use url::Url;

/// Stands for a secret.
const MASK: &str = "***";

/// How settings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ConfigFormat {
    /// For people
    Text,
    /// An array of objects
    Json,
}

/// One setting in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Setting {
    flag: String,
    variable: Option<String>,
    /// Without one, the setting is not made.
    value: Option<String>,
    from: SettingOrigin,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum SettingOrigin {
    Flag,
    Variable,
    Default,
    Unset,
}

/// Prints the settings that `matches` holds of `command`'s flags.
///
/// # Errors
/// Returns an error if `out` does not take them.
pub(super) fn write(
    format: ConfigFormat,
    command: &Command,
    matches: &ArgMatches,
    out: &mut impl Write,
) -> io::Result<()> {
    let settings: Vec<Setting> = command
        .get_arguments()
        .filter_map(|arg| setting(arg, matches))
        .collect();
    match format {
        ConfigFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&settings)?),
        ConfigFormat::Text => write_table(&settings, out),
    }
}

/// A flag with a variable is a setting; the others tell one command what to do.
fn setting(arg: &Arg, matches: &ArgMatches) -> Option<Setting> {
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    let id = arg.get_id().as_str();
    let values = matches.get_raw(id).into_iter().flatten();
    let value = values
        .map(|value| value.to_string_lossy())
        .collect::<Vec<_>>()
        .join(",");
    let from = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => SettingOrigin::Flag,
        Some(ValueSource::EnvVariable) => SettingOrigin::Variable,
        Some(_) => SettingOrigin::Default,
        None => SettingOrigin::Unset,
    };
    let is_set = from != SettingOrigin::Unset;
    Some(Setting {
        flag: format!("--{}", arg.get_long()?),
        variable: Some(variable),
        value: is_set.then(|| shown(arg, value)),
        from,
    })
}

/// The value without what nobody but its owner may see: the flags whose values help does not show, and passwords in URLs.
fn shown(arg: &Arg, value: String) -> String {
    if arg.is_hide_env_values_set() {
        return MASK.to_owned();
    }
    match Url::parse(&value) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some(MASK)) {
            Ok(()) => url.into(),
            Err(()) => MASK.to_owned(),
        },
        _ => value,
    }
}

fn write_table(settings: &[Setting], out: &mut impl Write) -> io::Result<()> {
    let rows = settings.iter().map(|setting| {
        let from = match setting.from {
            SettingOrigin::Flag => "flag".to_owned(),
            SettingOrigin::Variable => setting.variable.clone().unwrap_or_default(),
            SettingOrigin::Default => "default".to_owned(),
            SettingOrigin::Unset => "not set".to_owned(),
        };
        let value = setting.value.clone().unwrap_or_else(|| "-".to_owned());
        [setting.flag.clone(), value, from]
    });
    let head = ["setting", "value", "from"].map(str::to_owned);
    let rows: Vec<[String; 3]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    for [setting, value, from] in &rows {
        writeln!(out, "{setting:<first$}  {value:<second$}  {from}")?;
    }
    Ok(())
}
