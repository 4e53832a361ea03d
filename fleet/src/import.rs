//! Imports a file of mandates, with the columns and the errors of the program `mandat`.

use crate::{
    Failure,
    database::Database,
    file::{self, Table},
    mandates::urgency_of,
    worker::add_account,
};
use chrono::{NaiveDate, Utc};
use mandat::{LastCollection, MandateStatus, StatusQuery};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// The counts of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The rows of the file.
    pub rows: usize,
    /// The mandates that are new, or whose facts have changed. They are due now.
    pub stored: u64,
}

/// The optional column with the day of the next planned collection.
const COLLECT_ON: &str = "collect_on";
/// The rows that one statement stores.
const CHUNK: usize = 5000;
/// The faults that an error lists.
const FAULTS: usize = 20;

/// Imports the mandates of a file into an account. An invalid row refuses the whole file, and nothing is stored.
///
/// A new mandate gets its facts and its stored state from the file. A mandate that the database knows keeps its state, and
/// gets each fact that the file states. A blank cell changes nothing. `own` names the columns that the import ignores. Any
/// other unknown column refuses the file.
///
/// # Errors
/// If the file cannot be read: the error names lines and columns, and quotes no value that can be personal. If the database
/// fails, a part of the rows can be stored: import the file again.
pub async fn import(database: &Database, account: &str, bytes: &[u8], own: &[String]) -> Result<Imported, Failure> {
    let table = Table::read(&file::decode(bytes)?, &[&[COLLECT_ON.to_owned()][..], own].concat())?;
    let mut client = database.connection().await?;
    for vendor in vendors(&table)? {
        add_account(&client, account, vendor).await?;
    }
    let mut stored = 0;
    let numbers: Vec<usize> = (0..table.rows.len()).collect();
    for chunk in numbers.chunks(CHUNK) {
        // Only the rows of one statement are in memory as JSON, which needs many times the memory of the file.
        let rows: Result<Vec<Value>, _> = chunk.iter().map(|number| Ok(columns(&row(&table, *number)?))).collect();
        let rows = Value::from(rows.map_err(|faults: Vec<String>| faults.join("\n"))?);
        // A worker drops the reading of a row that is locked, and reads the mandate again. So each transaction is short.
        let transaction = client.transaction().await?;
        // The number of lanes must not change between the choice of a lane and the commit.
        transaction.execute("SELECT FROM mandat_fleet.account WHERE account = $1 FOR KEY SHARE", &[&account]).await?;
        stored += transaction.execute(STORE, &[&account, &rows]).await?;
        transaction.commit().await?;
    }
    // Wake the lanes that have new mandates.
    let wake = "SELECT mandat_fleet.queue_lane(l.account, l.vendor, l.lane, clock_timestamp())
                FROM mandat_fleet.lane AS l WHERE l.account = $1";
    if stored > 0 {
        client.execute(wake, &[&account]).await?;
    }
    Ok(Imported { rows: table.rows.len(), stored })
}

const STORE: &str = "
    INSERT INTO mandat_fleet.mandate AS m (
        account, reference, vendor, client, lane, urgency, status, raw, account_word, verdict, recognized,
        reinstated_from, acknowledged_before, source, since, observed_at, signed_on, signature_confirmed,
        last_collection, revoked_by_debtor, one_off_used, last_acknowledged, collect_on)
    SELECT $1, n.reference, n.vendor, n.client, mandat_fleet.lane_of(n.client, n.reference, a.lanes), n.urgency,
        n.status, n.raw, n.account, n.verdict, n.recognized, n.reinstated_from, n.acknowledged_before, n.source, n.since,
        n.observed_at, n.signed_on, n.signature_confirmed, n.last_collection, n.revoked_by_debtor, n.one_off_used,
        n.last_acknowledged, n.collect_on
    FROM jsonb_to_recordset($2::jsonb) AS n (
        reference text, vendor text, client text, urgency int2, status text, raw text, account text, verdict text,
        recognized text, reinstated_from text, acknowledged_before text, source text, since timestamptz,
        observed_at timestamptz, signed_on date, signature_confirmed boolean, last_collection text,
        revoked_by_debtor boolean, one_off_used boolean, last_acknowledged text, collect_on date)
    JOIN mandat_fleet.account AS a ON a.account = $1 AND a.vendor = n.vendor
    ORDER BY n.reference
    ON CONFLICT (account, reference) DO UPDATE SET
        signed_on = coalesce(excluded.signed_on, m.signed_on),
        signature_confirmed = coalesce(excluded.signature_confirmed, m.signature_confirmed),
        last_collection = coalesce(excluded.last_collection, m.last_collection),
        revoked_by_debtor = coalesce(excluded.revoked_by_debtor, m.revoked_by_debtor),
        one_off_used = coalesce(excluded.one_off_used, m.one_off_used),
        last_acknowledged = coalesce(excluded.last_acknowledged, m.last_acknowledged),
        collect_on = coalesce(excluded.collect_on, m.collect_on),
        version = m.version + 1, next_check = clock_timestamp(), urgency = least(m.urgency, excluded.urgency)
    WHERE (m.signed_on, m.signature_confirmed, m.last_collection, m.revoked_by_debtor, m.one_off_used,
            m.last_acknowledged, m.collect_on)
        IS DISTINCT FROM (coalesce(excluded.signed_on, m.signed_on),
            coalesce(excluded.signature_confirmed, m.signature_confirmed),
            coalesce(excluded.last_collection, m.last_collection),
            coalesce(excluded.revoked_by_debtor, m.revoked_by_debtor), coalesce(excluded.one_off_used, m.one_off_used),
            coalesce(excluded.last_acknowledged, m.last_acknowledged), coalesce(excluded.collect_on, m.collect_on))";

/// A mandate of the file, with the day of its next collection.
type Planned = (StatusQuery, Option<NaiveDate>);

/// Reads a row, or returns its faults.
fn row(table: &Table, number: usize) -> Result<Planned, Vec<String>> {
    let line = table.rows[number].line;
    // The reader of the header compares names in the same way.
    let named = |name: &str| file::squeezed(name) == file::squeezed(COLLECT_ON);
    let place = table.columns.own().iter().find(|(name, _)| named(name)).map(|(_, place)| *place);
    let cell = place.and_then(|place| table.rows[number].cells.get(place)).filter(|cell| !cell.is_blank());
    let collect_on = cell.map(|cell| {
        let wrong = || format!("line {line}, `{COLLECT_ON}`: the cell is not a date. Use 2026-09-01 or 01/09/2026.");
        file::date(cell.trimmed()).ok_or_else(wrong)
    });
    let fault = |fault: file::Fault| format!("line {line}, `{}`: {}.", fault.column.name(), fault.text);
    match (table.tracked(number), collect_on.transpose()) {
        (Ok(query), Ok(collect_on)) => Ok((query, collect_on)),
        (query, collect_on) => {
            let faults = query.err().into_iter().flatten().map(fault);
            Err(collect_on.err().into_iter().chain(faults).collect())
        }
    }
}

/// Returns the vendors of a file, or the faults of its rows.
fn vendors(table: &Table) -> Result<BTreeSet<&'static str>, Failure> {
    let (mut vendors, mut faults, mut lines) = (BTreeSet::new(), Vec::new(), HashMap::new());
    for (number, line) in table.rows.iter().map(|row| row.line).enumerate() {
        match row(table, number) {
            Err(invalid) => faults.extend(invalid),
            Ok((query, _)) => {
                vendors.insert(query.reference.provider().as_str());
                if let Some(first) = lines.insert(query.reference, line) {
                    faults.push(format!("line {line}: the mandate is on line {first}, too. Keep one of them."));
                }
            }
        }
    }
    if faults.is_empty() {
        return Ok(vendors);
    }
    let more = faults.len().saturating_sub(FAULTS);
    faults.truncate(FAULTS);
    if more > 0 {
        faults.push(format!("{more} more cells are invalid."));
    }
    Err(faults.join("\n").into())
}

/// The columns of a row, by the names in the statement.
fn columns((query, collect_on): &Planned) -> Value {
    let reference = &query.reference;
    let status = query.stored.as_ref().map(|known| known.status);
    let mut row = json!({
        "reference": reference.to_string(),
        "vendor": reference.provider().as_str(),
        "client": reference.client_id(),
        "collect_on": collect_on,
        "urgency": urgency_of(status, *collect_on, Utc::now()),
    });
    for (name, text) in query.stored.iter().flat_map(mandat::StoredState::columns) {
        row[name] = text.into();
    }
    if let Some(facts) = &query.facts {
        row["signed_on"] = json!(facts.signed_on);
        row["signature_confirmed"] = facts.signature_confirmed.into();
        row["last_collection"] = match facts.last_collection {
            LastCollection::NotKnown => Value::Null,
            LastCollection::Never => "never".into(),
            LastCollection::On(day) => day.to_string().into(),
        };
        row["revoked_by_debtor"] = facts.revoked_by_debtor.into();
        row["one_off_used"] = facts.one_off_used.into();
        row["last_acknowledged"] = facts.last_acknowledged.map(MandateStatus::as_str).into();
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Value>, String> {
        let table = Table::read(text, &[COLLECT_ON.to_owned()]).unwrap();
        vendors(&table).map_err(|e| e.to_string())?;
        Ok((0..table.rows.len()).map(|number| columns(&row(&table, number).unwrap())).collect())
    }

    #[test]
    fn a_file_of_the_program_gives_rows_with_facts_and_state() {
        let text = "reference;signed_on;last_collection;Collect on;status;raw;observed_at\n\
                    safedebit:RUM-1;01/09/2026;jamais;2026-12-01;Revoked;3;2026-09-01T08:00:00Z\n\
                    seqino:client_1/mdt_1;;;;;;\n";
        let rows = read(text).unwrap();
        assert_eq!((&rows[0]["signed_on"], &rows[0]["collect_on"]), (&json!("2026-09-01"), &json!("2026-12-01")));
        assert_eq!((&rows[0]["last_collection"], &rows[0]["status"]), (&json!("never"), &json!("Revoked")));
        assert_eq!((&rows[1]["client"], &rows[1]["status"]), (&json!("client_1"), &Value::Null));
    }

    #[test]
    fn an_invalid_row_is_named_without_its_values() {
        let error = read(
            "reference;signed_on;collect_on\nsafedebit:RUM-1;FR7630001007941234567890185;soon\nsafedebit:RUM-1;;\n",
        );
        let error = error.unwrap_err();
        assert!(error.contains("line 2, `signed_on`") && error.contains("line 2, `collect_on`"), "{error}");
        assert!(!error.contains("FR76"), "{error}");
        let error = read("reference\nsafedebit:RUM-1\nsafedebit:RUM-1\n").unwrap_err();
        assert!(error.contains("line 3: the mandate is on line 2, too"), "{error}");
    }
}
