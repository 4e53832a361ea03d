//! The command `mandat doctor` checks the set-up of each vendor, step by step.

use super::{
    End, Failure,
    connect::{Connection, told},
    file,
};
use futures_util::{StreamExt, stream};
use mandat::{Check, CheckReport, CheckResult, CheckStep, ErrorKind, Provider};
use std::io::{self, Write};

/// Check if the set-up works: address, DNS, TLS, IP address, credentials, clock.
///
/// The command sends one call with your credentials to each vendor that you use. The call changes nothing there. A
/// wrong password is sent once, because repeated refusals can lock an account. So correct the password before you run
/// the command again.
#[derive(clap::Args)]
pub struct Arguments {
    /// The vendors to check. Without a name: each vendor with credentials.
    #[arg(value_name = "VENDOR")]
    vendors: Vec<Provider>,
    /// Print one line of JSON per vendor.
    #[arg(long)]
    json: bool,
}

pub async fn run(Arguments { vendors, json }: Arguments, connection: Connection) -> Result<End, Failure> {
    let wanted = if vendors.is_empty() { Provider::ALL.to_vec() } else { vendors.clone() };
    let mandates = &connection.mandates;
    let checks = stream::iter(wanted).map(|provider| async move { (provider, mandates.check_vendor(provider).await) });
    let mut checks = checks.buffered(Provider::ALL.len());
    let (mut out, mut checked, mut failed) = (io::stdout().lock(), 0, 0);
    while let Some((provider, report)) = checks.next().await {
        match report {
            Ok(report) => {
                checked += 1;
                failed += usize::from(!report.works());
                let text = if json { file::json_line(&report)? } else { shown(&report) };
                out.write_all(super::visible(&text).as_bytes())?;
                out.flush()?;
            }
            // A vendor that the command line does not name need not be configured.
            Err(error) if error.kind() == ErrorKind::NotConfigured => {
                super::tell(&format!("{provider}: not checked: {}\n", told(&error)));
                let named = vendors.contains(&provider);
                checked += usize::from(named);
                failed += usize::from(named);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(End::of(checked, failed, 0))
}

/// Returns the report for a terminal: a line for each step, and below it what to do.
fn shown(report: &CheckReport) -> String {
    let CheckReport { provider, address, spec, checks, .. } = report;
    let mut text = format!("{provider}  {address}\n");
    for Check { step, result, found, advice, .. } in checks {
        text += &line(mark(*result), label(*step), found);
        if let Some(advice) = advice {
            text += &line("", "", advice);
        }
    }
    text += &line("ok", "spec", spec);
    text.push('\n');
    text
}

/// Returns a line of at most 80 columns, and further lines for the rest of its text.
fn line(mark: &str, label: &str, text: &str) -> String {
    const WIDTH: usize = 80 - 22;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if last.chars().count() + 1 + word.chars().count() <= WIDTH => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    let mut shown = format!("  {mark:<5} {label:<13} ");
    shown += &lines.join(&format!("\n{:22}", ""));
    shown.push('\n');
    shown
}

fn mark(result: CheckResult) -> &'static str {
    match result {
        CheckResult::Passed => "ok",
        CheckResult::Warning => "warn",
        CheckResult::Failed => "FAIL",
        _ => "-",
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
