//! The command `mandat check` checks identifiers such as IBANs, without any vendor.

use super::{
    End, Failure, Usage,
    forms::CheckForm,
    input,
    output::{Cell, Form, Tone, paint, tell},
};
use clap::CommandFactory;
use mandat::sepa::{Bic, CreditorId, FrenchVat, Iban, Siren, Siret, Umr, ValueError};
use std::path::PathBuf;

/// Check identifiers, such as IBANs. The output names each value by its place in the list, and never shows a value.
///
/// The exit code is 1 if a value is wrong. Other users of this machine can see the arguments of a program. To check
/// personal data, write the values into a file, one a line, and use `--from`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat check bic BNPAFRPP COBADEFF
  mandat check iban --from ibans.txt --format csv")]
pub struct Arguments {
    /// The type of the values: iban, umr, ics, siren, siret, bic or vat.
    // Read by `run`: an error of clap would show a value in the place of the type.
    kind: String,
    /// The values to check, after all options. Blanks and lower case are allowed, except in a UMR.
    #[arg(required_unless_present = "from", allow_hyphen_values = true)]
    values: Vec<String>,
    /// Read the values from this file, one a line. `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "values")]
    from: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
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

/// Returns the name of the option of this command that a text is, if any.
fn option(text: &str) -> Option<String> {
    let name = text.split('=').next().filter(|name| name.starts_with('-'))?;
    let mut command = super::Arguments::command();
    command.build();
    let is_named = |option: &clap::Arg| {
        let (short, long) = (option.get_short(), option.get_long());
        short.is_some_and(|short| name == format!("-{short}")) || long.is_some_and(|long| name == format!("--{long}"))
    };
    command.find_subcommand("check")?.get_arguments().any(is_named).then(|| name.to_owned())
}

pub fn run(Arguments { kind, values, from, form }: &Arguments) -> Result<End, Failure> {
    let Some((kind, check)) = KINDS.iter().find(|(name, _)| name == kind) else {
        let names = KINDS.map(|(name, _)| name).join(", ");
        let why =
            format!("the first argument is not one of the types {names}. Write for example: mandat check iban VALUE");
        return Err(Usage(why).into());
    };
    // A UMR may begin with a hyphen, so clap takes each text after the first value as a value.
    if let Some(option) = values.iter().find_map(|text| option(text)) {
        let why = format!("the option {option} stands after a value. Write it before the values");
        return Err(Usage(why).into());
    }
    let mut out = form.printer(&["value", "type", "valid", "warning", "error"], &[])?;
    let listed = match from {
        None => Vec::new(),
        Some(path) => input::read(path)?.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect(),
    };
    let values = if from.is_some() { &listed } else { values };
    let mut wrong = 0;
    for (value, text) in (1..).zip(values) {
        let checked = check(text);
        wrong += usize::from(checked.is_err());
        if out.is_text() {
            match checked {
                Ok(None) => out.text(&format!("value {value}: {}\n", paint(Tone::Good, "valid")))?,
                Ok(Some(warning)) => {
                    out.text(&format!("value {value}: accepted by some vendors, but {warning}\n"))?;
                }
                Err(error) => tell(&format!("value {value}: {error}\n")),
            }
            continue;
        }
        let (valid, warning, error) = match checked {
            Ok(warning) => (true, warning, None),
            Err(error) => (false, None, Some(error)),
        };
        let [warning, error] = [warning, error].map(|found| found.map(|found| found.to_string()));
        let cells = vec![
            Cell::new(value),
            Cell::new(kind),
            Cell::new(valid).tone(if valid { Tone::Good } else { Tone::Bad }),
            Cell::of(warning.as_ref()),
            Cell::of(error.as_ref()),
        ];
        out.row(cells, &CheckForm { value, r#type: kind, valid, warning, error })?;
    }
    out.finish()?;
    match wrong {
        0 => Ok(End::Complete),
        _ if form.is_json() => Ok(End::Failed),
        _ => Err(format!("{wrong} of {} values are wrong", values.len()).into()),
    }
}
