//! A batch reads each mandate once, reports only changes, and sends Seqino few requests. A watch reads its mandate
//! again when a change is due.

use crate::{snapshot, unknown_words::create_mandate_at_each_vendor};
use futures_util::{StreamExt, stream};
use mandat::{
    Change, ErrorKind, Mandate, MandateChange, MandateRef, MandateStatus, Mandates, Permission, Provider, Schedule,
    StatusQuery, StatusResult, StoredState,
    sandbox::{Fault, Sandbox, ScriptedResponse},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Creates `count` mandates at each vendor in the sandbox.
async fn several(sandbox: &Sandbox, mandates: &Mandates, count: usize) -> Vec<MandateRef> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.extend(create_mandate_at_each_vendor(sandbox, mandates).await);
    }
    all
}

async fn read(mandates: &Mandates, references: &[MandateRef]) -> BTreeMap<MandateRef, Mandate> {
    let readings: Vec<_> = mandates.statuses(references).collect().await;
    readings.into_iter().map(|reading| (reading.query.reference, reading.result.unwrap())).collect()
}

/// Reads all mandates once. Returns the readings as a caller stores them.
async fn known(sandbox: &Sandbox, mandates: &Mandates, references: &[MandateRef]) -> Vec<StatusQuery> {
    let all = read(mandates, references).await;
    let known = |mandate: &Mandate| StoredState::of(mandate, None, None, sandbox.now());
    all.into_iter().map(|(reference, mandate)| (reference, known(&mandate)).into()).collect()
}

async fn changes(mandates: &Mandates, tracked: &[StatusQuery]) -> Vec<StatusResult<MandateChange>> {
    mandates.statuses(tracked.to_vec()).changes().collect().await
}

#[tokio::test]
async fn batch_returns_one_reading_for_each_reference_despite_failures() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let mut references = several(&sandbox, &mandates, 30).await;
    let good = references.len();
    references.push(MandateRef::easytransac(""));
    references.push(MandateRef::safedebit("nobody"));
    references.push(MandateRef::seqino(Sandbox::CLIENT, "nobody"));
    references.push(MandateRef::seqino("nobody", "nobody"));
    // The test passes the references once as an iterator and once as a slow stream.
    let slowly = stream::iter(references.clone()).then(|reference| async {
        tokio::task::yield_now().await;
        reference
    });
    for readings in
        [mandates.statuses(&references).collect::<Vec<_>>().await, mandates.statuses(slowly).collect().await]
    {
        let answered: BTreeSet<_> = readings.iter().map(|reading| &reading.query.reference).collect();
        assert_eq!((readings.len(), answered.len()), (references.len(), references.len()));
        assert_eq!(readings.iter().filter(|reading| reading.result.is_ok()).count(), good);
    }
    let none: Vec<StatusResult> = mandates.statuses(Vec::<MandateRef>::new()).collect().await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn batch_returns_an_error_for_each_reference_of_an_unconfigured_vendor() {
    let mandates = Mandates::builder().build().unwrap();
    let references = [MandateRef::easytransac("a"), MandateRef::safedebit("b"), MandateRef::seqino("c", "d")];
    let readings: Vec<_> = mandates.statuses(&references).collect().await;
    assert_eq!(readings.len(), 3);
    for reading in readings {
        assert_eq!(reading.result.unwrap_err().kind(), ErrorKind::NotConfigured);
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn batch_requests_seqino_clients_once_and_the_mandates_of_each_client_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let mut references = Vec::new();
    for name in ["one", "two", "three"] {
        let seqino = mandates.seqino().unwrap();
        let create = seqino
            .create_client()
            .body_map(|b| b.organization_name(name).contact_email("abc@abc.com").external_ref(name));
        let client = create.send().await.unwrap().client_id.unwrap();
        for _ in 0..20 {
            let entry = mandat::seqino::types::DirectoryEntry::builder().siren("123456789").name("Acme Corporation");
            let create = mandates.seqino().unwrap().create_mandate().x_pdp_client_id(&client);
            let create = create.body_map(|body| body.start_date(sandbox.now()).directory_entry(entry));
            references.push(Mandate::try_from(&create.send().await.unwrap()).unwrap().reference);
        }
    }
    let asked = |operation: &str| sandbox.count(operation);
    let readings: Vec<_> = mandates.statuses(&references).sorted_by_client().collect().await;
    assert!(readings.iter().all(|reading| reading.result.is_ok()));
    assert_eq!(
        [asked("list_clients"), asked("list_mandates"), asked("get_mandate"), asked("get_client")],
        [1, 3, 0, 0]
    );
    // Shuffle the references, because their order must not change the number of requests.
    fastrand::Rng::with_seed(7).shuffle(&mut references);
    let readings: Vec<_> = mandates.statuses(&references).collect().await;
    assert!(readings.iter().all(|reading| reading.result.is_ok()));
    assert_eq!(
        [asked("list_clients"), asked("list_mandates"), asked("get_mandate"), asked("get_client")],
        [2, 6, 0, 0]
    );
    // The batch reads a mandate on its own if the list lacks the mandate or contains it twice. All other mandates come
    // from the list.
    let client = references[0].client_id().unwrap();
    let of_one: Vec<_> = references.iter().filter(|reference| reference.client_id() == Some(client)).collect();
    let [once, twice] = [of_one[0], of_one[1]].map(|reference| sandbox.record(reference).unwrap());
    let mut other = twice.clone();
    other["status"] = "error".into();
    let listed = serde_json::json!([once, twice, other]);
    sandbox.script(Provider::Seqino, "list_mandates", [ScriptedResponse::new(200, listed)]).unwrap();
    let readings: Vec<_> = mandates.statuses(of_one).collect().await;
    assert!(readings.len() == 20 && readings.iter().all(|reading| reading.result.is_ok()));
    assert!(readings.iter().all(|reading| reading.result.as_ref().unwrap().status != MandateStatus::Invalid));
    assert_eq!(
        [asked("list_clients"), asked("list_mandates"), asked("get_mandate"), asked("get_client")],
        [3, 7, 19, 0]
    );
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn mandate_missing_from_the_list_counts_as_gone_only_after_a_404() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let references = several(&sandbox, &mandates, 2).await;
    let references: Vec<_> = references.into_iter().filter(|r| r.provider() == Provider::Seqino).collect();
    let tracked = known(&sandbox, &mandates, &references).await;
    sandbox.forget(&references[0]).unwrap();
    let all = changes(&mandates, &tracked).await;
    assert_eq!(all.len(), 1);
    let change = all[0].result.as_ref().unwrap();
    assert_eq!((&change.reference, change.to.status), (&references[0], MandateStatus::Gone));
    assert_eq!(change.class, Some(Change::Forward));
}

#[tokio::test]
async fn batch_reports_each_change_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let references = several(&sandbox, &mandates, 3).await;
    let mut tracked = known(&sandbox, &mandates, &references).await;
    assert!(changes(&mandates, &tracked).await.is_empty());
    for reference in references.iter().take(Provider::ALL.len()) {
        sandbox.answer(reference, "brand_new").unwrap();
    }
    let mut all = changes(&mandates, &tracked).await;
    all.sort_by(|a, b| a.query.reference.cmp(&b.query.reference));
    let expected: BTreeSet<_> = references.iter().take(Provider::ALL.len()).collect();
    assert_eq!(all.iter().map(|change| &change.query.reference).collect::<BTreeSet<_>>(), expected);
    for reading in &all {
        let change = reading.result.as_ref().unwrap();
        assert_eq!(change.class, Some(Change::Anomalous));
        assert_eq!((change.to.status, change.to.raw.as_str()), (MandateStatus::Unrecognized, "brand_new"));
        assert_eq!(change.to.recognized, Some(change.from.as_ref().unwrap().status));
        // The run stops after half of the mandates: the caller has stored this change and starts a new run.
        let of_it = tracked.iter_mut().find(|tracked| tracked.reference == change.reference).unwrap();
        of_it.stored = Some(change.to.clone());
        let left = changes(&mandates, &tracked).await;
        assert!(left.iter().all(|left| left.query.reference != change.reference));
    }
    let now_known: Vec<StatusQuery> = tracked
        .into_iter()
        .map(|mut tracked| {
            if let Some(change) = all.iter().find(|change| change.query.reference == tracked.reference) {
                tracked.stored = Some(change.result.as_ref().unwrap().to.clone());
            }
            tracked
        })
        .collect();
    assert!(changes(&mandates, &now_known).await.is_empty());
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn suspended_client_is_reported_as_a_verdict_change() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let references = several(&sandbox, &mandates, 1).await;
    let reference = references.iter().find(|r| r.provider() == Provider::Seqino).unwrap();
    sandbox.set_status(reference, MandateStatus::Active).unwrap();
    let client_is = |word: &str| {
        let word = word.to_owned();
        sandbox
            .edit_record(Provider::Seqino, "clients", Sandbox::CLIENT, |client| client["status"] = word.into())
            .unwrap();
    };
    client_is("active");
    let tracked = known(&sandbox, &mandates, std::slice::from_ref(reference)).await;
    assert_eq!(tracked[0].stored.as_ref().unwrap().verdict, Some(Permission::Allowed));
    client_is("suspended");
    let all = changes(&mandates, &tracked).await;
    let change = all[0].result.as_ref().unwrap();
    let from = change.from.as_ref().unwrap();
    assert_eq!((change.class, &from.raw, from.status), (None, &change.to.raw, change.to.status));
    assert_eq!((from.verdict, change.to.verdict), (Some(Permission::Allowed), Some(Permission::Refused)));
    // A client that cannot be read causes no change of the verdict.
    client_is("active");
    sandbox.inject(Fault::status(500).on("list_clients"));
    sandbox.inject(Fault::status(500).on("get_client"));
    assert!(changes(&mandates, &tracked).await.is_empty());
}

#[cfg(any(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn dropped_batch_sends_no_more_requests() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let references: Vec<_> = several(&sandbox, &mandates, 40).await;
    let before = sandbox.requests().len();
    let mut readings = mandates.statuses(references.iter().cycle().take(5000));
    for _ in 0..10 {
        readings.next().await.unwrap();
    }
    drop(readings);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let asked = sandbox.requests().len() - before;
    assert!(asked < 1000, "the batch sent {asked} requests for ten readings");
}

#[tokio::test]
async fn watch_reports_only_changes_and_ends_after_the_mandate_ended() {
    let sandbox = Sandbox::start().await.unwrap();
    let often = Schedule::default()
        .with_awaiting_signature(Duration::from_millis(5))
        .with_setting_up(Duration::from_millis(5))
        .with_longest(Duration::from_millis(20))
        .with_in_force(Duration::from_millis(5))
        .with_ended(Duration::from_millis(5))
        .with_given_up(Duration::from_millis(300))
        .with_jitter(10);
    let mandates = sandbox.builder().schedule(often).build().unwrap();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        let before = sandbox.requests().len();
        let mut watch = mandates.watch(&reference);
        let first = watch.next().await.unwrap().unwrap();
        assert_eq!((first.from, first.class), (None, None));
        sandbox.answer(&reference, "brand_new").unwrap();
        let second = watch.next().await.unwrap().unwrap();
        assert_eq!(second.to.status, MandateStatus::Unrecognized);
        sandbox
            .set_status(&reference, MandateStatus::Invalid)
            .or_else(|_| sandbox.set_status(&reference, MandateStatus::Revoked))
            .unwrap();
        let third = watch.next().await.unwrap().unwrap();
        assert_eq!((third.from, third.class), (Some(second.to), Some(Change::Forward)));
        assert!(watch.next().await.is_none());
        assert!(sandbox.requests().len() - before > 4, "the watch should send requests even while nothing changes");
    }
}

#[tokio::test]
async fn watch_continues_after_failed_readings() {
    let sandbox = Sandbox::start().await.unwrap();
    let often = Schedule::default().with_awaiting_signature(Duration::from_millis(1));
    let mandates = sandbox.builder().schedule(often).build().unwrap();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        let mut watch = mandates.watch(&reference);
        let read = match reference.provider() {
            Provider::Easytransac => "get_mandate_status",
            Provider::SafeDebit => "search_mandate",
            _ => "get_mandate",
        };
        sandbox.inject(Fault::status(403).on(read).times(2));
        assert!(watch.next().await.unwrap().is_err());
        assert!(watch.next().await.unwrap().is_err());
        assert!(watch.next().await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn watch_waits_the_shortest_time_again_after_a_success() {
    let sandbox = Sandbox::start().await.unwrap();
    let wait = Duration::from_millis(1);
    let often = Schedule::default().with_awaiting_signature(wait).with_setting_up(wait).with_in_force(wait);
    let mandates = sandbox.builder().schedule(often).build().unwrap();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await.into_iter().take(1) {
        let mut watch = mandates.watch(&reference);
        let failures_and_successes = async {
            for number in 0..17 {
                sandbox.inject(Fault::status(403).times(1));
                sandbox.answer(&reference, format!("word_{number}")).unwrap();
                assert!(watch.next().await.unwrap().is_err());
                assert!(watch.next().await.unwrap().is_ok());
            }
        };
        // If a success did not reset the wait, the waits would double each time and take two minutes in all.
        tokio::time::timeout(Duration::from_secs(60), failures_and_successes)
            .await
            .expect("the waits should not double after each success");
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn batch_reads_mandates_one_by_one_if_the_list_cannot_be_decoded() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let references = [MandateRef::seqino(Sandbox::CLIENT, "mdt_abc123")];
    for body in [serde_json::json!("maintenance"), serde_json::json!(7), serde_json::json!([{"id": "mdt_abc123"}])] {
        let before = sandbox.count("get_mandate");
        sandbox.script(Provider::Seqino, "list_mandates", [ScriptedResponse::new(200, body)]).unwrap();
        let readings: Vec<_> = mandates.statuses(&references).collect().await;
        assert_eq!(readings[0].result.as_ref().unwrap().status, MandateStatus::Active);
        assert_eq!(sandbox.count("get_mandate") - before, 1);
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn batch_uses_the_list_of_clients_for_five_minutes() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let (sender, references) = tokio::sync::mpsc::unbounded_channel::<MandateRef>();
    let references = stream::unfold(references, |mut references| async move {
        references.recv().await.map(|reference| (reference, references))
    });
    let mut readings = mandates.statuses(references.boxed()).sorted_by_client();
    // The batch reads the mandates of one client when the first mandate of the next client arrives.
    let send = |number: usize| sender.send(MandateRef::seqino(format!("client-{number}"), "m")).unwrap();
    send(0);
    for (number, seconds, lists) in [(1, 0, 1), (2, 299, 1), (3, 2, 2), (4, 298, 2)] {
        sandbox.advance(Duration::from_secs(seconds));
        send(number);
        readings.next().await.unwrap();
        assert_eq!(sandbox.count("list_clients"), lists, "client {number}");
    }
}

#[test]
fn time_of_the_next_check_depends_on_the_status_and_its_age() {
    let now = "2026-09-01T12:00:00Z".parse().unwrap();
    let exactly = Schedule::default().with_jitter(0);
    let mut table = String::from("status | seen just now | for 2 hours | for 3 days | for 30 days | for 100 days\n");
    for status in MandateStatus::ALL {
        let mut mandate = example();
        mandate.status = *status;
        mandate.observed_at = now;
        let next = |hours: i64| {
            let mut known = StoredState::new(*status, mandate.raw.clone(), now);
            known.since = now - chrono::TimeDelta::hours(hours);
            match exactly.next_check(&mandate, Some(&known), now) {
                None => "never".into(),
                Some(next) if (next - now).num_minutes() < 60 => format!("{} min", (next - now).num_minutes()),
                Some(next) if (next - now).num_hours() < 48 => {
                    format!("{:.1} h", (next - now).num_minutes() as f64 / 60.0)
                }
                Some(next) => format!("{} d", (next - now).num_days()),
            }
        };
        table += &format!("{status} | {}\n", [0, 2, 72, 720, 2400].map(next).join(" | "));
    }
    snapshot!("next-check", table);
}

#[test]
fn paced_schedule_reads_the_mandates_in_force_once_in_a_pass() {
    let wait = |calls, per_second| Schedule::default().paced(calls, per_second).in_force;
    assert_eq!(wait(3_240_000, 90.0), Duration::from_secs(36_000));
    assert_eq!(wait(3_240_000, 9.0), Duration::from_secs(360_000), "a slow vendor needs more than a day");
    assert_eq!(wait(100, 90.0), Schedule::default().setting_up, "few mandates need no reading each second");
    assert_eq!(wait(0, 90.0), Schedule::default().setting_up);
    for rate in [0.0, -1.0, f64::NAN, f64::MIN_POSITIVE] {
        assert_eq!(wait(3_240_000, rate), Duration::MAX, "a rate of {rate}");
        // The longest wait of all is still an instant that the calendar knows.
        let (now, mut mandate) = ("2026-09-01T12:00:00Z".parse().unwrap(), example());
        mandate.status = MandateStatus::Active;
        assert!(Schedule::default().paced(1, rate).next_check(&mandate, None, now).unwrap() > now);
    }
    // A mandate that is set up never waits longer than one in force.
    let [slow, fast] = [9.0, 90.0].map(|rate| Schedule::default().paced(3_240_000, rate));
    assert_eq!((slow.longest, fast.longest), (Schedule::default().longest, fast.in_force));
    assert_eq!(slow.with_in_force(Schedule::default().in_force), Schedule::default(), "nothing else changes");
}

#[test]
fn checks_of_many_mandates_at_one_end_date_are_spread_over_a_minute() {
    let now = "2026-09-01T12:00:00Z".parse().unwrap();
    let mut mandate = example();
    (mandate.status, mandate.observed_at) = (MandateStatus::Active, now);
    mandate.ends = Some(serde_json::from_str("\"2026-09-01T14:00:00Z\"").unwrap());
    let ends: chrono::DateTime<chrono::Utc> = "2026-09-01T14:00:00Z".parse().unwrap();
    let mut all = BTreeSet::new();
    for i in 0..100 {
        mandate.reference = MandateRef::safedebit(format!("RUM-{i}"));
        let next = mandate.next_check(now).unwrap();
        assert_eq!(mandate.next_check(now), Some(next), "the time of the next check should be the same in each call");
        assert!(next >= ends && next <= ends + chrono::TimeDelta::minutes(1), "{next}");
        all.insert(next);
    }
    assert!(all.len() > 50, "the mandates should have more than 50 different times, but have {}", all.len());
    // The delay depends only on the reference, so every process and every build computes the same time.
    assert_eq!(mandate.next_check(now).unwrap().to_rfc3339(), "2026-09-01T14:00:53.160992105+00:00");
}

#[test]
fn expired_mandate_is_given_up_by_its_end_and_not_by_the_day_of_its_discovery() {
    let now: chrono::DateTime<chrono::Utc> = "2026-09-01T12:00:00Z".parse().unwrap();
    let schedule = Schedule::default().with_given_up(Duration::from_secs(60));
    let mut mandate = example();
    mandate.observed_at = now;
    for (status, seconds, given_up) in [
        (MandateStatus::Expired, 60, true),
        (MandateStatus::Expired, 59, false),
        (MandateStatus::Expired, 0, false),
        // The vendor states an end that has not come yet.
        (MandateStatus::Expired, -60, false),
        // An earlier end does not tell since when the mandate is revoked.
        (MandateStatus::Revoked, 60, false),
    ] {
        mandate.status = status;
        mandate.ends = Some((now - chrono::TimeDelta::seconds(seconds)).into());
        assert_eq!(schedule.next_check(&mandate, None, now).is_none(), given_up, "{status}, {seconds} s");
    }
}

#[test]
fn time_of_the_next_check_is_the_same_in_every_build() {
    let mut mandate = example();
    mandate.reference = MandateRef::safedebit("RUM-1");
    mandate.status = MandateStatus::Active;
    let now: chrono::DateTime<chrono::Utc> = "2026-09-01T12:00:00Z".parse().unwrap();
    // A start that has come needs no further reading.
    mandate.starts = Some(now.into());
    let next = mandate.next_check(now).unwrap();
    // A day, and a tenth of a day by 0.0253, which FNV-1a computes from the reference.
    assert_eq!(next.to_rfc3339(), "2026-09-02T12:03:38.368666744+00:00");
}

#[test]
fn random_delay_between_checks_has_a_minimum() {
    let now = "2026-09-01T12:00:00Z".parse().unwrap();
    let wide = Schedule::default().with_jitter(100).with_in_force(Duration::from_secs(1000));
    let mut mandate = example();
    let mut waits = (0..10_000).map(|i| {
        mandate.reference = MandateRef::safedebit(format!("RUM-{i}"));
        (wide.next_check(&mandate, None, now).unwrap() - now).num_seconds()
    });
    let (mut least, mut most) = (i64::MAX, 0);
    waits.by_ref().for_each(|wait| (least, most) = (least.min(wait), most.max(wait)));
    assert!((100..110).contains(&least) && (1890..=1900).contains(&most), "{least} to {most} s of 1000 s");
}

#[test]
fn extreme_schedules_and_dates_do_not_cause_a_panic() {
    let endless = Schedule::default()
        .with_awaiting_signature(Duration::MAX)
        .with_setting_up(Duration::MAX)
        .with_longest(Duration::MAX)
        .with_in_force(Duration::MAX)
        .with_ended(Duration::MAX)
        .with_given_up(Duration::MAX)
        .with_jitter(255);
    for status in MandateStatus::ALL {
        for now in ["2026-09-01T12:00:00Z".parse().unwrap(), chrono::DateTime::<chrono::Utc>::MAX_UTC] {
            let mut mandate = example();
            mandate.status = *status;
            mandate.ends = Some(chrono::DateTime::<chrono::Utc>::MAX_UTC.into());
            mandate.starts = mandate.ends.clone();
            let next = endless.next_check(&mandate, None, now);
            assert!(next.is_none_or(|next| next >= now));
        }
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn verdict_is_reported_once_if_none_was_stored() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let reference = MandateRef::seqino(Sandbox::CLIENT, "mdt_abc123");
    let bare = StoredState::new(MandateStatus::Active, mandat::RawStatus::new("active"), sandbox.now());
    let first = changes(&mandates, &[(reference.clone(), bare).into()]).await;
    let change = first[0].result.as_ref().unwrap();
    assert_eq!((change.class, change.to.verdict), (None, Some(Permission::Allowed)));
    assert!(changes(&mandates, &[(reference, change.to.clone()).into()]).await.is_empty());
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn verdict_is_reported_although_the_list_of_clients_failed() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    sandbox.inject(Fault::status(403).on("list_clients"));
    let reference = MandateRef::seqino(Sandbox::CLIENT, "mdt_abc123");
    let read = read(&mandates, std::slice::from_ref(&reference)).await;
    assert!(read[&reference].may_represent(None, sandbox.now()).is_allowed());
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn batch_sends_few_requests_while_the_caller_takes_no_reading() {
    let sandbox = Sandbox::start().await.unwrap();
    let settings = mandat::Settings::default().with_concurrency(2);
    let mandates = sandbox.builder().seqino(sandbox.seqino().settings(settings)).build().unwrap();
    let references: Vec<_> = (0..60).map(|client| MandateRef::seqino(format!("client-{client}"), "m")).collect();
    let mut readings = mandates.statuses(references);
    readings.next().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(
        sandbox.count("list_mandates") < 25,
        "the batch requested {} lists for one reading",
        sandbox.count("list_mandates")
    );
    assert_eq!(readings.count().await, 59);
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn client_that_the_list_contains_twice_is_read_on_its_own() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = |status: &str| {
        serde_json::json!({
            "client_id": Sandbox::CLIENT, "organization_name": "Acme", "contact_email": "a@acme.com", "status": status
        })
    };
    let reference = MandateRef::seqino(Sandbox::CLIENT, "mdt_abc123");
    // One of the two entries in the list is active, but the requested mandate may be the other one.
    sandbox
        .edit_record(Provider::Seqino, "clients", Sandbox::CLIENT, |client| client["status"] = "suspended".into())
        .unwrap();
    let listed = Some(serde_json::json!([client("suspended"), client("active")]));
    sandbox.script(Provider::Seqino, "list_clients", [ScriptedResponse::new(200, listed)]).unwrap();
    let read = read(&mandates, std::slice::from_ref(&reference)).await;
    assert_eq!(sandbox.count("get_client"), 1);
    assert!(!read[&reference].may_represent(None, sandbox.now()).is_allowed());
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn mandate_that_was_created_but_never_read_does_not_count_as_gone() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let mut created = example();
    created.reference = MandateRef::seqino(Sandbox::CLIENT, "not-yet");
    created.source = mandat::Source::Created;
    let known = StoredState::of(&created, None, None, sandbox.now());
    let again: StoredState = serde_json::from_value(serde_json::to_value(&known).unwrap()).unwrap();
    let readings = changes(&mandates, &[(created.reference.clone(), again).into()]).await;
    assert_eq!(readings[0].result.as_ref().unwrap_err().kind(), ErrorKind::NotFound);
}

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn caller_may_send_requests_between_two_readings_of_a_batch() {
    let sandbox = Sandbox::start().await.unwrap();
    let settings = mandat::Settings::default().with_concurrency(2).with_overall_timeout(Duration::from_secs(5));
    let config = sandbox.easytransac().settings(settings);
    let mandates = sandbox.builder().easytransac(config).build().unwrap();
    let one = MandateRef::easytransac("abcabcabcabcabcabc12");
    let mut readings = mandates.statuses(vec![one.clone(); 50]);
    let mut count = 0;
    while let Some(reading) = readings.next().await {
        reading.result.unwrap();
        if count % 10 == 0 {
            // The token has expired, and the calls of the batch need a new token, too.
            sandbox.advance(Duration::from_secs(24 * 3600));
            mandates.status(&one).await.unwrap();
        }
        count += 1;
    }
    assert_eq!(count, 50);
}

#[test]
fn change_is_computed_from_the_last_recognized_status() {
    let at = "2026-09-01T12:00:00Z".parse().unwrap();
    let reading = |status: MandateStatus, raw: &str| {
        let mut mandate = example();
        (mandate.status, mandate.raw) = (status, mandat::RawStatus::new(raw));
        mandate
    };
    use MandateStatus::{Active, Revoked, Unrecognized};
    // This row was written by an early version, which stored only the status.
    let mut known = StoredState::new(Revoked, mandat::RawStatus::new("3"), at);
    known.recognized = None;
    let mut classes = Vec::new();
    for (status, raw) in [(Unrecognized, "a"), (Unrecognized, "b"), (Active, "1"), (Unrecognized, "a"), (Active, "1")] {
        let change = MandateChange::between(Some(&known), &reading(status, raw), None, at).unwrap();
        classes.push(change.class);
        known = change.to;
    }
    use Change::{Anomalous, Forward, Reinstated};
    assert_eq!(classes, [Some(Anomalous), None, Some(Reinstated), Some(Anomalous), Some(Forward)]);
}

#[test]
fn first_reading_after_the_creation_is_reported_once() {
    let at = "2026-09-01T12:00:00Z".parse().unwrap();
    let read = example();
    let mut created = example();
    created.source = mandat::Source::Created;
    let known = StoredState::of(&created, None, None, at);
    assert_eq!(MandateChange::between(Some(&known), &created, None, at), None);
    let change = MandateChange::between(Some(&known), &read, None, at).unwrap();
    assert_eq!((change.class, change.to.source), (None, mandat::Source::Read));
    assert_eq!(MandateChange::between(Some(&change.to), &read, None, at), None);
    // A second creation response after a read must not turn the mandate back into an unconfirmed one.
    assert_eq!(MandateChange::between(Some(&change.to), &created, None, at), None);
    (created.status, created.raw) = (MandateStatus::AwaitingSignature, mandat::RawStatus::new("0"));
    let change = MandateChange::between(Some(&change.to), &created, None, at).unwrap();
    assert_eq!(change.to.source, mandat::Source::Read);
}

/// Returns a mandate as a caller has stored it.
fn example() -> Mandate {
    serde_json::from_str(
        r#"{"reference": "safedebit:RUM-2026-0042", "status": "Active", "raw": "1", "account": "NotApplicable",
            "observed_at": "2026-09-01T12:00:00Z", "source": "Read", "extra": {}, "next_step": "Use",
            "starts": null, "ends": null, "created": null}"#,
    )
    .unwrap()
}
