//! The tutorial of the book works word for word: the test writes its files, and runs its commands.

mod elsewhere;

use elsewhere::Copy;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Instant,
};

const TUTORIAL: &str = include_str!("../docs/tutorial.md");
/// The address that the tutorial names. The test uses a free port.
const ADDRESS: &str = "127.0.0.1:4010";

/// A block of the tutorial: its language, the last line of text before it, and its lines.
struct Block {
    language: &'static str,
    before: &'static str,
    text: String,
}

fn blocks() -> Vec<Block> {
    let (mut found, mut before, mut lines) = (Vec::new(), "", TUTORIAL.lines());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            found.push(Block { language, before, text });
            before = "";
        } else if !line.is_empty() {
            before = line;
        }
    }
    found
}

/// The path in a line such as "Write `src/lib.rs`:".
fn path(before: &str) -> Option<&str> {
    let (_, rest) = before.split_once("rite `").or_else(|| before.split_once("and `"))?;
    rest.split('`').next()
}

struct Sandbox {
    program: Child,
    address: String,
}

impl Sandbox {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mandat"));
        let mut program = command.args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let greeting = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
        let control = greeting.filter_map(|line| Some(line.strip_prefix("control")?.trim().to_owned())).next().unwrap();
        let address = control.trim_start_matches("http://").trim_end_matches("/_control").to_owned();
        Self { program, address }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.program.kill().and_then(|()| self.program.wait().map(drop));
    }
}

/// A shell that keeps its folder and the credentials from one block to the next.
struct Shell {
    folder: PathBuf,
    target: PathBuf,
}

impl Shell {
    fn run(&self, commands: &str) -> String {
        let state = self.folder.join("state");
        let state = state.display();
        let keep = "for name in ${!SAFEDEBIT_@}; do declare -p $name; done; printf 'cd %q\\n' \"$PWD\"";
        let script = format!("[ ! -e {state} ] || . {state}\n{commands}\n{{ {keep}; }} >{state}");
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{commands}\n{said}{complained}");
        said.into_owned()
    }
}

#[test]
#[ignore = "builds another package; .ci/run runs it"]
fn tutorial_works_word_for_word() {
    let packed = Copy::packed("tutorial");
    let folder = packed.path().parent().unwrap();
    symlink(packed.path(), folder.join("mandat")).unwrap();
    // Without this lock cargo would ask the network for newer versions, and without these profiles it would build each
    // dependency again.
    let lock = packed.read("Cargo.lock");
    fs::create_dir(folder.join(".cargo")).unwrap();
    fs::write(folder.join(".cargo/config.toml"), elsewhere::profiles()).unwrap();
    let shell = Shell { folder: folder.into(), target: packed.target().into() };
    let project = folder.join("nightly");
    let mut sandbox = None;
    let (mut said, mut runs, mut files) = (None, 0, 0);
    for Block { language, before, text } in blocks() {
        let address = sandbox.as_ref().map_or(ADDRESS, |sandbox: &Sandbox| &sandbox.address).to_owned();
        let text = text.replace(ADDRESS, &address);
        let begun = Instant::now();
        match (language, path(before)) {
            // The program of this build stands for the installed one.
            ("sh", None) if text.starts_with("cargo install ") => {}
            ("sh", None) if text == "mandat sandbox\n" => sandbox = Some(Sandbox::start()),
            ("sh", None) => {
                runs += 1;
                said = Some(shell.run(&text));
                if project.exists() && !project.join("Cargo.lock").exists() {
                    fs::write(project.join("Cargo.lock"), &lock).unwrap();
                }
            }
            ("text", None) => {
                // The end of a line after `…` is not compared.
                let said = said.take().expect("output follows a command");
                let wanted: Vec<&str> = text.trim_end().split('…').collect();
                assert!(said.starts_with(wanted[0]), "said:\n{said}\nthe tutorial has:\n{text}");
                assert!(wanted.len() > 1 || said.trim_end() == wanted[0], "said:\n{said}\nthe tutorial has:\n{text}");
            }
            ("console", None) => {}
            ("toml" | "rust,ignore" | "ini" | "sh", Some(path)) => {
                files += 1;
                let path = project.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &text).unwrap();
            }
            (language, _) => panic!("a block of `{language}` after {before:?}"),
        }
        // `--nocapture` shows how long a reader waits.
        println!("{:>6.1} s  {}", begun.elapsed().as_secs_f32(), text.lines().next().unwrap_or_default());
    }
    assert!(runs >= 7 && files == 9, "{runs} runs, {files} files");
    let units = ["nightly.service", "nightly.timer"].map(|unit| fs::read_to_string(project.join(unit)).unwrap());
    assert!(units.iter().all(|unit| unit.starts_with("[Unit]\n")));
}
