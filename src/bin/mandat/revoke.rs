//! The command `mandat revoke` revokes a mandate, after a look at it and a question.

use super::{
    End, Failure,
    connect::{self, told},
    create::no_facts,
    forms::FailureForm,
    output::{Form, complain, remark, tell},
    status::{self, not_read},
    stop::{end_line, stopped},
    write::{self, Consent, Preview},
};
use chrono::Utc;
use mandat::{Error, ErrorKind, MandateRef, Mandates, Phase, Provider, safedebit::types::RevoqueReason};
use std::pin::pin;

/// Revoke a mandate for good, after a look at it and a question.
///
/// The command reads the mandate, shows it, asks, revokes it, and reads it again. If the response is lost (exit code
/// 6), run the same command again: a second revocation does no harm.
///
/// Easytransac documents no operation for this. Revoke such a mandate in its dashboard.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat revoke safedebit:RUM-2026-0042 --reason 2
  mandat revoke seqino:client_abc123/mdt_abc123 --dry-run
  mandat revoke safedebit:RUM-2026-0042 --yes --format json")]
pub struct Arguments {
    /// The mandate, by its reference.
    #[arg(value_name = "REF")]
    mandate: MandateRef,
    /// SafeDebit's reason. 1: the contract has ended. 2: the debtor asked for it. 3: the creditor asked for it. 4:
    /// deleted by the debtor. 5: deleted by the creditor.
    #[arg(long, value_name = "1-5")]
    reason: Option<RevoqueReason>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

const NEXT: &str = "Run the same command again: a second revocation does no harm. Until the mandate is read as revoked, \
                    do not collect on it.";

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { mandate: reference, reason, consent, form, connection } = arguments;
    let provider = reference.provider();
    let operation = match provider {
        Provider::SafeDebit => "revoque_mandate",
        Provider::Seqino => "revoke_mandate",
        _ => {
            return Err(format!(
                "{provider} documents no operation that revokes a mandate. Revoke it in the dashboard of {provider}, and \
                 do not collect on it"
            )
            .into());
        }
    };
    if reason.is_some() && provider != Provider::SafeDebit {
        return Err(super::Usage("--reason is for SafeDebit. Leave it out".into()).into());
    }
    let mut out = status::printer(&form)?;
    let connection = connect::connect(before.or(connection)).await?;
    let mandates = &connection.mandates;
    let now = match mandates.status(&reference).await {
        Ok(mandate) => mandate,
        Err(error) => {
            let end = if error.kind() == ErrorKind::NotFound { End::Unknown } else { End::Nothing };
            let printed = not_read(&mut out, &reference, &error);
            return Ok(write::ended(out, printed, end));
        }
    };
    if now.status.phase() == Phase::Ended {
        remark(&format!("{reference} has ended already, so nothing was sent.\n"));
        status::show(&mut out, &now, &no_facts(), None, Utc::now())?;
        out.finish()?;
        return Ok(End::Complete);
    }
    let mut fields = vec![
        ("mandate".to_owned(), reference.to_string()),
        ("present status".to_owned(), format!("{} ({})", now.status, now.raw)),
    ];
    fields.extend(reason.as_ref().map(|reason| ("reason".to_owned(), reason.as_str().to_owned())));
    let preview = Preview { provider, operation, fields };
    if consent.dry_run {
        preview.print(&form)?;
        return Ok(End::Complete);
    }
    if !preview.agreed(consent, "Revoke this mandate for good?")? {
        return Ok(End::Failed);
    }
    let mut stopped = pin!(stopped()?);
    let sent = tokio::select! {
        sent = send(&reference, reason, mandates) => sent,
        _ = &mut stopped => {
            end_line();
            complain("stopped while the request was under way. The vendor may have revoked the mandate");
            tell(&format!("{NEXT}\n"));
            return Ok(End::Lost);
        }
    };
    if let Err(error) = sent {
        return Ok(write::failed(out, &FailureForm::of(&reference, &error), &error, NEXT));
    }
    // Seqino deletes the mandate. With the earlier reading, the status is `Gone` and not an error.
    let read = tokio::select! {
        read = mandates.status(&now) => read.map_err(|error| told(&error)),
        _ = &mut stopped => Err("stopped".into()),
    };
    match read {
        Ok(mandate) => {
            let mut end = End::Complete;
            if mandate.status.phase() != Phase::Ended {
                complain(&format!(
                    "the vendor accepted the revocation, and still shows {reference} as {}. Do not collect on it, and \
                     read it again",
                    mandate.status
                ));
                end = End::Failed;
            }
            let printed = status::show(&mut out, &mandate, &no_facts(), None, Utc::now());
            Ok(write::ended(out, printed, end))
        }
        Err(why) => {
            complain(&format!(
                "the vendor accepted the revocation of {reference}. The mandate could not be read back: {why}"
            ));
            Ok(write::ended(out, Ok(()), End::Incomplete))
        }
    }
}

async fn send(reference: &MandateRef, reason: Option<RevoqueReason>, mandates: &Mandates) -> Result<(), Error> {
    match reference.provider() {
        Provider::Seqino => {
            let call = mandates.seqino()?.revoke_mandate().mandate_id(reference.id());
            call.x_pdp_client_id(reference.client_id().unwrap_or_default()).send().await.map(drop)
        }
        _ => {
            let call = mandates.safedebit()?.revoque_mandate();
            call.body_map(|body| body.umr(reference.id()).revoque_reason(reason)).send().await.map(drop)
        }
    }
}
