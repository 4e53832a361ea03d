//! The JSON forms that the commands print, and their schemas. A mandate, a debit and a verdict have the form in which
//! the library stores them.

use super::{
    End, Failure, Usage,
    connect::told,
    file::{self, Field},
    output::{self, Cell, Form, Format},
};
use chrono::NaiveDate;
use mandat::{CheckReport, Debit, Error, ErrorKind, Mandate, MandateChange, Outcome, Probe, Verdict, sepa::Finality};
use schemars::{JsonSchema, Schema, json_schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Print the JSON Schema of the JSON that a command prints.
///
/// A mandate, a debit, a verdict and a change have the form in which the library stores them. Durations are in seconds.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat schema              # the names
  mandat schema status > status.schema.json")]
pub struct Arguments {
    /// The name of the schema. Without a name, the command lists the names.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// A schema, as `schema` lists it.
#[derive(Serialize, JsonSchema)]
struct SchemaForm {
    /// The name for `mandat schema NAME`.
    name: &'static str,
    /// The commands that print such JSON.
    commands: &'static str,
}

/// A record that was read, or the reason why not.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, clippy::large_enum_variant, reason = "no value is made: the type only describes JSON")]
enum OrFailure<T> {
    Read(T),
    Failed(FailureForm),
}

/// A function that makes a schema.
type Make = fn() -> Schema;

/// The name of each schema, the commands that print such objects, and the schema of one object. The format json prints
/// an array of these objects, and jsonl one object a line.
const SCHEMAS: [(&str, &str, Make); 16] = [
    ("status", "status, create, revoke, sign", || schema_for!(OrFailure<MandateForm>)),
    ("debit", "debit", || schema_for!(OrFailure<DebitForm>)),
    ("watch", "watch", || schema_for!(MandateChange)),
    ("doctor", "doctor", || schema_for!(OrFailure<CheckReport>)),
    ("probe", "probe", || schema_for!(OrFailure<ProbeForm>)),
    ("table", "table", || schema_for!(WordForm)),
    ("check", "check", || schema_for!(CheckForm)),
    ("calendar", "calendar", || schema_for!(DayForm)),
    ("spec", "spec versions", || schema_for!(SpecForm)),
    ("fields", "create --fields", || schema_for!(FieldForm)),
    ("preview", "create --dry-run, revoke --dry-run", || schema_for!(PreviewForm)),
    ("row", "refresh", row_schema),
    ("sandbox", "sandbox --json", || schema_for!(SandboxForm)),
    ("schema", "schema", || schema_for!(SchemaForm)),
    ("summary", "refresh --summary json", || schema_for!(SummaryForm)),
    ("error", "every command, on standard error", || schema_for!(FailureForm)),
];

/// Returns the schema of a row of a file of mandates. Each column of the program is a text, a boolean or null. Your own
/// columns have any value.
fn row_schema() -> Schema {
    let column = |field: Field| {
        let kind = match field {
            Field::SignatureConfirmed | Field::RevokedByDebtor | Field::OneOffUsed => {
                json!(["boolean", "string", "null"])
            }
            _ => json!(["string", "null"]),
        };
        (field.name(), json!({"type": kind}))
    };
    let columns: BTreeMap<&str, Value> = Field::ALL.map(column).into();
    let names = Field::ALL.map(Field::name);
    json_schema!({
        "title": "Row",
        "description": "A row of a file of mandates. See the chapter Mandates in files.",
        "type": "object",
        "properties": columns,
        "required": names,
    })
}

pub fn run(Arguments { name, form }: &Arguments) -> Result<End, Failure> {
    let Some(name) = name else {
        let mut out = form.printer(&["name", "commands"], &[])?;
        for (name, commands, _) in SCHEMAS {
            out.row(vec![Cell::new(name), Cell::new(commands)], &SchemaForm { name, commands })?;
        }
        out.finish()?;
        return Ok(End::Complete);
    };
    let Some((_, _, make)) = SCHEMAS.iter().find(|(known, ..)| known == name) else {
        let meant = file::suggestion(name, SCHEMAS.iter().map(|(name, ..)| *name));
        let names = SCHEMAS.map(|(name, ..)| name).join(", ");
        return Err(Usage(format!("there is no schema of this name.{meant} The names are {names}")).into());
    };
    match form.format() {
        Format::Table | Format::Json => output::document(&make())?,
        Format::Jsonl => output::write_out(file::json_line(&make())?.as_bytes())?,
        Format::Csv => return Err(Usage("a schema is one JSON document. Leave out --format csv".into()).into()),
    }
    Ok(End::Complete)
}

/// A mandate that was read, as `status`, `create`, `revoke` and `sign` print it.
#[derive(Serialize, JsonSchema)]
pub struct MandateForm<'a> {
    /// The reading, in the form in which the library stores it.
    pub mandate: &'a Mandate,
    /// The verdict on its use, with every reason.
    pub verdict: &'a Verdict,
    /// The reasons as texts for people.
    pub reasons: Vec<String>,
    /// Who has to act next.
    pub next_step: &'a str,
    /// The link where the debtor signs. Only `create` at SafeDebit prints the link. No operation returns the link
    /// again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_url: Option<&'a str>,
}

/// A debit that was read, as `debit` prints it.
#[derive(Serialize, JsonSchema)]
pub struct DebitForm<'a> {
    /// The reading, in the form in which the library stores it.
    pub debit: &'a Debit,
    /// How final its money is. Null if no money can become yours by this reading.
    pub finality: Option<Finality>,
}

/// A record that could not be read, or a command that failed. The JSON formats print the first on standard output in
/// the place of the record, and the second on standard error.
#[derive(Serialize, JsonSchema)]
pub struct FailureForm {
    /// The reference of the record, if the error concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The error.
    pub error: ErrorForm,
}

/// An error.
#[derive(Serialize, JsonSchema)]
pub struct ErrorForm {
    /// The kind of the library's error, such as `NotFound`; `Usage` for wrong arguments; `Failure` for any other error
    /// of the program.
    pub kind: String,
    /// The text for people.
    pub message: String,
    /// The vendor, if the error concerns one.
    pub vendor: Option<String>,
    /// The operation of the vendor that failed.
    pub operation: Option<String>,
    /// The HTTP status of the response.
    pub http_status: Option<u16>,
    /// The vendor's own error code.
    pub vendor_code: Option<String>,
    /// The vendor's trace id, for its support.
    pub trace_id: Option<String>,
    /// After a write: `NotSent`, `Refused` or `Unknown`.
    pub outcome: Option<String>,
    /// True if the same command can be repeated later without a change.
    pub retryable: bool,
    /// The delay that the vendor requests before the next call, in seconds.
    pub retry_after_seconds: Option<u64>,
    /// The advice on how to resolve the error.
    pub advice: Option<String>,
}

impl ErrorForm {
    pub fn of(error: &Error) -> Self {
        let outcome = error.outcome().map(|outcome| match outcome {
            Outcome::NotSent => "NotSent",
            Outcome::Refused => "Refused",
            _ => "Unknown",
        });
        let retry_after = match error.kind() {
            ErrorKind::RateLimited { retry_after } => retry_after,
            _ => None,
        };
        Self {
            kind: error.kind().name().into(),
            message: output::visible(&told(error)),
            vendor: error.provider().map(|provider| provider.as_str().into()),
            operation: error.operation().map(Into::into),
            http_status: error.http_status(),
            vendor_code: error.vendor_code().map(Into::into),
            trace_id: error.trace_id().map(Into::into),
            outcome: outcome.map(Into::into),
            retryable: error.is_retryable(),
            retry_after_seconds: retry_after.map(|delay| delay.as_secs()),
            advice: error.advice().map(Into::into),
        }
    }

    /// Returns the form of an error that is not the library's.
    pub fn plain(kind: &str, message: &str) -> Self {
        Self {
            kind: kind.into(),
            message: output::visible(message),
            vendor: None,
            operation: None,
            http_status: None,
            vendor_code: None,
            trace_id: None,
            outcome: None,
            retryable: false,
            retry_after_seconds: None,
            advice: None,
        }
    }
}

impl FailureForm {
    /// Returns the form of an error that concerns no record yet.
    pub fn of_vendor(error: &Error) -> Self {
        Self { reference: None, error: ErrorForm::of(error) }
    }

    pub fn of(reference: impl ToString, error: &Error) -> Self {
        Self { reference: Some(reference.to_string()), error: ErrorForm::of(error) }
    }
}

/// A word of a vendor's vocabulary, as `table` prints it.
#[derive(Serialize, JsonSchema)]
pub struct WordForm {
    /// The vendor.
    pub vendor: String,
    /// The vendor's word.
    pub word: String,
    /// The status of a mandate or of a debit.
    pub status: String,
    /// How well the meaning of the word is known.
    pub known: String,
}

/// A checked value, as `check` prints it. It never has the value itself.
#[derive(Serialize, JsonSchema)]
pub struct CheckForm {
    /// The place of the value in the list, from 1.
    pub value: usize,
    /// The type of the value.
    pub r#type: &'static str,
    /// True if the value is valid, or some vendors accept it.
    pub valid: bool,
    /// The warning for a valid value.
    pub warning: Option<String>,
    /// The broken rule.
    pub error: Option<String>,
}

/// A day on which TARGET is closed, as `calendar` prints it.
#[derive(Serialize, JsonSchema)]
pub struct DayForm {
    /// The day.
    pub day: NaiveDate,
    /// The day of the week, in three letters.
    pub weekday: String,
    /// The holiday.
    pub name: String,
}

/// The spec of a vendor in this build, as `spec versions` prints it.
#[derive(Serialize, JsonSchema)]
pub struct SpecForm {
    /// The vendor.
    pub vendor: String,
    /// `ours`, `patched` or `replaced`, with a description.
    pub origin: String,
}

/// The addresses and credentials of a sandbox, as `sandbox --json` prints them.
#[derive(Serialize, JsonSchema)]
pub struct SandboxForm {
    /// The address on which the sandbox listens.
    pub address: String,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The URL for control requests.
    pub control: String,
    /// The simulated vendors.
    pub vendors: Vec<SimulatedForm>,
}

/// A simulated vendor.
#[derive(Serialize, JsonSchema)]
pub struct SimulatedForm {
    /// The vendor.
    pub vendor: String,
    /// The base URL for callers on this machine.
    pub url: String,
    /// The base URL at the first `--host`.
    pub public_url: String,
    /// The names and values of the accepted credentials. They are public, and work only in the sandbox.
    pub credentials: BTreeMap<&'static str, &'static str>,
}

/// The comparison of one response with the spec, as `probe` prints it.
#[derive(Serialize, JsonSchema)]
pub struct ProbeForm<'a> {
    /// The reference of the record.
    pub reference: String,
    /// True if the response matches the spec.
    pub matches: bool,
    /// The keys and types of the response, without any value, and the differences from the spec.
    pub report: &'a Probe,
}

/// A field of a request, as `create --fields` prints it.
#[derive(Serialize, JsonSchema)]
pub struct FieldForm {
    /// The name of the field. A dot leads to a field within an object.
    pub field: String,
    /// True if the request needs the field.
    pub required: bool,
    /// True if the value is personal.
    pub personal: bool,
    /// The type of the value.
    pub r#type: &'static str,
    /// The description from the spec of the vendor.
    pub about: String,
}

/// A preview of a write, as `create --dry-run` and `revoke --dry-run` print it.
#[derive(Serialize, JsonSchema)]
pub struct PreviewForm {
    /// The vendor.
    pub vendor: String,
    /// The operation in the spec.
    pub operation: String,
    /// Always false: a preview sends nothing.
    pub sent: bool,
    /// The fields of the request. Personal values are masked.
    pub fields: BTreeMap<String, String>,
}

/// The summary of a run of `refresh`.
#[derive(Serialize, JsonSchema)]
pub struct SummaryForm {
    /// The number of rows.
    pub rows: usize,
    /// The rows with their first reading.
    pub new: usize,
    /// The rows whose mandate changed.
    pub changed: usize,
    /// The rows that could not be read.
    pub not_read: usize,
    /// The rows that were not requested, because a vendor had refused the caller.
    pub not_requested: usize,
    /// The rows whose mandate the vendor does not know.
    pub unknown_to_the_vendor: usize,
    /// The rows with a reading of the stopped run.
    pub resumed: usize,
    /// The number of mandates by status.
    pub statuses: BTreeMap<String, usize>,
    /// The causes of the rows that could not be read.
    pub causes: Vec<CauseForm>,
}

/// A cause for which rows could not be read.
#[derive(Serialize, JsonSchema)]
pub struct CauseForm {
    /// The cause.
    pub cause: String,
    /// The error of the first of these rows.
    pub example: String,
    /// The numbers of the lines in the file that have these rows.
    pub lines: Vec<usize>,
}
