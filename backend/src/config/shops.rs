//! Shops that report otherwise than the others: days of another time zone, another currency.

use std::collections::BTreeMap;
use std::fmt;

use polars::prelude::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reporting;

/// How single shops report, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopReporting(BTreeMap<String, Own>);

/// What a shop has of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Own {
    time_zone: Option<TimeZone>,
    currency: Option<String>,
}

/// The same as it stands in the setting.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    time_zone: Option<String>,
    currency: Option<String>,
}

impl ShopReporting {
    /// Reads the setting: a JSON object of shop ids and what each has of its own.
    ///
    /// # Errors
    /// Returns a sentence that names what is wrong, and with which shop.
    pub fn read(json: &str) -> Result<Self, String> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        let hint = r#"hint: for example `{"my-shop":{"time_zone":"Asia/Tokyo","currency":"JPY"}}`"#;
        let given: BTreeMap<String, &RawValue> = serde_json::from_str(json)
            .map_err(|error| format!("not a JSON object of shops: {error}\n{hint}"))?;
        let own = given.into_iter().map(|(shop_id, given)| {
            let own = own(&shop_id, given.get())?;
            Ok((shop_id, own))
        });
        Ok(Self(own.collect::<Result<_, String>>()?))
    }
}

fn own(shop_id: &str, given: &str) -> Result<Own, String> {
    if shop_id.is_empty() || shop_id.trim() != shop_id || shop_id.contains(char::is_control) {
        return Err(format!(
            "`{shop_id}` is no shop id\nhint: it stands here as in `SHOPTRAIL_SHOPS`, without spaces around it"
        ));
    }
    let of_shop = |problem: String| format!("shop `{shop_id}`: {problem}");
    let given: Given = serde_json::from_str(given).map_err(|error| {
        of_shop(format!(
            "it has `time_zone`, `currency` or both, each a text: {error}"
        ))
    })?;
    let time_zone = given.time_zone.as_deref().map(super::time_zone);
    let currency = given.currency.as_deref().map(super::currency);
    Ok(Own {
        time_zone: time_zone.transpose().map_err(of_shop)?,
        currency: currency.transpose().map_err(of_shop)?,
    })
}

impl fmt::Display for ShopReporting {
    /// Writes it as [`ShopReporting::read`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shops = self.0.iter().map(|(shop_id, own)| {
            let time_zone = own.time_zone.as_ref().map(|zone| zone.as_str());
            let own = serde_json::json!({"time_zone": time_zone, "currency": own.currency});
            (shop_id.clone(), own)
        });
        serde_json::Value::Object(shops.collect()).fmt(formatter)
    }
}

impl Reporting {
    /// The time zone of a shop.
    pub fn time_zone_of(&self, shop_id: &str) -> &TimeZone {
        let own = self.shops.0.get(shop_id);
        own.and_then(|own| own.time_zone.as_ref())
            .unwrap_or(&self.time_zone)
    }

    /// The currency of a shop's sessions without an amount.
    pub fn currency_of(&self, shop_id: &str) -> &str {
        let own = self.shops.0.get(shop_id);
        own.and_then(|own| own.currency.as_deref())
            .unwrap_or(&self.currency)
    }

    /// The shops that report otherwise than the others.
    pub fn other_shops(&self) -> impl Iterator<Item = &str> {
        let shops = self.shops.0.keys().map(String::as_str);
        shops.filter(move |shop_id| {
            *self.time_zone_of(shop_id) != self.time_zone
                || self.currency_of(shop_id) != self.currency
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOPS: &str = r#"{"north":{"time_zone":"America/New_York","currency":"USD"},
        "south":{"currency":"JPY"},"west":{"time_zone":"UTC"},"east":{}}"#;

    #[test]
    fn shop_has_its_own_setting_and_else_that_of_all() {
        for text in [SHOPS, &ShopReporting::read(SHOPS).unwrap().to_string()] {
            let reporting = Reporting {
                shops: ShopReporting::read(text).unwrap(),
                ..Reporting::default()
            };
            let of = |shop_id| {
                (
                    reporting.time_zone_of(shop_id).as_str(),
                    reporting.currency_of(shop_id),
                )
            };
            assert_eq!(of("north"), ("America/New_York", "USD"));
            assert_eq!(of("south"), ("UTC", "JPY"));
            assert_eq!(of("nobody"), ("UTC", "EUR"));
            let others: Vec<&str> = reporting.other_shops().collect();
            assert_eq!(others, ["north", "south"]);
        }
        assert_eq!(ShopReporting::read(""), Ok(ShopReporting::default()));
        assert_eq!(ShopReporting::default().to_string(), "{}");
    }

    #[test]
    fn fault_is_told_with_the_shop() {
        for (json, expected) in [
            ("north=UTC", "not a JSON object of shops: "),
            (
                r#"{"north":{"time_zone":"Mars/Phobos"}}"#,
                "shop `north`: `Mars/Phobos` is not an IANA time zone",
            ),
            (
                r#"{"north":{"currency":"usd"}}"#,
                "shop `north`: `usd` is not an ISO 4217 currency code",
            ),
            (
                r#"{"north":{"zone":"UTC"}}"#,
                "shop `north`: it has `time_zone`, `currency` or both, each a text: unknown field `zone`",
            ),
            (r#"{"north":"UTC"}"#, "shop `north`: it has `time_zone`"),
            (r#"{" north":{}}"#, "` north` is no shop id"),
            (r#"{"":{}}"#, "`` is no shop id"),
        ] {
            let problem = ShopReporting::read(json).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }
}
