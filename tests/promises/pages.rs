//! The pages of the sandbox work in a real browser: those for a debtor, and the page at `/`. The test runs only if a
//! browser is installed.

use mandat::sandbox::Sandbox;
use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the path of the first of these programs that is on the `PATH`.
fn program(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()))
}

#[tokio::test(flavor = "multi_thread")]
async fn debtor_can_sign_and_cancel_a_mandate_in_a_browser() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = here.join("target/tools/node_modules");
    let chromium = program(&["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]);
    let library = tools.join("playwright-core").is_dir() && tools.join("axe-core").is_dir();
    let (Some(node), Some(chromium), true) = (program(&["node"]), chromium, library) else {
        assert!(env::var_os("MANDAT_BROWSER").is_none(), "node, Chromium, playwright-core or axe-core is missing");
        // Cargo hides the output of `eprintln` for a passing test, so write to stderr directly.
        let said = writeln!(std::io::stderr(), "skipped: the pages in a browser; .ci/browser installs one and runs it");
        return drop(said);
    };
    let sandbox = Sandbox::start().await.unwrap();
    let mut script = Command::new(node);
    script.arg(here.join("tests/promises/pages.mjs"));
    script.env("SANDBOX", sandbox.address().to_string()).env("CHROMIUM", chromium).env("TOOLS", tools);
    let output = tokio::task::spawn_blocking(move || script.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
