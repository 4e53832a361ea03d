//! Snapshots show a reviewer every operation and type of the generated clients that is added, removed or changed.

use crate::snapshot;

macro_rules! surface {
    ($($feature:literal),+) => {
        #[cfg(not(feature = "unverified"))]
        #[test]
        fn public_surface_matches_the_snapshot() {
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
fn unverified_feature_adds_only_debits() {
    // Join each type into one line, because a field alone can occur in several types.
    let reviewed = include_str!("snapshots/surface-easytransac.snap").replace("\n    ", " | ");
    let all = include_str!(concat!(env!("OUT_DIR"), "/easytransac.surface.txt")).replace("\n    ", " | ");
    let added: Vec<&str> = all.lines().filter(|line| !reviewed.contains(line) && !line.ends_with("of Rust")).collect();
    snapshot!("surface-easytransac-unverified", added.join("\n"));
}

#[test]
fn vendor_by_vendor_files_name_every_vendor() {
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
