//! The public surface of a generated client, one line per operation, type, field and word, for a snapshot whose diff a
//! reviewer reads.

use super::{
    lower::{Kind, Lowered, State},
    polish::{fields, short},
};
use heck::ToUpperCamelCase;
use syn::{ImplItem, Item};

pub fn surface(file: &syn::File, lowered: &Lowered, lines: usize) -> String {
    let mut operations = Vec::new();
    let mut types = Vec::new();
    let mut arguments = Vec::new();
    for module in file.items.iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module),
        _ => None,
    }) {
        for item in module.content.iter().flat_map(|(_, items)| items) {
            match item {
                Item::Struct(item) if module.ident == "types" => {
                    types.push(block(&format!("struct {}", item.ident), fields(item)));
                }
                // What a builder holds is what it takes.
                Item::Struct(item) if module.ident == "builder" => arguments = fields(item),
                Item::Impl(block) if module.ident == "builder" => operations.extend(operation(block, &arguments)),
                _ => {}
            }
        }
    }
    for own in &lowered.own_types {
        types.push(match &own.kind {
            Kind::Wire { .. } => continue,
            Kind::Alias { path } => format!("type {} = {}", own.name, path.replace("crate::", "")),
            Kind::Words { open, words } => {
                let names = words.iter().map(|word| format!("{} {:?}", word.name, word.raw)).collect();
                block(&format!("{} enum {}", if *open { "open" } else { "closed" }, own.name), names)
            }
            Kind::States { answer, states } => {
                let state = |state: &State| format!("{}({answer}) {:?}", state.name, state.words);
                let all = states.all.iter().map(state).chain([format!("Unclear({answer})")]);
                block(&format!("states {} of {}", own.name, states.property), all.collect())
            }
            Kind::Text { min, max, pattern, debug, form } => {
                let length = max.map_or(format!("{min}.."), |max| format!("{min}..={max}"));
                let pattern = pattern.as_ref().map(|p| format!(" {p}")).unwrap_or_default();
                let form = if *form == "Text" { String::new() } else { format!(", {}", form.to_lowercase()) };
                format!("text {} [{length}]{pattern} ({debug}{form})", own.name)
            }
        });
    }
    for call in lowered.operations.iter().filter(|call| call.files.is_some()) {
        operations.push(format!("{}: a form, sent by code written by hand", call.id.to_upper_camel_case()));
    }
    types.sort();
    format!("{}\n\n{}\n\n{lines} lines of Rust\n", operations.join("\n"), types.join("\n"))
}

/// A type with what is in it.
fn block(head: &str, lines: Vec<String>) -> String {
    lines.into_iter().fold(head.to_owned(), |block, line| block + "\n    " + &line)
}

/// `create_mandate(x_pdp_client_id: String, body: CreateMandateRequest) -> Mandate`; `T?` is what may be left out, which
/// the builder holds as `Result<Option<T>, String>`.
fn operation(block: &syn::ItemImpl, arguments: &[String]) -> Option<String> {
    let function = |name: &str| {
        block.items.iter().find_map(|item| match item {
            ImplItem::Fn(function) if function.sig.ident == name => Some(short(&function.sig.output)),
            _ => None,
        })
    };
    let send = function("send")?;
    let argument = |field: &String| {
        let (name, ty) = field.split_once(": Result<")?;
        let ty = ty.strip_suffix(", String>")?.trim_start_matches("builder::");
        let optional = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>'));
        Some(format!("{name}: {}", optional.map_or_else(|| ty.to_owned(), |ty| format!("{ty}?"))))
    };
    let arguments: Vec<_> = arguments.iter().filter_map(argument).collect();
    let answer = send.trim_start_matches("->Result<").trim_end_matches(", Error>");
    let again = function("send_again").map_or("", |_| ", or send_again");
    Some(format!("{}({}) -> {answer}{again}", short(&block.self_ty).replace("<'a>", ""), arguments.join(", ")))
}
