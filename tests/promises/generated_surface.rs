//! Snapshots show a reviewer every operation and type of the generated clients that is added, removed or changed.

use crate::snapshot;

macro_rules! surface {
    ($($feature:literal),+) => {
        #[cfg(not(feature = "unverified"))]
        #[test]
        fn public_items_of_the_generated_clients_match_the_snapshot() {
            $(
                #[cfg(feature = $feature)]
                snapshot!(
                    concat!("surface-", $feature),
                    include_str!(concat!(env!("OUT_DIR"), "/", $feature, ".surface.txt"))
                );
            )+
        }
    };
}
surface!("easytransac", "safedebit", "seqino");

#[cfg(all(feature = "easytransac", feature = "unverified"))]
#[test]
fn feature_unverified_adds_only_operations_for_debits() {
    // Join the lines of each type into one line, because the same field can occur in several types.
    let reviewed = include_str!("snapshots/surface-easytransac.snap").replace("\n    ", " | ");
    let all = include_str!(concat!(env!("OUT_DIR"), "/easytransac.surface.txt")).replace("\n    ", " | ");
    let added: Vec<&str> = all.lines().filter(|line| !reviewed.contains(line) && !line.ends_with("of Rust")).collect();
    snapshot!("surface-easytransac-unverified", added.join("\n"));
}

#[test]
fn files_that_list_the_vendors_name_every_vendor() {
    for (file, text) in [
        ("tests/promises/evidence.rs", include_str!("evidence.rs")),
        ("tests/promises/fixtures.rs", include_str!("fixtures.rs")),
        ("tests/promises/generated_surface.rs", include_str!("generated_surface.rs")),
        ("tests/promises/leaks.rs", include_str!("leaks.rs")),
        ("src/transport/tests.rs", include_str!("../../src/transport/tests.rs")),
        ("src/bin/mandat/connect.rs", include_str!("../../src/bin/mandat/connect.rs")),
    ] {
        for provider in mandat::Provider::ALL {
            assert!(text.contains(provider.as_str()), "{file} leaves out {provider}");
        }
    }
}
