//! Which network addresses a fetch may reach: the guard against server-side request forgery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet, and not of this machine, this network or a special purpose
/// (IANA special-purpose address registries, 2026). The standard library's `is_global` is not stable.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

/// Whether an address is this machine.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 240..=255, ..)     // this network, private, loopback, reserved, broadcast
            | (100, 64..=127, _)           // shared address space
            | (169, 254, _)                // link-local, cloud metadata
            | (172, 16..=31, _)            // private
            | (192, 0, 0 | 2)              // protocol assignments, documentation
            | (192, 88, 99)                // 6to4 relays
            | (192, 168, _)                // private
            | (198, 18..=19, _)            // benchmarks
            | (198, 51, 100)               // documentation
            | (203, 0, 113)                // documentation
            | (224..=239, ..) // multicast
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Everything outside of 2000::/3 is special; within it are tunnels, which reach any IPv4 address.
    let is_unicast = segments[0] & 0xe000 == 0x2000;
    let is_special = matches!(
        (segments[0], segments[1]),
        (0x2001, 0..=0x01ff)               // protocol assignments: Teredo, ORCHID, benchmarks
            | (0x2001, 0x0db8)             // documentation
            | (0x2002, _)                  // 6to4
            | (0x3fff, 0..=0x0fff) // documentation
    );
    let is_isatap = matches!(segments[4], 0 | 0x0200) && segments[5] == 0x5efe;
    is_unicast && !is_special && !is_isatap
}

#[cfg(test)]
mod address_tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let special = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2a00:1450::5efe:7f00:1",
            "2a00:1450::200:5efe:7f00:1",
        ];
        for address in special {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450:4001::"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        assert!(is_loopback("::ffff:127.0.0.1".parse().unwrap()) && is_loopback("::1".parse().unwrap()));
    }
}
