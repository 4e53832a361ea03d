//! The pages of the book that no doctest covers match the crate: its diagrams, its recipe for actix-web, and the page
//! on evidence.

use crate::{
    evidence::{marks, operations, specs},
    readme::rows,
};
use mandat::{DebitStatus, Evidence, MandateStatus, Provider};

#[test]
fn diagrams_have_every_status() {
    for (picture, statuses) in [
        (
            include_str!("../../docs/diagrams/mandate.svg"),
            MandateStatus::ALL.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
        ),
        (include_str!("../../docs/diagrams/debit.svg"), DebitStatus::ALL.iter().map(|s| s.as_str()).collect()),
    ] {
        for status in statuses {
            let shown = picture.contains(&format!(">{status}<")) || picture.contains(&format!(">{status}:"));
            assert!(shown, "{status}. Add it to .ci/diagrams.py");
        }
    }
}

#[test]
fn recipe_for_actix_is_the_program_that_is_compiled() {
    let recipes = include_str!("../../docs/recipes.md");
    let program = include_str!("../../examples/actix/src/main.rs");
    let (_, block) = recipes.split_once("```rust,ignore\n").unwrap();
    let (block, rest) = block.split_once("```").unwrap();
    assert!(!rest.contains("```rust,ignore"), "a recipe is not compiled");
    let items = block.split("\n\n").filter(|item| !item.starts_with("use "));
    let mut compared = 0;
    for item in items {
        assert!(program.contains(item.trim_end()), "{item}");
        compared += 1;
    }
    assert_eq!(compared, 2);
}

/// The number of facts with each mark: documented, partial, observed, inferred.
fn counted<'a>(marks: impl Iterator<Item = &'a str>) -> [usize; 4] {
    let mut counts = [0; 4];
    for mark in marks {
        let known = ["documented", "partial", "observed", "inferred"];
        let index = known.iter().position(|known| mark.starts_with(known)).unwrap_or_else(|| panic!("{mark}"));
        counts[index] += 1;
    }
    counts
}

fn mark(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Documented => "documented",
        Evidence::WordDocumented => "partial",
        Evidence::Observed => "observed",
        _ => "inferred",
    }
}

#[test]
fn page_on_evidence_counts_the_marks_of_the_specs() {
    let mut wanted = Vec::new();
    for (vendor, spec) in specs() {
        let provider = Provider::ALL.iter().find(|provider| provider.to_string().starts_with(vendor)).unwrap();
        let mut parts = Vec::new();
        marks("", &spec["paths"], &mut parts);
        marks("", &spec["components"], &mut parts);
        // The table counts the words in separate rows.
        let parts = parts.iter().filter(|part| !part.contains(".x-status."));
        let (mandates, debits) = (mandat::vocabulary(), mandat::debit_vocabulary());
        let mandates = mandates.iter().filter(|row| row.provider == *provider).map(|row| mark(row.evidence));
        let debits = debits.iter().filter(|row| row.provider == *provider).map(|row| mark(row.evidence));
        for (what, counts) in [
            ("operations", counted(operations(spec).into_iter().map(|(_, mark)| mark))),
            ("parts with a mark of their own", counted(parts.map(|part| part.rsplit_once(": ").unwrap().1))),
            ("words of a mandate", counted(mandates)),
            ("words of a debit", counted(debits)),
        ] {
            let [documented, partial, observed, inferred] = counts;
            wanted.push(format!("| {vendor} | {what} | {documented} | {partial} | {observed} | {inferred} |"));
        }
    }
    let written = rows(include_str!("../../docs/evidence.md"), "| vendor | facts | documented | partial |");
    assert_eq!(written, wanted, "docs/evidence.md should hold:\n{}", wanted.join("\n"));
}
