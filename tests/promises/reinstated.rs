//! A mandate that had ended and is in use again is allowed only after the caller acknowledges its return.

use crate::{
    support::{good_facts, noon},
    unknown_words::create_mandate_at_each_vendor,
};
use futures_util::StreamExt;
use mandat::{
    Change, Facts, Mandate, MandateChange, MandateRef, MandateStatus, Mandates, Permission, Purpose, RawStatus, Reason,
    Source, StatusQuery, StoredState, Verdict, sandbox::Sandbox,
};
use proptest::prelude::*;
use serde_json::json;

const ENDED: [MandateStatus; 4] =
    [MandateStatus::Revoked, MandateStatus::Expired, MandateStatus::Invalid, MandateStatus::Gone];

fn mandate(status: MandateStatus) -> Mandate {
    serde_json::from_value(json!({
        "reference": "safedebit:RUM-1", "status": status, "raw": status.as_str(), "account": "NotApplicable",
        "observed_at": noon(), "source": "Read", "extra": {}, "next_step": "NotKnown",
    }))
    .unwrap()
}

fn stored(status: MandateStatus) -> StoredState {
    StoredState::new(status, RawStatus::new(status.as_str()), noon())
}

fn facts(last_acknowledged: Option<MandateStatus>) -> Facts {
    Facts { last_acknowledged, ..good_facts() }
}

/// Returns the stored state after the next reading of the mandate.
fn next(known: &StoredState, status: MandateStatus, last_acknowledged: Option<MandateStatus>) -> StoredState {
    StoredState::of(&mandate(status), Some(known), Some(&facts(last_acknowledged)), noon())
}

/// Writes the stored state and reads it back, either through the columns of a row or through serde.
fn round_trip(known: &StoredState, by_columns: bool) -> StoredState {
    if !by_columns {
        return serde_json::from_str(&serde_json::to_string(known).unwrap()).unwrap();
    }
    let row = known.columns();
    let column = |name| row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref());
    StoredState::from_columns(column).unwrap().unwrap()
}

#[test]
fn stored_state_keeps_a_reinstatement_until_it_is_acknowledged() {
    for from in ENDED {
        let mut known = stored(from);
        for _ in 0..3 {
            known = next(&known, MandateStatus::Active, None);
            assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), Some(from)));
        }
        let known = next(&known, MandateStatus::Active, Some(MandateStatus::Active));
        assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Allowed), None));
        let known = next(&known, MandateStatus::Active, None);
        assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Allowed), None));
    }
}

#[test]
fn reinstatement_is_kept_across_readings_with_other_statuses() {
    use MandateStatus::{Active, AwaitingSignature, Revoked, Suspended, Unrecognized};
    for way in [[AwaitingSignature, Suspended], [Unrecognized, Unrecognized], [Suspended, Unrecognized]] {
        let known = way.iter().fold(stored(Revoked), |known, status| next(&known, *status, None));
        let known = next(&known, Active, None);
        assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), Some(Revoked)), "{way:?}");
    }
}

#[test]
fn acknowledgement_before_a_reinstatement_does_not_count() {
    use MandateStatus::{Active, Revoked};
    // The caller's file has the acknowledgement `Active` in each run, so the acknowledgement is older than the end of
    // the mandate.
    let known = next(&stored(Active), Active, Some(Active));
    let mut known = next(&known, Revoked, Some(Active));
    for _ in 0..3 {
        known = next(&known, Active, Some(Active));
        assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), Some(Revoked)));
    }
    // An acknowledgement counts as new if it differs from the last one, or if the caller calls `acknowledge`.
    let again = next(&next(&known, Active, None), Active, Some(Active));
    assert_eq!(again.verdict, Some(Permission::Allowed));
    known.acknowledge();
    assert_eq!(next(&known, Active, Some(Active)).verdict, Some(Permission::Allowed));
}

#[test]
fn acknowledgement_counts_only_for_the_current_status() {
    for said in MandateStatus::ALL {
        let known = next(&stored(MandateStatus::Revoked), MandateStatus::Active, Some(*said));
        let acknowledged = *said == MandateStatus::Active;
        assert_eq!(known.verdict == Some(Permission::Allowed), acknowledged, "{said}");
        assert_eq!(known.reinstated_from.is_none(), acknowledged, "{said}");
    }
}

#[test]
fn ended_or_unrecognized_mandates_cannot_be_acknowledged() {
    for status in ENDED.into_iter().chain([MandateStatus::Unrecognized]) {
        let mut known = next(&next(&stored(MandateStatus::Revoked), MandateStatus::Active, None), status, None);
        known.acknowledge();
        assert_eq!(next(&known, MandateStatus::Active, None).verdict, Some(Permission::Undetermined), "{status}");
    }
}

#[test]
fn mandate_whose_status_was_never_recognized_needs_acknowledgement() {
    let known = next(&stored(MandateStatus::Unrecognized), MandateStatus::Active, None);
    let unknown = Some(MandateStatus::Unrecognized);
    assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), unknown));
    // A stored status that only a newer version knows is read as unrecognized.
    let newer = json!({"status": "Frozen", "raw": "7", "recognized": "Frozen", "since": noon(), "observed_at": noon()});
    let known = next(&serde_json::from_value(newer).unwrap(), MandateStatus::Active, None);
    assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), unknown));
    // The mandate was active before the unknown status word, so it did not end and is not reinstated.
    let known = next(&stored(MandateStatus::Active), MandateStatus::Unrecognized, None);
    assert_eq!(next(&known, MandateStatus::Active, None).verdict, Some(Permission::Allowed));
}

#[test]
fn creation_response_without_a_status_does_not_end_the_mandate() {
    let mut created = mandate(MandateStatus::Unrecognized);
    created.source = Source::Created;
    let known = StoredState::of(&created, None, Some(&facts(None)), noon());
    assert_eq!(next(&known, MandateStatus::Active, None).verdict, Some(Permission::Allowed));
}

#[test]
fn acknowledgement_without_a_new_status_is_reported_as_a_change() {
    // The verdict stays `Refused` after the acknowledgement. Only its reasons change.
    let facts = |last_acknowledged| Facts { revoked_by_debtor: Some(true), ..facts(last_acknowledged) };
    let mut known = next(&stored(MandateStatus::Revoked), MandateStatus::Active, None);
    known.verdict = Some(Permission::Refused);
    let active = mandate(MandateStatus::Active);
    assert_eq!(MandateChange::between(Some(&known), &active, Some(&facts(None)), noon()), None);
    let change = MandateChange::between(Some(&known), &active, Some(&facts(Some(active.status))), noon()).unwrap();
    assert_eq!((change.class, change.to.verdict, change.to.reinstated_from), (None, known.verdict, None));
}

#[test]
fn failed_reading_removes_only_the_verdict_from_the_stored_state() {
    let known = next(&stored(MandateStatus::Revoked), MandateStatus::Active, None);
    let mut unread = known.unread();
    assert_eq!(unread.verdict, None);
    unread.verdict = known.verdict;
    assert_eq!(unread, known);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A reading with this status. The second value is the status that the caller has acknowledged.
    Read(MandateStatus, Option<MandateStatus>),
    Failed,
    /// The caller acknowledges the stored state by `StoredState::acknowledge`.
    Acknowledged,
}

fn any_event() -> impl Strategy<Value = Event> {
    use MandateStatus::{Active, Revoked};
    let status = prop_oneof![3 => Just(Active), 2 => Just(Revoked), 2 => proptest::sample::select(MandateStatus::ALL)];
    let said = prop_oneof![2 => Just(None), 3 => Just(Some(Active)), 1 => proptest::option::of(status.clone())];
    prop_oneof![
        8 => (status, said).prop_map(|(status, said)| Event::Read(status, said)),
        1 => Just(Event::Failed),
        1 => Just(Event::Acknowledged),
    ]
}

proptest! {
    /// Computes the expected result without `StoredState`: a mandate that returned after its end is not allowed until
    /// somebody acknowledges it after that end.
    #[test]
    fn no_random_history_allows_a_reinstated_mandate_before_acknowledgement(
        events in prop::collection::vec((any_event(), any::<bool>()), 1..30),
    ) {
        let mut known: Option<StoredState> = None;
        let mut open = false;
        let mut recognized: Option<MandateStatus> = None;
        let mut said_before = None;
        for (event, by_columns) in events {
            let (status, said) = match event {
                Event::Failed => {
                    known = known.map(|known| known.unread());
                    continue;
                }
                Event::Acknowledged => {
                    if let Some(known) = &mut known {
                        known.acknowledge();
                        let known_state = !ENDED.contains(&known.status) && known.status != MandateStatus::Unrecognized;
                        open &= !known_state;
                    }
                    continue;
                }
                Event::Read(status, said) => (status, said),
            };
            let first = known.is_none();
            if ENDED.contains(&status) {
                open = true;
            } else if status != MandateStatus::Unrecognized {
                open |= !first && recognized.is_none();
                if said == Some(status) && (first || said != said_before || !open) {
                    open = false;
                }
            }
            if status != MandateStatus::Unrecognized {
                recognized = Some(status);
            }
            said_before = said;
            let facts = facts(said);
            let reading = mandate(status);
            let now_known = StoredState::of(&reading, known.as_ref(), Some(&facts), noon());
            let stated_open = said.is_some_and(|said| said == MandateStatus::Unrecognized || ENDED.contains(&said));
            let allowed = status == MandateStatus::Active && !open && !stated_open;
            prop_assert_eq!(now_known.verdict == Some(Permission::Allowed), allowed, "{:?}", now_known);
            // A caller who stores only the changes loses no information.
            let change = MandateChange::between(known.as_ref(), &reading, Some(&facts), noon());
            let kept = change.map(|change| change.to).or(known).unwrap();
            prop_assert_eq!(
                (kept.status, kept.recognized, kept.reinstated_from, kept.acknowledged_before, kept.verdict),
                (
                    now_known.status,
                    now_known.recognized,
                    now_known.reinstated_from,
                    now_known.acknowledged_before,
                    now_known.verdict
                )
            );
            known = Some(round_trip(&kept, by_columns));
            prop_assert_eq!(known.as_ref(), Some(&kept));
        }
    }
}

async fn one(mandates: &Mandates, tracked: &StatusQuery) -> Mandate {
    mandates.statuses([tracked.clone()]).next().await.unwrap().result.unwrap()
}

/// Returns the verdict on the use for which the mandate was granted.
fn verdict(mandate: &Mandate, last_acknowledged: Option<MandateStatus>, sandbox: &Sandbox) -> Verdict {
    let now = sandbox.now();
    match mandate.reference.provider().purpose() {
        Purpose::Represent => mandate.may_represent(last_acknowledged, now),
        _ => {
            let facts = Facts { signed_on: Some(now.date_naive()), ..facts(last_acknowledged) };
            mandate.may_collect(&facts, now)
        }
    }
}

#[tokio::test]
async fn every_way_of_reading_detects_a_reinstatement() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        sandbox.set_status(&reference, MandateStatus::Active).unwrap();
        for from in ENDED {
            let tracked: StatusQuery = (reference.clone(), stored(from)).into();
            let mut earlier = mandates.status(&reference).await.unwrap();
            assert_eq!(verdict(&earlier, None, &sandbox), Verdict::Allowed, "{reference}");
            earlier.status = from;
            let expected = Verdict::Undetermined(vec![Reason::Reinstated { from }]);
            let by_mandate = mandates.status(&earlier).await.unwrap();
            for read in [
                one(&mandates, &tracked).await,
                mandates.status(&tracked).await.unwrap(),
                mandates.status(&by_mandate).await.unwrap(),
                serde_json::from_value(serde_json::to_value(&by_mandate).unwrap()).unwrap(),
                by_mandate,
            ] {
                assert_eq!(read.reinstated_from, Some(from), "{reference}");
                assert_eq!(verdict(&read, None, &sandbox), expected, "{reference}");
                assert_eq!(verdict(&read, Some(MandateStatus::Active), &sandbox), Verdict::Allowed, "{reference}");
            }
        }
    }
}

#[tokio::test]
async fn batch_does_not_allow_a_reinstated_mandate_until_acknowledged() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let tracked = |reference: &MandateRef, known: &StoredState, said: Option<MandateStatus>| {
        StatusQuery::new(reference.clone())
            .with_stored(known.clone())
            .with_facts(Some(Facts { signed_on: Some(sandbox.now().date_naive()), ..facts(said) }))
    };
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        sandbox.set_status(&reference, MandateStatus::Active).unwrap();
        let mut ended = stored(MandateStatus::Expired);
        ended.source = Source::Read;
        let first = tracked(&reference, &ended, None);
        let change = mandates.statuses([first]).changes().next().await.unwrap().result.unwrap();
        assert_eq!(change.class, Some(Change::Reinstated));
        let known = change.to;
        assert_eq!(known.verdict, Some(Permission::Undetermined), "{reference}");
        // The next run reports no change, and the mandate is still not allowed.
        let second = tracked(&reference, &known, None);
        assert!(mandates.statuses([second.clone()]).changes().next().await.is_none());
        let read = one(&mandates, &second).await;
        assert!(!verdict(&read, None, &sandbox).is_allowed());
        assert_eq!(StoredState::of(&read, Some(&known), second.facts.as_ref(), sandbox.now()).verdict, known.verdict);
        // The caller acknowledges the return of the mandate.
        let third = tracked(&reference, &known, Some(MandateStatus::Active));
        let change = mandates.statuses([third]).changes().next().await.unwrap().result.unwrap();
        assert_eq!((change.class, change.to.verdict), (None, Some(Permission::Allowed)), "{reference}");
        assert_eq!(change.to.reinstated_from, None);
    }
}

#[tokio::test]
async fn watch_does_not_allow_a_reinstated_mandate_until_acknowledged() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        sandbox.set_status(&reference, MandateStatus::Active).unwrap();
        let facts = Facts { signed_on: Some(sandbox.now().date_naive()), ..facts(None) };
        let tracked = StatusQuery::new(reference.clone()).with_stored(stored(MandateStatus::Invalid)).with_facts(facts);
        let change = mandates.watch(tracked).next().await.unwrap().unwrap();
        assert_eq!(
            (change.class, change.to.verdict, change.to.reinstated_from),
            (Some(Change::Reinstated), Some(Permission::Undetermined), Some(MandateStatus::Invalid)),
            "{reference}"
        );
    }
}
