//! Keyed hashes: HMAC-SHA-256, so that nobody without the key can try out names.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::ConfigError;

/// Fewest bytes of a key: what the hash itself is worth.
const MIN_KEY_BYTES: usize = 32;

/// The key of this Worker's hashes.
pub struct HashKey {
    keyed: Hmac<Sha256>,
}

impl HashKey {
    /// Takes `SHOPTRAIL_HASH_KEY`.
    ///
    /// # Errors
    /// Returns an error if it is too short.
    pub fn new(secret: &str) -> Result<Self, ConfigError> {
        let short = || {
            let problem = format!("has fewer than {MIN_KEY_BYTES} bytes: take 32 random ones");
            ConfigError::new("SHOPTRAIL_HASH_KEY", problem)
        };
        if secret.len() < MIN_KEY_BYTES {
            return Err(short());
        }
        let keyed = Hmac::new_from_slice(secret.as_bytes()).map_err(|_| short())?;
        Ok(Self { keyed })
    }

    /// Returns the hash of a value in a shop: 64 hexadecimal digits, which fit every field that holds an id.
    pub fn hash(&self, shop_id: &str, value: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(shop_id.as_bytes());
        keyed.update(&[0x1f]);
        keyed.update(value.as_bytes());
        let bytes = keyed.finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a value has the form of such a hash.
pub fn is_hash(value: &str) -> bool {
    value.len() == 64
        && value
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("HashKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_hmac_sha_256_of_shop_and_value() {
        let key = HashKey::new("0123456789abcdef0123456789abcdef").unwrap();
        // printf 'demo\x1f42' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        assert_eq!(
            key.hash("demo", "42"),
            "447cecf6440e5647e01df1403e30d2709e685ecbae8741eeeb8737502430bd72"
        );
    }
}
