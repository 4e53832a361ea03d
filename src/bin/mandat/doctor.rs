//! The command `mandat doctor` checks the set-up of each vendor, step by step.

use super::{
    End, Failure,
    connect::{self, told},
    forms::FailureForm,
    layout,
    output::{Cell, Form, Printer, Tone, complain, paint, remark, screen, visible},
};
use futures_util::{StreamExt, stream};
use mandat::{Check, CheckReport, CheckResult, CheckStep, Provider};

/// Check if the set-up works: address, DNS, TLS, IP address, credentials, clock.
///
/// The command sends one call with your credentials to each vendor that you use. The call changes nothing there. A
/// wrong password is sent once, because repeated refusals can lock an account. So correct the password before you run
/// the command again.
///
/// The exit code is 3 if the check of some vendors fails, and 4 if it fails for all.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat doctor
  mandat doctor safedebit --env-file credentials
  mandat doctor --format json > doctor.json")]
pub struct Arguments {
    /// The vendors to check: easytransac, safedebit or seqino. Without a name: each vendor with credentials.
    #[arg(value_name = "VENDOR")]
    vendors: Vec<Provider>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { vendors, form, connection } = arguments;
    let mut out = form.printer(&["vendor", "step", "result", "found", "advice"], &["address", "environment"])?;
    let connection = connect::connect(before.or(connection)).await?;
    // A vendor that is named twice is checked once. Otherwise a wrong password would be sent twice.
    let mut wanted = Provider::ALL.to_vec();
    wanted.retain(|provider| vendors.is_empty() || vendors.contains(provider));
    let mandates = &connection.mandates;
    let checks = stream::iter(wanted).map(|provider| async move { (provider, mandates.check_vendor(provider).await) });
    // Check all vendors at the same time, and print them in their order.
    let mut checks = checks.buffered(Provider::ALL.len());
    let (mut checked, mut failed) = (0, 0);
    while let Some((provider, report)) = checks.next().await {
        match report {
            Ok(report) => {
                checked += 1;
                failed += usize::from(!report.works());
                show(&mut out, &report)?;
            }
            Err(error) if vendors.contains(&provider) => {
                (checked, failed) = (checked + 1, failed + 1);
                match out.is_json() {
                    true => out.row(Vec::new(), &FailureForm::of_vendor(&error))?,
                    false => complain(&format!("{provider}: {}", told(&error))),
                }
            }
            // A vendor that the command line does not name need not be configured.
            Err(error) => remark(&format!("{provider}: not checked: {}\n", told(&error))),
        }
    }
    out.finish()?;
    Ok(End::of(checked, failed, 0))
}

/// Prints a report: in the JSON formats one object, otherwise a line for each step.
fn show(out: &mut Printer, report: &CheckReport) -> Result<(), Failure> {
    if out.is_json() {
        return out.row(Vec::new(), report);
    }
    let CheckReport { provider, address, environment, spec, checks, .. } = report;
    if out.is_screen() {
        let mut text = format!("{}  {address}\n", paint(Tone::Strong, provider.name()));
        for Check { step, result, found, advice, .. } in checks {
            text += &line(mark(*result), label(*step), found);
            if let Some(advice) = advice {
                text += &line(("", Tone::Plain), "", advice);
            }
        }
        text += &line(("ok", Tone::Good), "spec", spec);
        return out.text(&format!("{text}\n"));
    }
    let mut row = |step: &str, (word, tone): (&str, Tone), found: &str, advice: Option<&String>| {
        let cells = vec![
            Cell::new(provider.as_str()),
            Cell::new(step),
            Cell::new(word).tone(tone),
            Cell::new(found),
            Cell::of(advice),
            Cell::new(address),
            Cell::new(environment),
        ];
        out.row(cells, report)
    };
    for check in checks {
        row(label(check.step), mark(check.result), &check.found, check.advice.as_ref())?;
    }
    row("spec", ("ok", Tone::Good), spec, None)
}

/// Returns a line for a terminal, with further lines for the rest of its text.
fn line((mark, tone): (&str, Tone), label: &str, text: &str) -> String {
    const INDENT: usize = 22;
    let width = screen().width.unwrap_or(80).saturating_sub(INDENT);
    let mut shown = String::new();
    for (place, line) in layout::wrapped(&visible(text), width).iter().enumerate() {
        let (mark, label) = if place == 0 { (mark, label) } else { ("", "") };
        shown += &format!("  {} {label:<13} {line}\n", paint(tone, &format!("{mark:<5}")));
    }
    shown
}

fn mark(result: CheckResult) -> (&'static str, Tone) {
    match result {
        CheckResult::Passed => ("ok", Tone::Good),
        CheckResult::Warning => ("warn", Tone::Open),
        CheckResult::Failed => ("FAIL", Tone::Bad),
        _ => ("-", Tone::Faint),
    }
}

fn label(step: CheckStep) -> &'static str {
    match step {
        CheckStep::Address => "address",
        CheckStep::Dns => "DNS",
        CheckStep::Connection => "connection",
        CheckStep::Tls => "TLS",
        CheckStep::Health => "health check",
        CheckStep::Response => "response",
        CheckStep::IpAddress => "IP address",
        CheckStep::Credentials => "credentials",
        CheckStep::Call => "call",
        CheckStep::Clock => "clock",
        _ => "other",
    }
}
