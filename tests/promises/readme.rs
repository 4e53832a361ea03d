//! The tables and diagrams of the README and the book match the crate.

use mandat::{Change, DebitStatus, MandateStatus, Phase, Provider, Settings};

const README: &str = include_str!("../../README.md");
const STATUSES: &str = include_str!("../../docs/statuses.md");
const DEBITS: &str = include_str!("../../docs/debits.md");
const OPERATIONS: &str = include_str!("../../docs/operations.md");
const VENDORS: [(Provider, &str); 3] = [
    (Provider::Easytransac, include_str!("../../docs/easytransac.md")),
    (Provider::SafeDebit, include_str!("../../docs/safedebit.md")),
    (Provider::Seqino, include_str!("../../docs/seqino.md")),
];

/// Returns the rows of the table whose head has this text.
pub fn rows<'a>(page: &'a str, head: &str) -> Vec<&'a str> {
    let (_, table) = page.split_once(head).unwrap();
    table.lines().skip(2).take_while(|line| line.starts_with('|')).collect()
}

fn of_phase(phase: Phase) -> impl Iterator<Item = MandateStatus> {
    MandateStatus::ALL.iter().copied().filter(move |status| status.phase() == phase)
}

fn listed(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[test]
fn status_table_in_the_readme_matches_the_vocabulary() {
    let wanted = mandat::vocabulary().into_iter().map(|row| {
        format!("| {} | `{}` | {} | {} | {} |", row.provider.name(), row.raw, row.status, row.next_step, row.evidence)
    });
    assert_eq!(rows(README, "| vendor | raw word | status |"), Vec::from_iter(wanted));
}

#[test]
fn page_of_each_vendor_lists_every_status_word() {
    assert_eq!(VENDORS.map(|(provider, _)| provider).as_slice(), Provider::ALL);
    let words = mandat::vocabulary();
    let words: Vec<_> = words.iter().map(|row| (row.provider, &row.raw, row.status.as_str(), row.evidence)).collect();
    let debits = mandat::debit_vocabulary();
    let debits: Vec<_> = debits.iter().map(|row| (row.provider, &row.raw, row.status.as_str(), row.evidence)).collect();
    for (head, table) in
        [("| word | status | known | why |", words), ("| word of a debit | status | known | why |", debits)]
    {
        for (provider, page) in VENDORS {
            let rows_of = table.iter().filter(|(of, ..)| *of == provider);
            let wanted: Vec<_> =
                rows_of.map(|(_, raw, status, evidence)| format!("| `{raw}` | {status} | {evidence} | ")).collect();
            let written = if wanted.is_empty() { Vec::new() } else { rows(page, head) };
            assert_eq!(written.len(), wanted.len(), "{provider}: {wanted:#?}");
            for (written, wanted) in written.iter().zip(wanted) {
                // The last cell contains the reason for the meaning of the word. The test does not compare this cell.
                assert!(written.starts_with(&wanted) && written.len() > wanted.len() + 3, "{provider}: {wanted}");
            }
        }
    }
}

#[test]
fn book_table_lists_every_status_of_a_debit() {
    let written = rows(DEBITS, "| status | meaning | what to do |");
    let names: Vec<_> = written.iter().map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(names, DebitStatus::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>());
}

#[test]
fn table_in_the_book_lists_every_status_with_its_phase_and_next_step() {
    let written = rows(STATUSES, "| status | phase | meaning |");
    assert_eq!(written.len(), MandateStatus::ALL.len());
    for (written, status) in written.iter().zip(MandateStatus::ALL) {
        let (first, last) = (
            format!("| `{status}` | {} | ", status.phase()),
            format!(" | {} | {} |", status.next_step(), status.iso20022().unwrap_or("-")),
        );
        assert!(written.starts_with(&first) && written.ends_with(&last), "{first}...{last}");
    }
}

#[test]
fn diagram_in_the_book_matches_the_status_changes() {
    const PHASES: [Phase; 4] = [Phase::Setup, Phase::InForce, Phase::OnHold, Phase::Ended];
    let mut diagram = String::new();
    for phase in PHASES {
        let statuses = listed(of_phase(phase).map(|status| status.to_string()));
        diagram += &format!("{:<8} {statuses}\n", phase.to_string());
        for (arrow, class) in [("-->", Change::Forward), ("==>", Change::Reinstated)] {
            let usual = |to: &Phase| of_phase(phase).any(|a| of_phase(*to).any(|b| a.change_to(b) == Some(class)));
            let next = listed(PHASES.into_iter().filter(|to| *to != phase && usual(to)).map(|to| to.to_string()));
            if !next.is_empty() {
                diagram += &format!("         {arrow} {next}\n");
            }
        }
    }
    assert!(STATUSES.contains(&format!("```text\n{diagram}```")), "docs/statuses.md should hold:\n\n{diagram}");

    let mut matrix = String::from("                       ");
    (1..=MandateStatus::ALL.len()).for_each(|column| matrix += &format!("{column:>3}"));
    for (i, from) in MandateStatus::ALL.iter().enumerate() {
        matrix += &format!("\n{:>2} {from:<20}", i + 1);
        for to in MandateStatus::ALL {
            matrix += match from.change_to(*to) {
                None => "  .",
                Some(Change::Forward) => "  >",
                Some(Change::Reinstated) => "  ^",
                Some(Change::Regressed) => "  <",
                Some(Change::Anomalous) => "  !",
                Some(other) => panic!("the change class {other} has no symbol in this test"),
            };
        }
    }
    assert!(STATUSES.contains(&format!("```text\n{matrix}\n```")), "docs/statuses.md should hold:\n\n{matrix}");
}

#[test]
fn table_in_the_book_lists_every_setting_with_its_default() {
    let Settings {
        connect_timeout,
        attempt_timeout,
        overall_timeout,
        idle_timeout,
        max_answer,
        max_document,
        attempts,
        backoff,
        max_retry_after,
        concurrency,
        rate_per_second,
        strict_rate,
        ..
    } = Settings::default();
    let wanted = [
        ("connect_timeout", format!("{connect_timeout:?}")),
        ("attempt_timeout", format!("{attempt_timeout:?}")),
        ("overall_timeout", format!("{overall_timeout:?}")),
        ("idle_timeout", format!("{idle_timeout:?}")),
        ("max_answer", format!("{} MiB", max_answer >> 20)),
        ("max_document", format!("{} MiB", max_document >> 20)),
        ("attempts", attempts.to_string()),
        ("backoff", format!("{backoff:?}")),
        ("max_retry_after", format!("{max_retry_after:?}")),
        ("concurrency", concurrency.to_string()),
        ("rate_per_second", rate_per_second.map_or("none".into(), |rate| rate.to_string())),
        ("strict_rate", strict_rate.to_string()),
    ];
    let written = rows(OPERATIONS, "| setting | default |");
    assert_eq!(written.len(), wanted.len());
    for (written, (name, default)) in written.iter().zip(wanted) {
        assert!(written.starts_with(&format!("| `{name}` | {default} | ")), "{name} {default}: {written}");
    }
}

/// The programs of a guide without their comments.
fn programs(page: &str) -> Vec<String> {
    let code = |program: &str| {
        let lines = program.lines().map(|line| line.split(" // ").next().unwrap());
        lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    page.split("```rust\n").skip(1).map(|rest| code(rest.split("```").next().unwrap())).collect()
}

#[test]
fn french_guide_has_the_programs_and_sections_of_the_english_one() {
    let [english, french] = [include_str!("../../docs/collect.md"), include_str!("../../docs/collect.fr.md")];
    assert_eq!(programs(french), programs(english));
    assert_eq!(programs(english).len(), 6);
    let outline = |page: &str| {
        let lines = page.lines().map(|line| (line.starts_with("## "), line.matches('|').count()));
        lines.filter(|(heading, cells)| *heading || *cells > 0).collect::<Vec<_>>()
    };
    assert_eq!(outline(french), outline(english));
}
