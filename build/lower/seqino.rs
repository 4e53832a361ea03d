//! Changes the spec of Seqino before its client is planned.

use super::super::model::{Kind, Spec};

/// Turns `anyOf [array of X, X]` into a list that also accepts a single item. Seqino returns a list of clients or one
/// client. With an enum of the two forms, every caller would have to handle both.
pub fn one_or_many(spec: &mut Spec) -> usize {
    let mut changed = 0;
    for schema in spec.components.schemas.values_mut() {
        if let [many, one] = &schema.any_of[..]
            && let Some(items) = many.items.clone().filter(|items| items.name() == one.name())
        {
            schema.value.any_of.clear();
            schema.value.kind = Some(Kind::Array);
            schema.value.items = Some(items);
            schema.value.one_or_many = true;
            changed += 1;
        }
    }
    changed
}
