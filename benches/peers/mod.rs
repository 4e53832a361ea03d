//! Reads a mandate with the clients of other generators. `benches/compare` makes these clients from our specs.

use crate::{Failure, Reader, Vendor, active};
use reqwest::{
    ClientBuilder,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

/// The clients of other generators, each with a connection pool of its own.
pub struct Peers {
    pub openapi_generator: OpenapiGenerator,
    pub progenitor: Progenitor,
}

impl Peers {
    pub fn new(
        vendor: Vendor,
        base_url: &str,
        authorization: &HeaderValue,
        http: &dyn Fn() -> Result<ClientBuilder, Failure>,
    ) -> Result<Self, Failure> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization.clone())]);
        let (plain, authorized) = (http()?.build()?, http()?.default_headers(headers).build()?);
        Ok(match vendor {
            Vendor::SafeDebit => Self {
                openapi_generator: OpenapiGenerator::SafeDebit(
                    generator_safedebit::apis::configuration::Configuration {
                        base_path: base_url.into(),
                        client: plain,
                        basic_auth: Some(("login".into(), Some("password".into()))),
                        ..Default::default()
                    },
                ),
                progenitor: Progenitor::SafeDebit(progenitor_safedebit::Client::new_with_client(base_url, authorized)),
            },
            Vendor::Easytransac => Self {
                openapi_generator: OpenapiGenerator::Easytransac(
                    generator_easytransac::apis::configuration::Configuration {
                        base_path: base_url.into(),
                        client: plain,
                        bearer_access_token: Some("ABCabc123".into()),
                        ..Default::default()
                    },
                ),
                progenitor: Progenitor::Easytransac(progenitor_easytransac::Client::new_with_client(
                    base_url, authorized,
                )),
            },
        })
    }
}

/// The clients of openapi-generator.
pub enum OpenapiGenerator {
    SafeDebit(generator_safedebit::apis::configuration::Configuration),
    Easytransac(generator_easytransac::apis::configuration::Configuration),
}

impl Reader for OpenapiGenerator {
    async fn read(&self) -> Result<(), Failure> {
        match self {
            Self::SafeDebit(configuration) => {
                use generator_safedebit::{apis::mandates_api::search_mandate, models::SearchMandate200Response};
                let none = None;
                let (umr, sequence) = (Some(Vendor::ID), None);
                let found = search_mandate(
                    configuration,
                    none,
                    none,
                    umr,
                    none,
                    sequence,
                    none,
                    none,
                    none,
                    none,
                    none,
                    none,
                    none,
                    none,
                );
                let SearchMandate200Response::SearchMandateResponse(found) = found.await? else {
                    return Err("a refusal".into());
                };
                let mandate = found.datas.first().ok_or("no mandate")?;
                active(mandate.umr == Vendor::ID && mandate.status == "1")
            }
            Self::Easytransac(configuration) => {
                use generator_easytransac::apis::sdd_api::get_mandate_status;
                let mandate = get_mandate_status(configuration, Vendor::ID).await?.data;
                active(mandate.mandate_id == Vendor::ID && mandate.status == "active")
            }
        }
    }
}

/// The clients of progenitor.
pub enum Progenitor {
    SafeDebit(progenitor_safedebit::Client),
    Easytransac(progenitor_easytransac::Client),
}

impl Reader for Progenitor {
    async fn read(&self) -> Result<(), Failure> {
        match self {
            Self::SafeDebit(client) => {
                let found = client.search_mandate().umr(Vendor::ID).send().await?.into_inner();
                let progenitor_safedebit::types::SearchMandateAnswer::SearchMandateResponse(found) = found else {
                    return Err("a refusal".into());
                };
                let mandate = found.datas.first().ok_or("no mandate")?;
                active(mandate.umr.as_str() == Vendor::ID && mandate.status.as_str() == "1")
            }
            Self::Easytransac(client) => {
                let mandate =
                    client.get_mandate_status().mandate_id(Vendor::ID.to_owned()).send().await?.into_inner().data;
                active(mandate.mandate_id.as_str() == Vendor::ID && mandate.status.as_str() == "active")
            }
        }
    }
}
