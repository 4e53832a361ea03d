//! A mandate that had ended and is back is used again only after its holder has acknowledged its return.

use crate::{
    support::{good_facts, noon},
    unknown_words::create_mandate_at_each_vendor,
};
use futures_util::StreamExt;
use mandat::{
    Change, Changed, Facts, Known, Mandate, MandateRef, MandateStatus, Mandates, Permission, Purpose, RawStatus,
    Reason, Source, Tracked, Verdict, sandbox::Sandbox,
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

fn stored(status: MandateStatus) -> Known {
    Known::new(status, RawStatus::new(status.as_str()), noon())
}

fn facts(last_acknowledged: Option<MandateStatus>) -> Facts {
    Facts { last_acknowledged, ..good_facts() }
}

/// The next reading of what was stored, as it is stored.
fn next(known: &Known, status: MandateStatus, last_acknowledged: Option<MandateStatus>) -> Known {
    Known::of(&mandate(status), Some(known), Some(&facts(last_acknowledged)), noon())
}

/// Through the columns of a row, or through serde.
fn stored_and_read(known: &Known, by_columns: bool) -> Known {
    if !by_columns {
        return serde_json::from_str(&serde_json::to_string(known).unwrap()).unwrap();
    }
    let row = known.columns();
    let column = |name| row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref());
    Known::from_columns(column).unwrap().unwrap()
}

#[test]
fn return_from_any_end_is_kept_until_it_is_acknowledged() {
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
fn return_through_other_states_is_kept() {
    use MandateStatus::{Active, AwaitingSignature, Revoked, Suspended, Unrecognized};
    for way in [[AwaitingSignature, Suspended], [Unrecognized, Unrecognized], [Suspended, Unrecognized]] {
        let known = way.iter().fold(stored(Revoked), |known, status| next(&known, *status, None));
        let known = next(&known, Active, None);
        assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), Some(Revoked)), "{way:?}");
    }
}

#[test]
fn acknowledgement_from_before_the_end_does_not_acknowledge_the_return() {
    use MandateStatus::{Active, Revoked};
    // A file that says `Active` in each run.
    let known = next(&stored(Active), Active, Some(Active));
    let mut known = next(&known, Revoked, Some(Active));
    for _ in 0..3 {
        known = next(&known, Active, Some(Active));
        assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), Some(Revoked)));
    }
    // Another word in between makes it new; so does the method.
    let again = next(&next(&known, Active, None), Active, Some(Active));
    assert_eq!(again.verdict, Some(Permission::Allowed));
    known.acknowledge();
    assert_eq!(next(&known, Active, Some(Active)).verdict, Some(Permission::Allowed));
}

#[test]
fn acknowledgement_names_the_present_state_and_nothing_else() {
    for said in MandateStatus::ALL {
        let known = next(&stored(MandateStatus::Revoked), MandateStatus::Active, Some(*said));
        let acknowledged = *said == MandateStatus::Active;
        assert_eq!(known.verdict == Some(Permission::Allowed), acknowledged, "{said}");
        assert_eq!(known.reinstated_from.is_none(), acknowledged, "{said}");
    }
}

#[test]
fn nothing_is_acknowledged_while_it_is_ended_or_not_recognized() {
    for status in ENDED.into_iter().chain([MandateStatus::Unrecognized]) {
        let mut known = next(&next(&stored(MandateStatus::Revoked), MandateStatus::Active, None), status, None);
        known.acknowledge();
        assert_eq!(next(&known, MandateStatus::Active, None).verdict, Some(Permission::Undetermined), "{status}");
    }
}

#[test]
fn mandate_that_was_never_recognized_may_have_been_ended() {
    let known = next(&stored(MandateStatus::Unrecognized), MandateStatus::Active, None);
    let unknown = Some(MandateStatus::Unrecognized);
    assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), unknown));
    // A state that a newer version stored is read as one that nobody knows.
    let newer = json!({"status": "Frozen", "raw": "7", "recognized": "Frozen", "since": noon(), "observed_at": noon()});
    let known = next(&serde_json::from_value(newer).unwrap(), MandateStatus::Active, None);
    assert_eq!((known.verdict, known.reinstated_from), (Some(Permission::Undetermined), unknown));
    // One that was active before the unknown word is as it was.
    let known = next(&stored(MandateStatus::Active), MandateStatus::Unrecognized, None);
    assert_eq!(next(&known, MandateStatus::Active, None).verdict, Some(Permission::Allowed));
}

#[test]
fn creation_that_names_no_status_is_no_end() {
    let mut created = mandate(MandateStatus::Unrecognized);
    created.source = Source::Created;
    let known = Known::of(&created, None, Some(&facts(None)), noon());
    assert_eq!(next(&known, MandateStatus::Active, None).verdict, Some(Permission::Allowed));
}

#[test]
fn acknowledgement_alone_is_a_change_to_store() {
    // Refused for another reason, before and after.
    let facts = |last_acknowledged| Facts { revoked_by_debtor: Some(true), ..facts(last_acknowledged) };
    let mut known = next(&stored(MandateStatus::Revoked), MandateStatus::Active, None);
    known.verdict = Some(Permission::Refused);
    let active = mandate(MandateStatus::Active);
    assert_eq!(Changed::between(Some(&known), &active, Some(&facts(None)), noon()), None);
    let change = Changed::between(Some(&known), &active, Some(&facts(Some(active.status))), noon()).unwrap();
    assert_eq!((change.class, change.to.verdict, change.to.reinstated_from), (None, known.verdict, None));
}

#[test]
fn failed_reading_keeps_everything_but_the_verdict() {
    let known = next(&stored(MandateStatus::Revoked), MandateStatus::Active, None);
    let mut unread = known.unread();
    assert_eq!(unread.verdict, None);
    unread.verdict = known.verdict;
    assert_eq!(unread, known);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    /// What was read, and what the caller says that it acknowledged.
    Read(MandateStatus, Option<MandateStatus>),
    Failed,
    /// The method on what is stored.
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
    /// The truth is kept apart, in the words of the rule: since its last end somebody has acknowledged it.
    #[test]
    fn no_return_is_allowed_before_it_is_acknowledged(
        events in prop::collection::vec((any_event(), any::<bool>()), 1..30),
    ) {
        let mut known: Option<Known> = None;
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
            let now_known = Known::of(&reading, known.as_ref(), Some(&facts), noon());
            let stated_open = said.is_some_and(|said| said == MandateStatus::Unrecognized || ENDED.contains(&said));
            let allowed = status == MandateStatus::Active && !open && !stated_open;
            prop_assert_eq!(now_known.verdict == Some(Permission::Allowed), allowed, "{:?}", now_known);
            // Storing only what changed loses nothing.
            let change = Changed::between(known.as_ref(), &reading, Some(&facts), noon());
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
            known = Some(stored_and_read(&kept, by_columns));
            prop_assert_eq!(known.as_ref(), Some(&kept));
        }
    }
}

async fn one(mandates: &Mandates, tracked: &Tracked) -> Mandate {
    mandates.statuses([tracked.clone()]).next().await.unwrap().result.unwrap()
}

/// The answer to the question that the mandate is for.
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
async fn reading_of_a_stored_mandate_knows_that_it_came_back_however_it_is_read() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        sandbox.set_status(&reference, MandateStatus::Active).unwrap();
        for from in ENDED {
            let tracked: Tracked = (reference.clone(), stored(from)).into();
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
async fn batch_tells_of_a_return_in_each_run_until_it_is_acknowledged() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let tracked = |reference: &MandateRef, known: &Known, said: Option<MandateStatus>| Tracked {
        reference: reference.clone(),
        known: Some(known.clone()),
        facts: Some(Facts { signed_on: Some(sandbox.now().date_naive()), ..facts(said) }),
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
        // The next run has nothing new to tell, and still does not allow it.
        let second = tracked(&reference, &known, None);
        assert!(mandates.statuses([second.clone()]).changes().next().await.is_none());
        let read = one(&mandates, &second).await;
        assert!(!verdict(&read, None, &sandbox).is_allowed());
        assert_eq!(Known::of(&read, Some(&known), second.facts.as_ref(), sandbox.now()).verdict, known.verdict);
        // Acknowledged.
        let third = tracked(&reference, &known, Some(MandateStatus::Active));
        let change = mandates.statuses([third]).changes().next().await.unwrap().result.unwrap();
        assert_eq!((change.class, change.to.verdict), (None, Some(Permission::Allowed)), "{reference}");
        assert_eq!(change.to.reinstated_from, None);
    }
}

#[tokio::test]
async fn watch_keeps_a_return_open() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        sandbox.set_status(&reference, MandateStatus::Active).unwrap();
        let facts = Facts { signed_on: Some(sandbox.now().date_naive()), ..facts(None) };
        let tracked =
            Tracked { reference: reference.clone(), known: Some(stored(MandateStatus::Invalid)), facts: Some(facts) };
        let change = mandates.watch(tracked).next().await.unwrap().unwrap();
        assert_eq!(
            (change.class, change.to.verdict, change.to.reinstated_from),
            (Some(Change::Reinstated), Some(Permission::Undetermined), Some(MandateStatus::Invalid)),
            "{reference}"
        );
    }
}
