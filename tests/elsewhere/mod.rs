//! Copies of the crate in separate folders, which a test may change and build.
#![allow(dead_code, reason = "some tests leave helpers unused")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// A folder with a copy of the crate, which a test may change. Each copy has its own target folder, because cargo
/// confuses two copies of one package.
pub struct Copy {
    folder: PathBuf,
    target: PathBuf,
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The profiles of this package. With other profiles cargo would build each dependency again.
pub fn profiles() -> &'static str {
    const MANIFEST: &str = include_str!("../../Cargo.toml");
    &MANIFEST[MANIFEST.find("[profile.dev.package]").unwrap()..]
}

/// The dependencies of the tests of this package, except this package. A package that also depends on them has the same
/// features of each dependency, so cargo takes the built ones.
pub fn dependencies() -> String {
    const MANIFEST: &str = include_str!("../../Cargo.toml");
    let (_, after) = MANIFEST.split_once("[dev-dependencies]\n").unwrap();
    let (own, _) = after.split_once("\n[").unwrap();
    own.lines().filter(|line| !line.starts_with("mandat ")).map(|line| format!("{line}\n")).collect()
}

impl Copy {
    /// Creates an empty folder.
    pub fn empty(name: &str) -> Self {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let (folder, target) = (base.join("copy"), base.join("target"));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        Self { folder, target }
    }

    /// Copies the sources of the crate into a folder. A package that depends on the crate can stand beside the copy in
    /// the same workspace. The folder stays between runs, and only changed files are written, so that cargo rebuilds
    /// little.
    pub fn of_the_crate(name: &str) -> Self {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let copy = Self { folder: base.join("copy"), target: base.join("target") };
        fs::create_dir_all(&copy.folder).unwrap();
        let root = Self { folder: ROOT.into(), target: PathBuf::new() };
        let parts = ["build", "specs", "src", "docs", "benches", "examples", "tests"];
        let mut wanted: BTreeSet<PathBuf> = parts.iter().flat_map(|part| root.files(part).into_keys()).collect();
        wanted.extend(["Cargo.toml", "README.md", "build.rs"].map(|file| root.folder.join(file)));
        let wanted: BTreeSet<_> = wanted.iter().map(|path| path.strip_prefix(ROOT).unwrap()).collect();
        for path in
            copy.files(".").into_keys().filter(|path| !wanted.contains(path.strip_prefix(&copy.folder).unwrap()))
        {
            fs::remove_file(path).unwrap();
        }
        for path in wanted {
            write_changed(&copy.folder.join(path), &fs::read(root.folder.join(path)).unwrap());
        }
        // Copy `Cargo.lock`, so that the copy uses the versions of this crate and cargo downloads nothing.
        fs::copy(root.folder.join("Cargo.lock"), base.join("Cargo.lock")).unwrap();
        copy.with_built_dependencies()
    }

    /// Unpacks the archive that `cargo package` makes of the crate. The files are new for cargo, so that cargo builds
    /// them again.
    pub fn packed(name: &str) -> Self {
        let copy = Self::empty(name);
        let here = Self { folder: ROOT.into(), target: copy.target.clone() };
        here.cargo(&["package", "--quiet", "--no-verify", "--allow-dirty"]);
        let file = concat!("mandat-", env!("CARGO_PKG_VERSION"));
        let archive = copy.target.join("package").join(format!("{file}.crate"));
        let unpacked = Command::new("tar").arg("xmzf").arg(archive).arg("-C").arg(&copy.folder).status().unwrap();
        assert!(unpacked.success());
        Self { folder: copy.folder.join(file), ..copy }
    }

    /// Copies the built dependencies of this test into the target folder, so that cargo builds few of them again.
    pub fn with_built_dependencies(self) -> Self {
        let (own, copy) = (Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("debug"), self.target.join("debug"));
        if copy.exists() {
            return self;
        }
        for folder in ["deps", "build", ".fingerprint"] {
            fs::create_dir_all(copy.join(folder)).unwrap();
            let entries = fs::read_dir(own.join(folder)).unwrap().map(|entry| entry.unwrap().path());
            let theirs = entries.filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                // The files of this package, and its test programs, which have no extension.
                !name.trim_start_matches("lib").starts_with("mandat") && (path.is_dir() || path.extension().is_some())
            });
            let copied = Command::new("cp").arg("-a").args(theirs).arg(copy.join(folder)).status().unwrap();
            assert!(copied.success(), "{folder}");
        }
        self
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub fn target(&self) -> &Path {
        &self.target
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    pub fn write(&self, path: &str, text: &str) {
        write_changed(&self.folder.join(path), text.as_bytes());
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.folder.join(path)).unwrap();
    }

    /// Replaces a text in a file. Panics unless the text occurs exactly once.
    pub fn change(&self, path: &str, from: &str, to: &str) {
        let before = self.read(path);
        assert_eq!(before.matches(from).count(), 1, "{path}: {from:?}");
        self.write(path, &before.replace(from, to));
    }

    /// Replaces the first occurrence of a text after the text `place` in a file.
    pub fn change_after(&self, path: &str, place: &str, from: &str, to: &str) {
        let before = self.read(path);
        let (head, tail) = before.split_once(place).unwrap_or_else(|| panic!("{path}: no {place:?}"));
        assert!(tail.contains(from), "{path}: no {from:?} after {place:?}");
        self.write(path, &format!("{head}{place}{}", tail.replacen(from, to, 1)));
    }

    /// Removes a path and all operations on that path from a spec.
    pub fn remove_path(&self, spec: &str, path: &str) {
        let before = self.read(spec);
        let (head, tail) = before.split_once(&format!("  {path}:\n")).unwrap();
        let (_, tail) = tail.split_once("\n  /").unwrap();
        self.write(spec, &format!("{head}  /{tail}"));
    }

    /// Removes a schema from a spec.
    pub fn remove_schema(&self, spec: &str, name: &str) {
        let before = self.read(spec);
        let (head, tail) = before.split_once(&format!("    {name}:\n")).unwrap();
        let rest = tail.lines().skip_while(|line| line.starts_with("     ") || line.is_empty());
        self.write(spec, &rest.fold(head.to_owned(), |text, line| text + line + "\n"));
    }

    /// Lists all files below a folder, each with the time of its last change.
    pub fn files(&self, folder: &str) -> BTreeMap<PathBuf, SystemTime> {
        let mut found = BTreeMap::new();
        let mut open = vec![if folder == "." { self.folder.clone() } else { self.folder.join(folder) }];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    open.push(entry.path());
                } else {
                    found.insert(entry.path(), entry.metadata().unwrap().modified().unwrap());
                }
            }
        }
        found
    }

    /// Runs the build script and lists the files that it wrote, each with the time of its last change.
    pub fn made_by_the_build_script(&self, features: &[&str]) -> BTreeMap<PathBuf, SystemTime> {
        let messages = self.cargo(&[&["check", "--lib", "--message-format", "json", "--quiet"], features].concat());
        let mut folders = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let ours = |message: &serde_json::Value| {
            let id = message["package_id"].as_str().unwrap_or_default();
            message["reason"] == "build-script-executed" && id.contains("mandat")
        };
        let message = folders.find(ours).unwrap();
        self.files(message["out_dir"].as_str().unwrap())
    }

    /// Runs cargo and returns its output. Panics if cargo fails.
    pub fn cargo(&self, arguments: &[&str]) -> String {
        let (success, said) = self.run(arguments);
        assert!(success, "the command cargo {arguments:?} failed in {}:\n{said}", self.folder.display());
        said
    }

    /// Runs cargo and returns its output. Panics if cargo succeeds.
    pub fn cargo_fails(&self, arguments: &[&str]) -> String {
        let (success, said) = self.run(arguments);
        assert!(!success, "cargo {arguments:?} succeeds:\n{said}");
        said
    }

    /// Returns the compiler errors in the crate and in the package that depends on it, without duplicates.
    pub fn errors(&self, arguments: &[&str]) -> Vec<CompilerError> {
        let (_, said) = self.run(&[&["check", "--keep-going", "--message-format", "json"], arguments].concat());
        let mut found: Vec<CompilerError> = Vec::new();
        for line in said.lines() {
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let message = &line["message"];
            let Some(span) = message["spans"].as_array().and_then(|all| all.iter().find(|s| s["is_primary"] == true))
            else {
                continue;
            };
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            // Shorten the paths in compiler errors, so that they start at the root of the workspace.
            let place = |text: String| text.replace("copy/", "");
            let error = CompilerError {
                code: text(&message["code"]["code"]),
                file: place(text(&span["file_name"])),
                shown: place(text(&message["rendered"])),
            };
            // Keep each error once, because cargo compiles the library twice: once alone and once for its tests.
            if message["level"] == "error" && !found.iter().any(|known| known.shown == error.shown) {
                found.push(error);
            }
        }
        assert!(!found.is_empty(), "the compiler should report an error, but printed:\n{said}");
        found.sort_by(|one, other| (&one.file, &one.code).cmp(&(&other.file, &other.code)));
        found
    }

    /// Runs the tests. Returns the names of the tests that failed, and the whole output.
    pub fn failing_tests(&self, arguments: &[&str]) -> (BTreeSet<String>, String) {
        let (_, said) = self.run(&[&["test", "--no-fail-fast"], arguments].concat());
        assert!(said.contains("test result"), "cargo should run tests, but printed:\n{said}");
        let failed = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
        (said.lines().filter_map(failed).collect(), said)
    }

    /// Runs the tests and accepts each changed snapshot.
    pub fn accept(&self, arguments: &[&str]) {
        let output =
            self.command(&[&["test", "--no-fail-fast"], arguments].concat()).env("INSTA_UPDATE", "always").output();
        assert!(output.unwrap().status.success());
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            // The tests need no debug information, and linking is faster without it.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("INSTA_UPDATE", "no")
            .env("RUST_BACKTRACE", "0")
            // The normal test run tries many random cases, so a few suffice in the copy.
            .env("PROPTEST_CASES", "8")
            .env_remove("RUSTFLAGS");
        command
    }
}

/// One error of the compiler.
#[derive(Debug)]
pub struct CompilerError {
    pub code: String,
    pub file: String,
    pub shown: String,
}

/// Writes the file only if its content differs. An unchanged modification time makes cargo skip the rebuild.
fn write_changed(path: &Path, bytes: &[u8]) {
    if fs::read(path).ok().as_deref() != Some(bytes) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
