//! Reads the addresses and the credentials of the vendors from the environment or from a file. The program takes no
//! credentials as arguments, because arguments are visible to other users of the machine.

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

/// The facade of the crate, and the sandbox that simulates the vendors, if any.
pub struct Connection {
    pub mandates: Mandates,
    pub sandbox: Option<Sandbox>,
    /// The address of each vendor, and a hash that differs for each account.
    at: Vec<String>,
}

impl Connection {
    /// Returns the addresses of the vendors and the hashes of the accounts. The text contains no secret.
    pub fn origin(&self) -> String {
        self.at.join(" ")
    }

    /// Returns the mandates that the command line names. If it names none, a sandbox offers all its sample mandates.
    pub fn or_samples(&self, named: Vec<MandateRef>) -> Result<Vec<MandateRef>, Failure> {
        match &self.sandbox {
            Some(sandbox) if named.is_empty() => Ok(sandbox.references()),
            None if named.is_empty() => {
                Err("the command names no mandate. Add the reference of a mandate, or use --sandbox".into())
            }
            _ => Ok(named),
        }
    }
}

/// Returns the text of an error for a user of the program.
pub fn told(error: &Error) -> String {
    let variables = match (error.kind(), error.provider()) {
        (ErrorKind::NotConfigured, Some(Provider::Easytransac)) => "EASYTRANSAC_API_KEY",
        (ErrorKind::NotConfigured, Some(Provider::SafeDebit)) => SAFEDEBIT,
        (ErrorKind::NotConfigured, Some(Provider::Seqino)) => "SEQINO_API_KEY",
        _ => return error.to_string(),
    };
    format!("the credentials of this vendor are missing. Set {variables}")
}

const SAFEDEBIT: &str = "SAFEDEBIT_URL, SAFEDEBIT_LOGIN and SAFEDEBIT_PASSWORD";

/// The command-line options for the connection to the vendors.
#[derive(clap::Args)]
pub struct Options {
    /// Read credentials from this file of NAME=value lines. Environment variables take precedence.
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Option<PathBuf>,
    /// Try the program without an account. The program then simulates the vendors, with a sample mandate at each.
    #[arg(long = "sandbox", global = true)]
    simulated: bool,
    /// Maximum number of requests per second to each vendor. Ask the vendor before you raise it.
    #[arg(long, value_name = "NUMBER", global = true)]
    rate: Option<NonZeroU32>,
    /// Allow plain HTTP to this host, such as a container with the sandbox. Anybody on the network path can read the
    /// credentials.
    #[arg(long, value_name = "HOST", global = true)]
    allow_plain_http_to: Option<String>,
}

/// Returns a hash that distinguishes accounts. A journal contains this hash, so call the function with a login or a
/// long random key, and never with a password.
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
    // An environment variable that is empty does not replace a value of the file.
    let value = |name: &str| {
        let set = [std::env::var(name).ok(), file.get(name).cloned()];
        let value = set.into_iter().flatten().find(|value| !value.trim().is_empty())?;
        if value.trim() != value {
            super::tell(&format!("{name}: the blanks around its value are ignored\n"));
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
        return Err(
            "no credentials are set. `mandat --help` lists the variables. The option --sandbox needs no credentials"
                .into(),
        );
    }
    Ok(Connection { mandates: builder.build()?, sandbox: None, at })
}
