//! Corrects the structs that the crate progenitor generates, where it has no setting for the change. The plan contains
//! the fields of each struct. If a generated struct has other fields, the build stops.

use super::{
    lower::{Field, Plan, Rust, Struct},
    problem::{Place, Problem, Problems},
};
use syn::{Item, ItemStruct, parse_quote};

/// Creates the error for a mistake in the build script or a change of progenitor. The author of a spec cannot correct
/// it.
pub fn broken(what: &str) -> Problems {
    let fix = "correct `build/progenitor.rs` or `build/polish.rs`; the version of the generator progenitor is pinned";
    Problem::new(Place::default(), format!("the generator: {what}"), fix).into()
}

pub fn polish(types: &mut [Item], plan: &Plan) -> Result<(), Problems> {
    for object in &plan.structs {
        let found = types.iter_mut().find_map(|item| match item {
            Item::Struct(found) if found.ident == object.name => Some(found),
            _ => None,
        });
        let found = found.ok_or_else(|| broken(&format!("progenitor did not write the struct `{}`", object.name)))?;
        fields(found, object)?;
        if object.received {
            unread(found);
        }
    }
    Ok(())
}

fn fields(found: &mut ItemStruct, object: &Struct) -> Result<(), Problems> {
    for field in &mut found.fields {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        match object.fields.iter().find(|planned| planned.name == name) {
            Some(planned) => known(field, planned),
            None if object.received && name == "extra" => {
                field.ty = parse_quote! { crate::wire::Extra };
                let doc = " Fields that the spec does not describe, and fields that could not be read.";
                field.attrs = vec![parse_quote! { #[doc = #doc] }, parse_quote! { #[serde(flatten)] }];
            }
            None => {
                return Err(broken(&format!("progenitor added the field `{name}` to `{}`", object.name)));
            }
        }
    }
    let planned = object.fields.len() + usize::from(object.received);
    if found.fields.len() == planned { Ok(()) } else { Err(broken(&format!("`{}` lacks a field", object.name))) }
}

/// Replaces the type of a field. The generator writes `Vec`, which cannot be read if one item is unreadable. `List`
/// keeps the other items. A text field also accepts a number.
fn known(field: &mut syn::Field, planned: &Field) {
    if planned.is_renamed() && !planned.is_blank_list() {
        let key = &planned.key;
        field.attrs.push(parse_quote! { #[serde(rename = #key)] });
    }
    match &planned.rust {
        list if list.is_list() => {
            let list: syn::Type = syn::parse_str(&planned.rust.path()).unwrap_or_else(|_| field.ty.clone());
            field.ty = if planned.is_option() {
                parse_quote! { ::std::option::Option<#list> }
            } else {
                list
            };
            if planned.is_blank_list() {
                field.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
                let (key, blank) = (&planned.key, "crate::wire::List::is_blank");
                field.attrs.push(parse_quote! { #[serde(rename = #key, default, skip_serializing_if = #blank)] });
            }
        }
        Rust::Text if planned.is_option() => {
            field.attrs.push(parse_quote! { #[serde(default, deserialize_with = "crate::wire::optional_text")] });
        }
        Rust::Text => field.attrs.push(parse_quote! { #[serde(deserialize_with = "crate::wire::plain_text")] }),
        _ => {}
    }
}

/// Removes the derives that read and show a struct. `wire::answer!` replaces them. The generated code would refuse an
/// unreadable optional field, and read unknown fields through a buffer that loses long numbers.
fn unread(found: &mut ItemStruct) {
    for attribute in found.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        *attribute = parse_quote! { #[derive(::serde::Serialize, Clone)] };
    }
}
