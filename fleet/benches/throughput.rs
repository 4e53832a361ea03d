//! Measures the throughput of workers without a rate:
//! `cargo build --release --example vendors && cargo bench --bench throughput`
//!
//! The database, the simulated vendors and each reader are processes of their own. The time of a worker is from the first
//! request that the vendors receive to the last reading that is stored. The time of `statuses` alone is from its call to its
//! last reading. Each figure is the best of three runs, because other programs only make a run slower.
//!
//! 1. `statuses` alone, and one worker, over the same mandates: wall-clock time, and processor time of the reader. Each of
//!    them has up to 192 requests under way: 64 at each vendor, or 32 on each of six lanes.
//! 2. `statuses` alone, one worker and two workers, while the vendors need 200 ms for a response. On a machine with two
//!    cores, workers, simulated vendors and database compete for the processor. With this delay the processor is idle most
//!    of the time, and the time of the vendors is the limit of each reader, as with real vendors. The last line shows the
//!    part of a core that the simulated vendors used: below one, they are not the limit.

#[path = "../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;

use futures_util::StreamExt;
use mandat::{MandateRef, Mandates, easytransac, safedebit, seqino};
use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use support::{Killed, Vendors, fleet, postgres::Postgres, ran};
use tokio_postgres::{Client, NoTls};

const MANDATES: usize = 18_000;
const SLOW_MANDATES: usize = 6000;
const RUNS: usize = 3;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [command, file] = arguments.as_slice()
        && command == "statuses"
    {
        return statuses(file).await;
    }
    let Some(server) = Postgres::of_test() else { return };
    let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);

    let mut vendors = Vendors::start(MANDATES);
    let all = vendors.references.len() as f64;
    let print = |what: &str, (seconds, processor): (f64, f64)| {
        println!("{what:36} {:8.0} per second, {:.0} µs of a processor each", all / seconds, processor / all * 1e6);
    };
    prepare(&server, &vendors, &client).await;
    let alone = (0..RUNS).map(|_| run_alone(&vendors)).fold(WORST, least);
    print("statuses alone", alone);
    let (mut new, mut again) = (WORST, WORST);
    for _ in 0..RUNS {
        import(&server, &vendors, &client).await;
        new = least(new, round(&server, &mut vendors, &client, 1).await);
    }
    print("one worker, each mandate new", new);
    for _ in 0..RUNS {
        again = least(again, round(&server, &mut vendors, &client, 1).await);
    }
    print("one worker, no change", again);
    println!("{:36} {:8.2}", "  of statuses alone", alone.0 / again.0);
    drop(vendors);

    let mut vendors = Vendors::start(SLOW_MANDATES);
    let all = vendors.references.len() as f64;
    prepare(&server, &vendors, &client).await;
    import(&server, &vendors, &client).await;
    vendors.delay(200);
    let alone = (0..RUNS).map(|_| run_alone(&vendors)).fold(WORST, least);
    round(&server, &mut vendors, &client, 1).await;
    let (mut one, mut two) = (WORST, WORST);
    let (mut wall, mut spent) = (0.0, 0.0);
    for _ in 0..RUNS {
        one = least(one, round(&server, &mut vendors, &client, 1).await);
        let before = processor(vendors.process());
        let of_two = round(&server, &mut vendors, &client, 2).await;
        (wall, spent) = (wall + of_two.0, spent + processor(vendors.process()) - before);
        two = least(two, of_two);
    }
    println!("{:36} {:8.0} per second", "vendors of 200 ms, statuses alone", all / alone.0);
    let of_alone = alone.0 / one.0;
    println!("{:36} {:8.0} per second, {of_alone:.2} of alone", "vendors of 200 ms, one worker", all / one.0);
    println!("{:36} {:8.0} per second, {:.2} of one", "vendors of 200 ms, two workers", all / two.0, one.0 / two.0);
    println!("{:36} {:8.2} of a core", "  the simulated vendors used", spent / wall);
}

const WORST: (f64, f64) = (f64::MAX, f64::MAX);

fn least(one: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    (one.0.min(other.0), one.1.min(other.1))
}

/// Gives the accounts no rate. The database accepts their credentials, so that all lanes start at once.
async fn prepare(server: &Postgres, vendors: &Vendors, client: &Client) {
    for vendor in ["easytransac", "safedebit", "seqino"] {
        ran(fleet(server, &vendors.variables).args(["rate", "main", vendor, "none", "--lanes", "4"]));
    }
    client.batch_execute("UPDATE mandat_fleet.account SET accepted_at = now()").await.unwrap();
}

/// Replaces all mandates by those of the vendors, which are then new.
async fn import(server: &Postgres, vendors: &Vendors, client: &Client) {
    client.batch_execute("TRUNCATE mandat_fleet.mandate, mandat_fleet.change").await.unwrap();
    ran(fleet(server, &vendors.variables).args(["import", vendors.file.to_str().unwrap()]));
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}

/// Makes all mandates due, and reads them with some workers. Returns the seconds, and the processor seconds of all workers.
async fn round(server: &Postgres, vendors: &mut Vendors, client: &Client, workers: usize) -> (f64, f64) {
    client
        .batch_execute(
            "UPDATE mandat_fleet.mandate SET next_check = now(), read_at = NULL;
             UPDATE mandat_fleet.lane SET free_at = now();
             SELECT mandat_fleet.queue_lane(account, vendor, lane, now() + interval '1 hour') FROM mandat_fleet.lane",
        )
        .await
        .unwrap();
    let start = |_| {
        let mut command = fleet(server, &vendors.variables);
        // Half of the lanes: a second worker has the others.
        command.args(["worker", "--lanes", "6", "--listen", "127.0.0.1:0"]).stderr(Stdio::null());
        Killed(command.spawn().unwrap())
    };
    let mut workers: Vec<Killed> = (0..workers).map(start).collect();
    // The workers start up, and find nothing to do. The jobs then start in all of them at the same time.
    tokio::time::sleep(Duration::from_secs(5)).await;
    vendors.clear();
    let used = |workers: &[Killed]| workers.iter().map(|worker| processor(worker.0.id())).sum::<f64>();
    let before = used(&workers);
    let now = "SELECT mandat_fleet.queue_lane(account, vendor, lane, now()) FROM mandat_fleet.lane";
    client.execute(now, &[]).await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = "SELECT count(*) FROM mandat_fleet.mandate WHERE read_at IS NULL";
        if client.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            break;
        }
    }
    let processor = used(&workers) - before;
    let last = "SELECT extract(epoch FROM max(read_at))::float8 FROM mandat_fleet.mandate";
    let seconds = client.query_one(last, &[]).await.unwrap().get::<_, f64>(0) - vendors.first();
    for worker in &mut workers {
        ran(Command::new("kill").args(["-TERM", &worker.0.id().to_string()]));
        worker.0.wait().unwrap();
    }
    (seconds, processor)
}

/// The processor seconds of a process so far.
fn processor(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // A tick is a hundredth of a second on Linux.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn run_alone(vendors: &Vendors) -> (f64, f64) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().envs(vendors.variables.iter().cloned()).arg("statuses").arg(&vendors.file);
    let said = ran(&mut command);
    let (seconds, processor) = said.trim().split_once(' ').unwrap();
    (seconds.parse().unwrap(), processor.parse().unwrap())
}

/// Reads the mandates of a file with `statuses`, and prints the seconds and the processor seconds.
async fn statuses(file: &str) {
    let variable = |name: &str| std::env::var(name).unwrap();
    let mandates = Mandates::builder()
        .easytransac(easytransac::Config::new(variable("EASYTRANSAC_URL"), variable("EASYTRANSAC_API_KEY")))
        .safedebit(safedebit::Config::new(
            variable("SAFEDEBIT_URL"),
            variable("SAFEDEBIT_LOGIN"),
            variable("SAFEDEBIT_PASSWORD"),
        ))
        .seqino(seqino::Config::new(variable("SEQINO_URL"), variable("SEQINO_API_KEY")))
        .build()
        .unwrap();
    let mut references: Vec<MandateRef> =
        std::fs::read_to_string(file).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    // Mixes the vendors: `statuses` would read an input that is sorted by vendor one vendor after another.
    references.sort_by_cached_key(|reference| BuildHasherDefault::<DefaultHasher>::default().hash_one(reference));
    let began = Instant::now();
    let task = tokio::spawn(async move {
        let mut readings = mandates.statuses(references);
        while let Some(reading) = readings.next().await {
            reading.result.unwrap();
        }
    });
    task.await.unwrap();
    println!("{} {}", began.elapsed().as_secs_f64(), processor(std::process::id()));
}
