//! Admission: what may come in, before anything is read closely. First the size, then the write key, then the origin.

use crate::config::Shop;

/// Most bytes of one batch. A batch that waited offline has up to 100 events; ten kilobytes for each are plenty, and the
/// memory of a WASM instance never shrinks again.
pub const MAX_BODY_BYTES: usize = 512 * 1024;

/// Why a request is turned away before its events are looked at. None of it is kept: strangers cannot fill the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The body has more than [`MAX_BODY_BYTES`].
    TooLarge,
    /// No shop has this write key.
    UnknownWriteKey,
    /// The shop does not list the page's origin.
    OriginNotAllowed,
}

/// Judges the body by the length that the client announces, if it does.
///
/// # Errors
/// [`Refusal::TooLarge`].
pub fn announced_length(content_length: Option<&str>) -> Result<(), Refusal> {
    let length = content_length.and_then(|text| text.trim().parse::<u64>().ok());
    match length {
        Some(length) if length > MAX_BODY_BYTES as u64 => Err(Refusal::TooLarge),
        _ => Ok(()),
    }
}

/// Adds a chunk to the body, as long as it is small enough.
///
/// # Errors
/// [`Refusal::TooLarge`].
pub fn extend(body: &mut Vec<u8>, chunk: &[u8]) -> Result<(), Refusal> {
    if body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
        return Err(Refusal::TooLarge);
    }
    body.extend_from_slice(chunk);
    Ok(())
}

/// Finds the shop of a write key and checks that the page may use it. Browsers name the origin of every `POST`, so other
/// sites cannot borrow a key; a program that is no browser names none, and could name any.
///
/// # Errors
/// [`Refusal::UnknownWriteKey`], [`Refusal::OriginNotAllowed`].
pub fn shop<'a>(
    shops: &'a [Shop],
    write_key: &str,
    origin: Option<&str>,
) -> Result<&'a Shop, Refusal> {
    let shop = shops
        .iter()
        .find(|shop| shop.write_key == write_key)
        .ok_or(Refusal::UnknownWriteKey)?;
    match origin {
        Some(origin) if !shop.origins.iter().any(|allowed| allowed == origin) => {
            Err(Refusal::OriginNotAllowed)
        }
        _ => Ok(shop),
    }
}

/// Returns the origin if it is one of any shop's: its pages may read the reply. Replies to a preflight and to a bad body
/// have no write key to go by.
#[must_use]
pub fn known_origin(shops: &[Shop], origin: Option<String>) -> Option<String> {
    origin.filter(|origin| shops.iter().any(|shop| shop.origins.contains(origin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shops() -> Vec<Shop> {
        [("pk_a", "https://a.example"), ("pk_b", "https://b.example")]
            .map(|(key, origin)| Shop {
                write_key: key.to_owned(),
                shop_id: key.to_owned(),
                origins: vec![origin.to_owned()],
            })
            .to_vec()
    }

    #[test]
    fn key_is_good_on_its_own_origins_only() {
        let shops = shops();
        assert_eq!(
            shop(&shops, "pk_a", Some("https://a.example")),
            Ok(&shops[0])
        );
        for origin in [
            "https://b.example",
            "https://a.example.evil.example",
            "http://a.example",
            "null",
        ] {
            assert_eq!(
                shop(&shops, "pk_a", Some(origin)),
                Err(Refusal::OriginNotAllowed)
            );
        }
        assert_eq!(shop(&shops, "pk_", None), Err(Refusal::UnknownWriteKey));
    }

    #[test]
    fn program_without_origin_is_admitted_by_its_key() {
        assert!(shop(&shops(), "pk_b", None).is_ok());
    }

    #[test]
    fn body_may_have_the_limit_and_not_a_byte_more() {
        assert_eq!(announced_length(Some("524288")), Ok(()));
        assert_eq!(announced_length(Some("524289")), Err(Refusal::TooLarge));
        let mut body = vec![0; MAX_BODY_BYTES - 1];
        assert_eq!(extend(&mut body, b"x"), Ok(()));
        assert_eq!(extend(&mut body, b"x"), Err(Refusal::TooLarge));
    }

    #[test]
    fn only_known_origins_are_echoed() {
        let origin = |text: &str| known_origin(&shops(), Some(text.to_owned()));
        assert_eq!(
            origin("https://b.example").as_deref(),
            Some("https://b.example")
        );
        assert_eq!(origin("https://c.example"), None);
    }
}
