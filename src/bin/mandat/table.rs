//! The command `mandat table` prints the meaning of each status word.

use super::{
    End, Failure,
    forms::WordForm,
    output::{Cell, Form, Tone, write_out},
    status::tone,
};
use mandat::{Change, Evidence, MandateStatus, Phase, Provider, debit_vocabulary, vocabulary};
use std::fmt::Write as _;

/// Print the meaning of each vendor's words for a status.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat table
  mandat table --debits --format json")]
pub struct Arguments {
    /// Print a Mermaid state diagram of the changes of status instead.
    #[arg(long, conflicts_with_all = ["format", "columns", "json"])]
    mermaid: bool,
    /// Print the words for the status of a debit instead.
    #[arg(long, conflicts_with = "mermaid")]
    debits: bool,
    #[command(flatten)]
    form: Form,
}

pub fn run(arguments: &Arguments) -> Result<End, Failure> {
    match arguments {
        Arguments { mermaid: true, .. } => write_out(diagram().as_bytes())?,
        Arguments { debits: true, form, .. } => table(
            form,
            debit_vocabulary().into_iter().map(|row| (row.provider, row.raw, Cell::new(row.status), row.evidence)),
        )?,
        Arguments { form, .. } => table(
            form,
            vocabulary()
                .into_iter()
                .map(|row| (row.provider, row.raw, Cell::new(row.status).tone(tone(row.status)), row.evidence)),
        )?,
    }
    Ok(End::Complete)
}

fn table(form: &Form, rows: impl Iterator<Item = (Provider, String, Cell, Evidence)>) -> Result<(), Failure> {
    let mut out = form.printer(&["vendor", "word", "status", "known"], &[])?;
    for (provider, word, status, evidence) in rows {
        let form = WordForm {
            vendor: provider.as_str().into(),
            word: word.clone(),
            status: status.text.clone(),
            known: evidence.as_str().into(),
        };
        // The whole text would be wider than a terminal.
        let known = evidence.to_string().replace("word documented, meaning inferred", "word documented");
        let known_tone = if evidence == Evidence::Documented { Tone::Plain } else { Tone::Faint };
        out.row(vec![Cell::new(provider.as_str()), Cell::new(word), status, Cell::new(known).tone(known_tone)], &form)?;
    }
    out.finish()
}

/// Returns a diagram of the usual changes of status, and of the changes that reinstate a mandate.
fn diagram() -> String {
    use Phase::{Ended, InForce, OnHold, Setup};
    let all = |phase: Phase| MandateStatus::ALL.iter().copied().filter(move |status| status.phase() == phase);
    let mut text = String::from("stateDiagram-v2\n    direction LR\n    [*] --> Setup\n");
    for phase in [Setup, InForce, OnHold, Ended] {
        let _ = writeln!(text, "    state {phase} {{");
        let mut alone = true;
        for (from, to) in all(phase).flat_map(|from| all(phase).map(move |to| (from, to))) {
            // Leave out the changes to `Gone`: every ended status has one, and their arrows would hide the others.
            if from.change_to(to) == Some(Change::Forward) && to != MandateStatus::Gone {
                let _ = writeln!(text, "        {from} --> {to}");
                alone = false;
            }
        }
        if alone {
            text.extend(all(phase).map(|status| format!("        {status}\n")));
        }
        text += "    }\n";
    }
    for (from, to) in [Setup, InForce, OnHold, Ended]
        .into_iter()
        .flat_map(|from| [Setup, InForce, OnHold, Ended].map(|to| (from, to)))
        .filter(|(from, to)| from != to)
    {
        let changes = || all(from).flat_map(|from| all(to).filter_map(move |to| from.change_to(to)));
        if changes().any(|change| change == Change::Forward) {
            let _ = writeln!(text, "    {from} --> {to}");
        } else if changes().all(|change| change == Change::Reinstated) {
            let _ = writeln!(text, "    {from} --> {to}: reinstated");
        }
    }
    text
}
