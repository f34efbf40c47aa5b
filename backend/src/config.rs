//! Settings of the backend, one struct per concern.

use clap::Args;
use polars::prelude::{PlSmallStr, TimeZone};

/// How a shop reports.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reporting")]
pub struct Reporting {
    /// Time zone in which days begin and end, an IANA name such as Europe/Berlin
    #[arg(long, env = "SHOPTRAIL_TIME_ZONE", default_value = "UTC", value_parser = time_zone)]
    pub time_zone: TimeZone,
    /// Currency of sessions without an amount, an ISO 4217 code
    #[arg(long, env = "SHOPTRAIL_CURRENCY", default_value = "EUR", value_parser = currency)]
    pub currency: String,
}

impl Default for Reporting {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            currency: "EUR".to_owned(),
        }
    }
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    let unknown =
        || format!("`{name}` is not an IANA time zone\nhint: for example `Europe/Berlin`");
    TimeZone::opt_try_new(Some(PlSmallStr::from(name)))
        .map_err(|_| unknown())?
        .ok_or_else(unknown)
}

fn currency(code: &str) -> Result<String, String> {
    match shoptrail_schemas::money::digits(code) {
        Some(_) => Ok(code.to_owned()),
        None => Err(format!(
            "`{code}` is not an ISO 4217 currency code in upper case\nhint: for example `EUR`"
        )),
    }
}
