//! Whom the visitor's rate limit counts together. Someone with IPv6 has a whole /64 to call from, 2^64 addresses, so those
//! count as one.

use std::fmt::Write as _;
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

/// Returns what requests under a write key from an address are counted by. It is a hash: the address itself goes nowhere.
#[must_use]
pub fn counted_by(write_key: &str, address: &str) -> String {
    let mut hash = Sha256::new_with_prefix(write_key);
    hash.update(b"\x1f");
    match address.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let [network @ .., _, _, _, _, _, _, _, _] = address.octets();
            hash.update(network);
        }
        _ => hash.update(address),
    }
    let mut text = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_together(one: &str, other: &str) -> bool {
        counted_by("pk", one) == counted_by("pk", other)
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        assert!(count_together(
            "2001:db8:1:2::1",
            "2001:DB8:1:2:ffff:ffff:ffff:ffff"
        ));
        assert!(!count_together("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(!count_together("2001:db8:1:2::1", "2001:db9:1:2::1"));
    }

    #[test]
    fn each_ipv4_address_counts_alone_however_it_is_written() {
        assert!(count_together("192.0.2.1", "192.0.2.1"));
        assert!(!count_together("192.0.2.1", "192.0.2.2"));
        assert!(!count_together("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
        assert!(!count_together("no address", "another"));
    }

    #[test]
    fn hash_tells_no_address_and_differs_by_key() {
        let counted = counted_by("pk", "192.0.2.1");
        assert!(counted.len() == 32 && counted.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(counted, counted_by("other", "192.0.2.1"));
    }
}
