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
