//! Admission: what may come in, before anything is read closely. First the size, then the write key, then the origin.

use crate::config::ShopConfig;

/// Why a request is turned away before its events are looked at. None of it is kept: strangers cannot fill the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The body has more than [`crate::body::MAX_BODY_BYTES`].
    TooLarge,
    /// The body did not come within [`crate::body::PATIENCE`].
    TooSlow,
    /// The body begins as gzip and cannot be unpacked.
    BrokenGzip,
    /// No shop has this write key.
    UnknownWriteKey,
    /// The shop does not list the page's origin.
    OriginNotAllowed,
    /// There were too many requests under this write key.
    KeyRateLimited,
    /// There were too many requests from this visitor's address.
    VisitorRateLimited,
}

/// Finds the shop of a write key and checks that the page may use it. Browsers name the origin of every `POST`, so other
/// sites cannot borrow a key. A page in an opaque origin sends `null`, a program nothing: both only where the key allows it.
///
/// # Errors
/// Returns [`Refusal::UnknownWriteKey`] or [`Refusal::OriginNotAllowed`].
pub fn shop<'a>(
    shops: &'a [ShopConfig],
    write_key: &str,
    origin: Option<&str>,
) -> Result<&'a ShopConfig, Refusal> {
    let shop = shops
        .iter()
        .find(|shop| shop.write_key == write_key)
        .ok_or(Refusal::UnknownWriteKey)?;
    let is_allowed = match origin {
        None => shop.allow_missing_origin,
        Some("null") => shop.allow_null_origin,
        Some(origin) => shop.origins.iter().any(|allowed| allowed == origin),
    };
    if is_allowed {
        Ok(shop)
    } else {
        Err(Refusal::OriginNotAllowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shops;

    fn shops() -> Vec<ShopConfig> {
        let json = r#"[
            {"write_key":"pk_a","shop_id":"a","origins":["https://a.example"]},
            {"write_key":"pk_pixel","shop_id":"a","origins":[],"allow_null_origin":true},
            {"write_key":"pk_server","shop_id":"a","origins":[],"allow_missing_origin":true}
        ]"#;
        shops::read(json).unwrap().0
    }

    fn is_admitted(write_key: &str, origin: Option<&str>) -> Result<(), Refusal> {
        shop(&shops(), write_key, origin).map(|_| ())
    }

    #[test]
    fn key_is_good_on_its_own_origins_only() {
        assert_eq!(is_admitted("pk_a", Some("https://a.example")), Ok(()));
        for origin in [
            Some("https://b.example"),
            Some("https://a.example.evil.example"),
            Some("http://a.example"),
            Some("null"),
            Some(""),
            None,
        ] {
            assert_eq!(is_admitted("pk_a", origin), Err(Refusal::OriginNotAllowed));
        }
        assert_eq!(is_admitted("pk_", None), Err(Refusal::UnknownWriteKey));
    }

    #[test]
    fn opaque_origin_and_none_at_all_are_admitted_where_the_key_says_so() {
        assert_eq!(is_admitted("pk_pixel", Some("null")), Ok(()));
        assert_eq!(
            is_admitted("pk_pixel", None),
            Err(Refusal::OriginNotAllowed)
        );
        assert_eq!(is_admitted("pk_server", None), Ok(()));
        assert_eq!(
            is_admitted("pk_server", Some("null")),
            Err(Refusal::OriginNotAllowed)
        );
    }
}
