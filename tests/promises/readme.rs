//! What the README says in tables is what the crate says.

const README: &str = include_str!("../../README.md");

#[test]
fn the_readmes_table_of_statuses_is_the_vocabulary() {
    let rows = mandat::vocabulary().into_iter().map(|row| {
        format!("| {} | `{}` | {} | {} | {} |", row.provider.name(), row.raw, row.status, row.next_step, row.evidence)
    });
    let (_, table) = README.split_once("| vendor | raw word | status |").unwrap();
    let written: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(written, Vec::from_iter(rows));
}
