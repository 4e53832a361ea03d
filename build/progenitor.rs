//! Calls the crate progenitor, which generates the structs. This crate defines all other types, and the generated
//! structs refer to them.

use super::{
    lower::{Field, Plan, Rust},
    polish,
    problem::Problems,
};
use heck::ToUpperCamelCase;
use progenitor::{GenerationSettings, Generator, TypeImpl, TypePatch};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Generates the items of the module `types`.
pub fn types(plan: &Plan, info: &Value) -> Result<Vec<syn::Item>, Problems> {
    let (spec, replaced) = input(plan, info);
    let mut settings = GenerationSettings::new();
    for (name, path) in &replaced {
        settings.with_replacement(name, path, [TypeImpl::Display, TypeImpl::FromStr].into_iter());
    }
    for object in &plan.structs {
        // A vendor may add fields. So mark each struct as non-exhaustive: other crates cannot build it, or match all
        // its fields.
        settings.with_patch(&object.name, TypePatch::default().with_attr("#[non_exhaustive]"));
    }
    let spec: openapiv3::OpenAPI = serde_json::from_value(spec)
        .map_err(|e| polish::broken(&format!("the input of progenitor is not OpenAPI 3.0: {e}")))?;
    // The generator panics on an unsupported input, so catch the panic.
    let tokens = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&spec)));
    let tokens = tokens
        .map_err(|_| polish::broken("progenitor panicked on its input"))?
        .map_err(|e| polish::broken(&format!("progenitor refuses its input: {e}")))?;
    let file: syn::File =
        syn::parse2(tokens).map_err(|e| polish::broken(&format!("the output of progenitor is not Rust: {e}")))?;
    let module = file.items.into_iter().find_map(|item| match item {
        syn::Item::Mod(module) if module.ident == "types" => module.content,
        _ => None,
    });
    let (_, mut items) = module.ok_or_else(|| polish::broken("the output of progenitor has no module `types`"))?;
    // The generated structs do not need the module with conversion errors.
    items.retain(|item| !matches!(item, syn::Item::Mod(_)));
    Ok(items)
}

/// Returns the structs as OpenAPI, with the Rust path of each type to which the generated structs only refer.
fn input(plan: &Plan, info: &Value) -> (Value, BTreeMap<String, String>) {
    let mut replaced: BTreeMap<String, String> = BTreeMap::new();
    let structs: BTreeSet<&str> = plan.structs.iter().map(|object| object.name.as_str()).collect();
    let mut schemas = Map::new();
    for object in &plan.structs {
        let mut properties = Map::new();
        for field in &object.fields {
            let mut value = reference(&field.rust, &structs, &mut replaced);
            if value.get("$ref").is_some() {
                value = json!({ "allOf": [value] });
            }
            value["nullable"] = field.nullable.into();
            value["description"] = field.doc.clone().into();
            properties.insert(field.input_key().into(), value);
        }
        let required: Vec<&str> = object.fields.iter().filter(|field| field.required).map(Field::input_key).collect();
        let mut schema = json!({
            "type": "object", "description": object.doc, "properties": properties, "required": required,
        });
        if object.received {
            schema["additionalProperties"] = json!({});
        }
        schemas.insert(object.name.clone(), schema);
    }
    schemas.extend(replaced.keys().map(|name| (name.clone(), json!({ "type": "string" }))));
    let spec = json!({ "openapi": "3.0.3", "info": info, "paths": {}, "components": { "schemas": schemas } });
    (spec, replaced)
}

/// Returns a schema for which the generator writes the given Rust type.
fn reference(rust: &Rust, structs: &BTreeSet<&str>, replaced: &mut BTreeMap<String, String>) -> Value {
    let name = match rust {
        Rust::Text => return json!({ "type": "string" }),
        Rust::Generic("List", item) => return json!({ "type": "array", "items": reference(item, structs, replaced) }),
        Rust::Own { name, .. } => name.clone(),
        other => {
            other.path().replace('-', "Minus").replace(|c: char| !c.is_ascii_alphanumeric(), " ").to_upper_camel_case()
        }
    };
    if !structs.contains(name.as_str()) {
        replaced.insert(name.clone(), rust.path());
    }
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
