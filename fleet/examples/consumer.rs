//! A billing service that follows the outbox, and stops collecting on mandates that may not be used.
//!
//! `DATABASE_URL=postgres://user:password@host/mandat cargo run --example consumer` serves on http://127.0.0.1:8080:
//!
//! | request | response |
//! |---|---|
//! | `GET /stopped` | the mandates on which the service collects no more |
//! | `POST /returned/{account}/{reference}` | the debtor came back from the page of a vendor: the mandate is read at once |
//!
//! The outbox delivers a change at least once. The service stores the number of the change with its own data in one
//! transaction, so a change that arrives again has no effect.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use mandat::{MandateRef, MandateStatus, Phase, StoredState};
use mandat_fleet::{Change, Consumer, Database, Failure};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

#[derive(Clone)]
struct Service {
    fleet: Database,
    /// The address of the service's own tables. They may be in another database than the outbox.
    own: String,
}

/// Connects to the service's own tables. A service with more requests keeps its connections in a pool.
async fn connect(own: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(own, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "postgres:///mandat?host=/var/run/postgresql".into());
    let fleet = Database::new(&url, 4)?;
    fleet.migrate().await?;
    connect(&url)
        .await?
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS stopped (
                 account text, reference text, status text NOT NULL, PRIMARY KEY (account, reference));
             CREATE TABLE IF NOT EXISTS processed (only boolean PRIMARY KEY DEFAULT true CHECK (only), change bigint NOT NULL);
             INSERT INTO processed (change) VALUES (0) ON CONFLICT DO NOTHING",
        )
        .await?;
    let service = Service { fleet, own: url };
    tokio::spawn(follow(service.clone()));

    let router = Router::new()
        .route("/stopped", get(stopped))
        .route("/returned/{account}/{*reference}", post(returned))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}/stopped", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

/// Processes changes for ever. After a failure it starts again from the last processed change.
async fn follow(service: Service) {
    loop {
        if let Err(error) = follow_once(&service).await {
            eprintln!("the changes are not processed: {}", mandat_fleet::told(&*error));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn follow_once(service: &Service) -> Result<(), Failure> {
    let mut consumer = Consumer::new(&service.fleet, "billing").await?;
    let mut own = connect(&service.own).await?;
    loop {
        for change in consumer.next(100).await? {
            process(&mut own, &change).await?;
            consumer.done(change.id).await?;
        }
    }
}

async fn process(own: &mut Client, change: &Change) -> Result<(), Failure> {
    let transaction = own.transaction().await?;
    let once = "UPDATE processed SET change = $1 WHERE change < $1";
    if transaction.execute(once, &[&change.id]).await? == 1 {
        let state: StoredState = serde_json::from_value(change.to.clone())?;
        let usable = state.status == MandateStatus::Active || state.status.phase() == Phase::Setup;
        if usable {
            let go_on = "DELETE FROM stopped WHERE account = $1 AND reference = $2";
            transaction.execute(go_on, &[&change.account, &change.reference]).await?;
        } else {
            let stop = "INSERT INTO stopped VALUES ($1, $2, $3)
                        ON CONFLICT (account, reference) DO UPDATE SET status = excluded.status";
            transaction.execute(stop, &[&change.account, &change.reference, &state.status.as_str()]).await?;
        }
    }
    Ok(transaction.commit().await?)
}

type Answer<T> = Result<T, (StatusCode, String)>;

fn unavailable(error: impl Into<Failure>) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, mandat_fleet::told(&*error.into()))
}

async fn stopped(State(service): State<Service>) -> Answer<Json<Vec<[String; 3]>>> {
    let own = connect(&service.own).await.map_err(unavailable)?;
    let rows = own.query("SELECT account, reference, status FROM stopped ORDER BY 1, 2", &[]).await;
    Ok(Json(rows.map_err(unavailable)?.iter().map(|row| [0, 1, 2].map(|column: usize| row.get(column))).collect()))
}

async fn returned(
    State(service): State<Service>,
    Path((account, reference)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let reference: MandateRef =
        reference.parse().map_err(|e: mandat::Error| (StatusCode::BAD_REQUEST, e.to_string()))?;
    match service.fleet.ask(&account, &reference).await.map_err(unavailable)? {
        true => Ok(StatusCode::ACCEPTED),
        false => Ok(StatusCode::NOT_FOUND),
    }
}
