//! Turns `specs/<provider>.yaml` into a typed client, one per enabled provider. The work is in `build/`; this is its I/O.

#[path = "build/mod.rs"]
mod generator;

use generator::{PROVIDERS, Provider};
use std::{env, fs, io, panic, path::Path, process::ExitCode, thread};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let Some(out) = env::var_os("OUT_DIR") else {
        println!("cargo::error=build.rs: OUT_DIR is not set. Mend: run it through cargo");
        return ExitCode::FAILURE;
    };
    // The generator's panics become problems with a place; where in its code they were helps nobody.
    panic::set_hook(Box::new(|_| {}));
    let out = Path::new(&out);
    let problems: Vec<String> = thread::scope(|all| {
        let enabled = PROVIDERS.iter().filter(|provider| enabled(provider.name));
        let made: Vec<_> = enabled.map(|provider| all.spawn(move || make(provider, out))).collect();
        made.into_iter().flat_map(|made| made.join().unwrap_or_else(|_| vec!["build/: it panicked".into()])).collect()
    });
    for problem in &problems {
        println!("cargo::error={problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is wrong with a provider's spec.
fn make(provider: &Provider, out: &Path) -> Vec<String> {
    let spec = format!("specs/{}.yaml", provider.name);
    println!("cargo::rerun-if-changed={spec}");
    let problems = generate(provider, &spec, out).err().unwrap_or_default();
    problems.into_iter().map(|problem| format!("{spec}: {problem}")).collect()
}

fn enabled(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
}

fn generate(provider: &Provider, spec: &str, out: &Path) -> Result<(), Vec<String>> {
    let io = |path: &Path, e: io::Error| vec![format!("{}: {e}. Mend: make it readable and writable", path.display())];
    let text = fs::read_to_string(spec).map_err(|e| io(Path::new(spec), e))?;
    let made = generator::generate(provider, &text, enabled("unverified"))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    for (ending, text) in made.files() {
        let path = out.join(format!("{}.{ending}", provider.name));
        // A file that did not change is left alone, so that nothing after it is built again.
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            fs::write(&path, text).map_err(|e| io(&path, e))?;
        }
    }
    Ok(())
}
