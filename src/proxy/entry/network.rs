//! `--allow CIDR`: from where clients may come.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network, `10.1.0.0/16`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` is in it. IPv4 that came to an IPv6 listener is IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl Network {
    /// The network that `text` names, by its own address or by any address in it.
    pub(crate) fn around(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) => digits.parse().ok().filter(|prefix| *prefix <= longest)?,
        };
        Some(Self { address, prefix })
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = Self::around(text).ok_or(NetworkError::Form)?;
        if has_host_bits(network.address, network.prefix) {
            return Err(NetworkError::HostBits);
        }
        Ok(network)
    }
}

/// A network that is written with an address inside it is more often a slip than meant.
fn has_host_bits(address: IpAddr, prefix: u8) -> bool {
    match address {
        IpAddr::V4(own) => own.to_bits().checked_shl(prefix.into()).unwrap_or(0) != 0,
        IpAddr::V6(own) => own.to_bits().checked_shl(prefix.into()).unwrap_or(0) != 0,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It is not written like one.
    #[error("give a network or an address, such as 10.1.0.0/16, 192.168.1.20 or fd00::/8")]
    Form,
    /// Its address has bits beyond the prefix.
    #[error("the address has bits beyond the prefix; write the network's own address, such as 10.1.0.0/16")]
    HostBits,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn addresses_are_in_their_networks_and_in_no_others() {
        assert!(contains("10.1.0.0/16", "10.1.255.9") && !contains("10.1.0.0/16", "10.2.0.1"));
        assert!(contains("10.1.0.0/16", "::ffff:10.1.2.3"));
        assert!(contains("192.168.1.20", "192.168.1.20") && !contains("192.168.1.20", "192.168.1.21"));
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "fd00::1"));
        assert!(contains("fd00::/8", "fdff::1") && !contains("fd00::/8", "fe80::1"));
        assert!(contains("::/0", "2001:db8::1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let error = |text: &str| text.parse::<Network>().unwrap_err();
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0.0/", "10.0/8", "10.0.0.0/-1", "fd00::/129"] {
            assert_eq!(error(wrong), NetworkError::Form, "{wrong}");
        }
        assert_eq!(error("10.1.2.3/16"), NetworkError::HostBits);
    }
}
