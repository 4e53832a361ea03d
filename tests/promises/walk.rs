//! Lives of mandates at random: what the facade allows, the truth in the sandbox allows, and the other way round.

use crate::unknown_words::one_of_each;
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use fastrand::Rng;
use futures_util::StreamExt;
use mandat::{
    ErrorKind, Facts, Known, Mandate, MandateRef, MandateStatus, Mandates, Provider, Purpose, Tracked, Verdict,
    sandbox::{Options, Sandbox},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// So many lives; `MANDAT_CASES` makes it another number.
fn lives() -> usize {
    std::env::var("MANDAT_CASES").ok().map_or(300, |cases| cases.parse().expect("MANDAT_CASES is a number"))
}

/// Shown when a test fails; `MANDAT_SEED` gives it again.
fn seed() -> u64 {
    let seed = std::env::var("MANDAT_SEED").ok().map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("MANDAT_SEED={seed}");
    seed
}

/// What the vendors' words mean, written down once more.
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

/// The truth, from the sandbox's own record.
fn truth(provider: Provider, record: &Value, now: DateTime<Utc>) -> MandateStatus {
    let status = meaning(provider, record["status"].as_str().unwrap_or_default());
    let reached = |key: &str| record[key].as_str().is_some_and(|date| date.parse::<DateTime<Utc>>().unwrap() <= now);
    match status {
        MandateStatus::Active if reached("end_date") => MandateStatus::Expired,
        MandateStatus::Active if record["start_date"].is_string() && !reached("start_date") => {
            MandateStatus::AwaitingActivation
        }
        status => status,
    }
}

fn any_facts(random: &mut Rng, today: NaiveDate) -> Facts {
    let day = |random: &mut Rng| today - Days::new(random.u64(..1300)) + Days::new(random.u64(..3));
    Facts {
        signed_on: day(random),
        last_collection: random.bool().then(|| day(random)),
        revoked_by_debtor: random.u8(..10) == 0,
        one_off_used: random.u8(..10) == 0,
        max_age: Duration::from_secs(60),
        last_acknowledged: None,
    }
}

fn lets_collect(facts: &Facts, today: NaiveDate) -> bool {
    let last_day = facts.last_collection.unwrap_or(facts.signed_on) + Months::new(36);
    facts.signed_on <= today && today <= last_day && !facts.revoked_by_debtor && !facts.one_off_used
}

struct Walk {
    sandbox: Sandbox,
    mandates: Mandates,
    random: Rng,
}

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
    /// Something happens, or the vendor has no such step from there.
    async fn step(&mut self, reference: &MandateRef) {
        let (sandbox, random) = (&self.sandbox, &mut self.random);
        drop(match random.u8(..12) {
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
            _ if random.u8(..4) == 0 => sandbox.forget(reference),
            _ => self.take_away(reference).await,
        });
    }

    /// Through the vendor's own call, where it has one.
    #[allow(clippy::unused_async, reason = "a build may have neither")]
    async fn take_away(&self, reference: &MandateRef) -> Result<(), mandat::Error> {
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

    /// What the facade says is what is so.
    async fn look(&mut self, reference: &MandateRef) -> Option<Mandate> {
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
        let facts = any_facts(&mut self.random, now.date_naive());
        let (verdict, allowed) = match provider.purpose() {
            Purpose::Represent => (mandate.may_represent(now), self.client_is_active(reference)),
            _ => (mandate.may_collect(&facts, now), lets_collect(&facts, now.date_naive())),
        };
        let allowed = allowed && is == MandateStatus::Active;
        assert_eq!(verdict.is_allowed(), allowed, "{reference}: {verdict}; {record}; {facts:?}");
        assert!(allowed || verdict == Verdict::NotApplicable || !verdict.reasons().is_empty());
        Some(mandate)
    }

    fn client_is_active(&self, reference: &MandateRef) -> bool {
        let mut active = false;
        let client = reference.client_id().unwrap_or_default();
        let look = |record: &mut Value| active = record["status"] == "active";
        self.sandbox.edit_record(Provider::Seqino, "clients", client, look).unwrap();
        active
    }

    /// Some mandates from their creation on; then all of them at once, in the other way of reading.
    async fn lives(&mut self) -> usize {
        self.sandbox.reset();
        let mut all = Vec::new();
        for _ in 0..4 {
            all.extend(one_of_each(&self.sandbox, &self.mandates).await);
        }
        for reference in &all {
            let mut known: Option<Known> = None;
            for _ in 0..self.random.usize(2..6) {
                self.step(reference).await;
                let Some(mandate) = self.look(reference).await else { break };
                let change = mandat::Changed::between(known.as_ref(), &mandate, None, self.sandbox.now());
                let differs =
                    known.as_ref().is_none_or(|known| known.status != mandate.status || known.raw != mandate.raw);
                assert!(change.is_some() || !differs, "{reference}: a change was not told");
                known = change.map(|change| change.to).or(known);
            }
        }
        let known = Known::new(MandateStatus::Active, mandat::RawStatus::new("active"), self.sandbox.now());
        let tracked: Vec<Tracked> = all.iter().map(|reference| (reference.clone(), known.clone()).into()).collect();
        let together = self.mandates.statuses(tracked).map(|reading| (reading.tracked.reference, reading.result));
        let mut together: BTreeMap<MandateRef, _> = together.collect().await;
        for reference in &all {
            let alone = self.mandates.status(reference.known()).await;
            match (together.remove(reference).unwrap(), alone) {
                (Ok(mut one), Ok(other)) => {
                    one.observed_at = other.observed_at;
                    assert_eq!(one, other);
                }
                (one, other) => assert_eq!(one.unwrap_err().kind(), other.unwrap_err().kind(), "{reference}"),
            }
        }
        all.len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_facade_allows_the_truth_allows() {
    let (lives, seed) = (lives(), seed());
    let walks = (0..2).map(|which| async move {
        let sandbox = Sandbox::start_with(Options { seed, ..Options::default() }).await.unwrap();
        let mandates = sandbox.mandates();
        let mut walk = Walk { sandbox, mandates, random: Rng::with_seed(seed.wrapping_add(which)) };
        let mut lived = 0;
        while lived < lives / 2 {
            match walk.lives().await {
                0 => break,
                more => lived += more,
            }
        }
    });
    let walks: Vec<_> = walks.map(tokio::spawn).collect();
    for walk in walks {
        walk.await.unwrap();
    }
}
