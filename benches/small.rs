//! Measures small operations: reading a status word, a reference, a response or a webhook, and computing a verdict. Run
//! the measurement with `cargo bench --bench small`.
//!
//! Each operation of the crate is compared with handwritten code for a part of the operation. The two take turns.

mod measure;

use mandat::{
    Facts, LastCollection, Mandate, MandateRef, MandateStatus, Mandates, Provider, Settings, easytransac, safedebit,
    sandbox::Sandbox, seqino, vocabulary,
};
use measure::{Counting, Failure, Spread, allocated};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    hint::black_box,
    sync::mpsc,
    time::{Duration, Instant},
};
use url::form_urlencoded;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 101;
/// The approximate duration of a turn, in which one operation runs repeatedly.
const TURN: Duration = Duration::from_micros(300);

fn main() -> Result<(), Failure> {
    println!("{:44} {:>9} {:>11} {:>6}  time to it, median and quartiles", "", "ns", "allocations", "bytes");
    words();
    references();
    answers();
    webhooks()?;
    verdicts()?;
    mapped()
}

/// The name of an operation, and a function that performs the operation.
type Task<'a> = (&'a str, Box<dyn Fn() + 'a>);

fn task<'a, T>(name: &'a str, work: impl Fn() -> T + 'a) -> Task<'a> {
    (name, Box::new(move || drop(black_box(work()))))
}

/// Compares the first operation, which is that of this crate, with each of the others.
fn compare(title: &str, tasks: &[Task<'_>]) {
    let once = |work: &dyn Fn(), times: u32| {
        let began = Instant::now();
        (0..times).for_each(|_| work());
        began.elapsed().as_secs_f64() * 1e9 / f64::from(times)
    };
    let nanos = |(_, work): &Task<'_>| once(work, 100);
    let times: Vec<u32> = tasks.iter().map(|task| (TURN.as_nanos() as f64 / nanos(task)).max(1.0) as u32).collect();
    let round = |_| tasks.iter().zip(&times).map(|((_, work), times)| once(work, *times)).collect();
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(round).collect();
    for (which, (name, work)) in tasks.iter().enumerate() {
        let before = allocated();
        work();
        let (times, bytes) = (allocated().times - before.times, allocated().bytes - before.bytes);
        let nanos = Spread::of(rounds.iter().map(|round| round[which])).median;
        let ratio = match which {
            0 => String::new(),
            _ => Spread::of(rounds.iter().map(|round| round[0] / round[which])).to_string(),
        };
        let name = if which == 0 { title.to_owned() } else { format!("  beside {name}") };
        println!("{name:44} {nanos:9.0} {times:11} {bytes:6}  {ratio}");
    }
}

fn json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> T {
    serde_json::from_slice(text).unwrap_or_else(|why| panic!("{}: {why}", String::from_utf8_lossy(text)))
}

fn words() {
    compare(
        "a known word of SafeDebit",
        &[
            task("", || json::<safedebit::types::MandateStatus>(br#""1""#)),
            task("serde, into a String", || json::<String>(br#""1""#)),
        ],
    );
    compare(
        "a known word of Seqino",
        &[
            task("", || json::<seqino::types::MandateStatus>(br#""pending_kyc""#)),
            task("serde, into a String", || json::<String>(br#""pending_kyc""#)),
        ],
    );
    compare(
        "an unknown word of Seqino",
        &[
            task("", || json::<seqino::types::MandateStatus>(br#""paused""#)),
            task("serde, into a String", || json::<String>(br#""paused""#)),
        ],
    );
    compare("the whole table of words", &[task("", vocabulary)]);
}

fn references() {
    let by_hand = |text: &str| text.split_once(':').map(|(vendor, id)| (vendor == "safedebit", id.to_owned()));
    compare(
        "a reference of SafeDebit, read",
        &[
            task("", || black_box("safedebit:RUM-2026-0042").parse::<MandateRef>()),
            task("split_once, and the id owned", || by_hand(black_box("safedebit:RUM-2026-0042"))),
        ],
    );
    compare(
        "a reference of Seqino, read",
        &[
            task("", || black_box("seqino:client_abc123/mdt_abc123").parse::<MandateRef>()),
            task("split_once, and the ids owned", || {
                let (vendor, ids) = black_box("seqino:client_abc123/mdt_abc123").split_once(':')?;
                let (client, id) = ids.split_once('/')?;
                Some((vendor == "seqino", client.to_owned(), id.to_owned()))
            }),
        ],
    );
    let reference = MandateRef::safedebit("RUM-2026-0042");
    compare(
        "a reference of SafeDebit, written",
        &[
            task("", || reference.to_string()),
            task("format!", || format!("{}:{}", black_box("safedebit"), reference.id())),
        ],
    );
}

/// A handwritten struct with only the fields that are needed for a status.
#[derive(Deserialize)]
#[allow(dead_code, reason = "only read from JSON")]
struct SafeDebit {
    result: bool,
    datas: Vec<ByUmr>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only read from JSON")]
struct ByUmr {
    umr: String,
    status: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only read from JSON")]
struct Easytransac {
    success: bool,
    data: ById,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only read from JSON")]
struct ById {
    mandate_id: String,
    status: String,
    date_created: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only read from JSON")]
struct Seqino {
    id: String,
    client_id: String,
    status: String,
    start_date: String,
    end_date: Option<String>,
}

fn answers() {
    let safedebit = br#"{"result": true, "datas": [{"umr": "RUM-2026-0042", "status": "1"}]}"#;
    let easytransac = br#"{"success": true, "date": "2024-12-31T23:59:59+02:00", "data": {"mandateId":
        "abcabcabcabcabcabc12", "status": "active", "dateCreated": "2024-12-31T23:59:59+02:00"}}"#;
    let seqino = br#"{"id": "mdt_abc123", "client_id": "client_abc123", "start_date": "2024-01-15T00:00:00Z",
        "end_date": "2024-12-31T23:59:59Z", "status": "processing", "directory_entry": {"siren": "123456789",
        "name": "Acme Corporation"}, "created_at": "2019-08-24T14:15:22Z", "updated_at": "2019-08-24T14:15:22Z"}"#;
    compare(
        "SafeDebit's answer, decoded",
        &[
            task("serde, into a struct", || json::<safedebit::types::SearchMandateResponse>(safedebit)),
            task("serde, into a struct by hand", || json::<SafeDebit>(safedebit)),
            task("serde, into a Value", || json::<Value>(safedebit)),
        ],
    );
    compare(
        "Easytransac's answer, decoded",
        &[
            task("", || json::<easytransac::types::GetMandateStatusResponse>(easytransac)),
            task("serde, into a struct by hand", || json::<Easytransac>(easytransac)),
            task("serde, into a Value", || json::<Value>(easytransac)),
        ],
    );
    compare(
        "Seqino's answer, decoded",
        &[
            task("", || json::<seqino::types::Mandate>(seqino)),
            task("serde, into a struct by hand", || json::<Seqino>(seqino)),
            task("serde, into a Value", || json::<Value>(seqino)),
        ],
    );
}

fn webhooks() -> Result<(), Failure> {
    let key = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";
    let Value::Object(fields) = json!({
        "OperationType": "payment", "RequestId": "KW5o8AEx98yx", "Tid": "9XLknkv8", "Uid": "2", "OrderId": "72",
        "Status": "captured", "Date": "2016-11-30 11:27:46", "Amount": "18.00", "AmountRefund": "6.00",
        "Currency": "EUR", "Message": "Payment was successful", "3DSecure": "no", "Test": "yes",
        "Client": {"Id": "DZxemv4", "Email": "john@doe.com", "ZipCode": "67100", "City": "STRASB"},
    }) else {
        return Err("no object".into());
    };
    let posted = easytransac::sign_notification(fields, key)?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in json::<serde_json::Map<String, Value>>(posted.as_bytes()) {
        match value {
            Value::Object(inner) => inner.iter().for_each(|(of, value)| {
                form.append_pair(&format!("{name}[{of}]"), value.as_str().unwrap_or_default());
            }),
            value => drop(form.append_pair(&name, value.as_str().unwrap_or_default())),
        }
    }
    let form = form.finish();
    let right = |body: &str| easytransac::verify_notification(body.as_bytes(), &[key]);
    right(&posted)?;
    right(&form)?;
    compare(
        "a notification of Easytransac, JSON",
        &[task("", || right(&posted)), task("serde, into a Value", || json::<Value>(posted.as_bytes()))],
    );
    let pairs =
        |form: &str| -> Vec<(String, String)> { form_urlencoded::parse(form.as_bytes()).into_owned().collect() };
    compare(
        "a notification of Easytransac, form",
        &[task("", || right(&form)), task("form_urlencoded, into pairs", || pairs(&form))],
    );
    let event = json!({
        "event_id": "evt_1", "event_type": "mandate.activated", "timestamp": "2026-09-01T12:00:00Z",
        "data": {"client_id": "client_abc123", "mandate_id": "mdt_abc123"},
    })
    .to_string();
    let secret = "whsec_abcabcabcabcabcabc";
    let signature = seqino::sign_webhook(event.as_bytes(), seqino::Encoding::Hex, secret)?;
    let right =
        || seqino::verify_webhook(event.as_bytes(), Some(signature.as_bytes()), seqino::Encoding::Hex, &[secret]);
    right()?;
    compare("an event of Seqino", &[task("", right), task("serde, into a Value", || json::<Value>(event.as_bytes()))]);
    let back = "mandate=RUM-2026-0042&lang=fr";
    compare(
        "a browser back from SafeDebit",
        &[
            task("", || safedebit::SignatureReturn::parse(back.as_bytes()).map(|back| back.hint("mandate"))),
            task("form_urlencoded, into pairs", || pairs(back)),
        ],
    );
    Ok(())
}

fn verdicts() -> Result<(), Failure> {
    let now = "2026-09-01T12:00:00Z".parse()?;
    let mandate = |reference: MandateRef, status: &str, account: Value| -> Result<Mandate, Failure> {
        Ok(serde_json::from_value(json!({
            "reference": reference, "status": status, "raw": "1", "account": account, "observed_at": now,
            "source": "Read", "extra": {}, "next_step": "Use",
        }))?)
    };
    let facts = Facts {
        signed_on: Some("2026-01-31".parse()?),
        signature_confirmed: Some(true),
        last_collection: LastCollection::Never,
        revoked_by_debtor: Some(false),
        one_off_used: Some(false),
        max_age: Duration::from_secs(60),
        last_acknowledged: Some(MandateStatus::Active),
    };
    let debit = |status| mandate(MandateRef::safedebit("RUM-2026-0042"), status, json!("NotApplicable"));
    let (active, revoked) = (debit("Active")?, debit("Revoked")?);
    let account = json!({"Read": {"status": "Active", "raw": "active"}});
    let platform = mandate(MandateRef::seqino("client_abc123", "mdt_abc123"), "Active", account)?;
    compare("may_collect, allowed", &[task("", || active.may_collect(&facts, now))]);
    compare("may_collect, refused", &[task("", || revoked.may_collect(&facts, now))]);
    compare("may_represent, allowed", &[task("", || platform.may_represent(None, now))]);
    Ok(())
}

/// Shows that `map_status` allocates no memory for a known status word. The simulated vendor has its own thread, so
/// that only the caller's allocations count.
fn mapped() -> Result<(), Failure> {
    let ((tell, told), (done, until)) = (mpsc::channel(), tokio::sync::oneshot::channel::<()>());
    let vendor = std::thread::spawn(move || -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            let sandbox = Sandbox::start().await?;
            let mandates = sandbox.mandates();
            let request = mandates.safedebit()?.create_mandate().body_map(|body| {
                body.safedebit_consumer_reference(Sandbox::CONSUMER)
                    .url_ok("https://example.com/ok")
                    .url_ko("https://example.com/ko")
                    .url_cancel("https://example.com/cancel")
                    .umr("RUM-2026-0042")
            });
            request.send().await?;
            let access = sandbox.credentials(Provider::SafeDebit).iter().map(|(_, value)| (*value).to_owned());
            tell.send((sandbox.base_url(Provider::SafeDebit), access.collect::<Vec<_>>()))?;
            until.await.ok();
            Ok(())
        })
    });
    let (base_url, access) = told.recv()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let facade = |map: bool| {
        let config = safedebit::Config::new(&base_url, access[0].as_str(), access[1].as_str());
        let builder = Mandates::builder().safedebit(config.settings(Settings::default()));
        let builder =
            if map { builder.map_status(Provider::SafeDebit, "9", MandateStatus::Suspended) } else { builder };
        builder.build()
    };
    let (plain, mapped) = (facade(false)?, facade(true)?);
    let reference = MandateRef::safedebit("RUM-2026-0042");
    let count = |mandates: &Mandates| -> Result<u64, Failure> {
        let before = allocated().times;
        runtime.block_on(mandates.status(&reference))?;
        Ok(allocated().times - before)
    };
    // Take the minimum of the allocations, because the first reading also connects, and the others vary.
    let least = |mandates| (0..50).map(|_| count(mandates)).collect::<Result<Vec<_>, _>>();
    let least = |mandates| least(mandates).map(|counts| counts.into_iter().min().unwrap_or_default());
    println!("allocations of a whole reading            {}", least(&plain)?);
    println!("the same, with map_status                 {}", least(&mapped)?);
    drop(done);
    vendor.join().map_err(|_| "the vendor panicked")?
}
