//! The command `mandat create` creates a mandate at a vendor, after a preview and a question.

use super::{
    End, Failure, Usage,
    connect::{self, told},
    fields::{self, Field, Kind},
    file,
    forms::{FailureForm, FieldForm},
    input,
    output::{Cell, Form, Printer, Tone, complain, paint, remark, tell},
    status,
    stop::{end_line, stopped},
    write::{self, Consent, Preview, masked},
};
use chrono::Utc;
use mandat::{
    Error, ErrorKind, Facts, LastCollection, Mandate, MandateRef, Mandates, Provider, easytransac, safedebit, seqino,
    spec,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{
    fmt,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

/// Create a mandate at a vendor, after a preview and a question.
///
/// The fields are those of the vendor: `mandat create safedebit --fields` lists them. Write the fields into a file, and
/// use --from. Do not write an IBAN or a name into the arguments, because other users of this machine can see them.
///
/// The command checks every field before it asks. It then sends one request, and reads the mandate back. The exit code
/// 6 means that the response is lost. The mandate may exist then: do not repeat the command, but run it with --look.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat create easytransac --fields
  mandat create easytransac --from debtor.json --dry-run
  mandat create safedebit --from mandate.csv --set umr=RUM-2026-0042
  mandat create seqino --client client_abc123 --from scope.json --yes
  mandat create safedebit --from mandate.csv --look   # after exit code 6")]
pub struct Arguments {
    /// The vendor: easytransac, safedebit or seqino.
    vendor: Provider,
    /// Read the fields from this file: a JSON object, or CSV with a line of names and a line of values. `-` is standard
    /// input.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Set a field. Repeat the option for more fields. A field of the file is replaced. Not for personal data.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Seqino: the client for whom the mandate is created.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// List the fields of the vendor, and send nothing.
    #[arg(long, conflicts_with_all = ["from", "set", "look", "dry_run", "yes"])]
    fields: bool,
    /// After a lost response: look for the mandate of these fields, and create nothing.
    #[arg(long, conflicts_with_all = ["dry_run", "yes"])]
    look: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

/// Reads `FIELD=VALUE`. clap would print the argument, which may be personal data. So `value` reports a missing `=`.
fn assignment(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Ok((name.trim().to_owned(), value.to_owned()))
}

const OPERATION: &str = "create_mandate";

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { vendor, from, set, client, fields: list, look, consent, form, connection } = arguments;
    let described: Value = serde_json::from_str(spec(vendor).unwrap_or_default())?;
    let mut known = fields::of_operation(&described, OPERATION);
    if vendor == Provider::SafeDebit {
        // The spec does not require a reference of the caller. Without one, nothing can find the mandate after a lost
        // response.
        known.iter_mut().filter(|field| field.name == "umr").for_each(|field| field.required = true);
    }
    known.sort_by_key(|field| !field.required);
    if list {
        return list_fields(&known, &form);
    }
    let mut out = status::printer_with_link(&form)?;
    let body = body(&known, from.as_deref(), &set)?;
    let request = Request::checked(vendor, client, body.clone())?;
    let preview = Preview { provider: vendor, operation: OPERATION, fields: shown(&known, &body, &request) };
    if consent.dry_run {
        preview.print(&form)?;
        return Ok(End::Complete);
    }
    let connection = connect::connect(before.or(connection)).await?;
    let mandates = &connection.mandates;
    if look {
        return found(request.look(mandates).await?, out);
    }
    if !preview.agreed(consent, "Create this mandate?")? {
        return Ok(End::Failed);
    }
    let mut stopped = pin!(stopped()?);
    let next = request.next_after_loss();
    let sent = tokio::select! {
        sent = request.send(mandates) => sent,
        _ = &mut stopped => {
            end_line();
            complain("stopped while the request was under way. The vendor may have created the mandate");
            tell(&format!("{next}\n"));
            return Ok(End::Lost);
        }
    };
    let (created, link) = match sent {
        Ok((Ok(created), link)) => (created, link),
        // The vendor created the mandate, and its response does not name it.
        Ok((Err(error), _)) => {
            complain(&told(&error));
            tell(&format!("{next}\n"));
            return Ok(End::Lost);
        }
        Err(error) => return Ok(write::failed(out, &FailureForm::of_vendor(&error), &error, next)),
    };
    let read = tokio::select! {
        read = mandates.status(&created) => read.map_err(|error| told(&error)),
        _ = &mut stopped => Err("stopped".into()),
    };
    let mandate = read.as_ref().unwrap_or(&created);
    let printed = status::show(&mut out, mandate, &no_facts(), Some(&link), Utc::now()).and_then(|()| out.finish());
    if printed.is_err() && !link.is_empty() {
        // No operation returns the link again.
        tell(&format!("The debtor signs at {link}\n"));
    }
    let failure = match (read, printed) {
        (Ok(_), Ok(())) => return Ok(End::Complete),
        (Err(why), _) => format!("read back: {why}"),
        (_, Err(why)) => format!("printed: {why}"),
    };
    complain(&format!(
        "the mandate {} was created, but could not be {failure}. Do not create it again. Read it later with `mandat \
         status`",
        created.reference
    ));
    Ok(End::Incomplete)
}

/// Facts of a mandate that was just created: none is known.
pub fn no_facts() -> Facts {
    Facts {
        signed_on: None,
        signature_confirmed: None,
        last_collection: LastCollection::NotKnown,
        revoked_by_debtor: None,
        one_off_used: None,
        max_age: Duration::from_secs(60),
        last_acknowledged: None,
    }
}

fn list_fields(known: &[Field], form: &Form) -> Result<End, Failure> {
    let mut out = form.printer(&["field", "required", "personal", "type", "about"], &[])?;
    let yes = |is: bool| if is { "yes" } else { "" };
    for Field { name, required, personal, kind, about } in known {
        if out.is_screen() {
            let marks = [(*required, "required"), (*personal, "personal")];
            let marks = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| format!(", {mark}"));
            let head = format!("{}  {}{}", paint(Tone::Strong, name), kind.name(), marks.collect::<String>());
            out.text(&format!("{head}\n    {}\n", about.replace('\n', " ")))?;
            continue;
        }
        let form = FieldForm {
            field: name.clone(),
            required: *required,
            personal: *personal,
            r#type: kind.name(),
            about: about.clone(),
        };
        let cells = vec![
            Cell::new(name).tone(if *required { Tone::Strong } else { Tone::Plain }),
            Cell::new(yes(*required)),
            Cell::new(yes(*personal)),
            Cell::new(kind.name()),
            Cell::new(about),
        ];
        out.row(cells, &form)?;
    }
    out.finish()?;
    Ok(End::Complete)
}

/// Returns the body of the request. The error names every missing and every unknown field, and shows no value.
fn body(known: &[Field], from: Option<&Path>, set: &[(String, String)]) -> Result<Map<String, Value>, Failure> {
    let (mut body, mut faults) = (Map::new(), Vec::new());
    if from.is_none() && set.is_empty() {
        return Err(Usage("the command has no fields. Add --from FILE. `--fields` lists the fields".into()).into());
    }
    if let Some(path) = from {
        for (place, (name, given)) in (1..).zip(read(path, known)?) {
            match value(known, &name, given, Some(place)) {
                Ok(Some(_)) if fields::get(&body, &name).is_some() => {
                    faults.push(format!("`{name}` has two values in the file."));
                }
                Ok(Some(value)) => fields::set(&mut body, &name, value),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
    }
    for (name, text) in set {
        match value(known, name, Value::String(text.clone()), None) {
            Ok(Some(value)) => fields::set(&mut body, name, value),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
        if known.iter().any(|field| field.name == *name && field.personal) {
            remark(&format!(
                "{name}: other users of this machine can see the arguments. Write it into a file instead\n"
            ));
        }
    }
    let missing = known.iter().filter(|field| field.required && fields::get(&body, &field.name).is_none());
    faults.extend(missing.map(|field| format!("`{}` is missing.", field.name)));
    if faults.is_empty() { Ok(body) } else { Err(format!("{} `--fields` lists the fields", faults.join(" ")).into()) }
}

/// Converts a given value to the type of its field. An empty text stands for an absent field. `place` is the place of
/// the field in the file, if it comes from there.
fn value(known: &[Field], name: &str, given: Value, place: Option<usize>) -> Result<Option<Value>, String> {
    let Some(field) = known.iter().find(|field| field.name == name) else {
        let meant = file::suggestion(name, known.iter().map(|field| field.name.as_str()));
        return Err(match place {
            // If the file has no line of names, this name is a value, which may be personal.
            Some(place) if meant.is_empty() => {
                format!("the name of field {place} in the file is not a field of this vendor.")
            }
            _ => format!("`{}` is not a field of this vendor.{meant}", file::shown(name)),
        });
    };
    let wrong = |wanted: &str| Err(format!("`{name}` is not valid. Write {wanted}."));
    match (field.kind, given) {
        (_, Value::Null) => Ok(None),
        (_, Value::String(text)) if text.trim().is_empty() => Ok(None),
        (Kind::Any, given) | (Kind::Text, given @ Value::String(_)) | (Kind::Boolean, given @ Value::Bool(_)) => {
            Ok(Some(given))
        }
        // A number would lose the zeros at the start of a postal code.
        (Kind::Text, _) => wrong("the value as a text, in quotation marks"),
        (Kind::Whole, Value::String(text)) => match text.trim().parse::<i64>() {
            Ok(number) => Ok(Some(number.into())),
            Err(_) => wrong("a whole number"),
        },
        (Kind::Whole, given) if given.is_i64() => Ok(Some(given)),
        (Kind::Whole, _) => wrong("a whole number"),
        (Kind::Boolean, Value::String(text)) => match file::boolean(text.trim()) {
            Some(answer) => Ok(Some(answer.into())),
            None => wrong("yes or no"),
        },
        (Kind::Boolean, _) => wrong("true or false"),
    }
}

/// Reads the fields of a file: a JSON object, or CSV with one row. An error shows no value.
fn read(path: &Path, known: &[Field]) -> Result<Vec<(String, Value)>, Failure> {
    let text = input::read(path)?;
    let fields = if text.trim_start().starts_with('{') { object(&text, known) } else { row(&text) };
    Ok(fields.map_err(|why| format!("{}: {why}", path.display()))?)
}

fn object(text: &str, known: &[Field]) -> Result<Vec<(String, Value)>, String> {
    // The error of serde_json shows no value of a text that is not JSON.
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|e| {
        format!("line {}, column {}: the file is not one JSON object. Correct the JSON", e.line(), e.column())
    })?;
    if let Some((key, line)) = file::repeated_key(text) {
        // Another key can be personal, because the file can have any keys.
        let is_known = known.iter().any(|field| field.name.split('.').any(|part| part == key));
        let key = if is_known { format!("the key `{key}`") } else { "a key".into() };
        return Err(format!("line {line}: {key} occurs twice in one object. Keep one of the two values"));
    }
    let mut fields = Vec::new();
    flatten(object, "", known, &mut fields);
    Ok(fields)
}

fn flatten(object: Map<String, Value>, prefix: &str, known: &[Field], fields: &mut Vec<(String, Value)>) {
    for (key, value) in object {
        let name = format!("{prefix}{key}");
        match value {
            // An object can also be the value of a field. An empty object has no field that could be reported.
            Value::Object(inner) if !inner.is_empty() && known.iter().all(|field| field.name != name) => {
                flatten(inner, &format!("{name}."), known, fields);
            }
            value => fields.push((name, value)),
        }
    }
}

fn row(text: &str) -> Result<Vec<(String, Value)>, String> {
    let first = text.lines().next().unwrap_or_default();
    let separator = [b';', b'\t', b','].into_iter().max_by_key(|c| first.bytes().filter(|byte| byte == c).count());
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(separator.unwrap_or(b',')).from_reader(text.as_bytes());
    let rows: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
    let rows = rows.map_err(|_| "the file is neither a JSON object nor CSV with one length of lines".to_owned())?;
    let [names, values] = rows.as_slice() else {
        return Err(format!(
            "CSV needs a line of names and one line of values, and the file has {} lines. Create one mandate at a time",
            rows.len()
        ));
    };
    let cell = |(name, value): (&str, &str)| (name.trim().to_owned(), Value::String(value.trim().to_owned()));
    Ok(names.iter().zip(values).map(cell).collect())
}

/// Returns the fields for the preview, with masked personal data.
fn shown(known: &[Field], body: &Map<String, Value>, request: &Request) -> Vec<(String, String)> {
    let client = request.client().map(|client| ("client".to_owned(), client.to_owned()));
    let field = |field: &Field| {
        let value = fields::get(body, &field.name)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // The spec does not know if a value without a type is personal.
        Some((field.name.clone(), masked(&text, field.personal || field.kind == Kind::Any)))
    };
    client.into_iter().chain(known.iter().filter_map(field)).collect()
}

/// A request whose every field has been checked.
enum Request {
    Easytransac(easytransac::types::CreateMandateRequest),
    SafeDebit(safedebit::types::CreateMandateRequest),
    Seqino(String, seqino::types::CreateMandateRequest),
}

impl Request {
    fn checked(vendor: Provider, client: Option<String>, body: Map<String, Value>) -> Result<Self, Failure> {
        if client.is_some() && vendor != Provider::Seqino {
            return Err(Usage("--client is for Seqino. Leave it out".into()).into());
        }
        let body = Value::Object(body);
        Ok(match vendor {
            Provider::Easytransac => {
                Self::Easytransac(checked::<easytransac::types::builder::CreateMandateRequest, _>(body)?)
            }
            Provider::SafeDebit => {
                Self::SafeDebit(checked::<safedebit::types::builder::CreateMandateRequest, _>(body)?)
            }
            Provider::Seqino => {
                let client = client.ok_or_else(|| Usage("add --client with the id of the client at Seqino".into()))?;
                Self::Seqino(client, checked::<seqino::types::builder::CreateMandateRequest, _>(body)?)
            }
            _ => return Err(format!("this program cannot create a mandate at {vendor}").into()),
        })
    }

    fn client(&self) -> Option<&str> {
        match self {
            Self::Seqino(client, _) => Some(client),
            _ => None,
        }
    }

    /// Sends the request. Returns the mandate as the response describes it, and the link where the debtor signs, which
    /// is empty at a vendor without such a link. The inner error is that of a response without an id.
    async fn send(self, mandates: &Mandates) -> Result<(Result<Mandate, Error>, String), Error> {
        match self {
            Self::Easytransac(body) => {
                let response = mandates.easytransac()?.create_mandate().body(body).send().await?;
                Ok((Ok(Mandate::from(&response)), String::new()))
            }
            Self::SafeDebit(body) => {
                let response = mandates.safedebit()?.create_mandate().body(body).send().await?;
                Ok((Ok(Mandate::from(&response)), response.signature_url.as_str().to_owned()))
            }
            Self::Seqino(client, body) => {
                let call = mandates.seqino()?.create_mandate().x_pdp_client_id(client);
                Ok((Mandate::try_from(&call.body(body).send().await?), String::new()))
            }
        }
    }

    /// Looks for the mandate after a lost response.
    async fn look(self, mandates: &Mandates) -> Result<Vec<Mandate>, Failure> {
        match self {
            Self::Easytransac(_) => {
                Err("Easytransac has no search for a mandate. Look in its dashboard, or ask its support".into())
            }
            Self::SafeDebit(body) => {
                let umr = body.umr.as_ref().map(|umr| umr.as_str().to_owned()).unwrap_or_default();
                match mandates.status(&MandateRef::safedebit(umr)).await {
                    Ok(mandate) => Ok(vec![mandate]),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                    Err(error) => Err(error.into()),
                }
            }
            Self::Seqino(client, body) => {
                let listed = mandates.seqino()?.find_mandates(&client, &body.directory_entry).await?;
                let mut found = Vec::new();
                for listed in &listed {
                    found.push(mandates.status(&Mandate::try_from(listed)?).await?);
                }
                Ok(found)
            }
        }
    }

    /// Returns the next step of a person after a lost response.
    fn next_after_loss(&self) -> &'static str {
        match self {
            Self::Easytransac(_) => {
                "Do not repeat the command: there may be two mandates on one account then. Easytransac has no search for \
                 a mandate, so look in its dashboard."
            }
            _ => {
                "Do not repeat the command: there may be two mandates then. Run it again with --look, which looks for the \
                 mandate and creates nothing."
            }
        }
    }
}

/// Checks a body against the limits of the spec. The error names each field, and shows no value.
fn checked<B, T>(body: Value) -> Result<T, Failure>
where
    T: DeserializeOwned + TryFrom<B, Error: fmt::Display>,
    B: From<T>,
{
    let given: T = serde_path_to_error::deserialize(body).map_err(|e| {
        // The inner error may quote a value of another type, so only the place is shown.
        format!("`{}` is not valid. `--fields` lists the types and words", e.path())
    })?;
    T::try_from(B::from(given)).map_err(|e| e.to_string().into())
}

/// Prints the mandates that a search after a lost response found.
fn found(found: Vec<Mandate>, mut out: Printer) -> Result<End, Failure> {
    let none = found.is_empty();
    for mandate in &found {
        status::show(&mut out, mandate, &no_facts(), Some(""), Utc::now())?;
    }
    out.finish()?;
    if none {
        complain(
            "the vendor shows no such mandate. This proves nothing: the vendor may show it later. Look again before you \
             create it with the same fields",
        );
        return Ok(End::Unknown);
    }
    Ok(End::Complete)
}
