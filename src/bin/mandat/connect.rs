//! Where the vendors are, and the credentials: from the environment or a file, never from arguments, which others see.

use super::{Failure, env_file};
use mandat::{
    Error, ErrorKind, MandateRef, Mandates, Provider, Settings, easytransac, safedebit, sandbox::Sandbox, seqino,
};
use std::{collections::BTreeMap, num::NonZeroU32, path::Path};

/// The facade, and the sandbox that it talks to, if it is one.
pub struct Connection {
    pub mandates: Mandates,
    pub sandbox: Option<Sandbox>,
    /// The address of each vendor.
    at: Vec<String>,
}

impl Connection {
    /// The addresses of the vendors, without a secret.
    pub fn origin(&self) -> String {
        self.at.join(" ")
    }

    /// What was named; in the sandbox all that there is if nothing was.
    pub fn or_samples(&self, named: Vec<MandateRef>) -> Result<Vec<MandateRef>, Failure> {
        match &self.sandbox {
            Some(sandbox) if named.is_empty() => Ok(sandbox.references()),
            None if named.is_empty() => Err("name a mandate, or try --sandbox".into()),
            _ => Ok(named),
        }
    }
}

/// What went wrong, to somebody with a shell.
pub fn told(error: &Error) -> String {
    let variables = match (error.kind(), error.provider()) {
        (ErrorKind::NotConfigured, Some(Provider::Easytransac)) => "EASYTRANSAC_API_KEY",
        (ErrorKind::NotConfigured, Some(Provider::SafeDebit)) => SAFEDEBIT,
        (ErrorKind::NotConfigured, Some(Provider::Seqino)) => "SEQINO_API_KEY",
        _ => return error.to_string(),
    };
    format!("no credentials: set {variables}")
}

const SAFEDEBIT: &str = "SAFEDEBIT_URL, SAFEDEBIT_LOGIN and SAFEDEBIT_PASSWORD";

pub async fn connect(
    env_file: Option<&Path>,
    simulated: bool,
    rate: Option<NonZeroU32>,
) -> Result<Connection, Failure> {
    if simulated {
        let sandbox = Sandbox::start().await?;
        let at = vec![sandbox.address().to_string()];
        return Ok(Connection { mandates: sandbox.mandates(), sandbox: Some(sandbox), at });
    }
    let file = match env_file {
        None => BTreeMap::new(),
        Some(path) => env_file::read(path)?,
    };
    // An empty variable hides no value of the file.
    let value = |name: &str| {
        let set = [std::env::var(name).ok(), file.get(name).cloned()];
        set.into_iter().flatten().find(|value| !value.trim().is_empty())
    };
    let mut settings = Settings::default();
    settings.rate_per_second = rate.or(settings.rate_per_second);
    let mut builder = Mandates::builder();
    let mut at = Vec::new();
    if let Some(key) = value("EASYTRANSAC_API_KEY") {
        let config = match value("EASYTRANSAC_URL") {
            Some(url) => easytransac::Config::new(url, key),
            None => easytransac::Config::sandbox(key),
        };
        builder = builder.easytransac(config.settings(settings.clone()));
        at.push(format!("easytransac {}", value("EASYTRANSAC_URL").unwrap_or_default()));
    }
    match (value("SAFEDEBIT_URL"), value("SAFEDEBIT_LOGIN"), value("SAFEDEBIT_PASSWORD")) {
        (Some(url), Some(login), Some(password)) => {
            at.push(format!("safedebit {url}"));
            let config = safedebit::Config::new(url, login, password);
            builder = builder.safedebit(config.settings(settings.clone()));
        }
        (None, None, None) => {}
        _ => return Err(format!("SafeDebit needs {SAFEDEBIT}").into()),
    }
    if let Some(key) = value("SEQINO_API_KEY") {
        let config = match value("SEQINO_URL") {
            Some(url) => seqino::Config::new(url, key),
            None => seqino::Config::development(key),
        };
        builder = builder.seqino(config.settings(settings));
        at.push(format!("seqino {}", value("SEQINO_URL").unwrap_or_default()));
    }
    if at.is_empty() {
        return Err("no credentials are set: `mandat --help` lists them, --sandbox needs none".into());
    }
    Ok(Connection { mandates: builder.build()?, sandbox: None, at })
}
