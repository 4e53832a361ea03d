//! The public surface of a generated client, one line per operation, type, field and word, for a snapshot whose diff a
//! reviewer reads.

use super::{
    lower::{Kind, Lowered},
    polish::{fields, short},
};
use syn::{FnArg, ImplItem, Item};

pub fn surface(file: &syn::File, lowered: &Lowered, lines: usize) -> String {
    let mut operations = Vec::new();
    let mut types = Vec::new();
    for module in file.items.iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module),
        _ => None,
    }) {
        for item in module.content.iter().flat_map(|(_, items)| items) {
            match item {
                Item::Impl(block) if module.ident == "builder" => operations.extend(operation(block)),
                Item::Struct(item) if module.ident == "types" => {
                    types.push(block(&format!("struct {}", item.ident), fields(item)));
                }
                _ => {}
            }
        }
    }
    for own in &lowered.own_types {
        types.push(match &own.kind {
            Kind::Alias { path } => format!("type {} = {}", own.name, path.replace("crate::", "")),
            Kind::Words { open, words } => {
                let names = words.iter().map(|word| format!("{} {:?}", word.name, word.raw)).collect();
                block(&format!("{} enum {}", if *open { "open" } else { "closed" }, own.name), names)
            }
            Kind::Text { min, max, pattern, debug } => {
                let length = max.map_or(format!("{min}.."), |max| format!("{min}..={max}"));
                let pattern = pattern.as_ref().map(|p| format!(" {p}")).unwrap_or_default();
                format!("text {} [{length}]{pattern} ({debug})", own.name)
            }
        });
    }
    for call in lowered.operations.iter().filter(|call| call.files.is_some()) {
        operations.push(format!("{}: a form, sent by code written by hand", super::document::pascal(&call.id)));
    }
    types.sort();
    format!("{}\n\n{}\n\n{lines} lines of Rust\n", operations.join("\n"), types.join("\n"))
}

/// A type with what is in it.
fn block(head: &str, lines: Vec<String>) -> String {
    lines.into_iter().fold(head.to_owned(), |block, line| block + "\n    " + &line)
}

/// `create_mandate(x_pdp_client_id: String, body: CreateMandateRequest) -> Mandate`.
fn operation(block: &syn::ItemImpl) -> Option<String> {
    let functions = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(&function.sig),
        _ => None,
    });
    let mut arguments = Vec::new();
    let mut answer = None;
    for function in functions {
        match function.ident.to_string().as_str() {
            "new" | "body_map" | "request" => {}
            "send" => answer = Some(short(&function.output)),
            "body" => arguments.push(format!("body: {}", bound(&short(&function.generics.where_clause)))),
            name => {
                let value = function.inputs.iter().nth(1).map(|input| match input {
                    FnArg::Typed(input) => bound(&short(&input.ty)),
                    FnArg::Receiver(_) => String::new(),
                });
                arguments.push(format!("{name}: {}", value.unwrap_or_default()));
            }
        }
    }
    let answer = answer?;
    let answer = answer.trim_start_matches("->Result<").trim_end_matches(", Error>");
    Some(format!("{}({}) -> {answer}", short(&block.self_ty).replace("<'a>", ""), arguments.join(", ")))
}

/// What a setter takes: `T`, or `T?` where it may be left out.
fn bound(text: &str) -> String {
    let inner = |start: &str| Some(text.split_once(start)?.1.split_once(['>', ','])?.0.to_owned());
    inner("Optional<").map(|ty| ty + "?").or_else(|| inner("TryInto<")).unwrap_or_else(|| text.to_owned())
}
