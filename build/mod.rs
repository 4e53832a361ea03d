//! Generates Rust code from a spec in steps: read, check, lower, generate, emit. These modules do no I/O, so that tests
//! can call them with texts.

mod check;
mod emit;
mod lower;
pub mod model;
mod needs;
pub mod patch;
mod polish;
pub mod problem;
mod progenitor;
mod surface;
pub mod yaml;

pub use problem::Problems;

use lower::Lowering;
use model::Spec;
use yaml::Node;

/// A vendor, with the changes (lowerings) that only this vendor's spec needs.
pub struct Provider<'a> {
    /// The name of the vendor's spec, feature and folder.
    pub name: &'a str,
    pub lowerings: &'static [(&'static str, Lowering)],
}

impl<'a> Provider<'a> {
    pub fn named(name: &'a str) -> Self {
        Self { name, lowerings: lower::lowerings(name) }
    }
}

/// The texts that were generated from one spec.
pub struct Made {
    pub code: String,
    /// The public surface of the client for a reviewer: one line for each operation, type, field and word.
    pub surface: String,
    /// Macros for tests that call every operation with its example.
    pub examples: String,
    /// The spec as JSON.
    pub spec: String,
    /// The spec as JSON, with the differences that the sandbox follows.
    pub simulated: String,
    /// An expression that says if a user changed the spec.
    pub origin: String,
}

impl Made {
    /// Returns the ending and the content of each file.
    pub fn files(&self) -> [(&'static str, &str); 6] {
        [
            ("rs", &self.code),
            ("surface.txt", &self.surface),
            ("examples.rs", &self.examples),
            ("json", &self.spec),
            ("sandbox.json", &self.simulated),
            ("origin.rs", &self.origin),
        ]
    }
}

pub fn generate(provider: &Provider, text: &str, unverified: bool) -> Result<Made, Problems> {
    let node = Node::read(text, false)?;
    make(provider, node.to()?, &node.json(), unverified)
}

fn make(provider: &Provider, mut spec: Spec, json: &serde_json::Value, unverified: bool) -> Result<Made, Problems> {
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
        simulated: json.to_string(),
        spec: json.to_string(),
        origin: "crate::vocabulary::SpecOrigin::Ours".into(),
    })
}
