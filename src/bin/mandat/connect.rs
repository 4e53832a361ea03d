//! Where the vendors are, and the credentials: from the environment or a file, never from arguments, which others see.

use super::Failure;
use mandat::{Error, ErrorKind, MandateRef, Mandates, Provider, easytransac, safedebit, sandbox::Sandbox, seqino};
use std::{collections::BTreeMap, path::Path};

/// The facade, and the sandbox that it talks to, if it is one.
pub struct Connection {
    pub mandates: Mandates,
    pub sandbox: Option<Sandbox>,
}

impl Connection {
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

pub async fn connect(env_file: Option<&Path>, simulated: bool) -> Result<Connection, Failure> {
    if simulated {
        let sandbox = Sandbox::start().await?;
        return Ok(Connection { mandates: sandbox.mandates(), sandbox: Some(sandbox) });
    }
    let file = match env_file {
        None => BTreeMap::new(),
        Some(path) => read(path)?,
    };
    let value = |name: &str| {
        let set = std::env::var(name).ok().or_else(|| file.get(name).cloned());
        set.filter(|value| !value.is_empty())
    };
    let mut builder = Mandates::builder();
    let mut any = false;
    if let Some(key) = value("EASYTRANSAC_API_KEY") {
        builder = builder.easytransac(match value("EASYTRANSAC_URL") {
            Some(url) => easytransac::Config::new(url, key),
            None => easytransac::Config::sandbox(key),
        });
        any = true;
    }
    match (value("SAFEDEBIT_URL"), value("SAFEDEBIT_LOGIN"), value("SAFEDEBIT_PASSWORD")) {
        (Some(url), Some(login), Some(password)) => {
            builder = builder.safedebit(safedebit::Config::new(url, login, password));
            any = true;
        }
        (None, None, None) => {}
        _ => return Err(format!("SafeDebit needs {SAFEDEBIT}").into()),
    }
    if let Some(key) = value("SEQINO_API_KEY") {
        builder = builder.seqino(match value("SEQINO_URL") {
            Some(url) => seqino::Config::new(url, key),
            None => seqino::Config::development(key),
        });
        any = true;
    }
    if !any {
        return Err("no credentials are set: `mandat --help` lists them, --sandbox needs none".into());
    }
    Ok(Connection { mandates: builder.build()?, sandbox: None })
}

/// What is wrong with the file is told by line: a line may hold a secret.
fn read(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut values = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) =
            line.split_once('=').ok_or_else(|| format!("{}, line {}: write NAME=value", path.display(), number + 1))?;
        let value = value.trim();
        let quoted = |mark: char| value.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        let name = name.trim().trim_start_matches("export ").to_owned();
        values.insert(name, quoted('"').or_else(|| quoted('\'')).unwrap_or(value).to_owned());
    }
    Ok(values)
}
