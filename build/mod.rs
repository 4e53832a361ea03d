//! From a spec to Rust: read, check, lower, generate, emit. Pure: text in, text out, so that tests can call it.

mod check;
mod emit;
mod lower;
mod model;
mod needs;
pub mod patch;
mod polish;
mod problem;
mod progenitor;
mod surface;

pub use problem::Problems;

use lower::Lowering;
use model::Spec;

/// A vendor, and the lowerings that only its spec needs.
pub struct Provider<'a> {
    /// The name of its spec, its feature and its folder.
    pub name: &'a str,
    pub lowerings: &'static [(&'static str, Lowering)],
}

impl<'a> Provider<'a> {
    pub fn named(name: &'a str) -> Self {
        Self { name, lowerings: lower::lowerings(name) }
    }
}

/// The files made from one spec.
pub struct Made {
    /// The client.
    pub code: String,
    /// Its public surface for a reviewer: one line for each operation, type, field and word.
    pub surface: String,
    /// A macro for tests that calls every operation with its example.
    pub examples: String,
    /// The spec as JSON, for the sandbox and the contract tests.
    pub spec: String,
    /// An expression that says if a user changed the spec.
    pub origin: String,
}

impl Made {
    /// File ending and content.
    pub fn files(&self) -> [(&'static str, &str); 5] {
        [
            ("rs", &self.code),
            ("surface.txt", &self.surface),
            ("examples.rs", &self.examples),
            ("json", &self.spec),
            ("origin.rs", &self.origin),
        ]
    }
}

/// Generates the client of one vendor.
pub fn generate(provider: &Provider, text: &str, unverified: bool) -> Result<Made, Problems> {
    let (mut spec, json) = Spec::read(text)?;
    check::check(&spec)?;
    let dropped = lower::prepare(&mut spec, provider, unverified)?;
    let plan = lower::plan(&spec, provider, &dropped)?;
    let mut types = progenitor::types(&plan, &json["info"])?;
    polish::polish(&mut types, &plan)?;
    let code = prettyplease::unparse(&emit::client(types, &plan)?);
    Ok(Made {
        surface: surface::surface(&plan, code.lines().count()),
        examples: emit::examples(provider.name, &plan),
        code,
        spec: json.to_string(),
        origin: "crate::vocabulary::SpecOrigin::Ours".into(),
    })
}
