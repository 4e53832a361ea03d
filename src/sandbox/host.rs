//! Refuses requests for another host or from another site. A web site can make a browser send requests to this machine.
//! The site can also point its own domain name to this machine (DNS rebinding). The header `Host` or `Origin` then
//! names the site.

use super::request::{Reply, media_type, only};
use hyper::{
    header::{CONTENT_TYPE, HOST, HeaderValue, ORIGIN},
    http::{request::Parts, uri::Authority},
};
use serde_json::json;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The host names and addresses of a sandbox.
pub(crate) struct Hosts {
    own: SocketAddr,
    told: Vec<Authority>,
}

impl Hosts {
    /// Reads the hosts of a sandbox. `told` are the hosts that the caller adds to loopback and the own address.
    pub fn new(own: SocketAddr, told: &[String]) -> io::Result<Self> {
        let read = |name: &String| {
            let bracketed = name.parse::<Ipv6Addr>().map_or_else(|_| name.clone(), |address| format!("[{address}]"));
            let refusal = format!("{name:?} is not a host. Use a name or an address, with a port if the port differs");
            authority(&bracketed).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, refusal))
        };
        Ok(Self { own, told: told.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Returns the address for callers on this machine. Replaces `0.0.0.0`, because nobody can connect to this address.
    pub fn local(&self) -> SocketAddr {
        let ip = match self.own.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.own.port())
    }

    /// Returns the host for links: the caller's first host, or the own address of the sandbox.
    pub fn public(&self) -> String {
        match self.told.first() {
            None => self.local().to_string(),
            Some(told) if told.port().is_some() => told.to_string(),
            Some(told) => format!("{told}:{}", self.own.port()),
        }
    }

    /// Refuses a request for another host than the hosts of this sandbox.
    pub fn admit(&self, head: &Parts) -> Result<(), Reply> {
        let Some(host) = only(&head.headers, HOST) else {
            return Err(refused(400, "the request does not have exactly one Host header. Send one Host header"));
        };
        // The host in an absolute request target takes precedence over the header `Host`.
        let known = |authority: &Authority| self.knows(authority.host());
        if host.to_str().ok().and_then(authority).as_ref().is_some_and(known) && head.uri.authority().is_none_or(known)
        {
            return Ok(());
        }
        let names: Vec<&str> = ["localhost"].into_iter().chain(self.told.iter().map(Authority::host)).collect();
        let names = names.join(", ");
        Err(refused(
            421,
            &format!(
                "the Host of the request is not one of {names}, loopback or the address of the sandbox. To allow \
                 another host, start the sandbox with `--host NAME` (`Options::host`)"
            ),
        ))
    }

    /// Returns true if no page of another site made the browser send the request. A program sends neither header.
    pub fn is_own_site(head: &Parts) -> bool {
        let host = only(&head.headers, HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let own = |origin: &HeaderValue| {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(scheme, rest)| matches!(scheme, "http" | "https") && rest.eq_ignore_ascii_case(host))
        };
        // `none`: the user opened the address. A browser sends no Origin with such a request, or with an image.
        let from_here = |site: &HeaderValue| site == "same-origin" || site == "none";
        head.headers.get_all(ORIGIN).iter().all(own) && head.headers.get_all("sec-fetch-site").iter().all(from_here)
    }

    /// Refuses a control request that a web page of another site could send.
    pub fn admit_order(head: &Parts) -> Result<(), Reply> {
        if !Self::is_own_site(head) {
            return Err(refused(
                403,
                "the control request comes from a page of another site (Origin, Sec-Fetch-Site). Send control requests \
                 from a program or from the page at /",
            ));
        }
        // A web page can send other content types without a preflight request. If a page sends no type, the browser
        // still sends the origin of the page.
        if !head.headers.get_all(CONTENT_TYPE).iter().all(is_json) {
            return Err(refused(
                415,
                "the Content-Type of the control request is not JSON. Send `Content-Type: application/json`",
            ));
        }
        Ok(())
    }

    fn knows(&self, host: &str) -> bool {
        // A host name can end with the dot of the DNS root, in the request and in the configuration.
        let rootless = |host: &'_ str| host.strip_suffix('.').unwrap_or(host).to_owned();
        let host = &*rootless(host);
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let own = |ip: IpAddr| ip.to_canonical().is_loopback() || ip == self.own.ip() && !ip.is_unspecified();
        bare.parse().is_ok_and(own)
            || host.eq_ignore_ascii_case("localhost")
            || self.told.iter().any(|told| rootless(told.host()).eq_ignore_ascii_case(host))
    }
}

/// Parses a host with an optional port. Any further text is an error.
fn authority(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    (!authority.host().is_empty() && !text.contains('@')).then_some(authority)
}

fn is_json(content_type: &HeaderValue) -> bool {
    let subtype = media_type(content_type).strip_prefix("application/").map(str::to_owned);
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

pub(super) fn refused(status: u16, why: &str) -> Reply {
    Reply::new(status, json!({"error": format!("sandbox: {why}")}))
}
