//! `mandat table` prints the vocabulary.

use super::{End, Failure};
use mandat::{Change, MandateStatus, Phase, vocabulary};
use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

/// Print the meaning of each vendor's words.
#[derive(clap::Args)]
pub struct Arguments {
    /// Print a Mermaid state diagram of the changes of status instead.
    #[arg(long)]
    mermaid: bool,
}

pub fn run(arguments: &Arguments) -> Result<End, Failure> {
    let text = if arguments.mermaid { diagram() } else { table() };
    io::stdout().write_all(text.as_bytes())?;
    Ok(End::Complete)
}

fn table() -> String {
    let mut text = format!("{:<12} {:<24} {:<21} {}\n", "VENDOR", "WORD", "STATUS", "KNOWN");
    for row in vocabulary() {
        let known = row.evidence.to_string();
        let known = known.replace("word documented, meaning inferred", "word documented");
        let known = row.observed_on.map_or(known.clone(), |day| format!("{known} {day}"));
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<12} {:<24} {:<21} {known}", row.provider, row.raw, row.status);
    }
    text
}

/// The usual changes of status, and the changes that reinstate a mandate.
fn diagram() -> String {
    use Phase::{Ended, InForce, OnHold, Setup};
    let all = |phase: Phase| MandateStatus::ALL.iter().copied().filter(move |status| status.phase() == phase);
    let mut text = String::from("stateDiagram-v2\n    direction LR\n    [*] --> Setup\n");
    for phase in [Setup, InForce, OnHold, Ended] {
        let _ = writeln!(text, "    state {phase} {{");
        let mut alone = true;
        for (from, to) in all(phase).flat_map(|from| all(phase).map(move |to| (from, to))) {
            // Every ended status can change to `Gone`. Its arrows would hide the others.
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
