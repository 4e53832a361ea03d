//! `StoredState` reads or refuses any stored value. A value that was read is written without loss. A verdict allows a
//! use only for an active mandate that was read.

use crate::round_trip::round_trip;
use mandat::{Facts, LastCollection, Mandate, MandateChange, MandateStatus, Schedule, Source, StoredState, Verdict};
use std::time::Duration;

pub fn run(json: &[u8]) {
    round_trip::<Verdict>(json).iter().for_each(|verdict| drop(verdict.to_string()));
    let known = round_trip::<MandateChange>(json).map(|changed| changed.to).or_else(|| round_trip::<StoredState>(json));
    if let Some(known) = &known {
        let row = known.columns();
        let column = |name| row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref());
        let read = StoredState::from_columns(column)
            .expect("a written row should be readable")
            .expect("a written row should not be empty");
        // A row stores a blank status word of the account as null, so this check ignores blank words.
        let account = known.account.clone().filter(|raw| !raw.as_str().trim().is_empty());
        assert_eq!((&read.status, &read.raw, &read.account), (&known.status, &known.raw, &account));
        assert_eq!((read.reinstated_from, read.since), (known.reinstated_from, known.since));
        assert_eq!(known.recognized.or(read.recognized), read.recognized);
    }
    let Some(mandate) = round_trip::<Mandate>(json) else { return };
    let now = mandate.observed_at;
    let facts = Facts {
        signed_on: Some(now.date_naive()),
        signature_confirmed: Some(true),
        last_collection: LastCollection::Never,
        revoked_by_debtor: Some(false),
        one_off_used: Some(false),
        max_age: Duration::ZERO,
        last_acknowledged: known.as_ref().map(|known| known.status),
    };
    for verdict in [mandate.may_collect(&facts, now), mandate.may_represent(None, now)] {
        let _ = verdict.to_string();
        assert!(!verdict.is_allowed() || (mandate.status, mandate.source) == (MandateStatus::Active, Source::Read));
    }
    let stored = StoredState::of(&mandate, known.as_ref(), Some(&facts), now);
    assert_eq!(
        MandateChange::between(Some(&stored), &mandate, Some(&facts), now),
        None,
        "the same reading twice should be no change"
    );
    let next = Schedule::default().next_check(&mandate, known.as_ref(), now);
    assert!(next.is_none_or(|next| next > now));
}
