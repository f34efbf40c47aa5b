//! Free ports on 127.0.0.1.

use std::io::Result;
use std::net::{Ipv4Addr, TcpListener};

/// Ports that nobody listens on, no two the same.
///
/// # Errors
/// Returns an error if the system has none left.
pub fn free<const COUNT: usize>() -> Result<[u16; COUNT]> {
    let mut ports = [0; COUNT];
    // All are held until all are found, or the system might give one twice.
    let mut held = Vec::with_capacity(COUNT);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Returns `wanted` if nobody listens there, else a port that the system chose.
///
/// # Errors
/// Returns an error if the system has no free port.
pub fn free_or(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_that_is_taken_is_replaced() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = taken.local_addr().expect("it has an address").port();
        assert_ne!(free_or(port).expect("another port"), port);
    }

    #[test]
    fn ports_that_are_found_together_differ() {
        let [first, second, third] = free::<3>().expect("three free ports");
        assert!(first != second && second != third && first != third);
    }
}
