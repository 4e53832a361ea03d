//! Writes the public surface of a generated client as text. A snapshot keeps this text, so that a reviewer sees each
//! change.

use super::lower::{Argument, Field, Form, OwnType, Plan, PlannedOperation, State, Struct};

pub fn surface(plan: &Plan, lines: usize) -> String {
    let operations: Vec<String> = plan.operations.iter().map(operation).collect();
    let mut types: Vec<String> = plan.types.iter().map(own_type).chain(plan.structs.iter().map(object)).collect();
    types.sort();
    format!("{}\n\n{}\n\n{lines} lines of Rust\n", operations.join("\n"), types.join("\n"))
}

/// Writes the name of a type, then one line for each of its parts.
fn block(head: &str, lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().fold(head.to_owned(), |block, line| block + "\n    " + &line)
}

fn object(object: &Struct) -> String {
    let field = |field: &Field| match field.is_option() {
        true => format!("{}: Option<{}>", field.name, field.rust),
        false => format!("{}: {}", field.name, field.rust),
    };
    let extra = object.received.then(|| "extra: Extra".into());
    block(&format!("struct {}", object.name), object.fields.iter().map(field).chain(extra))
}

fn own_type(own: &OwnType) -> String {
    match &own.form {
        Form::Alias(rust) => format!("type {} = {}", own.name, rust.path().replace("crate::", "")),
        Form::Words { open, words } => {
            let names = words.iter().map(|word| format!("{} {:?}", word.name, word.raw));
            block(&format!("{} enum {}", if *open { "open" } else { "closed" }, own.name), names)
        }
        Form::States { answer, property, states, .. } => {
            let state = |state: &State| format!("{}({answer}) {:?}", state.name, state.words);
            let all = states.iter().map(state).chain([format!("Unclear({answer})")]);
            block(&format!("states {} of {property}", own.name), all)
        }
        Form::Text { min, max, pattern, debug, kind } => {
            let length = max.map_or(format!("{min}.."), |max| format!("{min}..={max}"));
            let pattern = pattern.as_ref().map(|p| format!(" {p}")).unwrap_or_default();
            let kind = if *kind == "Text" { String::new() } else { format!(", {}", kind.to_lowercase()) };
            format!("text {} [{length}]{pattern} ({debug}{kind})", own.name)
        }
    }
}

/// Writes the signature of an operation, such as `CreateMandate(x_pdp_client_id: KnownClientId, body:
/// CreateMandateRequest) -> Mandate`. `T?` stands for an optional argument.
fn operation(call: &PlannedOperation) -> String {
    let argument = |argument: &Argument| {
        format!("{}: {}{}", argument.name, argument.rust, if argument.required { "" } else { "?" })
    };
    let body = call.body.iter().map(|(body, _)| format!("body: {body}"));
    let files = call.files.iter().map(|file| format!("{file}: file"));
    let arguments: Vec<String> = call.parameters.iter().map(argument).chain(body).chain(files).collect();
    let answer = call.states.as_ref().unwrap_or(&call.returns);
    let again = if call.in_use().is_empty() { "" } else { ", or send_again" };
    format!("{}({}) -> {answer}{again}", call.builder(), arguments.join(", "))
}
