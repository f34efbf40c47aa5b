//! Settings of the backend, one struct per concern.

mod shops;

use std::sync::Arc;

use clap::Args;
use polars::prelude::{PlSmallStr, TimeZone};
use shoptrail_edge::config::ConfigError;

pub use self::shops::ShopReporting;
use crate::judging::{Judging, JudgingArgs};

/// How shops report.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reporting")]
pub struct Reporting {
    /// Time zone in which days begin and end, an IANA name such as Europe/Berlin
    #[arg(long, env = "SHOPTRAIL_TIME_ZONE", default_value = "UTC", value_parser = time_zone)]
    pub time_zone: TimeZone,
    /// Currency of sessions without an amount, an ISO 4217 code
    #[arg(long, env = "SHOPTRAIL_CURRENCY", default_value = "EUR", value_parser = currency)]
    pub currency: String,
    /// Shops with a time zone or a currency of their own, such as {"my-shop":{"time_zone":"Asia/Tokyo","currency":"JPY"}}
    #[arg(
        long = "shop-reporting",
        value_name = "JSON",
        env = "SHOPTRAIL_SHOP_REPORTING",
        default_value = "{}",
        value_parser = ShopReporting::read
    )]
    pub shops: ShopReporting,
    /// How records are judged that the edge has not judged
    #[arg(skip)]
    pub judging: Arc<Judging>,
}

impl Reporting {
    /// Returns the same with settings that events are judged by.
    ///
    /// # Errors
    /// Returns an error if one of them has a fault.
    pub fn with(&self, judging: &JudgingArgs) -> Result<Self, ConfigError> {
        Ok(Self {
            judging: Arc::new(judging.read()?),
            ..self.clone()
        })
    }
}

impl Default for Reporting {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            currency: "EUR".to_owned(),
            shops: ShopReporting::default(),
            judging: Arc::default(),
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
