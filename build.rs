//! Generates a typed client for each enabled provider, from `specs/<provider>.yaml` or from the user's own spec in the
//! folder `MANDAT_SPECS`. The modules in `build/` generate the code. This file reads the specs and writes the generated
//! files.

#[path = "build/mod.rs"]
mod generator;

use generator::{
    Provider,
    patch::{self, Ours, Theirs},
};
use std::{
    collections::BTreeMap,
    env, fs, io, panic,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

const FOLDER: &str = "MANDAT_SPECS";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed={FOLDER}");
    let Some(out) = env::var_os("OUT_DIR") else {
        println!("cargo::error=build.rs: OUT_DIR is not set. Fix: run the build script through cargo");
        return ExitCode::FAILURE;
    };
    // Print no panic message: `panicked` reports a panic of the generator as a problem of the build.
    panic::set_hook(Box::new(|_| {}));
    let out = Path::new(&out);
    let enabled: Vec<String> = vendors().into_iter().filter(|name| enabled(name)).collect();
    let parts: String = enabled.iter().map(|name| format!("{name}::PARTS, ")).collect();
    let listed = write(&out.join("vendors.rs"), &format!("&[{parts}]"));
    let problems: Vec<String> = match listed.and_then(|()| theirs(&vendors())) {
        Err(problems) => problems,
        Ok(theirs) => thread::scope(|all| {
            let made = enabled.iter().map(|name| {
                let theirs = theirs.get(name);
                all.spawn(move || generate(name, theirs, out).err())
            });
            let made: Vec<_> = made.collect();
            let panicked = || vec!["build/: the build script panicked. Fix: report the panic with the spec".to_owned()];
            made.into_iter()
                .flat_map(|made| made.join().unwrap_or_else(|_| Some(panicked())).unwrap_or_default())
                .collect()
        }),
    };
    for problem in &problems {
        println!("cargo::error={problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns all vendors. The spec of a vendor has the same name as its feature.
fn vendors() -> Vec<String> {
    let specs = fs::read_dir("specs").into_iter().flatten().flatten().map(|spec| spec.path());
    let specs = specs.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let mut vendors: Vec<String> = specs.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    vendors.sort();
    vendors
}

fn enabled(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
}

/// The user's files by vendor.
fn theirs(vendors: &[String]) -> Result<BTreeMap<String, PathBuf>, Vec<String>> {
    let Some(folder) = env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from) else {
        return Ok(BTreeMap::new());
    };
    let shown = folder.display();
    if folder.is_relative() {
        return Err(vec![format!(
            "{FOLDER}: `{shown}` is a relative path. Fix: in `.cargo/config.toml` write \
             `{FOLDER} = {{ value = \"{shown}\", relative = true }}` under `[env]`"
        )]);
    }
    // Cargo looks at each file in the folder.
    println!("cargo::rerun-if-changed={shown}");
    let entries = fs::read_dir(&folder).map_err(|e| {
        vec![format!(
            "{FOLDER}: {shown}: {e}. Fix: create the folder, or remove the variable; its path starts beside `.cargo`"
        )]
    })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let vendor = name.strip_suffix(".patch.yaml").or_else(|| name.strip_suffix(".yaml"));
        match vendor.filter(|vendor| vendors.iter().any(|known| known == vendor)) {
            // Ignore a file of an editor or of the operating system.
            _ if name.starts_with('.') || name.ends_with('~') => {}
            None => problems.push(format!(
                "{}: it belongs to no vendor. Fix: name it `<vendor>.patch.yaml` or `<vendor>.yaml`, with one of {}",
                file.display(),
                vendors.join(", ")
            )),
            Some(vendor) => {
                if let Some(other) = found.insert(vendor.to_owned(), file.clone()) {
                    let other = other.display();
                    problems.push(format!("{}: there is also {other}. Fix: keep one of the two", file.display()));
                }
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn read(path: &Path) -> Result<String, Vec<String>> {
    fs::read_to_string(path).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, e: &io::Error) -> Vec<String> {
    vec![format!("{}: {e}. Fix: make it readable and writable", path.display())]
}

/// The hand-written code of a vendor. Its sandbox finds operations by their names at run time.
fn code(vendor: &str) -> Result<String, Vec<String>> {
    let folder = format!("src/vendors/{vendor}");
    let entries = fs::read_dir(&folder).map_err(|e| unreadable(Path::new(&folder), &e))?;
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| !path.ends_with("sandbox.rs")).map(|path| read(&path)).collect()
}

fn generate(name: &str, theirs: Option<&PathBuf>, out: &Path) -> Result<(), Vec<String>> {
    let spec = format!("specs/{name}.yaml");
    println!("cargo::rerun-if-changed={spec}");
    let text = read(Path::new(&spec))?;
    let (provider, unverified) = (Provider::named(name), enabled("unverified"));
    let made = match theirs {
        None => generator::generate(&provider, &text, unverified)
            .map_err(|problems| problems.iter().map(|problem| problem.within(&spec)).collect::<Vec<_>>())?,
        Some(path) => {
            let (file, own) = (path.display().to_string(), read(path)?);
            let code = code(name)?;
            let ours = Ours::read(&spec, &text, &code)?;
            let theirs = Theirs { file: &file, text: &own, patch: file.ends_with(".patch.yaml") };
            patch::generate(&provider, &ours, &theirs, unverified)?
        }
    };
    for (ending, text) in made.files() {
        write(&out.join(format!("{name}.{ending}")), text)?;
    }
    Ok(())
}

/// Does not write an unchanged file, because cargo would then build the crate again.
fn write(path: &Path, text: &str) -> Result<(), Vec<String>> {
    if fs::read(path).ok().as_deref() == Some(text.as_bytes()) {
        return Ok(());
    }
    fs::write(path, text).map_err(|e| unreadable(path, &e))
}
