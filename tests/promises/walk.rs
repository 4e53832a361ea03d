//! In random histories of mandates, the facade allows a mandate exactly if the records of the sandbox allow it.

use crate::{
    chance::{cases, seed},
    file::{self, Format, Record, Table},
    unknown_words::create_mandate_at_each_vendor,
};
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use fastrand::Rng;
use futures_util::StreamExt;
use mandat::{
    Change, Error, ErrorKind, Facts, LastCollection, Mandate, MandateChange, MandateRef, MandateStatus, Mandates,
    Permission, Provider, Purpose, StatusQuery, StoredState, Verdict,
    sandbox::{Fault, Options, Sandbox},
    sepa::paris_day,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Returns the meaning of each status word of a vendor. The test defines the meanings a second time to compare them
/// with the crate.
fn meaning(provider: Provider, word: &str) -> MandateStatus {
    use MandateStatus::{
        Active, AwaitingActivation, AwaitingSignature, AwaitingVerification, Expired, Invalid, Pending, Revoked,
        Suspended, Unrecognized,
    };
    match (provider, word) {
        (Provider::Easytransac, "active") | (Provider::SafeDebit, "1") | (Provider::Seqino, "active") => Active,
        (Provider::Easytransac, "invalid") | (Provider::Seqino, "error") => Invalid,
        (Provider::Easytransac, "pending") | (Provider::Seqino, "processing" | "created") => Pending,
        (Provider::SafeDebit, "2") => Suspended,
        (Provider::SafeDebit, "3") => Revoked,
        (Provider::SafeDebit, "4" | "5") => AwaitingSignature,
        (Provider::SafeDebit, "6") => AwaitingActivation,
        (Provider::Seqino, "pending_kyc") => AwaitingVerification,
        (Provider::Seqino, "expired") => Expired,
        _ => Unrecognized,
    }
}

/// Returns the true status of a mandate from its record in the sandbox.
fn truth(provider: Provider, record: &Value, now: DateTime<Utc>) -> MandateStatus {
    let status = meaning(provider, record["status"].as_str().unwrap_or_default());
    let date = |key: &str| record[key].as_str().and_then(|date| date.parse::<DateTime<Utc>>().ok());
    match status {
        MandateStatus::Active if date("end_date").is_some_and(|date| date <= now) => MandateStatus::Expired,
        MandateStatus::Active if date("start_date").is_some_and(|date| now < date) => MandateStatus::AwaitingActivation,
        status => status,
    }
}

/// Returns true if a date in the record is unreadable, so that the start or the end of the mandate is unknown.
fn dates_unreadable(record: &Value) -> bool {
    [&record["start_date"], &record["end_date"]].into_iter().filter_map(Value::as_str).any(|date| date == UNREADABLE)
}

fn has_ended(status: MandateStatus) -> bool {
    matches!(status, MandateStatus::Revoked | MandateStatus::Expired | MandateStatus::Invalid | MandateStatus::Gone)
}

/// Returns true if the class of this status change is plausible. The rule does not use the code of the crate.
fn class_is_plausible(class: Change, from: MandateStatus, to: MandateStatus) -> bool {
    use MandateStatus::{Active, Gone, Suspended, Unrecognized};
    match class {
        // A change counts as `Forward` if the last recognized status is unchanged, or if no status was recognized
        // before.
        _ if from == to || from == Unrecognized && to != Unrecognized => class == Change::Forward,
        Change::Anomalous => to == Unrecognized || to == Suspended || has_ended(from) && has_ended(to),
        Change::Reinstated => has_ended(from) && !has_ended(to),
        Change::Forward => to == Gone || !has_ended(from),
        _ => !has_ended(from) && !has_ended(to) && to != Active,
    }
}

fn any_facts(random: &mut Rng, today: NaiveDate) -> Facts {
    let day = |random: &mut Rng| today - Days::new(random.u64(..1300)) + Days::new(random.u64(..3));
    Facts {
        signed_on: (random.u8(..20) > 0).then(|| day(random)),
        signature_confirmed: [Some(true), Some(true), Some(true), Some(false), None][random.usize(..5)],
        last_collection: match random.u8(..4) {
            0 => LastCollection::NotKnown,
            1 => LastCollection::Never,
            _ => LastCollection::On(day(random)),
        },
        revoked_by_debtor: (random.u8(..20) > 0).then(|| random.u8(..10) == 0),
        one_off_used: (random.u8(..20) > 0).then(|| random.u8(..10) == 0),
        max_age: Duration::from_secs(60),
        last_acknowledged: random.bool().then(|| random.choice(STATUSES).unwrap()),
    }
}

fn counts_as_acknowledgement(status: MandateStatus) -> bool {
    status != MandateStatus::Unrecognized && !has_ended(status)
}

fn lets_collect(facts: &Facts, today: NaiveDate) -> bool {
    let alive = |day: NaiveDate| today <= day + Months::new(36);
    let Some(signed_on) = facts.signed_on else { return false };
    let in_time = match facts.last_collection {
        LastCollection::NotKnown | LastCollection::Never => alive(signed_on),
        LastCollection::On(collected) => signed_on <= collected && collected <= today && alive(collected),
    };
    signed_on <= today
        && in_time
        && facts.signature_confirmed == Some(true)
        && facts.revoked_by_debtor == Some(false)
        && facts.one_off_used == Some(false)
        && facts.last_acknowledged.is_none_or(counts_as_acknowledgement)
}

struct Walk {
    sandbox: Sandbox,
    mandates: Mandates,
    random: Rng,
    /// The numbers of steps that the vendor accepted and of allowed verdicts. They show that the random histories cover
    /// such cases.
    taken: usize,
    allowed: usize,
    /// The numbers of failed readings, of reinstated mandates, and of their acknowledgements.
    failed: usize,
    returned: usize,
    acknowledged: usize,
    #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
    ledger: crate::walk_debits::Ledger,
}

const UNREADABLE: &str = "the day after";
const STATUSES: [MandateStatus; 7] = [
    MandateStatus::Active,
    MandateStatus::Active,
    MandateStatus::AwaitingSignature,
    MandateStatus::Suspended,
    MandateStatus::Revoked,
    MandateStatus::Expired,
    MandateStatus::Unrecognized,
];
const CLIENT_WORDS: [&str; 5] = ["active", "inactive", "pending", "suspended", "on_the_moon"];
const WORDS: [&str; 14] = [
    "active",
    "invalid",
    "pending",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "created",
    "pending_kyc",
    "expired",
    "error",
    "on_the_moon",
];

impl Walk {
    /// Sends a random step for the mandate. The vendor may refuse the step in the present status.
    async fn take_random_step(&mut self, reference: &MandateRef) {
        let (sandbox, random) = (&self.sandbox, &mut self.random);
        let step: Result<(), Error> = match random.u8(..13) {
            0 => sandbox.sign(reference),
            1 => sandbox.verify(reference),
            2 | 3 => sandbox.activate(reference),
            4 => sandbox.suspend(reference),
            5 => sandbox.expire(reference),
            6 => sandbox.revoke(reference),
            7 => sandbox.fail(reference),
            8 => sandbox.answer(reference, random.choice(WORDS).unwrap()),
            9 => {
                sandbox.advance(Duration::from_secs(random.u64(..40 * 24 * 3600)));
                Ok(())
            }
            10 => match reference.client_id() {
                None => Ok(()),
                Some(client) => sandbox.edit_record(Provider::Seqino, "clients", client, |record| {
                    record["status"] = random.choice(CLIENT_WORDS).unwrap().into();
                }),
            },
            11 if reference.provider() == Provider::Seqino => {
                let now = sandbox.now();
                let key = if random.bool() { "start_date" } else { "end_date" };
                let date = match random.u8(..4) {
                    0 => Value::Null,
                    1 => UNREADABLE.into(),
                    _ => (now - Days::new(40) + Days::new(random.u64(..80))).to_rfc3339().into(),
                };
                // A mandate always has a start date, so the test replaces null by the present day.
                let date = if key == "start_date" && date.is_null() { now.to_rfc3339().into() } else { date };
                sandbox.edit_record(Provider::Seqino, "mandates", reference.id(), |record| record[key] = date)
            }
            _ if random.u8(..4) == 0 => sandbox.forget(reference),
            _ => self.revoke(reference).await,
        };
        match step {
            Ok(()) => self.taken += 1,
            Err(error) => {
                let expected = matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::Conflict);
                assert!(expected, "{reference}: {error}");
            }
        }
    }

    /// Revokes the mandate by an operation of the vendor, if the vendor has one.
    #[allow(clippy::unused_async, reason = "a build may have neither vendor")]
    async fn revoke(&self, reference: &MandateRef) -> Result<(), mandat::Error> {
        match reference.provider() {
            #[cfg(feature = "safedebit")]
            Provider::SafeDebit => {
                let call = self.mandates.safedebit()?.revoque_mandate();
                call.body_map(|body| body.umr(reference.id())).send().await.map(drop)
            }
            #[cfg(feature = "seqino")]
            Provider::Seqino => {
                let call = self.mandates.seqino()?.revoke_mandate().mandate_id(reference.id());
                call.x_pdp_client_id(reference.client_id().unwrap()).send().await
            }
            _ => Ok(()),
        }
    }

    /// Reads the mandate and compares its status and the verdict with the records of the sandbox.
    async fn check_reading(&mut self, reference: &MandateRef) -> Option<Mandate> {
        let (provider, now) = (reference.provider(), self.sandbox.now());
        let read = self.mandates.status(reference.known()).await;
        let Some(record) = self.sandbox.record(reference) else {
            match (provider, read) {
                (Provider::Seqino, Ok(mandate)) => assert_eq!(mandate.status, MandateStatus::Gone),
                (_, read) => assert_eq!(read.unwrap_err().kind(), ErrorKind::NotFound, "{reference}"),
            }
            return None;
        };
        let mandate = read.unwrap_or_else(|error| panic!("{reference}: {error}"));
        let is = truth(provider, &record, now);
        assert_eq!((mandate.status, Some(mandate.raw.as_str())), (is, record["status"].as_str()), "{reference}");
        let facts = self.facts_of(reference, &record);
        let (verdict, allowed) = match provider.purpose() {
            Purpose::Represent => (mandate.may_represent(None, now), self.client_is_active(reference)),
            _ => (mandate.may_collect(&facts, now), lets_collect(&facts, paris_day(now))),
        };
        let allowed = allowed && is == MandateStatus::Active && !dates_unreadable(&record);
        self.allowed += usize::from(allowed);
        assert_eq!(verdict.is_allowed(), allowed, "{reference}: {verdict}; {record}; {facts:?}");
        assert!(allowed || verdict == Verdict::NotApplicable || !verdict.reasons().is_empty());
        #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
        if provider.purpose() == Purpose::Collect {
            let Self { sandbox, mandates, random, ledger, .. } = self;
            ledger.plan((sandbox, mandates, random), &mandate, &facts, allowed).await;
            ledger.follow((sandbox, mandates, random)).await;
        }
        Some(mandate)
    }

    /// Random facts. The caller knows its own debits, so `one_off_used` is not at random for a one-off mandate.
    fn facts_of(&mut self, reference: &MandateRef, record: &Value) -> Facts {
        #[allow(unused_mut, reason = "a build may have no debits")]
        let mut facts = any_facts(&mut self.random, paris_day(self.sandbox.now()));
        if self.random.bool() {
            let signed_on = facts.signed_on.filter(|day| *day <= paris_day(self.sandbox.now()));
            facts = Facts { signed_on, last_collection: LastCollection::Never, ..crate::support::good_facts() };
        }
        let _ = (reference, record);
        #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
        if record["sequence_type"] == "OOFF" && facts.one_off_used == Some(false) {
            facts.one_off_used = Some(self.ledger.has_used(reference));
        }
        facts
    }

    fn client_is_active(&self, reference: &MandateRef) -> bool {
        let mut active = false;
        let client = reference.client_id().unwrap_or_default();
        let look = |record: &mut Value| active = record["status"] == "active";
        self.sandbox.edit_record(Provider::Seqino, "clients", client, look).unwrap();
        active
    }

    /// Follows some mandates one by one from their creation, and then all mandates in batches.
    async fn run_lives(&mut self) -> usize {
        self.sandbox.reset();
        #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
        self.ledger.reset();
        let mut all = Vec::new();
        for _ in 0..4 {
            all.extend(create_mandate_at_each_vendor(&self.sandbox, &self.mandates).await);
        }
        for reference in all.iter().filter(|reference| reference.provider() == Provider::SafeDebit) {
            let once = self.random.u8(..3) == 0;
            let sequence = if once { "OOFF" } else { "RCUR" };
            self.sandbox.edit(reference, |record| record["sequence_type"] = sequence.into()).unwrap();
        }
        for reference in &all {
            let mut known: Option<StoredState> = None;
            // The last recognized status of the mandate.
            let mut before = MandateStatus::Unrecognized;
            for _ in 0..self.random.usize(2..6) {
                self.take_random_step(reference).await;
                let Some(mandate) = self.check_reading(reference).await else { break };
                let is = mandate.status;
                let change = MandateChange::between(known.as_ref(), &mandate, None, self.sandbox.now());
                let same = known.as_ref().is_some_and(|known| known.status == is);
                let differs = !same || known.as_ref().is_some_and(|known| known.raw != mandate.raw);
                assert!(change.is_some() || !differs, "{reference}: the batch did not report a change");
                let class = change.as_ref().and_then(|change| change.class);
                assert_eq!(class.is_some(), known.is_some() && !same, "{reference}: {known:?} to {is}");
                assert!(
                    class.is_none_or(|class| class_is_plausible(class, before, is)),
                    "{reference}: {before} to {is}: {class:?}"
                );
                if is != MandateStatus::Unrecognized {
                    before = is;
                }
                known = change.map(|change| change.to).or(known);
            }
        }
        let mut held: BTreeMap<MandateRef, Held> = BTreeMap::new();
        for reference in &all {
            let facts = any_facts(&mut self.random, paris_day(self.sandbox.now()));
            held.insert(reference.clone(), Held { facts, row: None, open: false, recognized: None, said: None });
        }
        for _ in 0..self.random.usize(2..7) {
            self.run_day(&mut held).await;
        }
        all.len()
    }

    /// Changes some mandates, and then reads all mandates in one batch. The test writes each stored state to a row of
    /// text and reads it back.
    async fn run_day(&mut self, held: &mut BTreeMap<MandateRef, Held>) {
        for (reference, held) in &mut *held {
            match self.random.u8(..3) {
                0 => self.take_random_step(reference).await,
                1 => self.set_vendor_word(reference),
                _ => {}
            }
            self.update_facts(reference, &mut held.facts);
        }
        if self.random.u8(..3) == 0 {
            let reads: &[&str] = &[
                #[cfg(feature = "easytransac")]
                "get_mandate_status",
                #[cfg(feature = "safedebit")]
                "search_mandate",
                #[cfg(feature = "seqino")]
                "list_mandates",
                #[cfg(feature = "seqino")]
                "get_mandate",
            ];
            for read in reads {
                self.sandbox.inject(Fault::status(400).on(*read).with_probability(0.4, self.random.u64(..)));
            }
        }
        let tracked = held.iter().map(|(reference, held)| {
            StatusQuery::new(reference.clone())
                .with_stored(held.row.as_deref().map(read))
                .with_facts(held.facts.clone())
        });
        let format = if self.random.bool() { Format::Csv } else { Format::Jsonl };
        let readings = self.mandates.statuses(through_a_file(tracked.collect(), format));
        if self.random.bool() {
            let readings: Vec<_> = readings.collect().await;
            assert_eq!(readings.len(), held.len());
            for reading in readings {
                let held = held.get_mut(&reading.query.reference).unwrap();
                self.check_and_store(held, &reading.query, reading.result);
            }
        } else {
            let changes: Vec<_> = readings.changes().collect().await;
            let mut changes: BTreeMap<_, _> =
                changes.into_iter().map(|change| (change.query.reference, change.result)).collect();
            for (reference, held) in &mut *held {
                self.check_and_store_change(reference, held, changes.remove(reference));
            }
            assert!(changes.is_empty());
        }
        self.sandbox.clear_faults();
    }

    /// Sets the vendor's word for the status, so that the mandate is in force or has ended.
    fn set_vendor_word(&mut self, reference: &MandateRef) {
        let words = match reference.provider() {
            Provider::Easytransac => ["active", "active", "invalid"],
            Provider::SafeDebit => ["1", "1", "3"],
            _ => ["active", "active", "error"],
        };
        // The call fails if the sandbox has deleted the mandate. The mandate then stays deleted.
        let _ = self.sandbox.answer(reference, *self.random.choice(&words).unwrap());
    }

    /// Changes the facts of the caller from one day to the next.
    fn update_facts(&mut self, reference: &MandateRef, facts: &mut Facts) {
        let now = self.sandbox.now();
        let is = self.sandbox.record(reference).map(|record| truth(reference.provider(), &record, now));
        let last_acknowledged = match self.random.u8(..4) {
            0 => None,
            1 => is,
            _ => facts.last_acknowledged,
        };
        if self.random.u8(..3) == 0 {
            *facts = any_facts(&mut self.random, paris_day(now));
        }
        facts.last_acknowledged = last_acknowledged;
    }

    /// Compares a reading with the records of the sandbox and stores it. After a failed reading, the mandate must not
    /// be allowed.
    fn check_and_store(&mut self, held: &mut Held, tracked: &StatusQuery, reading: Result<Mandate, Error>) {
        let (reference, now) = (&tracked.reference, self.sandbox.now());
        let mandate = match reading {
            Ok(mandate) => mandate,
            Err(error) => return self.note_failed_reading(reference, held, &error),
        };
        let allowed = self.is_allowed(reference, held);
        assert_eq!(Some(mandate.status), self.true_status(reference, held.row.is_some()), "{reference}");
        let verdict = match reference.provider().purpose() {
            Purpose::Represent => mandate.may_represent(held.facts.last_acknowledged, now),
            _ => mandate.may_collect(&held.facts, now),
        };
        assert_eq!(verdict.is_allowed(), allowed, "{reference}: {verdict}; {held:?}");
        let known = StoredState::of(&mandate, tracked.stored.as_ref(), tracked.facts.as_ref(), now);
        assert_eq!(known.verdict, Some(verdict.permission()), "{reference}");
        held.keep(&known);
    }

    fn check_and_store_change(
        &mut self,
        reference: &MandateRef,
        held: &mut Held,
        change: Option<Result<MandateChange, Error>>,
    ) {
        match change {
            Some(Err(error)) => self.note_failed_reading(reference, held, &error),
            Some(Ok(change)) => {
                let allowed = self.is_allowed(reference, held);
                assert_eq!(Some(change.to.status), self.true_status(reference, held.row.is_some()), "{reference}");
                assert_eq!(change.to.verdict == Some(Permission::Allowed), allowed, "{reference}: {held:?}");
                let class = change.class;
                let was = change.from.as_ref().map(|from| from.recognized.unwrap_or(MandateStatus::Unrecognized));
                assert!(
                    class.is_none_or(|class| class_is_plausible(class, was.unwrap(), change.to.status)),
                    "{reference}: {class:?}"
                );
                held.keep(&change.to);
            }
            // The batch reported no change, so the stored state must still match the records of the sandbox.
            None => {
                let allowed = self.is_allowed(reference, held);
                let known = read(held.row.as_deref().unwrap());
                assert_eq!(Some(known.status), self.true_status(reference, true), "{reference}");
                assert_eq!(known.verdict == Some(Permission::Allowed), allowed, "{reference}: {held:?}");
            }
        }
    }

    fn note_failed_reading(&mut self, reference: &MandateRef, held: &mut Held, error: &Error) {
        assert!(matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::NotFound), "{reference}: {error}");
        self.failed += 1;
        if let Some(row) = &held.row {
            let known = read(row).unread();
            assert_eq!(known.verdict, None);
            held.row = Some(written(&known));
        }
    }

    /// Returns the present status in the records of the sandbox, or `None` if the vendor no longer knows the mandate.
    fn true_status(&self, reference: &MandateRef, known: bool) -> Option<MandateStatus> {
        match self.sandbox.record(reference) {
            Some(record) => Some(truth(reference.provider(), &record, self.sandbox.now())),
            None => (known && reference.provider() == Provider::Seqino).then_some(MandateStatus::Gone),
        }
    }

    /// Returns true if the caller may use the mandate after this reading by the records of the sandbox. A reinstated
    /// mandate is not allowed until the caller gives a new acknowledgement.
    fn is_allowed(&mut self, reference: &MandateRef, held: &mut Held) -> bool {
        let now = self.sandbox.now();
        let Some(is) = self.true_status(reference, held.row.is_some()) else { return false };
        let said = held.facts.last_acknowledged;
        if has_ended(is) {
            held.open = true;
        } else if is != MandateStatus::Unrecognized {
            held.open |= held.row.is_some() && held.recognized.is_none();
            self.returned += usize::from(held.open);
            if held.open && said == Some(is) && said != held.said {
                held.open = false;
                self.acknowledged += 1;
            }
        }
        if is != MandateStatus::Unrecognized {
            held.recognized = Some(is);
        }
        held.said = said;
        let facts_allow = match reference.provider().purpose() {
            Purpose::Represent => self.client_is_active(reference) && said.is_none_or(counts_as_acknowledgement),
            _ => lets_collect(&held.facts, paris_day(now)),
        };
        let record = self.sandbox.record(reference).unwrap_or_default();
        let allowed = is == MandateStatus::Active && !held.open && facts_allow && !dates_unreadable(&record);
        self.allowed += usize::from(allowed);
        allowed
    }
}

/// The data of the caller about one mandate, and the expected values of the test beside them.
#[derive(Debug)]
struct Held {
    facts: Facts,
    /// The stored state of the mandate, as a line of text.
    row: Option<String>,
    /// True while the mandate is reinstated and the caller has not acknowledged it.
    open: bool,
    /// The last recognized status of the mandate.
    recognized: Option<MandateStatus>,
    /// The acknowledgement that the caller gave at the last reading.
    said: Option<MandateStatus>,
}

impl Held {
    fn keep(&mut self, known: &StoredState) {
        let row = written(known);
        assert_eq!(read(&row), *known, "{row}");
        self.row = Some(row);
    }
}

fn written(known: &StoredState) -> String {
    let mut row = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    row.write_record(known.columns().map(|(_, text)| text.unwrap_or_default())).unwrap();
    String::from_utf8(row.into_inner().unwrap()).unwrap()
}

fn read(row: &str) -> StoredState {
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(row.as_bytes());
    let row = reader.records().next().unwrap().unwrap();
    let column = |name| row.get(StoredState::COLUMNS.iter().position(|column| *column == name)?);
    StoredState::from_columns(column).unwrap().unwrap()
}

/// Writes the mandates to a file as the program `mandat` does, and reads them back.
fn through_a_file(tracked: Vec<StatusQuery>, format: Format) -> Vec<StatusQuery> {
    let columns = Table::read("reference\n", &[]).unwrap().columns;
    let mut bytes = Vec::new();
    file::header(&mut bytes, format, &columns).unwrap();
    for tracked in &tracked {
        file::row(&mut bytes, format, &columns, &Record::of(tracked, tracked.stored.as_ref()), &[]).unwrap();
    }
    let table = Table::read(&file::decode(&bytes).unwrap(), &[]).unwrap();
    let again: Vec<StatusQuery> = (0..table.rows.len()).map(|row| table.record(row).tracked().unwrap()).collect();
    assert_eq!(again.len(), tracked.len());
    for (again, tracked) in again.iter().zip(&tracked) {
        assert_eq!(
            (&again.reference, &again.stored, &again.facts),
            (&tracked.reference, &tracked.stored, &tracked.facts)
        );
    }
    again
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facade_allows_exactly_what_the_sandbox_records_allow() {
    let (lives, seed) = (cases(150), seed());
    let walks = (0..2).map(|which| async move {
        let sandbox = Sandbox::start_with(Options::default().with_seed(seed)).await.unwrap();
        let mandates = sandbox.mandates();
        let random = Rng::with_seed(seed.wrapping_add(which));
        let mut walk = Walk {
            sandbox,
            mandates,
            random,
            taken: 0,
            allowed: 0,
            failed: 0,
            returned: 0,
            acknowledged: 0,
            #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
            ledger: Default::default(),
        };
        let mut lived = 0;
        while lived < lives / 2 {
            match walk.run_lives().await {
                0 => break,
                more => lived += more,
            }
        }
        #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
        {
            let crate::walk_debits::Ledger { presented, back, end, .. } = walk.ledger;
            let shown = format!("{presented} debits: {back} came back, {end} final");
            println!("{shown}");
            assert!(lived < 1000 || presented > lived / 10 && back > lived / 30 && end > lived / 10, "{shown}");
        }
        let Walk { taken, allowed, failed, returned, acknowledged, .. } = walk;
        let shown = format!("{lived} lives: {taken}, {allowed}, {failed}, {returned}, {acknowledged}");
        println!("{shown}");
        assert!(lived == 0 || taken > lived / 2 && allowed > lived / 20, "{shown}");
        assert!(lived == 0 || failed > lived / 10 && returned > lived / 10 && acknowledged >= lived / 100, "{shown}");
    });
    let walks: Vec<_> = walks.map(tokio::spawn).collect();
    for walk in walks {
        walk.await.unwrap();
    }
}
