//! Reads the addresses and the credentials of the vendors from the environment or from a file. The program takes no
//! credentials as arguments, because arguments are visible to other users of the machine.

use super::{Failure, Usage, env_file};
use chrono::{DateTime, SubsecRound, Utc};
use mandat::{
    Error, ErrorKind, MandateRef, Mandates, Provider, Schedule, Settings, easytransac, safedebit, sandbox::Sandbox,
    seqino,
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
    pub fn or_samples(&self, named: Vec<MandateRef>) -> Vec<MandateRef> {
        match &self.sandbox {
            Some(sandbox) if named.is_empty() => sandbox.references(),
            _ => named,
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
    format!("{NOT_CONFIGURED} {variables}")
}

const NOT_CONFIGURED: &str = "the credentials of this vendor are missing. Set";

/// Returns true for the text that [`told`] gives an error about missing credentials.
pub fn is_not_configured(text: &str) -> bool {
    text.starts_with(NOT_CONFIGURED)
}

const SAFEDEBIT: &str = "SAFEDEBIT_URL, SAFEDEBIT_LOGIN and SAFEDEBIT_PASSWORD";

/// The command-line options for the connection to the vendors.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Options {
    /// Read credentials from this file of NAME=value lines. Environment variables take precedence.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Use simulated vendors, without an account. Without an ADDRESS, the program simulates them itself, with a sample
    /// mandate at each. With an ADDRESS, it uses the running `mandat sandbox` there.
    #[arg(long, value_name = "ADDRESS", value_parser = sandbox_host, num_args = 0..=1, require_equals = true,
        default_missing_value = "")]
    sandbox: Option<String>,
    /// Maximum number of requests per second to each vendor. Ask the vendor before you raise it.
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<NonZeroU32>,
    /// Allow plain HTTP to this host, such as a container with the sandbox. Anybody on the network path can read the
    /// credentials.
    #[arg(long, value_name = "HOST")]
    allow_plain_http_to: Option<String>,
    /// The schedule of a watch, if it differs from the usual one.
    #[arg(skip)]
    pub schedule: Schedule,
}

fn rate(text: &str) -> Result<NonZeroU32, &'static str> {
    text.parse().map_err(|_| "write a whole number from 1")
}

impl Options {
    /// Adds the options that stand after the command to those that stand before it.
    pub fn or(self, after: Self) -> Self {
        Self {
            env_file: after.env_file.or(self.env_file),
            sandbox: after.sandbox.or(self.sandbox),
            rate: after.rate.or(self.rate),
            allow_plain_http_to: after.allow_plain_http_to.or(self.allow_plain_http_to),
            schedule: after.schedule,
        }
    }

    /// Returns the name of one of the given options.
    pub fn given(&self) -> Option<&'static str> {
        let Self { env_file, sandbox, rate, allow_plain_http_to, schedule: _ } = self;
        let given = [
            (env_file.is_some(), "--env-file"),
            (sandbox.is_some(), "--sandbox"),
            (rate.is_some(), "--rate"),
            (allow_plain_http_to.is_some(), "--allow-plain-http-to"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }

    /// Returns the address of the running sandbox that the options name.
    pub fn running_sandbox(&self) -> Option<&str> {
        self.sandbox.as_deref().filter(|host| !host.is_empty())
    }

    /// Returns an error for a command line that names no record, unless a sandbox offers samples. `missing` names the
    /// record and the advice.
    pub fn named(&self, is_named: bool, missing: &str) -> Result<(), Usage> {
        if is_named || self.is_sandbox() && self.running_sandbox().is_none() {
            return Ok(());
        }
        Err(Usage(format!("the command names {missing}. `--sandbox` without an address has samples")))
    }

    /// Returns true if the options choose a sandbox.
    pub fn is_sandbox(&self) -> bool {
        self.sandbox.is_some()
    }
}

/// Returns the host and the port of a sandbox, whose address may be written as a URL. Without an address, the text is
/// empty.
pub fn sandbox_host(address: &str) -> Result<String, &'static str> {
    let address = address.trim();
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
    match rest.split('/').next().unwrap_or_default() {
        _ if !scheme.eq_ignore_ascii_case("http") => Err("a sandbox uses plain HTTP. Write 127.0.0.1:4010"),
        "" if !address.is_empty() => Err("the address has no host. Write 127.0.0.1:4010"),
        host => Ok(host.to_owned()),
    }
}

/// Returns the variables that lead to a running sandbox. Its paths and credentials are those of any sandbox.
async fn of_sandbox(host: &str) -> Result<BTreeMap<String, String>, Failure> {
    let (any, mut values) = (Sandbox::start().await?, BTreeMap::new());
    let own = any.address().to_string();
    for provider in Provider::ALL {
        let name = provider.as_str().to_uppercase();
        values.insert(format!("{name}_URL"), any.base_url(*provider).replacen(&own, host, 1));
        for (what, value) in any.credentials(*provider) {
            let what = match *what {
                "login" => "LOGIN",
                "password" => "PASSWORD",
                _ => "API_KEY",
            };
            values.insert(format!("{name}_{what}"), (*value).to_owned());
        }
    }
    Ok(values)
}

/// Returns a hash that distinguishes accounts. A journal contains this hash, so call the function with a login or a
/// long random key, and never with a password.
fn hash(account: &str) -> String {
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The clock of the program. Whole seconds are enough for the instants that the program prints and stores.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

pub async fn connect(options: Options) -> Result<Connection, Failure> {
    let running = options.running_sandbox().map(str::to_owned);
    let Options { env_file, sandbox, rate, allow_plain_http_to, schedule } = options;
    let file = match (&running, env_file) {
        (Some(host), _) => of_sandbox(host).await?,
        (None, _) if sandbox.is_some() => {
            let sandbox = Sandbox::start().await?;
            let at = vec![sandbox.address().to_string()];
            let mandates = sandbox.builder().clock(now).schedule(schedule).build().map_err(|e| e.to_string())?;
            return Ok(Connection { mandates, sandbox: Some(sandbox), at });
        }
        (None, None) => BTreeMap::new(),
        (None, Some(path)) => env_file::read(&path)?,
    };
    // An environment variable that is empty does not replace a value of the file. A sandbox takes no variable, so that
    // no request to a sandbox ever reaches a vendor.
    let value = |name: &str| {
        let variable = std::env::var(name).ok().filter(|_| running.is_none());
        let set = [variable, file.get(name).cloned()];
        let value = set.into_iter().flatten().find(|value| !value.trim().is_empty())?;
        if value.trim() != value {
            super::remark(&format!("{name}: the blanks around its value are ignored\n"));
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
    let mut builder = Mandates::builder().clock(now).schedule(schedule);
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
    // The text of the error names the invalid setting. `told` would call the credentials missing.
    let invalid = |e: Error| {
        let name = e.provider().filter(|_| running.is_none()).map(|provider| provider.as_str().to_uppercase());
        let variables = name.map(|name| format!(". Correct the variables {name}_...")).unwrap_or_default();
        format!("{e}{variables}")
    };
    let mandates = builder.build().map_err(invalid)?;
    Ok(Connection { mandates, sandbox: None, at })
}
