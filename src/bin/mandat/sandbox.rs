//! The command `mandat sandbox` simulates the vendors for programs in any language.

use super::{
    End, Failure,
    connect::sandbox_host,
    file,
    forms::{SandboxForm, SimulatedForm},
    stop::{end_line, stopped},
};
use mandat::{
    Provider,
    sandbox::{Options, Sandbox},
};
use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Write as _},
    net::SocketAddr,
    time::Duration,
};

/// Simulate the vendors on this machine until you stop it.
///
/// The command prints the address and the credentials of each simulated vendor. There is no real account, no real money
/// and no network access. `GET /_control` lists the control requests for tests: sign, revoke, cause errors, script,
/// inspect.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat sandbox
  mandat sandbox --listen 127.0.0.1:0 --seed 7
  mandat status --sandbox=127.0.0.1:4010 safedebit:XXXXXXXXXXXXX")]
pub struct Arguments {
    /// Address to listen on. Port 0 picks a free port. If the address is not loopback, every machine that reaches it
    /// can read and change all data in the sandbox.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010", value_parser = listen)]
    listen: SocketAddr,
    /// Another host name of the sandbox, such as `sandbox` or `localhost:8080`. Repeat the option for more names. Links
    /// contain the first name.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Seed of the random numbers. The same seed gives the same ids and the same random faults.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = seed)]
    seed: u64,
    /// Print the addresses and the credentials as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:4010")
}

fn seed(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "write a whole number from 0")
}

/// The maximum wait for unfinished responses after a signal to stop.
const GRACE: Duration = Duration::from_secs(3);

pub async fn run(Arguments { listen, hosts, seed, json }: Arguments) -> Result<End, Failure> {
    let mut stopped = Box::pin(stopped()?);
    let options = Options::default().with_listen(listen).with_seed(seed).with_hosts(hosts);
    let sandbox = Sandbox::start_with(options.clone()).await.map_err(|e| refused(listen, &e))?;
    say(&if json { file::json_line(&form(&sandbox, &options))? } else { greeting(&sandbox, &options) });
    (&mut stopped).await;
    end_line();
    if !json {
        say("Stopping.\n");
    }
    // An idle connection must not delay the end of the sandbox.
    let _ = tokio::time::timeout(GRACE, sandbox.stop()).await;
    Ok(End::Complete)
}

fn refused(listen: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{listen} is in use, perhaps by another sandbox. Use `--listen {}:0` for a free port.",
            match listen {
                SocketAddr::V4(v4) => v4.ip().to_string(),
                SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
            }
        ),
        ErrorKind::AddrNotAvailable => {
            format!("{listen} is not an address of this machine. Use 127.0.0.1, for example.")
        }
        ErrorKind::InvalidInput => format!("--host: {error}"),
        ErrorKind::PermissionDenied => format!("this user may not listen on {listen}. Use a port of 1024 or above."),
        _ => format!("cannot listen on {listen}: {error}"),
    }
}

fn form(sandbox: &Sandbox, options: &Options) -> SandboxForm {
    let vendor = |provider: &Provider| SimulatedForm {
        vendor: provider.as_str().into(),
        url: sandbox.base_url(*provider),
        public_url: sandbox.public_url(*provider),
        credentials: sandbox.credentials(*provider).iter().copied().collect(),
    };
    SandboxForm {
        address: sandbox.address().to_string(),
        seed: options.seed,
        control: sandbox.control_url(),
        vendors: Provider::ALL.iter().map(vendor).collect(),
    }
}

fn greeting(sandbox: &Sandbox, Options { seed, hosts, .. }: &Options) -> String {
    let (address, control) = (sandbox.address(), sandbox.control_url());
    let host = sandbox_host(&control).unwrap_or_default();
    let mut text = format!("Sandbox on http://{address}, seed {seed}. Press Ctrl-C to stop it.\n");
    text += &format!("In another terminal:\n    mandat status --sandbox={host} safedebit:{}\n\n", Sandbox::CONSUMER);
    if !address.ip().is_loopback() {
        text += "WARNING: every machine that reaches this address can read and change all data in the sandbox.\n\
                 Listen on 127.0.0.1, unless the sandbox has a container of its own.\n\n";
    }
    // Ignore the result of `writeln!`, because writing to a string does not fail.
    for provider in Provider::ALL.iter().copied() {
        let credentials = sandbox.credentials(provider);
        if credentials.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{provider:<12} {}", sandbox.base_url(provider));
        if !hosts.is_empty() {
            let _ = writeln!(text, "{:<12} {}", "", sandbox.public_url(provider));
        }
        for (name, value) in credentials {
            let _ = writeln!(text, "    {name:<8} {value}");
        }
    }
    let _ = writeln!(text, "{:<12} {}", "page", sandbox.page_url());
    let _ = writeln!(text, "{:<12} {}", "control", sandbox.control_url());
    text
}

/// Writes a text to standard output. If the stream is closed, the sandbox continues.
fn say(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
