//! What the build writes itself beside the generator's output: own types, what the transport has to know of each
//! operation, and calls of every operation for tests.

use super::{
    document::Problems,
    lower::{Call, Kind, Lowered, OwnType, States, snake},
    polish,
};
use proc_macro2::{Ident, TokenStream};
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
        Kind::States { answer, states } => answer_states(&name, doc.as_ref(), &format_ident!("{answer}"), states),
        Kind::Text { min, max, pattern, debug, form } => {
            let max = max.map_or(quote!(usize::MAX), |max| quote!(#max));
            let pattern = pattern.as_ref().map(|pattern| quote! { , pattern #pattern });
            let (debug, form) = (format_ident!("{debug}"), format_ident!("{form}"));
            quote! { crate::wire::text! { #debug #form #doc #name, #min, #max #pattern } }
        }
    }
}

/// Whoever has the answer has to choose a state: a success alone would be taken for the end of the matter.
fn answer_states(name: &Ident, doc: Option<&TokenStream>, answer: &Ident, states: &States) -> TokenStream {
    let names: Vec<Ident> = states.all.iter().map(|state| format_ident!("{}", state.name)).collect();
    let words = states.all.iter().map(|state| &state.words);
    let docs = states.all.iter().map(|state| format!(" `{}`: {}", state.words.join("`, `"), state.doc));
    let way = states.property.split('.').map(|part| format_ident!("{}", snake(part)));
    let other =
        format!(" Any other word. See `{}` in the answer, and ask the vendor before you count on it.", states.property);
    quote! {
        #doc
        #[must_use = "its state says whether something is left to do"]
        #[derive(Clone, Debug)]
        pub enum #name {
            #(#[doc = #docs] #names(#answer),)*
            #[doc = #other]
            Unclear(#answer),
        }

        impl #name {
            pub(crate) fn of(answer: #answer) -> Self {
                match answer.#(#way).*.as_str() {
                    #(#(#words)|* => Self::#names(answer),)*
                    _ => Self::Unclear(answer),
                }
            }

            /// The answer, whatever its state.
            pub fn answer(&self) -> &#answer {
                match self {
                    #(Self::#names(answer))|* | Self::Unclear(answer) => answer,
                }
            }
        }

        /// As the answer.
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                self.answer().serialize(s)
            }
        }
    }
}

fn operation(call: &Call) -> TokenStream {
    let (constant, effect) = (format_ident!("{}", call.constant()), format_ident!("{}", call.effect));
    let (id, method, path) = (&call.id, &call.method, &call.path);
    let (authenticated, document) = (call.authenticated, call.document);
    let (code, lost_answer) = (&call.code, &call.lost_answer);
    let outside = match &call.outside {
        None => quote! { None },
        Some((documented, own)) => quote! { Some((#documented, #own)) },
    };
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
            outside: #outside,
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
