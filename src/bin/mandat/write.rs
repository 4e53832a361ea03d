//! The careful parts of a command that writes: the masked preview, the question, and the words after a lost response.

use super::{
    End, Failure, Usage,
    connect::told,
    forms::{FailureForm, PreviewForm},
    output::{Cell, Form, Printer, Tone, complain, remark, tell},
};
use mandat::{Error, ErrorKind, Outcome, Provider, sepa::Iban};
use std::io::{self, BufRead, IsTerminal};

/// The options of a command that writes.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Before the request")]
pub struct Consent {
    /// Show the request with masked personal data, and send nothing.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Send the request without a question. Outside of a terminal the command needs this option.
    #[arg(long, short)]
    pub yes: bool,
}

/// A request that is about to be sent. The values are masked already.
pub struct Preview {
    pub provider: Provider,
    pub operation: &'static str,
    pub fields: Vec<(String, String)>,
}

impl Preview {
    /// Prints the preview as the data of a dry run.
    pub fn print(&self, form: &Form) -> Result<(), Failure> {
        let mut out = form.printer(&["field", "value"], &[])?;
        if out.is_json() {
            out.row(
                Vec::new(),
                &PreviewForm {
                    vendor: self.provider.as_str().into(),
                    operation: self.operation.into(),
                    sent: false,
                    fields: self.fields.iter().cloned().collect(),
                },
            )?;
        } else {
            for (field, value) in &self.fields {
                out.row(vec![Cell::new(field), Cell::new(value).tone(Tone::Faint)], &())?;
            }
        }
        out.finish()?;
        remark(&format!("{} {}: nothing was sent.\n", self.provider, self.operation));
        Ok(())
    }

    /// Shows the request, and asks a person if it is to be sent. Returns false if the person does not agree.
    pub fn agreed(&self, consent: Consent, question: &str) -> Result<bool, Failure> {
        if consent.yes {
            return Ok(true);
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            let why = "nobody can answer a question here. Look at the request with --dry-run, then send it with --yes";
            return Err(Usage(why.into()).into());
        }
        let width = self.fields.iter().map(|(field, _)| field.len()).max().unwrap_or_default();
        let mut text = format!("{} {}\n", self.provider, self.operation);
        text.extend(self.fields.iter().map(|(field, value)| format!("  {field:<width$}  {value}\n")));
        tell(&format!("{text}{question} Type yes to send: "));
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let agreed = matches!(line.trim().to_lowercase().as_str(), "yes" | "y" | "oui" | "o");
        if !agreed {
            complain("nothing was sent");
        }
        Ok(agreed)
    }
}

/// Returns a value for a preview. Of an IBAN only the country and the last characters remain, of other personal data
/// the length.
pub fn masked(text: &str, personal: bool) -> String {
    if !personal {
        return text.to_owned();
    }
    match Iban::try_from(text) {
        // `Debug` of an IBAN is `Iban(FR…0185)`.
        Ok(iban) => format!("{iban:?}").trim_start_matches("Iban(").trim_end_matches(')').to_owned(),
        Err(_) => format!("*** ({} characters)", text.chars().count()),
    }
}

/// Returns true if the vendor may have acted although the call failed. An error that says nothing about this counts as
/// such, unless no request was sent.
fn is_lost(error: &Error) -> bool {
    use ErrorKind::{InvalidRequest, NotApplicable, NotAsked, NotConfigured};
    match error.outcome() {
        Some(Outcome::NotSent | Outcome::Refused) => false,
        Some(_) => true,
        None => !matches!(error.kind(), InvalidRequest | NotApplicable | NotAsked | NotConfigured),
    }
}

/// Reports a write that failed, with the next step of a person.
pub fn failed(mut out: Printer, form: &FailureForm, error: &Error, next: &str) -> End {
    complain(&told(error));
    let is_lost = is_lost(error);
    tell(&format!("{}\n", if is_lost { next } else { "The vendor has not acted." }));
    let printed = if out.is_json() { out.row(Vec::new(), form) } else { Ok(()) };
    ended(out, printed, if is_lost { End::Lost } else { End::Failed })
}

/// Ends the output of a command that writes. The exit code is that of the write, even if nobody reads the output.
pub fn ended(out: Printer, printed: Result<(), Failure>, end: End) -> End {
    match printed.and_then(|()| out.finish()) {
        Ok(()) => end,
        Err(why) => {
            complain(&format!("the output could not be printed: {why}"));
            if matches!(end, End::Complete) { End::Incomplete } else { end }
        }
    }
}
