//! The command `mandat check` checks identifiers such as IBANs, without any vendor.

use super::{End, Failure};
use clap::{CommandFactory, error::ErrorKind};
use mandat::sepa::{Bic, CreditorId, FrenchVat, Iban, Siren, Siret, Umr, ValueError};
use std::io::{self, Write};

/// Check identifiers, such as IBANs. The output names each value by its place in the list, and never shows a value.
///
/// The exit code is 1 if a value is wrong.
#[derive(clap::Args)]
pub struct Arguments {
    /// The type of the values: iban, umr, ics, siren, siret, bic or vat.
    // Read by `run`: an error of clap would show a value in the place of the type.
    kind: String,
    /// The values to check. Blanks and lower case are allowed, except in a UMR.
    #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true)]
    values: Vec<String>,
}

/// A function that checks a value. For a valid value, the function may return a warning.
type Check = fn(&str) -> Result<Option<ValueError>, ValueError>;

const KINDS: [(&str, Check); 7] = [
    ("iban", |text| Iban::try_from(text).map(|_| None)),
    ("umr", |text| Umr::with_underscores(text).map(|umr| umr.warning())),
    ("ics", |text| CreditorId::try_from(text).map(|_| None)),
    ("siren", |text| Siren::try_from(text).map(|_| None)),
    ("siret", |text| Siret::try_from(text).map(|_| None)),
    ("bic", |text| Bic::try_from(text).map(|_| None)),
    ("vat", |text| FrenchVat::try_from(text).map(|_| None)),
];

pub fn run(Arguments { kind, values }: &Arguments) -> Result<End, Failure> {
    let Some((_, check)) = KINDS.iter().find(|(name, _)| name == kind) else {
        let names = KINDS.map(|(name, _)| name).join(", ");
        let why =
            format!("the first argument is not one of the types {names}. Write for example: mandat check iban VALUE");
        super::Arguments::command().error(ErrorKind::InvalidValue, why).exit();
    };
    let mut out = io::stdout().lock();
    let mut wrong = 0;
    for (place, value) in (1..).zip(values) {
        match check(value) {
            Ok(None) => writeln!(out, "value {place}: valid")?,
            Ok(Some(warning)) => writeln!(out, "value {place}: accepted by some vendors, but {warning}")?,
            Err(error) => {
                wrong += 1;
                super::tell(&format!("value {place}: {error}\n"));
            }
        }
    }
    match wrong {
        0 => Ok(End::Complete),
        _ => Err(format!("{wrong} of {} values are wrong", values.len()).into()),
    }
}
