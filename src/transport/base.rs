//! The checked address of a vendor, with its connections and limits.

use super::{Endpoint, OperationSpec, Settings, connections::Connections, limits::Limits};
use crate::vocabulary::{Error, Provider, SpecOrigin};
use reqwest::Url;
use std::{borrow::Cow, num::NonZeroU32};

/// A connection pool to one vendor and its limits.
pub(crate) struct Transport {
    base_url: String,
    pub(super) base: Url,
    pub(super) connections: Connections,
    pub(super) settings: Settings,
    pub(super) limits: Limits,
}

impl Transport {
    pub fn new(spec: SpecOrigin, provider: Provider, endpoint: Endpoint) -> Result<Self, Error> {
        let Endpoint { base_url, settings, http, plain_to, live } = endpoint;
        let refuse = |what: &str| Error::not_configured(provider, format!("the base URL {what}"));
        let url = Url::parse(&base_url).map_err(|_| refuse("is no URL"))?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(refuse("has no host")),
        };
        let settings = settings.bounded(loopback);
        let plain = url.scheme() == "http";
        let in_clear = plain && !loopback;
        if in_clear {
            let named = plain_to.as_deref().map(|host| host.trim().to_lowercase());
            match (named, url.host_str()) {
                (Some(_), _) if live => return Err(refuse("is not https, which a live key has to have")),
                // An IPv6 address may be named without the brackets of a URL.
                (Some(named), Some(host)) if named == host || format!("[{named}]") == host => {}
                (Some(_), _) => return Err(refuse("is not https, and `allow_plain_http_to` names another host")),
                (None, _) => return Err(refuse("is not https: a credential would travel in the clear")),
            }
        } else if !plain && url.scheme() != "https" {
            return Err(refuse("is not https"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("holds more than a host and a path"));
        }
        let connections = Connections::new(http, spec, plain, loopback || in_clear, &settings)
            .map_err(|_| Error::not_configured(provider, "the HTTP client cannot start"))?;
        if in_clear {
            tracing::warn!(
                provider = provider.as_str(),
                host = url.host_str(),
                "credentials and personal data travel in the clear to this host, as allow_plain_http_to says"
            );
        }
        Ok(Self {
            base_url: url.as_str().trim_end_matches('/').into(),
            base: url,
            connections,
            limits: Limits::new(&settings),
            settings,
        })
    }

    /// The base URL without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How many calls a batch should start at once. More would time out while they wait for `rate_per_second`.
    pub fn concurrency(&self) -> usize {
        let Settings { concurrency, rate_per_second, overall_timeout, .. } = &self.settings;
        let in_time = |rate: &NonZeroU32| (rate.get() as usize).saturating_mul(overall_timeout.as_secs() as usize) / 4;
        (*concurrency).min(rate_per_second.as_ref().map_or(usize::MAX, in_time)).max(1)
    }

    /// The path in front of the operation's path. An operation outside the documented base path is on the same host:
    /// its own base path replaces the documented one at the end of the configured URL.
    pub(super) fn base_path(&self, operation: &OperationSpec) -> Result<Cow<'_, str>, String> {
        let configured = self.base.path().trim_end_matches('/');
        let Some((documented, own)) = operation.outside else { return Ok(configured.into()) };
        match configured {
            "" => Ok(own.into()),
            path => match path.strip_suffix(documented) {
                Some(before) => Ok(format!("{before}{own}").into()),
                None => Err(format!(
                    "`{}` is outside of `{documented}`. Configure a base URL that ends with it",
                    operation.id
                )),
            },
        }
    }
}
