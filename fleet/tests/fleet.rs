//! The whole fleet: PostgreSQL, the simulated vendors and the workers are processes of their own.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::{Duration, Instant},
};
use support::{Killed, Requests, Vendors, fleet, postgres::Postgres, ran};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

/// Waits up to a minute until a condition in SQL is true.
async fn wait_until(client: &Client, condition: &str) {
    let began = Instant::now();
    while !client.query_one(&format!("SELECT {condition}"), &[]).await.unwrap().get::<_, bool>(0) {
        assert!(began.elapsed() < Duration::from_secs(60), "{condition}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Four workers read all mandates twice. Every ten seconds one of them is killed and another starts. In the middle, the
/// database is stopped. `MANDAT_FLEET_MANDATES=200000 MANDAT_FLEET_RATE=500 MANDAT_FLEET_OUTAGE=60` is the full size.
#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_and_a_stopped_database_lose_nothing_and_keep_the_rate() {
    let Some(server) = Postgres::of_test() else { return };
    let (mandates, rate) = (number("MANDAT_FLEET_MANDATES", 3000), number("MANDAT_FLEET_RATE", 200));
    let outage = Duration::from_secs(number("MANDAT_FLEET_OUTAGE", 8) as u64);
    let mut vendors = Vendors::start(mandates);
    let program = |arguments: &[&str]| {
        let mut command = fleet(&server, &vendors.variables);
        command.args(arguments);
        command
    };
    for vendor in ["easytransac", "safedebit", "seqino"] {
        ran(&mut program(&["rate", "main", vendor, &rate.to_string()]));
    }
    ran(&mut program(&["import", vendors.file.to_str().unwrap()]));
    let variables = vendors.variables.clone();
    let start = || {
        let mut command = fleet(&server, &variables);
        let child = command.args(["worker", "--lanes", "16", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn();
        Killed(child.unwrap())
    };
    let mut workers: Vec<Killed> = (0..4).map(|_| start()).collect();
    let (began, mut killed, mut stopped) = (Instant::now(), 0, false);
    let ended: BTreeSet<String> = vendors.references.iter().step_by(97).cloned().collect();
    let all = vendors.references.len() as i64;

    // In the first round each mandate is read for the first time. Then some of them end, and all are due again.
    // Meanwhile, mandates that await a signature become due again, so the rounds look at the readings.
    for round in ["read_at IS NULL", "read_at < asked_at"] {
        let mut last_kill = Instant::now();
        loop {
            let client = connect(&server.url()).await;
            let left: i64 = client
                .query_one(&format!("SELECT count(*) FROM mandat_fleet.mandate WHERE {round}"), &[])
                .await
                .unwrap()
                .get(0);
            drop(client);
            assert!(began.elapsed() < Duration::from_secs(120 + mandates as u64 / 40), "{left} mandates are not read");
            if left == 0 {
                break;
            }
            if !stopped && left < all / 2 {
                server.pause().unwrap();
                sleep(outage).await;
                server.resume().unwrap();
                stopped = true;
            }
            if last_kill.elapsed() > Duration::from_secs(10) {
                // The oldest worker dies without a chance to clean up.
                drop(workers.remove(0));
                workers.push(start());
                (last_kill, killed) = (Instant::now(), killed + 1);
            }
            sleep(Duration::from_millis(500)).await;
        }
        if round == "read_at IS NULL" {
            for reference in &ended {
                vendors.end(reference);
            }
            let client = connect(&server.url()).await;
            // `asked_at` makes a worker that has read a mandate before its end read it again.
            let due = "UPDATE mandat_fleet.mandate SET next_check = clock_timestamp(), asked_at = clock_timestamp()";
            assert_eq!(client.execute(due, &[]).await.unwrap() as i64, all);
            client
                .execute("SELECT mandat_fleet.queue_lane(account, vendor, lane, now()) FROM mandat_fleet.lane", &[])
                .await
                .unwrap();
        }
    }
    eprintln!("{all} mandates, read twice in {:?}, {killed} workers killed", began.elapsed());
    assert!(killed > 0 && stopped);

    // Each change is in the outbox once: the first reading of each mandate, and the end of some.
    let client = connect(&server.url()).await;
    // A machine that is busy makes a reading fail now and then. The verdict, or the state of Seqino's client, is then missing
    // until the next reading, and this reading is a change of the verdict or of the client alone.
    let changes =
        "SELECT reference, from_state IS NULL, to_state ->> 'status', version, from_state::text, to_state::text
                   FROM mandat_fleet.change
                   WHERE from_state IS NULL OR (from_state ->> 'status') <> (to_state ->> 'status')
                       OR (from_state ? 'verdict' AND (from_state ? 'account' OR NOT to_state ? 'account'))
                   ORDER BY id";
    let changes = client.query(changes, &[]).await.unwrap();
    type Change = (bool, String, i64, Option<String>, String);
    let mut lives: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for row in &changes {
        let change = (row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
        lives.entry(row.get(0)).or_default().push(change);
    }
    assert_eq!(lives.len() as i64, all);
    for (reference, life) in &lives {
        assert!(life[0].0, "{life:?}");
        assert!(life.windows(2).all(|two| two[0].2 < two[1].2), "out of order: {life:?}");
        let ends = life.iter().filter(|change| ["Revoked", "Expired", "Invalid"].contains(&change.1.as_str())).count();
        assert_eq!(ends, usize::from(ended.contains(reference)), "{life:?}");
        assert_eq!(life.len(), 1 + ends, "{life:?}");
    }

    // No second had more requests than the rate.
    for (vendor, Requests { all, in_a_second, in_ten_seconds }) in vendors.journal() {
        let used = in_ten_seconds * 10 / rate;
        eprintln!("{vendor}: {all} requests, at most {in_a_second} in a second of {rate}, and {used} % in ten seconds");
        assert!(in_a_second <= rate, "{vendor}: {in_a_second} requests in a second, more than {rate}");
    }

    // No job is stuck: each lane still reads a mandate that somebody asks for.
    let asked = "SELECT mandat_fleet.ask(account, reference) FROM (
                     SELECT DISTINCT ON (vendor, lane) account, reference FROM mandat_fleet.mandate) AS one_of_each_lane";
    let lanes = client.query(asked, &[]).await.unwrap().len();
    let began = Instant::now();
    loop {
        let waiting: i64 =
            client.query_one("SELECT count(*) FROM mandat_fleet.mandate WHERE urgency = 0", &[]).await.unwrap().get(0);
        if waiting == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{waiting} of {lanes} lanes are stuck");
        sleep(Duration::from_millis(200)).await;
    }

    // A signal ends a worker after it has given its lanes back.
    for worker in &workers {
        ran(std::process::Command::new("kill").args(["-TERM", &worker.0.id().to_string()]));
    }
    for worker in &mut workers {
        let ended = tokio::task::block_in_place(|| worker.0.wait().unwrap());
        assert!(ended.success(), "{ended}");
    }
    let held: i64 =
        client.query_one("SELECT count(*) FROM mandat_fleet.lane WHERE holder IS NOT NULL", &[]).await.unwrap().get(0);
    assert_eq!(held, 0);
}

/// Transactions that add changes take random times. A consumer that reads meanwhile gets each change, in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_skips_no_change_that_commits_late() {
    let Some(server) = Postgres::of_test() else { return };
    let database = mandat_fleet::Database::new(&server.url(), 4).unwrap();
    database.migrate().await.unwrap();
    let mut consumer = mandat_fleet::Consumer::new(&database, "test").await.unwrap();
    let writers = (0..8).map(|writer| {
        let url = server.url();
        tokio::spawn(async move {
            let mut client = connect(&url).await;
            for round in 0..25_i64 {
                let transaction = client.transaction().await.unwrap();
                let insert = "INSERT INTO mandat_fleet.change (account, vendor, reference, version, to_state)
                              SELECT 'main', 'safedebit', $1 || each, $2, '{}' FROM generate_series(1, 3) AS each";
                transaction.execute(insert, &[&format!("safedebit:{writer}-"), &round]).await.unwrap();
                sleep(Duration::from_millis(((writer * 7 + round * 3) % 5) as u64)).await;
                if round % 5 == 4 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let (mut seen, mut last) = (BTreeMap::<String, Vec<i64>>::new(), 0);
    let mut count = 0;
    while count < 8 * 20 * 3 {
        for change in tokio::time::timeout(Duration::from_secs(60), consumer.next(7)).await.unwrap().unwrap() {
            assert!(change.id > last);
            last = change.id;
            seen.entry(change.reference).or_default().push(change.version);
            count += 1;
        }
        consumer.done(last).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(seen.values().all(|versions| versions.len() == 20 && versions.is_sorted()));
    // The next consumer of this name continues after the last change.
    let mut next = mandat_fleet::Consumer::new(&database, "test").await.unwrap();
    assert_eq!(next.poll(1).await.unwrap().len(), 0);
    assert_eq!(mandat_fleet::Consumer::new(&database, "other").await.unwrap().poll(1).await.unwrap()[0].version, 0);
}

/// A wrong password reaches a vendor once, and not once for each lane and worker.
#[tokio::test]
async fn a_refused_caller_stops_all_lanes_until_somebody_resumes() {
    let Some(server) = Postgres::of_test() else { return };
    let mut vendors = Vendors::start(90);
    let mut wrong = vendors.variables.clone();
    for (name, value) in &mut wrong {
        if name.contains("PASSWORD") || name.contains("KEY") {
            // The values keep their form. Otherwise mandat would not send them.
            *value = value.replace("abc", "abd").replace("sandbox", "wrong").replace("YOUR", "NOT");
        }
    }
    let program = |variables: &[(String, String)], arguments: &[&str]| ran(fleet(&server, variables).args(arguments));
    for vendor in ["easytransac", "safedebit", "seqino"] {
        program(&wrong, &["rate", "main", vendor, "90", "--lanes", "6"]);
    }
    program(&wrong, &["import", vendors.file.to_str().unwrap()]);
    let start = |variables: &[(String, String)]| {
        let arguments = ["worker", "--listen", "127.0.0.1:0"];
        Killed(fleet(&server, variables).args(arguments).stderr(Stdio::null()).spawn().unwrap())
    };
    let client = connect(&server.url()).await;
    let wait = |condition: &'static str| wait_until(&client, condition);
    let workers = [start(&wrong), start(&wrong)];
    wait("(SELECT count(*) = 3 FROM mandat_fleet.account WHERE refused_at IS NOT NULL)").await;
    sleep(Duration::from_secs(5)).await;
    for (vendor, requests) in vendors.journal() {
        assert_eq!(requests.all, 1, "{vendor}");
    }
    assert!(program(&wrong, &["status"]).contains("the vendor refuses the caller"));
    drop(workers);

    for vendor in ["easytransac", "safedebit", "seqino"] {
        program(&vendors.variables, &["resume", "main", vendor]);
    }
    let _worker = start(&vendors.variables);
    wait("NOT EXISTS (SELECT FROM mandat_fleet.mandate WHERE read_at IS NULL)").await;
}

/// The commands and the HTTP requests of a small installation.
#[tokio::test]
async fn the_program_imports_reads_reports_and_delivers() {
    let Some(server) = Postgres::of_test() else { return };
    let mut vendors = Vendors::start(30);
    let variables = vendors.variables.clone();
    let program = |arguments: &[&str]| {
        let mut command = fleet(&server, &variables);
        command.args(arguments);
        command
    };
    ran(&mut program(&["import", vendors.file.to_str().unwrap()]));
    ran(&mut program(&["import", vendors.file.to_str().unwrap()]));
    let status = ran(&mut program(&["status"]));
    assert!(status.lines().any(|line| line.starts_with("main     safedebit") && line.contains("  10  ")), "{status}");

    let bad = std::env::temp_dir().join(format!("mandat-fleet-bad-{}.csv", std::process::id()));
    std::fs::write(&bad, "reference,signed_on\nsafedebit:RUM-NEW,2026-13-01\n").unwrap();
    let refused = program(&["import", bad.to_str().unwrap()]).output().unwrap();
    std::fs::remove_file(&bad).unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("line 2, `signed_on`"), "{refused:?}");

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let worker = Killed(program(&["worker", "--listen", &address]).stderr(Stdio::null()).spawn().unwrap());
    let get = async |path: &str| {
        let response = reqwest::get(format!("http://{address}{path}")).await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    };
    let client = connect(&server.url()).await;
    let began = Instant::now();
    loop {
        let unread = "SELECT count(*) FROM mandat_fleet.mandate WHERE read_at IS NULL";
        let unread: i64 = client.query_one(unread, &[]).await.unwrap().get(0);
        if unread == 0 && get("/ready").await.is_some_and(|(status, _)| status == 200) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{unread} mandates are not read");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(get("/health").await.unwrap().0, 200);
    let metrics = get("/metrics").await.unwrap().1;
    for name in ["calls_total", "call_wait_seconds_bucket", "lateness_seconds_bucket", "changes_total"] {
        assert!(metrics.contains(&format!("mandat_fleet_{name}{{")), "{name}: {metrics}");
    }
    assert!(!metrics.contains("RUM-"), "{metrics}");

    // The lanes change while the worker runs.
    ran(&mut program(&["rate", "main", "safedebit", "40", "--lanes", "3"]));
    let status = ran(&mut program(&["status"]));
    assert!(
        status.lines().any(|line| line.contains("safedebit") && line.contains("40/s") && line.ends_with("of 3")),
        "{status}"
    );

    // A mandate ends, and a webhook says so.
    let reference = vendors.references.iter().find(|reference| reference.starts_with("safedebit:")).unwrap().clone();
    vendors.end(&reference);
    let http = reqwest::Client::new();
    let ask = async |reference: &str| {
        let body = serde_json::json!({"account": "main", "reference": reference});
        http.post(format!("http://{address}/ask")).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!((ask(&reference).await, ask("safedebit:NOBODY").await), (202, 404));
    let began = Instant::now();
    let changes = loop {
        let changes =
            ran(fleet(&server, &vendors.variables).args(["changes", "--consumer", &format!("{:?}", began.elapsed())]));
        if changes.contains("Revoked") {
            break changes;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{changes}");
        sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(changes.lines().count(), 31);
    let last: serde_json::Value = serde_json::from_str(changes.lines().last().unwrap()).unwrap();
    assert_eq!((&last["reference"], &last["class"]), (&reference.into(), &"Forward".into()));
    assert_eq!(ran(&mut program(&["changes"])).lines().count(), 31);
    assert_eq!(ran(&mut program(&["changes"])), "");
    drop(worker);
}

/// A transaction of another program stays open after it has asked for a mandate, and has locked one that cannot be read.
#[tokio::test]
async fn an_open_transaction_delays_no_other_mandate() {
    let Some(server) = Postgres::of_test() else { return };
    let vendors = Vendors::start(30);
    for vendor in ["easytransac", "safedebit", "seqino"] {
        ran(fleet(&server, &vendors.variables).args(["rate", "main", vendor, "90", "--lanes", "1"]));
    }
    ran(fleet(&server, &vendors.variables).args(["import", vendors.file.to_str().unwrap()]));
    let mut theirs = connect(&server.url()).await;
    let unreadable = "UPDATE mandat_fleet.mandate SET status = 'NoStatus', observed_at = now() WHERE reference = $1";
    theirs.execute(unreadable, &[&vendors.references[1]]).await.unwrap();
    let transaction = theirs.transaction().await.unwrap();
    transaction.execute("SELECT mandat_fleet.ask('main', $1)", &[&vendors.references[0]]).await.unwrap();
    let lock = "SELECT FROM mandat_fleet.mandate WHERE reference = $1 FOR UPDATE";
    transaction.execute(lock, &[&vendors.references[1]]).await.unwrap();

    let arguments = ["worker", "--listen", "127.0.0.1:0"];
    let _worker = Killed(fleet(&server, &vendors.variables).args(arguments).stderr(Stdio::null()).spawn().unwrap());
    let client = connect(&server.url()).await;
    let wait = |condition: &'static str| wait_until(&client, condition);
    wait("(SELECT count(*) = 28 FROM mandat_fleet.mandate WHERE read_at IS NOT NULL)").await;
    transaction.commit().await.unwrap();
    wait("(SELECT count(*) = 29 FROM mandat_fleet.mandate WHERE read_at IS NOT NULL)").await;
    wait("(SELECT count(*) = 1 FROM mandat_fleet.mandate WHERE failure = 'StoredRow' AND next_check > now())").await;
    // The job that `ask` added is gone.
    wait("(SELECT count(*) = 3 FROM graphile_worker.jobs)").await;
}

/// The vendor does not know the only mandate. This response shows that it accepts the credentials.
#[tokio::test]
async fn a_mandate_that_is_not_found_opens_the_other_lanes() {
    let Some(server) = Postgres::of_test() else { return };
    let vendors = Vendors::start(3);
    let file = std::env::temp_dir().join(format!("mandat-fleet-unknown-{}.csv", std::process::id()));
    std::fs::write(&file, "safedebit:NOBODY\n").unwrap();
    ran(fleet(&server, &vendors.variables).args(["import", file.to_str().unwrap()]));
    std::fs::remove_file(&file).unwrap();
    let arguments = ["worker", "--listen", "127.0.0.1:0"];
    let _worker = Killed(fleet(&server, &vendors.variables).args(arguments).stderr(Stdio::null()).spawn().unwrap());
    let client = connect(&server.url()).await;
    let began = Instant::now();
    let accepted = "SELECT vendor FROM mandat_fleet.account WHERE accepted_at IS NOT NULL";
    while client.query(accepted, &[]).await.unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(100)).await;
    }
    let failure = "SELECT failure FROM mandat_fleet.mandate";
    while client.query_one(failure, &[]).await.unwrap().get::<_, Option<String>>(0).as_deref() != Some("NotFound") {
        assert!(began.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(100)).await;
    }
}

/// An administrator lets a user create the tables, and then takes the right away.
#[tokio::test]
async fn a_user_without_the_right_to_create_can_use_the_tables() {
    let Some(server) = Postgres::of_test() else { return };
    let client = connect(&server.url()).await;
    client.batch_execute("CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE postgres TO app").await.unwrap();
    let database = mandat_fleet::Database::new(&server.url().replace("user=postgres", "user=app"), 2).unwrap();
    database.migrate().await.unwrap();
    client.batch_execute("REVOKE CREATE ON DATABASE postgres FROM app").await.unwrap();
    database.migrate().await.unwrap();
    mandat_fleet::report(&database).await.unwrap();
}
