//! The checked base URL of a vendor, with the connections and the load limits that belong to it.

use super::{
    Endpoint, OperationSpec, Settings,
    connections::{Connections, user_agent},
    limits::Limits,
    reach::is_loopback,
};
use crate::vocabulary::{Error, Provider, SpecOrigin};
use reqwest::Url;
use std::{borrow::Cow, num::NonZeroU32};

/// The connection pool of one vendor, with its base URL, settings and load limits.
pub(crate) struct Transport {
    base_url: String,
    pub(super) base: Url,
    pub(super) connections: Connections,
    pub(super) settings: Settings,
    pub(super) limits: Limits,
}

impl Transport {
    pub fn new(spec: SpecOrigin, provider: Provider, endpoint: Endpoint) -> Result<Self, Error> {
        let Endpoint { base_url, settings, http, tls, program, plain_to, live } = endpoint;
        let refuse = |what: &str| Error::not_configured(provider, format!("the base URL {what}"));
        let url = Url::parse(&base_url).map_err(|_| refuse("is no URL"))?;
        if url.host().is_none() {
            return Err(refuse("has no host"));
        }
        let loopback = is_loopback(&url);
        let settings = settings.bounded(loopback);
        let plain = url.scheme() == "http";
        let in_clear = plain && !loopback;
        if in_clear {
            let named = plain_to.as_deref().map(|host| host.trim().to_lowercase());
            match (named, url.host_str()) {
                (Some(_), _) if live => return Err(refuse("is not https. Use an https address for a live key")),
                // The caller may name an IPv6 address without the brackets that a URL has.
                (Some(named), Some(host)) if named == host || format!("[{named}]") == host => {}
                (Some(_), _) => return Err(refuse("is not https, and `allow_plain_http_to` allows only another host")),
                (None, _) => return Err(refuse("is not https, so credentials would be sent without encryption")),
            }
        } else if !plain && url.scheme() != "https" {
            return Err(refuse("is not https"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("contains more than a host and a path"));
        }
        let user_agent = user_agent(spec, program.as_deref()).ok_or_else(|| {
            Error::not_configured(provider, "the name of your program has a character that HTTP does not allow")
        })?;
        let connections = Connections::new(&url, http, &tls, user_agent, loopback || in_clear, &settings)
            .map_err(|why| Error::not_configured(provider, why))?;
        if in_clear {
            tracing::warn!(
                provider = provider.as_str(),
                host = url.host_str(),
                "credentials and personal data are sent to this host without encryption, as allow_plain_http_to allows"
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

    /// Returns the base URL without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the number of calls that a run should start at the same time. If a run starts more calls, some of them
    /// time out while they wait for `rate_per_second`.
    pub fn concurrency(&self) -> usize {
        let Settings { concurrency, rate_per_second, overall_timeout, .. } = &self.settings;
        let in_time = |rate: &NonZeroU32| (rate.get() as usize).saturating_mul(overall_timeout.as_secs() as usize) / 4;
        (*concurrency).min(rate_per_second.as_ref().map_or(usize::MAX, in_time)).max(1)
    }

    /// Returns the path between the host and the path of an operation. Some operations are outside the documented base
    /// path, but on the same host. For these, their own base path replaces the documented base path at the end of the
    /// configured URL.
    pub(super) fn base_path(&self, operation: &OperationSpec) -> Result<Cow<'_, str>, String> {
        let configured = self.base.path().trim_end_matches('/');
        let Some((documented, own)) = operation.outside else { return Ok(configured.into()) };
        match configured {
            "" => Ok(own.into()),
            path => match path.strip_suffix(documented) {
                Some(before) => Ok(format!("{before}{own}").into()),
                None => Err(format!(
                    "`{}` is not under `{documented}`. Configure a base URL that ends with `{documented}`",
                    operation.id
                )),
            },
        }
    }
}
