//! The command `mandat sign` signs a mandate in a running sandbox, in the place of the debtor.

use super::{
    End, Failure, Usage, connect,
    create::no_facts,
    output::Form,
    status::{self, not_read},
};
use chrono::Utc;
use mandat::{ErrorKind, Mandate, MandateRef};

/// Sign a mandate in a running sandbox, in the place of the debtor.
///
/// Only a sandbox can do this. At a vendor, the debtor signs with the link that `mandat create` prints.
#[derive(clap::Args)]
#[command(after_help = "\
Example, with `mandat sandbox` in another terminal:
  mandat create safedebit --from mandate.csv --sandbox=127.0.0.1:4010
  mandat sign safedebit:RUM-2026-0042 --sandbox=127.0.0.1:4010
  mandat status safedebit:RUM-2026-0042 --sandbox=127.0.0.1:4010")]
pub struct Arguments {
    /// The mandate, by its reference.
    #[arg(value_name = "REF")]
    mandate: MandateRef,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { mandate: reference, form, connection } = arguments;
    let options = before.or(connection);
    let host = match options.running_sandbox() {
        Some(host) => host.to_owned(),
        None if options.is_sandbox() => {
            let why = "a sandbox of this command alone would forget the signature at once. Start `mandat sandbox` in \
                       another terminal, and name its address: --sandbox=127.0.0.1:4010";
            return Err(Usage(why.into()).into());
        }
        None => {
            let why = "only a sandbox can sign in the place of the debtor. At a vendor, the debtor signs with the link \
                       that `mandat create` prints. For a sandbox, name its address: --sandbox=127.0.0.1:4010";
            return Err(Usage(why.into()).into());
        }
    };
    let mut out = status::printer(&form)?;
    let connection = connect::connect(options).await?;
    let refused = order(&host, &reference).await?;
    match (connection.mandates.status(&reference).await, refused) {
        (Ok(Mandate { status, raw, .. }), Some(409)) => {
            let why = format!("nobody can sign a mandate with the status {status} ({raw})");
            return Err(format!("the sandbox did not sign {reference}: {why}").into());
        }
        (Ok(_), Some(code)) => return Err(format!("the sandbox did not sign {reference}: HTTP {code}").into()),
        (Ok(mandate), None) => status::show(&mut out, &mandate, &no_facts(), None, Utc::now())?,
        (Err(error), _) => {
            not_read(&mut out, &reference, &error)?;
            out.finish()?;
            return Ok(if error.kind() == ErrorKind::NotFound { End::Unknown } else { End::Nothing });
        }
    }
    out.finish()?;
    Ok(End::Complete)
}

/// Sends the control request that signs the mandate. Returns the HTTP status of a refusal.
async fn order(host: &str, reference: &MandateRef) -> Result<Option<u16>, Failure> {
    let body = serde_json::json!({"mandate": reference, "step": "sign"}).to_string();
    let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.without_url().to_string())?;
    let request = client.post(format!("http://{host}/_control/mandates"));
    let request = request.header("content-type", "application/json").body(body);
    let unreachable = |e: reqwest::Error| {
        format!("no sandbox responds at {host}: {}. Start one with `mandat sandbox`", e.without_url())
    };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    Ok((!status.is_success()).then_some(status.as_u16()))
}
