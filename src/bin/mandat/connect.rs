//! Where the vendors are, and the credentials: from the environment or a file, never from arguments, which others see.

use super::{Failure, env_file};
use mandat::{
    Error, ErrorKind, MandateRef, Mandates, Provider, Settings, easytransac, safedebit, sandbox::Sandbox, seqino,
};
use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf};

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

/// How to reach the vendors.
#[derive(clap::Args)]
pub struct Options {
    /// Read credentials from this file of NAME=value lines; the environment goes before it.
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Option<PathBuf>,
    /// Try it with no account: the vendors are simulated, with a sample mandate at each.
    #[arg(long = "sandbox", global = true)]
    simulated: bool,
    /// How many requests may start in a second at each vendor. Ask the vendor before you raise it.
    #[arg(long, value_name = "NUMBER", global = true)]
    rate: Option<NonZeroU32>,
    /// Allow plain HTTP to this host, such as a container with the sandbox. Everybody on the way can read it.
    #[arg(long, value_name = "HOST", global = true)]
    allow_plain_http_to: Option<String>,
}

pub async fn connect(options: Options) -> Result<Connection, Failure> {
    let Options { env_file, simulated, rate, allow_plain_http_to } = options;
    if simulated {
        let sandbox = Sandbox::start().await?;
        let at = vec![sandbox.address().to_string()];
        return Ok(Connection { mandates: sandbox.mandates(), sandbox: Some(sandbox), at });
    }
    let file = match env_file {
        None => BTreeMap::new(),
        Some(path) => env_file::read(&path)?,
    };
    // An empty variable hides no value of the file.
    let value = |name: &str| {
        let set = [std::env::var(name).ok(), file.get(name).cloned()];
        let value = set.into_iter().flatten().find(|value| !value.trim().is_empty())?;
        if value.trim() != value {
            super::tell(&format!("{name}: the blanks around it are left out\n"));
        }
        Some(value.trim().to_owned())
    };
    if let Some(host) = &allow_plain_http_to {
        super::tell(&format!("plain HTTP to {host}: credentials and personal data travel in the clear\n"));
    }
    let mut settings = Settings::default();
    settings.rate_per_second = rate.or(settings.rate_per_second);
    // The configurations of the vendors have the same methods, and no type in common.
    macro_rules! tuned {
        ($config:expr) => {{
            let config = $config.settings(settings.clone());
            match &allow_plain_http_to {
                Some(host) => config.allow_plain_http_to(host),
                None => config,
            }
        }};
    }
    let mut builder = Mandates::builder();
    let mut at = Vec::new();
    if let Some(key) = value("EASYTRANSAC_API_KEY") {
        let config = match value("EASYTRANSAC_URL") {
            Some(url) => easytransac::Config::new(url, key),
            None => easytransac::Config::sandbox(key),
        };
        builder = builder.easytransac(tuned!(config));
        at.push(format!("easytransac {}", value("EASYTRANSAC_URL").unwrap_or_default()));
    }
    match (value("SAFEDEBIT_URL"), value("SAFEDEBIT_LOGIN"), value("SAFEDEBIT_PASSWORD")) {
        (Some(url), Some(login), Some(password)) => {
            at.push(format!("safedebit {url}"));
            builder = builder.safedebit(tuned!(safedebit::Config::new(url, login, password)));
        }
        (None, None, None) => {}
        _ => return Err(format!("SafeDebit needs {SAFEDEBIT}").into()),
    }
    if let Some(key) = value("SEQINO_API_KEY") {
        let config = match value("SEQINO_URL") {
            Some(url) => seqino::Config::new(url, key),
            None => seqino::Config::development(key),
        };
        builder = builder.seqino(tuned!(config));
        at.push(format!("seqino {}", value("SEQINO_URL").unwrap_or_default()));
    }
    if at.is_empty() {
        return Err("no credentials are set: `mandat --help` lists them, --sandbox needs none".into());
    }
    Ok(Connection { mandates: builder.build()?, sandbox: None, at })
}
