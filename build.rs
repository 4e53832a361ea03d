//! Generates a typed client from `specs/<provider>.yaml` for each enabled provider. The modules in `build/` generate
//! the code. This file reads the specs and writes the generated files.

#[path = "build/mod.rs"]
mod generator;

use generator::Provider;
use std::{env, fs, io, panic, path::Path, process::ExitCode, thread};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let Some(out) = env::var_os("OUT_DIR") else {
        println!("cargo::error=build.rs: OUT_DIR is not set. Fix: run the build script through cargo");
        return ExitCode::FAILURE;
    };
    // Print no panic message: `panicked` reports a panic of the generator as a problem of the build.
    panic::set_hook(Box::new(|_| {}));
    let out = Path::new(&out);
    let problems: Vec<String> = thread::scope(|all| {
        let made: Vec<_> = vendors().into_iter().map(|name| all.spawn(move || generate(&name, out).err())).collect();
        let panicked = || vec!["build/: the build script panicked. Fix: report the panic with the spec".to_owned()];
        made.into_iter().flat_map(|made| made.join().unwrap_or_else(|_| Some(panicked())).unwrap_or_default()).collect()
    });
    for problem in &problems {
        println!("cargo::error={problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the vendors whose feature is on. The spec of a vendor has the same name as its feature.
fn vendors() -> Vec<String> {
    let specs = fs::read_dir("specs").into_iter().flatten().flatten().map(|spec| spec.path());
    let specs = specs.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    specs.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).filter(|name| enabled(name)).collect()
}

fn enabled(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
}

fn generate(name: &str, out: &Path) -> Result<(), Vec<String>> {
    let spec = format!("specs/{name}.yaml");
    println!("cargo::rerun-if-changed={spec}");
    let io =
        |path: &Path, e: io::Error| vec![format!("{}: {e}. Fix: make this path readable and writable", path.display())];
    let text = fs::read_to_string(&spec).map_err(|e| io(Path::new(&spec), e))?;
    let made = generator::generate(&Provider::named(name), &text, enabled("unverified"))
        .map_err(|problems| problems.iter().map(|problem| problem.within(&spec)).collect::<Vec<_>>())?;
    for (ending, text) in made.files() {
        let path = out.join(format!("{name}.{ending}"));
        // Do not write an unchanged file, because cargo would then build the crate again.
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            fs::write(&path, text).map_err(|e| io(&path, e))?;
        }
    }
    Ok(())
}
