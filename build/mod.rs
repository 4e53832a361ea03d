//! From a spec to Rust: read, check, lower, generate, polish. Pure: text in, text out, so that tests can call it.

mod check;
mod document;
mod emit;
mod lower;
mod polish;
mod surface;

pub use document::{Problem, Problems};

use document::Document;
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TypeImpl};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A provider, and the lowerings that its spec needs beside those that every spec needs.
pub struct Provider {
    pub name: &'static str,
    pub lowerings: &'static [(&'static str, lower::Lowering)],
}

pub const PROVIDERS: &[Provider] = &[
    Provider { name: "easytransac", lowerings: &[] },
    Provider { name: "safedebit", lowerings: &[("failure_envelope", lower::failure_envelope)] },
    Provider { name: "seqino", lowerings: &[("one_or_many", lower::one_or_many)] },
];

/// What is made of one spec.
pub struct Made {
    /// The client.
    pub code: String,
    /// Its public surface: one line per operation, type, field and word, for a reviewer.
    pub surface: String,
    /// A macro that calls every operation with the example of its spec, for tests.
    pub examples: String,
    /// The spec as JSON, for the sandbox and the contract tests.
    pub spec: String,
}

impl Made {
    /// File ending and content.
    pub fn files(&self) -> [(&'static str, &str); 4] {
        [("rs", &self.code), ("surface.txt", &self.surface), ("examples.rs", &self.examples), ("json", &self.spec)]
    }
}

/// Generates the client of one provider.
pub fn generate(provider: &Provider, text: &str, unverified: bool) -> Result<Made, Problems> {
    let mut document = Document::read(text)?;
    check::check(&document)?;
    let spec = document.to_json();
    let lowered = lower::lower(&mut document, provider, unverified)?;
    let mut file = generate_with_progenitor(&document, provider, &lowered)?;
    emit::emit(&mut file, &lowered)?;
    polish::polish(&mut file, &lowered)?;
    let code = prettyplease::unparse(&file);
    Ok(Made {
        surface: surface::surface(&file, &lowered, code.lines().count()),
        examples: emit::examples(provider.name, &lowered),
        code,
        spec,
    })
}

fn generate_with_progenitor(
    document: &Document,
    provider: &Provider,
    lowered: &lower::Lowered,
) -> Result<syn::File, Problems> {
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Builder);
    for own in &lowered.own_types {
        let both = [TypeImpl::Display, TypeImpl::FromStr];
        settings.with_replacement(&own.name, own.path(provider.name), both.into_iter());
    }
    run(&settings, document).map_err(|what| {
        // The generator does not say where: the first operation that it refuses alone is the place.
        let alone = document.operations().map(|operation| (operation.place(), document.only(&operation)));
        let place = alone.into_iter().find(|(_, document)| run(&settings, document).is_err()).map(|(place, _)| place);
        let place = place.unwrap_or_else(|| "the whole file".into());
        Problem::new(place, what, "write it in the way of the neighbouring operations").into()
    })
}

/// The generator panics on what it does not support.
fn run(settings: &GenerationSettings, document: &Document) -> Result<syn::File, String> {
    let spec: openapiv3::OpenAPI =
        serde_json::from_value(document.0.clone()).map_err(|e| format!("it is not OpenAPI 3.0: {e}"))?;
    let tokens = catch_unwind(AssertUnwindSafe(|| Generator::new(settings).generate_tokens(&spec)));
    let tokens = tokens
        .map_err(|_| "the generator does not support what stands here".to_owned())?
        .map_err(|e| format!("the generator refuses it: {e}"))?;
    syn::parse2(tokens).map_err(|e| format!("the generator wrote what is no Rust: {e}"))
}
