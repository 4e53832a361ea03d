//! What the build writes itself beside the generator's output: own types, what the transport has to know of each
//! operation, and calls of every operation for tests.

use super::{
    document::Problems,
    lower::{Call, Kind, Lowered, OwnType},
    polish,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// Adds the own types to the module `types` and the operations to one of their own.
pub fn emit(file: &mut syn::File, lowered: &Lowered) -> Result<(), Problems> {
    let own = lowered.own_types.iter().map(own_type);
    polish::module(file, "types")?.extend(items(quote! { #(#own)* })?);
    let calls = lowered.operations.iter().map(operation);
    file.items.extend(items(quote! {
        /// What the transport knows of each operation.
        pub(crate) mod operations {
            use crate::transport::{Effect, Operation, Sent};
            #(#calls)*
        }
    })?);
    Ok(())
}

fn items(tokens: TokenStream) -> Result<Vec<syn::Item>, Problems> {
    let file: syn::Result<syn::File> = syn::parse2(tokens);
    file.map(|file| file.items).map_err(|e| polish::broken(&format!("what the build wrote itself is no Rust: {e}")))
}

fn own_type(own: &OwnType) -> TokenStream {
    let name = format_ident!("{}", own.name);
    let doc = (!own.doc.is_empty()).then(|| {
        let doc = format!(" {}", own.doc);
        quote! { #[doc = #doc] }
    });
    match &own.kind {
        Kind::Wire { .. } => TokenStream::new(),
        Kind::Alias { path } => {
            let path: syn::Type = syn::parse_str(path).unwrap_or_else(|_| syn::parse_quote!(crate::wire::Json));
            quote! { #doc pub type #name = #path; }
        }
        Kind::Words { open, words } => {
            let (attribute, other) = match open {
                true => (quote! { #[non_exhaustive] }, Some(quote! { or Unrecognized })),
                false => (quote! { #[derive(Copy)] }, None),
            };
            let words = words.iter().map(|word| {
                let (raw, name) = (&word.raw, format_ident!("{}", word.name));
                let doc = format!(" `{raw}`{}{}", if word.doc.is_empty() { "" } else { ": " }, word.doc);
                quote! { #[doc = #doc] #name = #raw }
            });
            quote! { crate::wire::words! { #doc #attribute #name #other { #(#words),* } } }
        }
        Kind::Text { min, max, pattern, debug } => {
            let max = max.map_or(quote!(usize::MAX), |max| quote!(#max));
            let pattern = pattern.as_ref().map(|pattern| quote! { , pattern #pattern });
            let debug = format_ident!("{debug}");
            quote! { crate::wire::text! { #debug #doc #name, #min, #max #pattern } }
        }
    }
}

fn operation(call: &Call) -> TokenStream {
    let (constant, effect) = (format_ident!("{}", call.constant()), format_ident!("{}", call.effect));
    let (id, method, path) = (&call.id, &call.method, &call.path);
    let (authenticated, document) = (call.authenticated, call.document);
    let (code, lost_answer) = (&call.code, &call.lost_answer);
    let answer = call.answer.iter().map(|(place, kind, required)| quote! { (#place, #kind, #required) });
    let repeats = call.repeats.iter().map(|(place, kind, name)| {
        let kind = format_ident!("{kind}");
        quote! { (#place, Sent::#kind(#name)) }
    });
    quote! {
        pub(crate) static #constant: Operation = Operation {
            id: #id,
            method: #method,
            path: #path,
            effect: Effect::#effect,
            authenticated: #authenticated,
            document: #document,
            code: #code,
            lost_answer: #lost_answer,
            answer: &[#(#answer),*],
            repeats: &[#(#repeats),*],
        };
    }
}

/// Two macros for tests, in which `api` is the module of the provider.
///
/// `<provider>_examples!(client, api, each)` calls `each!("operation", OPERATION, builder)` for every operation, with the
/// values of its example. `<provider>_paths!(client, api, each)` calls `each!(OPERATION, |id| builder)` for every
/// parameter in a path, with `id` as its value.
pub fn examples(provider: &str, lowered: &Lowered) -> String {
    let mut examples = String::new();
    let mut paths = String::new();
    for call in &lowered.operations {
        examples += &format!("        $each!({:?}, {}, {});\n", call.id, call.constant(), builder(call, None));
        for (_, name) in call.path_parameters() {
            paths += &format!("        $each!({}, |id| {});\n", call.constant(), builder(call, Some(&name)));
        }
    }
    let define = |name, calls: String| {
        format!(
            "#[allow(unused_macros)]\nmacro_rules! {provider}_{name} {{\n    \
             ($client:expr, $api:ident, $each:ident) => {{\n{calls}    }};\n}}\n"
        )
    };
    define("examples", examples) + &define("paths", paths)
}

/// The call of an operation with the values of its example; the parameter called `id` gets the value `id`.
fn builder(call: &Call, id: Option<&str>) -> String {
    let mut builder = format!("$client.{}()", call.id);
    for (name, value) in &call.example {
        let value = if id == Some(name) { "id" } else { value };
        builder += &format!(".{name}({value})");
    }
    for file in call.files.iter().flatten() {
        builder += &format!(".{file}(\"{file}.xml\", \"<{file}/>\")");
    }
    if let Some((body, example)) = &call.body {
        builder += &format!(".body(::serde_json::from_str::<$api::types::{body}>({example:?}).unwrap())");
    }
    builder
}
