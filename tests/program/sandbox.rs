//! Tests of the command `mandat sandbox`: the text that it prints at the start, its addresses, and its end.

use crate::support::{Running, get, mandat};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

#[test]
fn sandbox_command_prints_its_addresses_and_credentials() {
    let running = Running::start();
    let greeting = running.greeting.join("\n");
    for provider in mandat::Provider::ALL {
        let base = format!("http://{}/{}", running.address(), provider.as_str());
        assert!(greeting.contains(&base) && greeting.contains(provider.name()), "{greeting}");
    }
    for credential in ["et_test_abcabcabc12-", "sandbox-password", "YOUR_API_KEY_HERE", "seed 7"] {
        assert!(greeting.contains(credential), "{greeting}");
    }
    assert!(get(running.address(), "/_control").starts_with("HTTP/1.1 200"));
}

#[test]
fn sandbox_command_advises_another_address_if_the_address_is_in_use() {
    let running = Running::start();
    let second =
        Command::new(env!("CARGO_BIN_EXE_mandat")).args(["sandbox", "--listen", running.address()]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains("is in use") && said.contains("--listen 127.0.0.1:0"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn sandbox_on_all_interfaces_warns_and_accepts_its_host_names() {
    assert!(!Running::start().greeting.join("\n").contains("WARNING"));
    let running = Running::with(&["--listen", "0.0.0.0:0", "--host", "sandbox", "--host", "proxy.example.com:80"]);
    let greeting = running.greeting.join("\n");
    assert!(greeting.contains("WARNING: every machine that reaches this address"), "{greeting}");
    let port = running.address().split_once(':').unwrap().1;
    for url in [format!("http://127.0.0.1:{port}/seqino/api"), format!("http://sandbox:{port}/seqino/api")] {
        assert!(greeting.contains(&url), "{url} in {greeting}");
    }
    for (host, status) in [("sandbox", 200), ("proxy.example.com:1", 200), ("evil.example.com", 421)] {
        let mut stream = TcpStream::connect(running.address()).unwrap();
        write!(stream, "GET /_control HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    let (code, _, said) = mandat(&["sandbox", "--listen", "127.0.0.1:0", "--host", "http://sandbox"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--host") && said.contains("is not a host"), "{said}");
}

#[cfg(unix)]
#[test]
fn signal_stops_the_sandbox_command_despite_open_connections() {
    for signal in ["INT", "TERM"] {
        let mut running = Running::start();
        let silent = TcpStream::connect(running.address()).unwrap();
        assert!(get(running.address(), "/_control/clock").contains("now"));
        let since = Instant::now();
        let sent = Command::new("kill").args([format!("-{signal}"), running.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(running.child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(since.elapsed() < Duration::from_secs(5), "{signal}: {:?}", since.elapsed());
        drop(silent);
    }
}
