//! What each generated client offers: a reviewer sees every operation and type that comes, goes or changes.

use crate::snapshot;

macro_rules! surface {
    ($($feature:literal),+) => {
        #[cfg(not(feature = "unverified"))]
        #[test]
        fn the_public_surface_of_each_client_is_as_reviewed() {
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
fn the_feature_unverified_adds_what_moves_money_and_nothing_else() {
    // One line per type: a field alone may be in another one, too.
    let reviewed = include_str!("snapshots/surface-easytransac.snap").replace("\n    ", " | ");
    let all = include_str!(concat!(env!("OUT_DIR"), "/easytransac.surface.txt")).replace("\n    ", " | ");
    let added: Vec<&str> = all.lines().filter(|line| !reviewed.contains(line) && !line.ends_with("of Rust")).collect();
    snapshot!("surface-easytransac-unverified", added.join("\n"));
}

#[test]
fn no_provider_is_left_out_where_a_promise_is_kept_one_by_one() {
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
