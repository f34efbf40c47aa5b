//! Origins of pages, as browsers name them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// Scheme, host and port of a page's address, such as `https://shop.example`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageOrigin(String);

/// What is wrong with an address whose origin is asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It is no address at all.
    #[error("no address like `https://shop.example`")]
    NoAddress,
    /// Browsers give its pages no origin of their own.
    #[error("not an address of the web: it begins with neither `https://` nor `http://`")]
    NotOfTheWeb,
}

impl FromStr for PageOrigin {
    type Err = OriginError;

    /// Takes the origin of any page's address.
    fn from_str(address: &str) -> Result<Self, OriginError> {
        let url = Url::parse(address.trim()).map_err(|_| OriginError::NoAddress)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(OriginError::NotOfTheWeb);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for PageOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_written_as_browsers_do() {
        for (address, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("https://Shop.Example/", "https://shop.example"),
            ("https://shop.example:443/a?b#c", "https://shop.example"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("https://müller.example", "https://xn--mller-kva.example"),
        ] {
            let read: PageOrigin = address.parse().unwrap();
            assert_eq!(read.to_string(), origin);
        }
    }

    #[test]
    fn what_is_no_address_of_a_page_is_refused() {
        for (address, error) in [
            ("shop.example", OriginError::NoAddress),
            ("", OriginError::NoAddress),
            ("https://", OriginError::NoAddress),
            ("localhost:3000", OriginError::NotOfTheWeb),
            ("file:///shop.html", OriginError::NotOfTheWeb),
        ] {
            assert_eq!(address.parse::<PageOrigin>(), Err(error), "{address}");
        }
    }
}
