//! The steps before a request: resolving the name of the host, and opening a connection. A call does both, but its
//! error does not say how far it came. A check of the set-up takes the steps one by one.

use super::Transport;
use reqwest::Url;
use std::{
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::Host;

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl Transport {
    /// Returns false if a proxy or the caller's own HTTP client opens the connections. The steps on this machine would
    /// then show nothing.
    pub fn is_direct(&self) -> bool {
        self.connections.direct
    }

    /// Returns the TLS library of this build, or `None` if requests are sent without TLS.
    pub fn tls(&self) -> Option<&'static str> {
        match self.base.scheme() {
            "http" => None,
            _ if cfg!(feature = "__rustls") => Some("rustls"),
            _ if cfg!(feature = "native-tls") => Some("native-tls"),
            _ => Some("no TLS library"),
        }
    }

    /// Returns true if the vendor's host is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Returns true if the vendor's host is that of another address.
    pub fn has_host_of(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|other| other.host() == self.base.host())
    }

    /// Returns the IP addresses of the vendor's host.
    pub async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let port = self.base.port_or_known_default().unwrap_or(443);
        let known = |ip: IpAddr| Ok(vec![SocketAddr::new(ip, port)]);
        match self.base.host() {
            Some(Host::Ipv4(ip)) => known(ip.into()),
            Some(Host::Ipv6(ip)) => known(ip.into()),
            Some(Host::Domain(name)) => {
                let found = timeout(self.settings.connect_timeout, lookup_host((name, port))).await;
                let found: Vec<_> = found.map_err(|_| io::ErrorKind::TimedOut)??.collect();
                if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) }
            }
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Opens a TCP connection to the first of these addresses that accepts one, and closes the connection. Returns the
    /// address.
    pub async fn open(&self, addresses: &[SocketAddr]) -> io::Result<SocketAddr> {
        let opened = timeout(self.settings.connect_timeout, TcpStream::connect(addresses)).await;
        opened.map_err(|_| io::ErrorKind::TimedOut)??.peer_addr()
    }
}
