//! The first steps without any setup: a database of its own, the simulated vendors, and two workers in one program.
//!
//! `cargo run --example quickstart` needs PostgreSQL installed, and starts its own server.

#[path = "../tests/support/postgres.rs"]
mod postgres;

use mandat::{MandateRef, Provider, sandbox::Sandbox};
use mandat_fleet::{Accounts, Consumer, Database, Failure, MAIN, Metrics, Settings};
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let server = postgres::Postgres::start()?;
    let sandbox = Sandbox::start().await?;
    let database = Database::new(&server.url(), 20)?;
    database.migrate().await?;
    println!("a database and the simulated vendors run");

    database.set_rate(MAIN, Provider::SafeDebit, Some(30), Some(2)).await?;
    let references: String = sandbox.references().iter().map(|reference| format!("{reference}\n")).collect();
    let imported = mandat_fleet::import(&database, MAIN, references.as_bytes(), &[]).await?;
    println!("{} mandates imported", imported.rows);

    let (stop, stopping) = watch::channel(false);
    let workers = [0, 1].map(|_| tokio::spawn(worker(database.clone(), accounts(&sandbox), stopping.clone())));
    let mut changes = Consumer::new(&database, "quickstart").await?;
    let mut printed = 0;
    while printed < imported.rows {
        printed += print(&mut changes).await?;
    }

    let reference = MandateRef::safedebit(Sandbox::CONSUMER);
    sandbox.revoke(&reference)?;
    println!("the debtor revokes a mandate, and a webhook says so");
    database.ask(MAIN, &reference).await?;
    print(&mut changes).await?;

    print!("\n{}", mandat_fleet::report(&database).await?);
    stop.send_replace(true);
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

async fn worker(
    database: Database,
    accounts: Result<Accounts, Failure>,
    stopping: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let (ready, _) = watch::channel(false);
    mandat_fleet::work(
        Settings { database, accounts: accounts?, lanes: 4, paced: false, metrics: Metrics::default() },
        stopping,
        &ready,
    )
    .await
}

/// The accounts of the sandbox. A real worker reads the variables of its environment: `std::env::var(name).ok()`.
fn accounts(sandbox: &Sandbox) -> Result<Accounts, Failure> {
    Accounts::read(|name| {
        let (vendor, name) = name.split_once('_')?;
        let provider: Provider = vendor.to_lowercase().parse().ok()?;
        if name == "URL" {
            return Some(sandbox.base_url(provider));
        }
        // The sandbox calls it `apiKey` or `API key`, and the variable is `API_KEY`.
        let letters = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_uppercase();
        let value = sandbox.credentials(provider).iter().find(|(known, _)| letters(known) == letters(name));
        value.map(|(_, value)| (*value).to_owned())
    })
}

async fn print(changes: &mut Consumer) -> Result<usize, Failure> {
    let next = changes.next(100).await?;
    for change in &next {
        let class = change.class.as_deref().unwrap_or("first reading");
        println!(
            "change {}: {} is {} ({class})",
            change.id,
            change.reference,
            change.to["status"].as_str().unwrap_or("?")
        );
        changes.done(change.id).await?;
    }
    Ok(next.len())
}
