//! Snapshots show a reviewer the meaning of each status word, and whether each change of the status is forward,
//! reinstated, regressed or anomalous.

use crate::snapshot;
use mandat::MandateStatus;
use std::fmt::Write;

#[test]
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
fn meaning_of_each_status_word_matches_the_snapshot() {
    let mut table = String::from("vendor | raw | canonical | phase | who acts next | ISO 20022 | evidence\n");
    for row in mandat::vocabulary() {
        let iso = row.status.iso20022().unwrap_or("-");
        writeln!(
            table,
            "{} | {} | {} | {} | {} | {iso} | {}",
            row.provider.name(),
            row.raw,
            row.status,
            row.status.phase(),
            row.next_step,
            row.evidence
        )
        .unwrap();
    }
    snapshot!("vocabulary", table);
}

#[test]
fn statuses_are_read_back_unchanged_and_match_the_snapshot() {
    let mut table = String::from("status | phase | who acts next | ISO 20022\n");
    for status in MandateStatus::ALL {
        let iso = status.iso20022().unwrap_or("-");
        writeln!(table, "{status} | {} | {} | {iso}", status.phase(), status.next_step()).unwrap();
        assert_eq!(status.as_str().parse(), Ok(*status));
        assert_eq!(serde_json::from_str::<MandateStatus>(&serde_json::to_string(status).unwrap()).unwrap(), *status);
    }
    snapshot!("statuses", table);
}

#[test]
fn unknown_stored_status_is_read_as_unrecognized() {
    assert!("Consumed".parse::<MandateStatus>().is_err());
    assert_eq!(serde_json::from_str::<MandateStatus>("\"Consumed\"").unwrap(), MandateStatus::Unrecognized);
}

#[test]
fn class_of_each_status_change_matches_the_snapshot() {
    let mut table = String::from("from \\ to");
    for to in MandateStatus::ALL {
        write!(table, " | {to}").unwrap();
    }
    for from in MandateStatus::ALL {
        write!(table, "\n{from}").unwrap();
        for to in MandateStatus::ALL {
            let change = from.change_to(*to);
            assert_eq!(change.is_none(), from == to, "{from} to {to}");
            write!(table, " | {}", change.map_or("-", mandat::Change::as_str)).unwrap();
        }
    }
    snapshot!("changes", table);
}
