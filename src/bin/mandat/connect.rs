//! Reads the vendors' addresses and credentials from the environment or a file. There are no options for credentials,
//! because other users of the machine can read the arguments of a program.

use super::{Failure, env_file};
use mandat::{
    Error, ErrorKind, MandateRef, Mandates, Provider, Settings, easytransac, safedebit, sandbox::Sandbox, seqino,
};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    num::NonZeroU32,
    path::PathBuf,
};

/// The connection of the program to the vendors: the facade, and the sandbox if `--sandbox` was given.
pub struct Connection {
    pub mandates: Mandates,
    pub sandbox: Option<Sandbox>,
    /// For each vendor: its name, its address, and a hash of the account.
    at: Vec<String>,
}

impl Connection {
    /// Returns the vendors with their addresses and account hashes. The text contains no secret.
    pub fn origin(&self) -> String {
        self.at.join(" ")
    }

    /// Returns the named mandates. If none is named and the vendors are simulated, returns all sample mandates of the
    /// sandbox.
    pub fn or_samples(&self, named: Vec<MandateRef>) -> Result<Vec<MandateRef>, Failure> {
        match &self.sandbox {
            Some(sandbox) if named.is_empty() => Ok(sandbox.references()),
            None if named.is_empty() => Err("the command names no mandate. Name one, or try --sandbox".into()),
            _ => Ok(named),
        }
    }
}

/// Returns the text of an error, with advice for a user of the program.
pub fn told(error: &Error) -> String {
    let variables = match (error.kind(), error.provider()) {
        (ErrorKind::NotConfigured, Some(Provider::Easytransac)) => "EASYTRANSAC_API_KEY",
        (ErrorKind::NotConfigured, Some(Provider::SafeDebit)) => SAFEDEBIT,
        (ErrorKind::NotConfigured, Some(Provider::Seqino)) => "SEQINO_API_KEY",
        _ => return error.to_string(),
    };
    format!("there are no credentials. Set {variables}")
}

const SAFEDEBIT: &str = "SAFEDEBIT_URL, SAFEDEBIT_LOGIN and SAFEDEBIT_PASSWORD";

/// The options that every command with a request to a vendor has.
#[derive(clap::Args)]
pub struct Options {
    /// Read credentials from this file of NAME=value lines. Environment variables take precedence.
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Option<PathBuf>,
    /// Try the program without an account. It simulates the vendors, with a sample mandate at each.
    #[arg(long = "sandbox", global = true)]
    simulated: bool,
    /// Maximum number of requests per second to each vendor. Ask the vendor before you raise it.
    #[arg(long, value_name = "NUMBER", global = true)]
    rate: Option<NonZeroU32>,
    /// Allow plain HTTP to this host, such as a container with the sandbox. Anybody on the network path can read the
    /// requests.
    #[arg(long, value_name = "HOST", global = true)]
    allow_plain_http_to: Option<String>,
}

/// Hashes a login or key, so that a run is not continued with another account. The journal contains the hash, so never
/// hash a password, which could be guessed from it.
fn hash(account: &str) -> String {
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
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
    // An empty environment variable does not replace a value in the file.
    let value = |name: &str| {
        let set = [std::env::var(name).ok(), file.get(name).cloned()];
        let value = set.into_iter().flatten().find(|value| !value.trim().is_empty())?;
        if value.trim() != value {
            super::tell(&format!("{name}: blanks around the value were ignored\n"));
        }
        Some(value.trim().to_owned())
    };
    if let Some(host) = &allow_plain_http_to {
        super::tell(&format!("plain HTTP to {host}: credentials and personal data are sent unencrypted\n"));
    }
    let mut settings = Settings::default();
    settings.rate_per_second = rate.or(settings.rate_per_second);
    // This is a macro, because the vendors' configurations have the same methods but no common trait.
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
        let account = hash(&key);
        let config = match value("EASYTRANSAC_URL") {
            Some(url) => easytransac::Config::new(url, key),
            None => easytransac::Config::sandbox(key),
        };
        builder = builder.easytransac(tuned!(config));
        at.push(format!("easytransac {} {account}", value("EASYTRANSAC_URL").unwrap_or_default()));
    }
    match (value("SAFEDEBIT_URL"), value("SAFEDEBIT_LOGIN"), value("SAFEDEBIT_PASSWORD")) {
        (Some(url), Some(login), Some(password)) => {
            at.push(format!("safedebit {url} {}", hash(&login)));
            builder = builder.safedebit(tuned!(safedebit::Config::new(url, login, password)));
        }
        (None, None, None) => {}
        _ => return Err(format!("some credentials of SafeDebit are missing. Set {SAFEDEBIT}").into()),
    }
    if let Some(key) = value("SEQINO_API_KEY") {
        let account = hash(&key);
        let config = match value("SEQINO_URL") {
            Some(url) => seqino::Config::new(url, key),
            None => seqino::Config::development(key),
        };
        builder = builder.seqino(tuned!(config));
        at.push(format!("seqino {} {account}", value("SEQINO_URL").unwrap_or_default()));
    }
    if at.is_empty() {
        return Err("no credentials are set. `mandat --help` lists their names. With --sandbox you need none".into());
    }
    Ok(Connection { mandates: builder.build()?, sandbox: None, at })
}
