//! A terminal of 80 columns for the tests: runs the program on it, and shows what stays on its screen.

use regress::Regex;
use std::{
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

/// An event during a run of the program. It happens once the output of the program contains its text.
pub type Event<'a> = (&'a str, Act<'a>);

pub enum Act<'a> {
    /// A person types this.
    Type(&'a str),
    /// A person presses Ctrl-C.
    Interrupt,
    /// Something happens outside of the program.
    Do(&'a dyn Fn()),
}

/// The width of the terminal.
pub const WIDTH: usize = 80;

/// A run of the program on a terminal.
pub struct Shown {
    pub code: i32,
    /// All bytes that the program wrote, with their control sequences.
    pub raw: String,
    /// The lines that stay on the screen.
    pub screen: String,
}

/// Runs the program on a terminal of 80 columns, in this folder and with these variables. A person types `typed`.
pub fn on_terminal(arguments: &[&str], typed: &str, folder: &Path, variables: &[(&str, &str)]) -> Shown {
    // The terminal shows typed characters at once, so a person types after the question.
    let answer = [("Type yes to send: ", Act::Type(typed))];
    live(arguments, if typed.is_empty() { &[] } else { &answer }, folder, variables)
}

/// Runs the program as [`on_terminal`], with these events.
pub fn live(arguments: &[&str], events: &[Event], folder: &Path, variables: &[(&str, &str)]) -> Shown {
    let quoted: Vec<String> = arguments.iter().map(|argument| format!("'{argument}'")).collect();
    let command = format!("stty cols {WIDTH} rows 24; exec '{}' {}", env!("CARGO_BIN_EXE_mandat"), quoted.join(" "));
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take();
    let raw = follow(child.stdout.take().unwrap(), events, |act| {
        let mut typed = |keys: &str| stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
        match act {
            Some(Act::Type(keys)) => typed(keys),
            Some(Act::Interrupt) => typed("\u{3}"),
            Some(Act::Do(happens)) => happens(),
            // Nobody types any more.
            None => stdin = None,
        }
    });
    let screen = screen(&raw);
    Shown { code: child.wait().unwrap().code().unwrap(), raw, screen }
}

/// Reads the output of the program until its end. Calls `act` for each event, and with `None` after the last one.
pub fn follow(mut out: impl Read, events: &[Event], mut act: impl FnMut(Option<&Act>)) -> String {
    let (mut raw, mut seen, mut bytes) = (Vec::new(), 0, [0; 4096]);
    let mut events = events.iter().map(Some).chain([None]).peekable();
    loop {
        while let Some(event) = events.peek() {
            let text = String::from_utf8_lossy(&raw);
            match event.map(|(awaited, act)| (text[seen..].find(awaited).map(|at| seen + at + awaited.len()), act)) {
                None => act(None),
                Some((None, _)) => break,
                Some((Some(end), happens)) => {
                    seen = end;
                    act(Some(happens));
                }
            }
            events.next();
        }
        match out.read(&mut bytes).unwrap() {
            0 => break,
            count => raw.extend(&bytes[..count]),
        }
    }
    String::from_utf8(raw).unwrap()
}

/// Returns the text that a terminal shows after it has received these bytes.
fn screen(raw: &str) -> String {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0, 0);
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{8}' | '\u{4}' => {}
            '\u{1b}' if rest.next_if_eq(&'[').is_some() => {
                let mut number = String::new();
                while let Some(digit) = rest.next_if(|c| !c.is_ascii_alphabetic()) {
                    number.push(digit);
                }
                let number: usize = number.parse().unwrap_or(0);
                let line: &mut Vec<char> = &mut lines[row];
                match rest.next().unwrap() {
                    'K' if number == 2 => line.clear(),
                    'K' => line.truncate(column),
                    'A' => row -= number.max(1),
                    'B' => row += number.max(1),
                    _ => {}
                }
            }
            c => {
                let line: &mut Vec<char> = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    let lines: Vec<String> = lines.into_iter().map(|line| line.into_iter().collect::<String>()).collect();
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect::<String>().trim_end().to_owned() + "\n"
}

/// Replaces the parts of a text that differ in each run: instants, days of a debit, and ports.
pub fn steady(text: &str) -> String {
    let patterns = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "2026-01-01T00:00:00Z"),
        (r"(due +|until |\t|,)\d{4}-\d\d-\d\d\b", "$12026-01-01"),
        (r"(127\.0\.0\.1:|//sandbox:)\d{5}", "$150000"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, new)| {
        let mut out = String::new();
        let mut end = 0;
        for found in Regex::new(pattern).unwrap().find_iter(&text) {
            out += &text[end..found.start()];
            let first = found.group(1).map_or("", |group| &text[group]);
            out += &new.replace("$1", if new.contains("$1") { first } else { "" });
            end = found.end();
        }
        out + &text[end..]
    })
}
