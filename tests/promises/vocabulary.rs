//! The tables that a reviewer reads: words and their meanings, and what each change of status means.

use crate::snapshot;
use mandat::MandateStatus;
use std::fmt::Write;

#[test]
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
fn every_word_of_every_vendor_has_one_meaning() {
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
fn every_status_has_a_phase_a_next_step_and_a_text_that_round_trips() {
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
fn a_status_that_a_newer_version_stored_reads_as_unrecognized_and_is_no_word_to_parse() {
    assert!("Consumed".parse::<MandateStatus>().is_err());
    assert_eq!(serde_json::from_str::<MandateStatus>("\"Consumed\"").unwrap(), MandateStatus::Unrecognized);
}

#[test]
fn each_of_the_121_changes_of_status_has_a_class() {
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
