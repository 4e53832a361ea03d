//! The program `mandat` reads files of mandates in every format that office software writes. Each cell is read, or its
//! row is reported as an error. No cell gets lost.

#[allow(dead_code, unused_imports, reason = "a part of the program")]
#[path = "../../src/bin/mandat/file/mod.rs"]
mod file;

use chrono::{DateTime, NaiveDate, Utc};
use encoding_rs::WINDOWS_1252;
use file::{Format, Record, Table};
use mandat::{
    Facts, LastCollection, MandateRef, MandateStatus, Permission, RawStatus, Source, StatusQuery, StoredState,
};
use proptest::{option, prelude::*, sample::select};
use serde_json::json;
use std::time::Duration;

/// A test row: the stored state and the facts of a mandate, and two columns that the caller added.
#[derive(Clone, Debug)]
struct Case {
    tracked: StatusQuery,
    own: [String; 2],
}

const OWN: &str = "Mine, or not";

fn reference() -> impl Strategy<Value = MandateRef> {
    prop_oneof![
        "[A-Za-z0-9-]{1,20}".prop_map(MandateRef::safedebit),
        "[a-z0-9]{1,20}".prop_map(MandateRef::easytransac),
        ("[a-z_0-9]{1,9}", "[a-z_0-9]{1,9}").prop_map(|(client, id)| MandateRef::seqino(client, id)),
    ]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (400..83_000i32).prop_map(|days| NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Days::new(days as u64))
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (day(), 0..86_400u32, 0..1_000_000_000u32).prop_map(|(day, second, nano)| {
        day.and_time(chrono::NaiveTime::from_num_seconds_from_midnight_opt(second, nano).unwrap()).and_utc()
    })
}

fn status() -> impl Strategy<Value = MandateStatus> {
    select(MandateStatus::ALL)
}

/// Generates a status word of a vendor, which may be any text.
fn word() -> impl Strategy<Value = RawStatus> {
    prop_oneof![
        "[a-z_0-9]{0,8}".boxed(),
        r#"[ -~é\u{1b}\u{9b}\u{202e}\n"=]{0,8}"#.boxed(),
        select(&["null", "-", "NULL", "true", "\"a\"", " ", "'", "'=1"][..]).prop_map(String::from).boxed(),
    ]
    .prop_map(|word| RawStatus::new(&word))
}

fn facts() -> impl Strategy<Value = Facts> {
    let last =
        prop_oneof![Just(LastCollection::NotKnown), Just(LastCollection::Never), day().prop_map(LastCollection::On),];
    let answer = option::of(any::<bool>());
    (option::of(day()), answer.clone(), last, answer.clone(), answer, option::of(status())).prop_map(
        |(signed_on, signature_confirmed, last_collection, revoked_by_debtor, one_off_used, last_acknowledged)| Facts {
            signed_on,
            signature_confirmed,
            last_collection,
            revoked_by_debtor,
            one_off_used,
            max_age: Duration::from_secs(60),
            last_acknowledged,
        },
    )
}

fn known() -> impl Strategy<Value = StoredState> {
    (
        (status(), word(), instant()),
        (option::of(word()), option::of(select(Permission::ALL)), option::of(status())),
        (option::of(status()), option::of(status()), select(Source::ALL), instant()),
    )
        .prop_map(|((status, raw, observed_at), (account, verdict, recognized), (from, before, source, since))| {
            let mut known = StoredState::new(status, raw, observed_at);
            (known.account, known.verdict) = (account, verdict);
            known.recognized = recognized.or(known.recognized);
            (known.reinstated_from, known.acknowledged_before) = (from, before);
            (known.source, known.since) = (source, since);
            known
        })
}

/// Generates notes, formulas and amounts for the columns of the caller, in characters of Latin-1.
fn own() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~éà\n\t]{0,12}".boxed(), "['=+@;,-][ -~é]{0,6}".boxed(), "[+-][0-9 .,]{1,6}".boxed()]
}

fn case() -> impl Strategy<Value = Case> {
    (reference(), option::of(known()), facts(), [own(), own()]).prop_map(|(reference, known, facts, own)| Case {
        tracked: StatusQuery::new(reference).with_stored(known).with_facts(facts),
        own,
    })
}

fn own_names() -> Vec<String> {
    vec![OWN.to_owned()]
}

/// Returns the rows as the program writes them into a file.
fn written(format: Format, cases: &[(Record, &[String; 2])]) -> Vec<u8> {
    let lines: String = cases
        .iter()
        .map(|(_, own)| json!({"reference": "safedebit:1", OWN: own[0], "x_note": own[1]}).to_string() + "\n")
        .collect();
    let table = Table::read(&lines, &own_names()).unwrap();
    let mut out = Vec::new();
    file::header(&mut out, format, &table.columns).unwrap();
    for ((record, _), row) in cases.iter().zip(&table.rows) {
        file::row(&mut out, format, &table.columns, record, &row.cells).unwrap();
    }
    out
}

fn record(tracked: &StatusQuery) -> Record {
    Record::of(tracked, tracked.stored.as_ref())
}

fn read(bytes: &[u8]) -> Result<Table, String> {
    Table::read(&file::decode(bytes)?, &own_names())
}

fn own_cells(table: &Table, row: usize) -> Vec<String> {
    let cell =
        |(_, place): &(String, usize)| table.rows[row].cells.get(*place).map_or("", |cell| cell.shown()).to_owned();
    let mut own: Vec<_> = table.columns.own().iter().map(|own| (own.0.clone(), cell(own))).collect();
    own.sort();
    own.into_iter().map(|(_, cell)| cell).collect()
}

fn assert_reads_as(cases: &[Case], bytes: &[u8]) {
    let table = read(bytes).unwrap_or_else(|why| panic!("{why}\n{}", bytes.escape_ascii()));
    assert_eq!(table.rows.len(), cases.len());
    for (index, Case { tracked, own }) in cases.iter().enumerate() {
        let again = table.record(index).tracked().unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(
            (again.reference, again.stored, again.facts),
            (tracked.reference.clone(), tracked.stored.clone(), tracked.facts.clone())
        );
        assert_eq!(own_cells(&table, index), own);
    }
}

/// The format in which a spreadsheet program saves a file.
#[derive(Clone, Debug)]
struct Sheet {
    separator: u8,
    encoding: Encoding,
    line_end: &'static str,
    hint: bool,
    blank_line: Option<&'static str>,
    trailing: bool,
    french_dates: bool,
    booleans: [&'static str; 2],
    quoted: bool,
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Utf8,
    Utf8Marked,
    Windows1252,
    Utf16Le { marked: bool },
    Utf16Be { marked: bool },
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        Just(Encoding::Utf8),
        Just(Encoding::Utf8Marked),
        Just(Encoding::Windows1252),
        any::<bool>().prop_map(|marked| Encoding::Utf16Le { marked }),
        any::<bool>().prop_map(|marked| Encoding::Utf16Be { marked }),
    ]
}

fn sheet() -> impl Strategy<Value = Sheet> {
    let booleans: &[[&'static str; 2]] =
        &[["VRAI", "FAUX"], ["TRUE", "FALSE"], ["true", "false"], ["1", "0"], ["oui", "non"], ["Yes", "No"]];
    (
        (select(&b",;\t|"[..]), encoding(), select(&["\n", "\r\n", "\r"][..]), any::<bool>()),
        (
            option::of(select(&["", "   ", ";;;", ",,"][..])),
            any::<bool>(),
            any::<bool>(),
            select(booleans),
            any::<bool>(),
        ),
    )
        .prop_map(
            |((separator, encoding, line_end, hint), (blank_line, trailing, french_dates, booleans, quoted))| Sheet {
                separator,
                encoding,
                line_end,
                hint,
                blank_line,
                trailing,
                french_dates,
                booleans,
                quoted,
            },
        )
}

/// The columns with dates. A spreadsheet program writes dates and booleans in its own format.
const DATES: [&str; 2] = ["signed_on", "last_collection"];
const ANSWERS: [&str; 3] = ["signature_confirmed", "revoked_by_debtor", "one_off_used"];

fn encoded(text: &str, encoding: Encoding) -> Vec<u8> {
    let utf_16 = |marked: bool, bytes: fn(u16) -> [u8; 2]| {
        let mark = marked.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    match encoding {
        Encoding::Utf8 => text.into(),
        Encoding::Utf8Marked => format!("\u{feff}{text}").into(),
        Encoding::Windows1252 => {
            let (bytes, _, lossy) = WINDOWS_1252.encode(text);
            assert!(!lossy, "{text}");
            bytes.into_owned()
        }
        Encoding::Utf16Le { marked } => utf_16(marked, u16::to_le_bytes),
        Encoding::Utf16Be { marked } => utf_16(marked, u16::to_be_bytes),
    }
}

fn saved(ours: &[u8], sheet: &Sheet) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(ours);
    let names = reader.headers().unwrap().clone();
    let mut out = String::new();
    if sheet.hint {
        out += &format!("sep={}{}", char::from(sheet.separator), sheet.line_end);
    }
    if let Some(blank) = sheet.blank_line {
        out += blank;
        out += sheet.line_end;
    }
    let rows: Vec<csv::StringRecord> = reader.into_records().map(Result::unwrap).collect();
    for row in [&names].into_iter().chain(&rows) {
        let mut writer = csv::WriterBuilder::new();
        writer.delimiter(sheet.separator);
        if sheet.quoted {
            writer.quote_style(csv::QuoteStyle::Always);
        }
        let mut writer = writer.from_writer(Vec::new());
        for (name, cell) in names.iter().zip(row) {
            let day = cell.parse::<NaiveDate>().ok().filter(|_| sheet.french_dates && DATES.contains(&name));
            let cell = match cell {
                "true" if ANSWERS.contains(&name) => sheet.booleans[0].to_owned(),
                "false" if ANSWERS.contains(&name) => sheet.booleans[1].to_owned(),
                _ => day.map_or(cell.to_owned(), |day| day.format("%d/%m/%Y").to_string()),
            };
            writer.write_field(cell).unwrap();
        }
        if sheet.trailing {
            writer.write_field("").unwrap();
        }
        writer.write_record(None::<&[u8]>).unwrap();
        let line = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        out += line.strip_suffix('\n').unwrap();
        out += sheet.line_end;
    }
    encoded(&out, sheet.encoding)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn file_that_the_program_wrote_is_read_back_without_loss(cases in prop::collection::vec(case(), 0..4), encoding in encoding()) {
        let rows: Vec<_> = cases.iter().map(|case| (record(&case.tracked), &case.own)).collect();
        assert_reads_as(&cases, &written(Format::Csv, &rows));
        if !cases.is_empty() {
            let json = String::from_utf8(written(Format::Jsonl, &rows)).unwrap();
            if !matches!(encoding, Encoding::Windows1252) {
                assert_reads_as(&cases, &encoded(&json, encoding));
            }
        }
    }

    #[test]
    fn file_saved_by_a_spreadsheet_is_read_back_without_loss(cases in prop::collection::vec(case(), 1..4), sheet in sheet()) {
        let rows: Vec<_> = cases.iter().map(|case| (record(&case.tracked), &case.own)).collect();
        assert_reads_as(&cases, &saved(&written(Format::Csv, &rows), &sheet));
    }

    #[test]
    fn error_about_an_invalid_cell_names_its_column_and_keeps_the_other_cells(
        case in case(),
        column in select(&COLUMNS[..]),
        text in prop_oneof!["[ -~é]{0,12}", ".{0,8}", select(&ODD[..]).prop_map(String::from)],
    ) {
        let text = text.replace('\0', "");
        let row = json!({"reference": "safedebit:RUM-1", "signed_on": "2026-01-05", column: text, "x_note": case.own[0]});
        let table = read(row.to_string().as_bytes()).unwrap();
        let given = table.record(0);
        if let Err(faults) = given.tracked() {
            // The program reports an incomplete stored state in the column that is empty.
            let state = ["status", "observed_at"];
            prop_assert!(faults.iter().all(|fault| fault.column.name() == column || state.contains(&fault.column.name())));
            prop_assert!(faults.iter().all(|fault| shows_no_personal_data(&fault.text, &text)), "{faults:?}");
        }
        let failed = given.of_failure("not read in this run", "why");
        for format in [Format::Csv, Format::Jsonl] {
            let mut out = Vec::new();
            file::header(&mut out, format, &table.columns).unwrap();
            file::row(&mut out, format, &table.columns, &failed, &table.rows[0].cells).unwrap();
            let again = read(&out).unwrap();
            let record = again.record(0);
            for field in file::Field::ALL {
                let is_output = ["verdict", "reasons", "error", "change"].contains(&field.name());
                prop_assert!(is_output || record[field] == given[field], "{}: {:?}", field.name(), record[field]);
            }
            prop_assert_eq!(record[file::Field::Verdict].shown(), "Undetermined");
            prop_assert_eq!(own_cells(&again, 0), [case.own[0].clone()]);
        }
    }

    #[test]
    fn column_names_are_read_in_any_spelling(
        field in select(&file::Field::ALL[..]),
        upper in prop::collection::vec(any::<bool>(), 24),
        between in select(&["_", " ", "-", "", "\u{a0}", ". "][..]),
        around in select(&["", " ", "\t ", "\u{a0}", "\u{feff}"][..]),
        accents in select(&[["e", "e"], ["e", "é"], ["e", "e\u{301}"], ["a", "à"]][..]),
        separator in select(&[',', ';', '\t', '|'][..]),
    ) {
        prop_assume!(!around.contains(separator));
        let spelt = |name: &str| {
            let letters = name.replace('_', between).replacen(accents[0], accents[1], 2);
            let letters = letters.chars().zip(upper.iter().cycle());
            let letters: String = letters.flat_map(|(c, upper)| if *upper { c.to_uppercase().collect::<Vec<_>>() } else { vec![c] }).collect();
            format!("{around}{letters}{around}")
        };
        let reference = spelt("reference");
        let text = format!("{reference}{separator}{}\nsafedebit:RUM-1{separator}x\n", spelt(field.name()));
        let text = if field == file::Field::Reference { format!("{reference}\nsafedebit:RUM-1\n") } else { text };
        let table = Table::read(&text, &[]).unwrap();
        prop_assert!(table.columns.place(field).is_some());
        prop_assert_eq!(table.rows.len(), 1);
    }

    #[test]
    fn error_about_a_misspelt_column_suggests_the_right_name(
        field in select(&file::Field::ALL[1..]),
        place in any::<prop::sample::Index>(),
        how in 0..4u8,
        letter in "[a-z]",
    ) {
        let name = field.name();
        let at = place.index(name.len());
        let mut letters: Vec<char> = name.chars().collect();
        match how {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letter.chars().next().unwrap()),
            2 => letters[at] = letter.chars().next().unwrap(),
            _ if at + 1 < letters.len() => letters.swap(at, at + 1),
            _ => letters.push('s'),
        }
        let misspelt: String = letters.into_iter().collect();
        prop_assume!(file::Field::ALL.iter().all(|field| field.name().replace('_', "") != misspelt.replace('_', "")));
        prop_assume!(!misspelt.starts_with("x_"));
        let why = Table::read(&format!("reference,{misspelt}\nsafedebit:RUM-1,true\n"), &[]).unwrap_err();
        prop_assert!(why.contains(&format!("`{misspelt}`")) && why.contains("Did you mean"), "{why}");
    }
}

/// All columns that the program knows, except the column of the reference.
const COLUMNS: [&str; 19] = [
    "status",
    "raw",
    "account",
    "verdict",
    "reasons",
    "error",
    "change",
    "signature_confirmed",
    "last_collection",
    "revoked_by_debtor",
    "one_off_used",
    "last_acknowledged",
    "recognized",
    "reinstated_from",
    "acknowledged_before",
    "source",
    "since",
    "observed_at",
    "signed_on",
];

const ODD: [&str; 12] = [
    "01/09/26",
    "26-09-01",
    "46266",
    "FR7630001007941234567890185",
    "#REF!",
    "VRAI",
    "revoked",
    "Dupont",
    "0612345678",
    "2026-02-30",
    "1970-01-01",
    "31/12/2026 00:00",
];

/// Returns true if the error shows at most a date or a small number of the cell: no name, telephone number or IBAN.
fn shows_no_personal_data(error: &str, cell: &str) -> bool {
    let cell = cell.trim();
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let harmless = digits <= 8 && !cell.chars().any(char::is_alphabetic);
    // The words of the error text may contain a short cell by chance, so only long cells are compared.
    harmless || cell.len() < 10 || !error.contains(cell)
}

fn row(header: &str, line: &str) -> Result<StatusQuery, String> {
    let table = Table::read(&format!("{header}\n{line}\n"), &[])?;
    table.record(0).tracked().map_err(|faults| {
        faults.iter().map(|fault| format!("`{}`: {}", fault.column.name(), fault.text)).collect::<Vec<_>>().join(" ")
    })
}

fn fact(column: &str, cell: &str) -> Result<Facts, String> {
    row(&format!("reference;{column}"), &format!("safedebit:RUM-1;{cell}")).map(|tracked| tracked.facts.unwrap())
}

#[test]
fn dates_in_cells_are_read_only_in_iso_or_french_format() {
    let day = NaiveDate::from_ymd_opt(2026, 9, 1);
    for text in ["2026-09-01", "01/09/2026", "1/9/2026", " 01/09/2026 ", "01/09/2026 00:00", "2026-09-01T00:00:00Z"] {
        assert_eq!(fact("signed_on", text).unwrap().signed_on, day, "{text}");
        assert_eq!(fact("last_collection", text).unwrap().last_collection, LastCollection::On(day.unwrap()));
    }
    for text in [
        "26-09-01",
        "01/09/26",
        "0026-09-01",
        "46266",
        "09/13/2026",
        "2026-02-29",
        "soon",
        "1970-01-01",
        "20260901",
        "2026-09-01T22:00:00Z",
        "1er septembre 2026",
    ] {
        let why = fact("signed_on", text).unwrap_err();
        assert!(why.contains("`signed_on`") && why.contains("2026-09-01 or 01/09/2026"), "{text}: {why}");
    }
    assert_eq!(
        fact("signed_on", "01/09/26").unwrap_err(),
        "`signed_on`: \"01/09/26\" is not a date. Use 2026-09-01 or 01/09/2026"
    );
}

#[test]
fn boolean_cells_are_read_in_english_french_or_digits_and_blank_cells_are_unknown() {
    for (texts, answer) in [
        (&["true", "TRUE", "VRAI", "vrai", "yes", "Oui", "1"][..], Some(true)),
        (&["false", "FALSE", "FAUX", "no", "non", "0"], Some(false)),
        (&["", " ", "NULL", "null", "N/A", "#N/A", "-", "–", "NaN", "\\N", "\u{a0}"], None),
    ] {
        for text in texts {
            assert_eq!(fact("revoked_by_debtor", text).unwrap().revoked_by_debtor, answer, "{text}");
        }
    }
    for text in ["2", "o", "x", "peut-être", "tru", "#REF!", "vraiment", "1.0", "-1"] {
        let why = fact("one_off_used", text).unwrap_err();
        assert!(why.contains("`one_off_used`") && why.contains("oui or non"), "{text}: {why}");
    }
    for text in ["never", "Never", "none", "jamais", "AUCUNE"] {
        assert_eq!(fact("last_collection", text).unwrap().last_collection, LastCollection::Never, "{text}");
    }
    // Test a row that ends before the column, and a file that has no such column.
    let short = row("reference,signed_on,revoked_by_debtor", "safedebit:RUM-1").unwrap().facts.unwrap();
    assert_eq!(
        (short.signed_on, short.revoked_by_debtor, short.last_collection),
        (None, None, LastCollection::NotKnown)
    );
}

#[test]
fn revocation_fact_is_kept_in_an_incomplete_row() {
    let tracked = row("reference,signed_on,revoked_by_debtor", "safedebit:RUM-1,,true").unwrap();
    let bytes = written(Format::Csv, &[(record(&tracked), &[String::new(), String::new()])]);
    let table = read(&bytes).unwrap();
    let again = table.record(0).tracked().unwrap();
    assert_eq!(again.facts.unwrap().revoked_by_debtor, Some(true));
}

#[test]
fn status_cell_is_read_in_any_letter_case_and_other_words_are_refused() {
    let stored = |line: &str| row("reference,status,raw,observed_at", line);
    for word in ["revoked", "REVOKED", "Revoked"] {
        let known = stored(&format!("safedebit:RUM-1,{word},3,2026-09-01T08:00:00Z")).unwrap().stored.unwrap();
        assert_eq!(known.status, MandateStatus::Revoked);
    }
    let why = stored("safedebit:RUM-1,Revked,3,2026-09-01T08:00:00Z").unwrap_err();
    assert!(why.contains("`status`") && why.contains("Did you mean `Revoked`?"), "{why}");
}

#[test]
fn row_with_an_incomplete_stored_state_is_an_error() {
    let names = "reference,status,raw,account,recognized,reinstated_from,acknowledged_before,source,since,observed_at";
    for (line, missing) in [
        ("Revoked,,,,,,,,", "observed_at"),
        (",,,,,,,,2026-09-01T08:00:00Z", "status"),
        (",3,,,,,,,", "status"),
        (",,,Revoked,,,,,", "status"),
        (",,,,Revoked,,,,", "status"),
        ("NULL,3,,,,,,,2026-09-01T08:00:00Z", "status"),
    ] {
        let why = row(names, &format!("safedebit:RUM-1,{line}")).unwrap_err();
        assert!(why.contains(&format!("`{missing}`: the cell is empty, but")), "{line}: {why}");
    }
    let never_read = row(names, "safedebit:RUM-1,NULL,NULL,,,,,,,NULL").unwrap();
    assert_eq!(never_read.stored, None);
    // A first run that could not read the mandate writes such a row.
    let failed =
        row("reference,verdict,reasons,error", "safedebit:RUM-1,Undetermined,not read in this run,why").unwrap();
    assert_eq!(failed.stored, None);
}

#[test]
fn program_knows_every_column_of_the_stored_state() {
    for name in StoredState::COLUMNS {
        assert!(file::Field::ALL.iter().any(|field| field.name() == name), "{name}");
    }
}

#[test]
fn file_without_a_reference_column_is_refused() {
    for (text, near) in [
        ("RUM;IBAN\nRUM-1;FR7630001007941234567890185\n", None),
        ("refrence,signed_on\nsafedebit:RUM-1,2026-09-01\n", Some("refrence")),
        ("signed_on\n2026-09-01\n", None),
        ("safedebit:RUM-1,2026-09-01\n", None),
        ("RUM\nsafedebit:RUM-1\n", None),
        ("RUM:IBAN\nsafedebit:RUM-1:FR7630001007941234567890185\n", None),
        ("reference:signed_on\nsafedebit:RUM-1:2026-09-01\n", None),
        ("Mandats: export de mars\nsafedebit:RUM-1\n", None),
        ("sep=;\nRUM;IBAN\n", None),
        ("[{\"reference\": \"safedebit:RUM-1\"}]\n", None),
        ("{\"ref\": \"safedebit:RUM-1\"}\n", None),
    ] {
        let why = Table::read(text, &[]).unwrap_err();
        assert!(!why.contains("FR76") && !why.contains("RUM-1;"), "{why}");
        assert!(near.is_none_or(|near| why.contains(near) && why.contains("`reference`")), "{why}");
    }
    for name in ["Reference", "Référence", "REFERENCE ", "\"reference\"", "re\u{301}fe\u{301}rence"] {
        for separator in [",", ";", "\t", "|"] {
            let text = format!("{name}{separator}x_note\nsafedebit:RUM-1{separator}a\n");
            assert_eq!(Table::read(&text, &[]).unwrap().rows.len(), 1, "{text}");
        }
    }
}

#[test]
fn references_with_separators_or_control_characters_are_refused() {
    for reference in [
        "safedebit:RUM-1;FR76",
        "safedebit:RUM,1",
        "safedebit:RUM\u{7}1",
        "safedebit:a|b",
        "safedebit:a\tb",
        "safedebit:a\u{202e}b",
        "safedebit:RUM-1 # mine",
    ] {
        let why = row("reference,x_note", &format!("\"{reference}\",a")).unwrap_err();
        assert!(why.contains("`reference`") && !why.contains("RUM"), "{why}");
        let list = Table::read(&format!("safedebit:first\n{reference}\n"), &[]).unwrap();
        assert!(list.record(1).tracked().is_err());
    }
}

#[test]
fn line_with_two_words_in_a_list_of_references_is_a_row_error() {
    let list =
        "safedebit:RUM-1 FR7630001007941234567890185\nsafedebit:RUM-1  true\nsafedebit:RUM%201\nsafedebt:RUM-1\n";
    let table = Table::read(list, &[]).unwrap();
    let first: Vec<String> = (0..4)
        .map(|row| table.tracked(row).map_or_else(|faults| faults[0].text.clone(), |t| t.reference.id().into()))
        .collect();
    assert!(first[0].contains("%20") && !first[0].contains("FR76"), "{first:?}");
    assert!(first[1].contains("%20"), "{first:?}");
    assert_eq!(first[2], "RUM 1");
    // A row whose vendor is misspelt must be reported as an error of that row, too.
    assert!(first[3].contains("begins with the name of its vendor"), "{first:?}");
}

#[test]
fn line_numbers_in_errors_match_the_file() {
    let text = "\r\n# mine\r\nsep=;\r\nreference;x_note\r\nsafedebit:1;\"a\r\nb\r\nc\"\r\n\r\n;;\r\nsafedebit:2;d\r\nsafedebit:3;e";
    let table = Table::read(text, &[]).unwrap();
    assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 10, 11]);
    let list = Table::read("# mine\r\rsafedebit:1\r\r\r\"safedebit:2\"\r", &[]).unwrap();
    assert_eq!(list.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(list.record(1).tracked().unwrap().reference, MandateRef::safedebit("2"));
    let json = Table::read("\n{\"reference\": \"safedebit:1\"}\n\n{\"reference\": \"safedebit:2\"}", &[]).unwrap();
    assert_eq!(json.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn file_with_ambiguous_rows_stops_the_run() {
    for (text, line) in [
        ("reference,x_note,revoked_by_debtor\nsafedebit:1,a\nsafedebit:2,a, b,true\n", "line 3"),
        ("reference,x_note\nsafedebit:1,\"a\nsafedebit:2,b\n", "line 2"),
        ("reference,x_note\nsafedebit:1,\"a\nsafedebit:2,b\"\nsafedebit:3,c\n", "line 2"),
        ("{\"reference\": \"safedebit:1\"}\n{\"reference\": \"safe", "line 2"),
        ("{\"reference\": \"safedebit:1\", \"reference\": \"safedebit:2\"}", "line 1"),
        ("reference,Reference\nsafedebit:1,safedebit:2\n", "line 1"),
        ("reference,,x_note\nsafedebit:1,hidden,a\n", "line 1"),
    ] {
        let why = Table::read(text, &[]).unwrap_err();
        assert!(why.contains(line), "{text}: {why}");
    }
    // The program ignores blank cells at the end of a row.
    let table = Table::read("reference;x_note;\nsafedebit:1;a;;;\nsafedebit:2;b\n", &[]).unwrap();
    assert_eq!(table.rows.len(), 2);
}

#[test]
fn columns_of_the_caller_need_an_option_or_a_prefix() {
    let text = "reference,Kunde,x_Betrag,#\nsafedebit:1,a,b,c\n";
    let why = Table::read(text, &[]).unwrap_err();
    assert!(why.contains("`Kunde`") && why.contains("`#`") && why.contains("--own \"Kunde\""), "{why}");
    let own = |names: &[&str]| Table::read(text, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert!(own(&["kunde"]).unwrap_err().contains("`#`"));
    let table = own(&["kunde", "#"]).unwrap();
    assert_eq!(table.columns.own().iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["Kunde", "x_Betrag", "#"]);
    assert!(own(&["kunde", "#", "Status"]).unwrap_err().contains("`status` is a column of this program"));
}

#[test]
fn files_with_mixed_encodings_and_binary_files_are_refused() {
    let latin = encoded("reference,x_note\nsafedebit:1,œuvre à 10 € « CAFÉ »\n", Encoding::Windows1252);
    assert!(file::decode(&latin).unwrap().contains("œuvre à 10 €"));
    let both = [&latin[..], "safedebit:2,où\n".as_bytes()].concat();
    assert!(file::decode(&both).unwrap_err().contains("UTF-8"));
    assert!(file::decode(b"PK\x03\x04...").unwrap_err().contains("workbook"));
    assert!(file::decode(b"reference\0\0\nsafedebit:1\n").unwrap_err().contains("NUL"));
    assert!(file::decode(b"\xff\xfer\0e\0\0\xd8").is_err());
}

#[test]
fn lines_that_excel_quoted_as_a_whole_are_read() {
    // French Excel opens a CSV file with commas as one column. When it saves the file, it doubles the quotes in each
    // line that has quotes.
    let text = "reference,signed_on,x_note\nsafedebit:1,2026-09-01,a\n\"safedebit:2,2026-09-02,\"\"b, c\"\"\"\n";
    let table = Table::read(text, &[]).unwrap();
    let second = table.record(1).tracked().unwrap();
    assert_eq!(second.facts.unwrap().signed_on, NaiveDate::from_ymd_opt(2026, 9, 2));
    assert_eq!(own_cells(&table, 1), ["b, c"]);
}

#[test]
fn cells_that_look_like_formulas_are_escaped_and_numbers_are_kept() {
    for (cell, expected) in [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("-12,50", "-12,50"),
        ("+33 6 12 34 56 78", "+33 6 12 34 56 78"),
        ("-", "-"),
        ("a=1", "a=1"),
        ("'tis", "'tis"),
    ] {
        let line = json!({"reference": "safedebit:1", "x_note": cell}).to_string();
        let table = Table::read(&line, &[]).unwrap();
        let mut out = Vec::new();
        file::header(&mut out, Format::Csv, &table.columns).unwrap();
        let record = table.record(0);
        file::row(&mut out, Format::Csv, &table.columns, &record, &table.rows[0].cells).unwrap();
        let mut reader = csv::Reader::from_reader(&*out);
        let written = reader.records().next().unwrap().unwrap();
        assert_eq!(written.iter().next_back(), Some(expected));
        assert_eq!(own_cells(&Table::read(&String::from_utf8(out).unwrap(), &[]).unwrap(), 0), [cell]);
    }
}

#[test]
fn json_values_of_the_caller_keep_every_digit() {
    let line =
        r#"{"reference":"safedebit:1","x_a":123456789012345678901234567890,"x_b":12.50,"x_c":null,"x_d":{"e": [1]}}"#;
    let table = Table::read(line, &[]).unwrap();
    let mut out = Vec::new();
    let record = table.record(0);
    file::row(&mut out, Format::Jsonl, &table.columns, &record, &table.rows[0].cells).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains(r#""x_a":123456789012345678901234567890,"x_b":12.50,"x_c":null,"x_d":{"e": [1]}}"#), "{out}");
}

#[test]
fn control_characters_from_a_vendor_are_not_written_to_the_file() {
    let mut known =
        StoredState::new(MandateStatus::Unrecognized, RawStatus::new("\u{1b}[31m\u{9b}2J\u{202e}"), Utc::now());
    known.account = Some(RawStatus::new("\u{7}"));
    let tracked = StatusQuery::from((MandateRef::safedebit("1"), known));
    for format in [Format::Csv, Format::Jsonl] {
        let out = String::from_utf8(written(format, &[(record(&tracked), &[String::new(), String::new()])])).unwrap();
        assert!(!out.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{out:?}");
    }
}
