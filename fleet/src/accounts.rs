//! The accounts of this process: addresses and credentials of the vendors, from the environment.

use crate::{Failure, pace::Pace};
use mandat::{Mandates, Provider, easytransac, safedebit, seqino};
use std::collections::BTreeMap;

/// The credentials of all accounts that this process may use. Each worker needs those of the lanes that it reads.
///
/// `Debug` shows the names of accounts and vendors.
pub struct Accounts {
    vendors: BTreeMap<(String, &'static str), Credentials>,
    plain_http_to: Option<String>,
}

enum Credentials {
    Easytransac { url: Option<String>, key: String },
    SafeDebit { url: String, login: String, password: String },
    Seqino { url: Option<String>, key: String },
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The account of a process that names none. Its variables have the names that the program `mandat` reads.
pub const MAIN: &str = "main";

impl Accounts {
    /// Reads the accounts from variables. `MANDAT_FLEET_ACCOUNTS` names them, separated by commas. The variables of the
    /// account `main` have the names that the program `mandat` reads, such as `SAFEDEBIT_URL`. Those of another account
    /// begin with its name: `PARIS_SAFEDEBIT_URL`.
    ///
    /// # Errors
    /// If a name cannot be used, or if some credentials of a vendor are missing. The error names the variable.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let value = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let names = value("MANDAT_FLEET_ACCOUNTS").unwrap_or_else(|| MAIN.to_owned());
        let mut vendors = BTreeMap::new();
        for account in names.split(',').map(str::trim) {
            check(account)?;
            let prefix = if account == MAIN { String::new() } else { format!("{}_", account.to_uppercase()) };
            let value = |name: &str| value(&format!("{prefix}{name}"));
            let mut add = |provider: Provider, credentials| {
                vendors.insert((account.to_owned(), provider.as_str()), credentials);
            };
            if let Some(key) = value("EASYTRANSAC_API_KEY") {
                add(Provider::Easytransac, Credentials::Easytransac { url: value("EASYTRANSAC_URL"), key });
            }
            match (value("SAFEDEBIT_URL"), value("SAFEDEBIT_LOGIN"), value("SAFEDEBIT_PASSWORD")) {
                (Some(url), Some(login), Some(password)) => {
                    add(Provider::SafeDebit, Credentials::SafeDebit { url, login, password });
                }
                (None, None, None) => {}
                _ => {
                    let all = ["URL", "LOGIN", "PASSWORD"].map(|name| format!("{prefix}SAFEDEBIT_{name}")).join(", ");
                    return Err(format!("some credentials of SafeDebit are missing. Set {all}").into());
                }
            }
            if let Some(key) = value("SEQINO_API_KEY") {
                add(Provider::Seqino, Credentials::Seqino { url: value("SEQINO_URL"), key });
            }
        }
        let accounts = Self { vendors, plain_http_to: value("MANDAT_FLEET_PLAIN_HTTP_TO") };
        // Report a wrong address or an empty credential at the start, and not when a lane is read.
        for (account, vendor) in accounts.names() {
            accounts.connect(account, vendor, Pace::of(None).ok_or("no pace")?)?;
        }
        Ok(accounts)
    }

    /// The accounts and their vendors.
    pub fn names(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.vendors.keys().map(|(account, vendor)| (account.as_str(), *vendor))
    }

    /// The flags of the jobs that this process may run.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.names().map(|(account, vendor)| format!("{account}/{vendor}")).collect()
    }

    /// Builds a client for one lane, with its pace.
    pub(crate) fn connect(&self, account: &str, vendor: &str, pace: Pace) -> Result<Mandates, Failure> {
        let provider: Provider = vendor.parse()?;
        let credentials = self.vendors.get(&(account.to_owned(), provider.as_str()));
        let credentials =
            credentials.ok_or_else(|| format!("this process has no credentials of {account}/{vendor}"))?;
        // A macro, because the vendors' configurations have the same methods and no common trait.
        macro_rules! tuned {
            ($config:expr) => {{
                let config =
                    $config.settings(pace.settings()).program(concat!("mandat-fleet/", env!("CARGO_PKG_VERSION")));
                match &self.plain_http_to {
                    Some(host) => config.allow_plain_http_to(host),
                    None => config,
                }
            }};
        }
        let builder = Mandates::builder();
        let builder = match credentials {
            Credentials::Easytransac { url: Some(url), key } => {
                builder.easytransac(tuned!(easytransac::Config::new(url, key.clone())))
            }
            Credentials::Easytransac { url: None, key } => {
                builder.easytransac(tuned!(easytransac::Config::sandbox(key.clone())))
            }
            Credentials::SafeDebit { url, login, password } => {
                builder.safedebit(tuned!(safedebit::Config::new(url, login.clone(), password.clone())))
            }
            Credentials::Seqino { url: Some(url), key } => {
                builder.seqino(tuned!(seqino::Config::new(url, key.clone())))
            }
            Credentials::Seqino { url: None, key } => builder.seqino(tuned!(seqino::Config::development(key.clone()))),
        };
        Ok(builder.build()?)
    }
}

/// Refuses a name that cannot be the prefix of a variable and a part of a queue's name.
pub(crate) fn check(account: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if account.starts_with(|c: char| c.is_ascii_lowercase()) && account.chars().all(fits) && account.len() <= 31 {
        return Ok(());
    }
    Err("the name of an account has up to 31 small letters, digits and `_`, and begins with a letter".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Accounts, Failure> {
        Accounts::read(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn each_account_has_variables_of_its_own() {
        let variables = [
            ("MANDAT_FLEET_ACCOUNTS", "main, paris"),
            ("SEQINO_API_KEY", "one"),
            ("PARIS_SEQINO_API_KEY", "two"),
            ("PARIS_SAFEDEBIT_URL", "https://example.com/ssp"),
            ("PARIS_SAFEDEBIT_LOGIN", "login"),
            ("PARIS_SAFEDEBIT_PASSWORD", "secret-password"),
        ];
        let accounts = read(&variables).unwrap();
        let names: Vec<_> = accounts.names().collect();
        assert_eq!(names, [("main", "seqino"), ("paris", "safedebit"), ("paris", "seqino")]);
        assert!(!format!("{accounts:?}").contains("secret"));
    }

    #[test]
    fn a_missing_variable_and_a_wrong_name_are_named() {
        let error = |variables: &[_]| read(variables).unwrap_err().to_string();
        assert!(error(&[("SAFEDEBIT_URL", "https://example.com")]).contains("SAFEDEBIT_PASSWORD"));
        assert!(error(&[("MANDAT_FLEET_ACCOUNTS", "Paris")]).contains("small letters"));
    }
}
