//! Whom a node takes for one client: an IPv4 address, or the /64 that one household has of IPv6; and
//! which households are one site.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The clients of one IPv6 site together may do as much as so many: one customer gets a /48 for the
/// asking, with 65,536 households in it.
pub const SITE_CLIENTS: usize = 8;

/// The part of an address that stands for one client. Never logged or written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address.
    V6([u16; 4]),
    /// The first 48 bits of an IPv6 address: no client, but all of a site.
    Site([u16; 3]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = Ipv6Addr::segments(&address);
                Self::V6([a, b, c, d])
            }
        }
    }
}

impl Network {
    /// Bytes that name the client, for binding a proof to it.
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::V4(address) => address.octets().to_vec(),
            Self::V6(segments) => segments.into_iter().flat_map(u16::to_be_bytes).collect(),
            Self::Site(segments) => segments.into_iter().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// The site that the client belongs to, where it may be one of many: the /48 of IPv6.
    pub const fn site(self) -> Option<Self> {
        match self {
            Self::V6([a, b, c, _]) => Some(Self::Site([a, b, c])),
            Self::V4(_) | Self::Site(_) => None,
        }
    }

    /// Whether the client is on this machine.
    pub const fn is_loopback(self) -> bool {
        match self {
            Self::V4(address) => address.is_loopback(),
            Self::V6(_) | Self::Site(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_household_is_one_client_whatever_address_it_takes() {
        assert!(network("2001:db8:1:2::5") == network("2001:db8:1:2:ffff::1"));
        assert!(network("2001:db8:1:2::5") != network("2001:db8:1:3::5"));
        assert!(network("192.0.2.1") != network("192.0.2.2"));
        assert!(network("::ffff:192.0.2.1") == network("192.0.2.1"));
        assert!(network("127.0.3.1").is_loopback() && !network("::2").is_loopback());
    }

    #[test]
    fn households_of_one_customer_are_one_site() {
        assert!(network("2001:db8:1:2::5").site() == network("2001:db8:1:ffff::1").site());
        assert!(network("2001:db8:1:2::5").site() != network("2001:db8:2:2::5").site());
        assert!(network("192.0.2.1").site().is_none());
    }
}
