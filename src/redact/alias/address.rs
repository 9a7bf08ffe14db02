//! Addresses: private ones stand for private ones, those of documentation for those of the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Aliases;

/// Networks that documents and benchmarks use (RFC 5737, RFC 2544), with how many addresses of each are given.
const PUBLIC: [(u32, u32); 4] =
    [(0xCB00_7100, 254), (0xC633_6400, 254), (0xC000_0200, 254), (0xC612_0000, (1 << 17) - 2)];
/// 10.0.0.0.
const PRIVATE: u32 = 0x0A00_0000;

impl Aliases {
    /// What stands for an address; nothing where it stays.
    pub(super) fn address(&mut self, address: IpAddr) -> Option<IpAddr> {
        if is_everybodys(address) {
            return None;
        }
        if let Some(number) = number_of(address) {
            self.book.take_address(number);
            return None;
        }
        let private = is_private(address);
        let number = self.book.address(address, private);
        Some(match (address, private) {
            (IpAddr::V4(_), true) => Ipv4Addr::from(PRIVATE | number).into(),
            (IpAddr::V4(_), false) => public(number).into(),
            (IpAddr::V6(_), true) => Ipv6Addr::from(0xfd00_u128 << 112 | u128::from(number)).into(),
            (IpAddr::V6(_), false) => Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(number)).into(),
        })
    }

    pub(super) fn knows_address(&self, address: IpAddr) -> bool {
        self.book.knows_address(address)
    }
}

fn public(number: u32) -> Ipv4Addr {
    let mut rest = number.max(1);
    for (network, size) in PUBLIC {
        if rest <= size {
            return Ipv4Addr::from(network + rest);
        }
        rest -= size;
    }
    Ipv4Addr::from(PUBLIC[0].0)
}

/// The number of an address that stands for another.
fn number_of(address: IpAddr) -> Option<u32> {
    match address {
        IpAddr::V4(address) => {
            let mut before = 0;
            for (network, size) in PUBLIC {
                let at = u32::from(address).wrapping_sub(network);
                if at <= size + 1 {
                    return Some(before + at.min(size));
                }
                before += size;
            }
            None
        }
        IpAddr::V6(address) if address.segments()[..2] == [0x2001, 0x0db8] => {
            let number = u128::from(address) & u128::from(u16::MAX);
            u32::try_from(number).ok()
        }
        IpAddr::V6(_) => None,
    }
}

/// Addresses that are the same everywhere.
fn is_everybodys(address: IpAddr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || matches!(address, IpAddr::V4(address) if address.is_broadcast())
        || matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some_and(|address| address.is_loopback()))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            address.is_private() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}
