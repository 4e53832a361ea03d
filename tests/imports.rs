//! Each folder of `src/` imports only from the folders that the import table in CONTRIBUTING.md allows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Reads the table "Which folder may import which" in CONTRIBUTING.md. For each folder, the result lists the folders
/// that it may import.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../CONTRIBUTING.md");
    let (_, section) =
        text.split_once("## Which folder may import which").expect("CONTRIBUTING.md should have the section");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.split('|').skip(1).map(|cell| names(cell).map(str::to_owned).collect::<Vec<_>>());
        let (folder, imports) = (cells.next().unwrap(), cells.next().unwrap());
        (folder[0].clone(), imports.into_iter().collect())
    });
    rows.collect()
}

/// Returns the names in backticks in a table cell.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('/'))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the code of a Rust file without its comments and without its unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the first name of each path after `crate::` in a text. For `crate::{a::B, c}` the names are `a` and `c`.
fn imported(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && !c.is_whitespace() => {
                    found.insert(name(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Maps each public name at the root of the crate to the folder that declares the name.
fn declared_in() -> BTreeMap<String, String> {
    let root = code(include_str!("../src/lib.rs"));
    let mut found = BTreeMap::new();
    for declaration in root.split("pub use ").skip(1) {
        let declaration = declaration.split(';').next().unwrap();
        let Some((folder, names)) = declaration.split_once("::") else { continue };
        for one in names.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|one| !one.is_empty()) {
            found.insert(one.to_owned(), folder.to_owned());
        }
    }
    found
}

#[test]
fn each_folder_imports_only_folders_that_the_table_allows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (allowed, declared) = (allowed(), declared_in());
    let mut files = Vec::new();
    sources(&src, &mut files);
    let (mut seen, mut faults) = (BTreeSet::new(), Vec::new());
    for file in files {
        let place = file.strip_prefix(&src).unwrap();
        let first = place.components().next().unwrap().as_os_str().to_str().unwrap();
        let folder = first.trim_end_matches(".rs");
        // Skip `lib.rs`, which names all folders, the program, which is a user of the library, and the files that only
        // contain tests.
        let tests = ["sandbox/contract.rs", "transport/tests.rs", "transport/path/tests.rs"];
        if ["lib", "book", "bin"].contains(&folder) || tests.iter().any(|file| place.ends_with(file)) {
            continue;
        }
        let Some(own) = allowed.get(folder) else {
            faults.push(format!("`{folder}` has no row in the table"));
            continue;
        };
        seen.insert(folder.to_owned());
        for import in imported(&code(&fs::read_to_string(&file).unwrap())) {
            // A macro of this crate imports `crate::Name` from the root. Resolve the name to the folder that declares
            // it.
            let import = declared.get(&import).cloned().unwrap_or(import);
            if import != folder && !own.contains(&import) {
                faults.push(format!("{} imports `{import}`", place.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}\nSee \"Which folder may import which\" in CONTRIBUTING.md.");
    assert!(allowed.keys().eq(seen.iter()), "the table and the folders of src/ should match");
}

#[test]
fn table_of_imports_has_no_cycle() {
    let allowed = allowed();
    let mut free: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = free.len();
        let next = allowed.iter().filter(|(_, imports)| imports.iter().all(|import| free.contains(import.as_str())));
        free.extend(next.map(|(folder, _)| folder.as_str()).collect::<Vec<_>>());
        if free.len() == before {
            break;
        }
    }
    let stuck: Vec<_> = allowed.keys().filter(|folder| !free.contains(folder.as_str())).collect();
    assert!(stuck.is_empty(), "these folders import each other in a cycle: {stuck:?}");
}

#[test]
fn import_statements_are_found_in_every_notation() {
    let found = imported("use crate::a::B;\nuse crate::{\n    c::{D, E},\n    f,\n};\nlet x = crate::g();\n");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "c", "f", "g"]);
}
