//! The simulated vendors as a program, with many mandates. The tests and the benchmark start it.
//!
//! `vendors <mandates> <file>` writes the references of the mandates to a file, and prints the variables of `mandat-fleet
//! worker`, one a line, and an empty line. Then it reads requests from standard input, one a line, and writes a line for
//! each:
//!
//! | request | line |
//! |---|---|
//! | `journal` | for each vendor: its requests so far, and the most requests in any second and in any ten seconds |
//! | `clear` | `done`: the requests so far no longer count |
//! | `first` | the time of the first request that counts, in seconds since 1970. Empty without a request |
//! | `delay <milliseconds>` | `done`: each response takes this time |
//! | `end <reference>` | `done`: the mandate has ended at its vendor |

use futures_util::{StreamExt, stream};
use mandat::{
    MandateRef, MandateStatus, Mandates, Provider,
    sandbox::{Fault, Sandbox},
    seqino,
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const PER_CLIENT: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, file] = arguments.as_slice() else { return Err("usage: vendors <mandates> <file>".into()) };
    let count = count.parse::<usize>()? / 3;
    let sandbox = Arc::new(Sandbox::start().await?);
    for reference in sandbox.references() {
        sandbox.forget(&reference)?;
    }
    let mandates = sandbox.mandates();
    let filled = stream::iter(0..count).map(|which| fill(&mandates, which)).buffer_unordered(32);
    let failed: Vec<mandat::Error> = filled.filter_map(async |result| result.err()).collect().await;
    if let Some(error) = failed.into_iter().next() {
        return Err(error.into());
    }
    let references: String = sandbox.references().iter().map(|reference| format!("{reference}\n")).collect();
    std::fs::write(file, references)?;

    let mut variables = String::new();
    for provider in Provider::ALL {
        let name = provider.as_str().to_uppercase();
        writeln!(variables, "{name}_URL={}", sandbox.base_url(*provider))?;
        for (credential, value) in sandbox.credentials(*provider) {
            let credential = match *credential {
                "apiKey" | "API key" => "API_KEY".to_owned(),
                other => other.to_uppercase(),
            };
            writeln!(variables, "{name}_{credential}={value}")?;
        }
    }
    println!("{variables}");

    let journal = Arc::new(Mutex::new(Journal::default()));
    // The sandbox keeps the last 100,000 requests, so read them in time. The fill is no part of the measurement.
    journal.lock().map_err(|_| "poisoned")?.skip(&sandbox);
    let (own, read) = (sandbox.clone(), journal.clone());
    tokio::task::spawn_blocking(move || {
        loop {
            std::thread::sleep(Duration::from_secs(15));
            if let Ok(mut journal) = read.lock() {
                journal.read(&own);
            }
        }
    });
    let requests = tokio::task::spawn_blocking(move || -> Result<(), Failure> {
        for line in std::io::stdin().lines() {
            let line = line?;
            match line.split_once(' ').unwrap_or((line.as_str(), "")) {
                ("end", reference) => {
                    let reference: MandateRef = reference.parse()?;
                    // Each vendor has a word for one of them.
                    let ends = [MandateStatus::Revoked, MandateStatus::Expired, MandateStatus::Invalid];
                    if !ends.into_iter().any(|status| sandbox.set_status(&reference, status).is_ok()) {
                        return Err("the mandate does not exist".into());
                    }
                    println!("done");
                }
                ("delay", milliseconds) => {
                    sandbox.inject(Fault::delay(Duration::from_millis(milliseconds.parse()?)));
                    println!("done");
                }
                ("clear", _) => {
                    journal.lock().map_err(|_| "poisoned")?.skip(&sandbox);
                    println!("done");
                }
                ("first", _) => {
                    let mut journal = journal.lock().map_err(|_| "poisoned")?;
                    journal.read(&sandbox);
                    println!("{}", journal.first().map(|at| (at as f64 / 1e9).to_string()).unwrap_or_default());
                }
                _ => {
                    let mut journal = journal.lock().map_err(|_| "poisoned")?;
                    journal.read(&sandbox);
                    println!("{}", journal.report());
                }
            }
            std::io::stdout().flush()?;
        }
        Ok(())
    });
    requests.await??;
    // The reader of the journal never ends.
    std::process::exit(0)
}

/// The times of all requests, by vendor, in nanoseconds since 1970.
#[derive(Default)]
struct Journal {
    last: i64,
    at: BTreeMap<Provider, Vec<i64>>,
}

impl Journal {
    fn skip(&mut self, sandbox: &Sandbox) {
        self.read(sandbox);
        self.at.clear();
    }

    fn read(&mut self, sandbox: &Sandbox) {
        let requests = sandbox.requests();
        let first = requests.first().and_then(|request| request.at.timestamp_nanos_opt()).unwrap_or(0);
        // Without this, a second could be counted that the journal has forgotten in part.
        assert!(requests.len() < 100_000 || first <= self.last || self.last == 0, "requests were lost");
        let last = self.last;
        for request in requests {
            let at = request.at.timestamp_nanos_opt().unwrap_or(0);
            if at > last {
                self.at.entry(request.provider).or_default().push(at);
                self.last = at;
            }
        }
    }

    fn first(&self) -> Option<i64> {
        self.at.values().flatten().min().copied()
    }

    fn report(&mut self) -> String {
        let vendors = self.at.iter_mut().map(|(vendor, at)| {
            at.sort_unstable();
            let (all, most) = (at.len(), [1, 10].map(|seconds| most(at, seconds)));
            format!("{}={all}/{}/{}", vendor.as_str(), most[0], most[1])
        });
        vendors.collect::<Vec<_>>().join(" ")
    }
}

/// The most requests in this number of seconds.
fn most(sorted: &[i64], seconds: i64) -> usize {
    let mut first = 0;
    let within = sorted.iter().enumerate().map(|(last, at)| {
        while at - sorted[first] >= seconds * 1_000_000_000 {
            first += 1;
        }
        last - first + 1
    });
    within.max().unwrap_or(0)
}

/// Creates one mandate at each vendor. Ten mandates at Seqino share a client.
async fn fill(mandates: &Mandates, which: usize) -> Result<(), mandat::Error> {
    let direct_debit = mandates.easytransac()?.create_mandate().body_map(|body| {
        body.email("abc@abc.com")
            .lastname("ABCabc123")
            .iban("FR7630001007941234567890185")
            .address("ABCabc123")
            .zip_code("ABCabc123")
            .city("ABCabc123")
            .country("FRA")
    });
    direct_debit.send().await?;
    let direct_debit = mandates.safedebit()?.create_mandate().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(format!("RUM-{which:06}"))
    });
    direct_debit.send().await?;
    if !which.is_multiple_of(PER_CLIENT) {
        return Ok(());
    }
    let seqino = mandates.seqino()?;
    let name = format!("EXT-{which}");
    let client = seqino
        .create_client()
        .body_map(|body| body.organization_name("ABC").contact_email("abc@abc.com").external_ref(name));
    let client = client.send().await?.client_id.unwrap_or_default();
    for _ in 0..PER_CLIENT {
        let entry = seqino::types::DirectoryEntry::builder().siren("123456789").name("Acme Corporation");
        let mandate = seqino.create_mandate().x_pdp_client_id(&client);
        mandate.body_map(|body| body.start_date(chrono::Utc::now()).directory_entry(entry)).send().await?;
    }
    Ok(())
}
