//! Measures the cost of reading many mandates: a hundred thousand mandates at the three vendors, each read once. Run
//! the measurement with `cargo bench --bench fleet`.
//!
//! The simulated vendors and each client run in separate processes, so that a measurement of one process excludes the
//! others. The program starts itself once for each process, and passes the part to run as an argument.

mod measure;

use futures_util::{StreamExt, stream};
use mandat::{MandateRef, Mandates, Provider, Settings, easytransac, safedebit, sandbox::Sandbox, seqino};
use measure::{Failure, cpu};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const COLLECTED: usize = 33_000;
const CLIENTS: usize = 340;
const PER_CLIENT: usize = 100;
/// The number of mandates of each vendor in one round of the comparison. All clients read these mandates in turn.
const IN_A_ROUND: usize = 16_000;
const ROUNDS: usize = 15;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // Remove the argument `--bench`, which cargo adds.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", file] => serve(Path::new(file)).await,
        ["read", file, access] => read(Path::new(file), serde_json::from_str(access)?).await,
        // Run the comparison in a task of the async runtime, as a backend does.
        ["compare", file, access] => tokio::spawn(compare(PathBuf::from(file), serde_json::from_str(access)?)).await?,
        _ => measure(),
    }
}

fn measure() -> Result<(), Failure> {
    let folder = env::temp_dir().join(format!("mandat-fleet-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let result = measure_in(&folder);
    fs::remove_dir_all(folder)?;
    result
}

fn measure_in(folder: &Path) -> Result<(), Failure> {
    let (all, few, round) = (folder.join("all"), folder.join("few"), folder.join("round"));
    let mut server = start("server", &all).stdin(Stdio::piped()).spawn()?;
    let access = line(&mut server)?;
    let references = fs::read_to_string(&all)?;
    let of = |vendor: &str, count: usize| {
        let own = references.lines().filter(|reference| reference.starts_with(vendor)).take(count);
        own.map(|reference| format!("{reference}\n")).collect::<String>()
    };
    fs::write(&few, of("easytransac:", 330) + &of("safedebit:", 330) + &of("seqino:", 340))?;
    fs::write(&round, of("easytransac:", IN_A_ROUND) + &of("safedebit:", IN_A_ROUND))?;

    let fleet = run("read", &all, &access)?;
    let calls = line_after(&mut server, "calls")?;
    let (whole, small) = (Read::of(&fleet, &all)?, Read::of(&run("read", &few, &access)?, &few)?);
    println!("references, each read once        {}", whole.answered);
    println!("at Seqino: calls by operation     {calls}");
    println!("per second, with the server       {:.0}", whole.answered as f64 / whole.seconds);
    println!("peak memory, {:>7} references   {:.1} MB", small.answered, small.peak);
    println!("peak memory, {:>7} references   {:.1} MB", whole.answered, whole.peak);
    println!("difference                        {:.1} MB", whole.peak - small.peak);
    print!("{}", run("compare", &round, &access)?);
    drop(server.stdin.take());
    server.wait()?;
    Ok(())
}

fn start(part: &str, file: &Path) -> Command {
    let mut command =
        Command::new(env::current_exe().unwrap_or_else(|why| panic!("the path of this program is not known: {why}")));
    command.arg(part).arg(file).stdout(Stdio::piped());
    command
}

fn run(part: &str, file: &Path, access: &str) -> Result<String, Failure> {
    let output = start(part, file).arg(access).stderr(Stdio::inherit()).output()?;
    if output.status.success() { Ok(String::from_utf8(output.stdout)?) } else { Err(format!("{part} failed").into()) }
}

fn line(child: &mut Child) -> Result<String, Failure> {
    // Read byte by byte, so that the later bytes remain for the next call.
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn line_after(child: &mut Child, order: &str) -> Result<String, Failure> {
    writeln!(child.stdin.as_mut().ok_or("no input")?, "{order}")?;
    line(child)
}

/// The addresses of the simulated vendors, and their credentials.
#[derive(Serialize, Deserialize)]
struct Access {
    base_urls: BTreeMap<String, String>,
    credentials: BTreeMap<String, Vec<String>>,
}

impl Access {
    fn of(sandbox: &Sandbox) -> Self {
        let each = || Provider::ALL.iter().map(|provider| (provider.as_str().to_owned(), *provider));
        let values = |provider| sandbox.credentials(provider).iter().map(|(_, value)| (*value).to_owned()).collect();
        Self {
            base_urls: each().map(|(name, provider)| (name, sandbox.base_url(provider))).collect(),
            credentials: each().map(|(name, provider)| (name, values(provider))).collect(),
        }
    }

    fn mandates(&self) -> Result<Mandates, mandat::Error> {
        let (url, values) = (|vendor: &str| self.base_urls[vendor].as_str(), &self.credentials);
        Mandates::builder()
            .easytransac(easytransac::Config::new(url("easytransac"), values["easytransac"][0].as_str()))
            .safedebit(safedebit::Config::new(
                url("safedebit"),
                values["safedebit"][0].as_str(),
                values["safedebit"][1].as_str(),
            ))
            .seqino(seqino::Config::new(url("seqino"), values["seqino"][0].as_str()))
            .build()
    }
}

/// Runs the simulated vendors with their mandates. Writes the references to a file, prints the addresses, and responds
/// to control requests.
async fn serve(file: &Path) -> Result<(), Failure> {
    let sandbox = Sandbox::start().await?;
    let mandates = sandbox.mandates();
    let fill = |which: usize| fill(&mandates, which);
    let mut filled = stream::iter(0..COLLECTED.max(CLIENTS)).map(fill).buffer_unordered(32);
    while let Some(result) = filled.next().await {
        result?;
    }
    let mut references = sandbox.references();
    references.sort();
    let mut out = String::new();
    for reference in &references {
        out += &format!("{reference}\n");
    }
    fs::write(file, out)?;
    println!("{}", serde_json::to_string(&Access::of(&sandbox))?);
    let orders = tokio::task::spawn_blocking(move || {
        for _ in std::io::stdin().lines() {
            let operations = ["list_clients", "list_mandates", "get_mandate", "get_client"];
            let calls = operations.map(|operation| format!("{operation} {}", sandbox.count(operation)));
            println!("{}", calls.join(", "));
        }
    });
    Ok(orders.await?)
}

/// Creates one mandate at each of the two vendors for direct debits, and a client of Seqino with all its mandates.
async fn fill(mandates: &Mandates, which: usize) -> Result<(), mandat::Error> {
    let direct_debit = mandates.easytransac()?.create_mandate().body_map(|body| {
        body.email("abc@abc.com")
            .lastname("ABCabc123")
            .iban("FR7630001007941234567890185")
            .address("ABCabc123")
            .zip_code("ABCabc123")
            .city("ABCabc123")
            .country("FRA")
    });
    direct_debit.send().await?;
    let direct_debit = mandates.safedebit()?.create_mandate().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(format!("RUM-{which:06}"))
    });
    direct_debit.send().await?;
    if which >= CLIENTS {
        return Ok(());
    }
    let seqino = mandates.seqino()?;
    let name = format!("EXT-{which}");
    let client = seqino
        .create_client()
        .body_map(|body| body.organization_name("ABC").contact_email("abc@abc.com").external_ref(name));
    let client = client.send().await?.client_id.unwrap_or_default();
    for _ in 0..PER_CLIENT {
        let entry = seqino::types::DirectoryEntry::builder().siren("123456789").name("Acme Corporation");
        let mandate = seqino.create_mandate().x_pdp_client_id(&client);
        mandate.body_map(|body| body.start_date(chrono::Utc::now()).directory_entry(entry)).send().await?;
    }
    Ok(())
}

/// Returns a fingerprint of a set of references that does not depend on their order. A missing or repeated reference
/// changes the fingerprint.
fn fingerprint<'a>(references: impl Iterator<Item = &'a str>) -> u64 {
    let of_one = |reference: &str| {
        let mut hasher = DefaultHasher::new();
        reference.hash(&mut hasher);
        hasher.finish()
    };
    references.map(of_one).fold(0, u64::wrapping_add)
}

/// The report of a process that reads mandates.
struct Read {
    answered: usize,
    seconds: f64,
    /// The peak memory of the process in MB.
    peak: f64,
}

impl Read {
    fn of(said: &str, file: &Path) -> Result<Self, Failure> {
        let (answered, sum, seconds, peak) = serde_json::from_str::<(usize, u64, f64, f64)>(said)?;
        let asked = fs::read_to_string(file)?;
        if (answered, sum) != (asked.lines().count(), fingerprint(asked.lines())) {
            return Err("some references were not read exactly once".into());
        }
        Ok(Self { answered, seconds, peak })
    }
}

/// Reads the mandates in a file, without keeping the file or the mandates in memory.
async fn read(file: &Path, access: Access) -> Result<(), Failure> {
    let mandates = access.mandates()?;
    let lines = BufReader::new(fs::File::open(file)?).lines().map_while(Result::ok);
    let references = lines.filter_map(|line| line.parse::<MandateRef>().ok());
    let (began, mut answered, mut sum) = (Instant::now(), 0, 0u64);
    let mut readings = mandates.statuses(references).sorted_by_client();
    while let Some(reading) = readings.next().await {
        let mandate = reading.result?;
        answered += 1;
        sum = sum.wrapping_add(fingerprint([mandate.reference.to_string().as_str()].into_iter()));
    }
    let said = (answered, sum, began.elapsed().as_secs_f64(), peak_memory()?);
    println!("{}", serde_json::to_string(&said)?);
    Ok(())
}

/// Returns the peak memory of this process so far, in MB.
fn peak_memory() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM: this is not Linux")?;
    Ok(peak.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

/// The elapsed time and the processor time of each of the three clients, in seconds.
type Round = [(f64, f64); 3];

/// Compares three clients that read the same mandates in turn: `statuses`, a handwritten loop, and that loop with a
/// task for each request.
async fn compare(file: PathBuf, access: Access) -> Result<(), Failure> {
    let references: Vec<MandateRef> = fs::read_to_string(file)?.lines().map(str::parse).collect::<Result<_, _>>()?;
    let (mandates, by_hand) = (access.mandates()?, Arc::new(ByHand::connect(access).await?));
    let mut rounds: Vec<Round> = Vec::new();
    for round in 0..=ROUNDS {
        let mut took = [(0.0, 0.0); 3];
        // Change the order of the clients in each round.
        for which in (0..3).map(|turn| (turn + round) % 3) {
            let (began, worked) = (Instant::now(), cpu()?);
            match which {
                0 => {
                    let mut readings = mandates.statuses(&references);
                    while let Some(reading) = readings.next().await {
                        reading.result?;
                    }
                }
                which => by_hand.read(&references, which == 2).await?,
            }
            took[which] = (began.elapsed().as_secs_f64(), cpu()?.saturating_sub(worked).as_secs_f64());
        }
        // Ignore the first round, because the clients open their connections in it.
        if round > 0 {
            rounds.push(took);
        }
    }
    let ratio = |of: &dyn Fn(&Round) -> f64| {
        let mut ratios: Vec<f64> = rounds.iter().map(of).collect();
        ratios.sort_by(f64::total_cmp);
        let (quarter, middle) = (ratios.len() / 4, ratios.len() / 2);
        format!("{:.2} ({:.2} to {:.2})", ratios[middle], ratios[quarter], ratios[ratios.len() - 1 - quarter])
    };
    println!("compared with a handwritten loop, median and quartiles of {ROUNDS} rounds:");
    println!("  time                            {}", ratio(&|took| took[0].0 / took[1].0));
    println!("  processor time                  {}", ratio(&|took| took[0].1 / took[1].1));
    println!("compared with that loop and a task for each call:");
    println!("  time                            {}", ratio(&|took| took[0].0 / took[2].0));
    println!("  processor time                  {}", ratio(&|took| took[0].1 / took[2].1));
    Ok(())
}

/// A handwritten client without this crate. It has no retries, no limits and no vocabulary, but sends as many requests
/// at once.
struct ByHand {
    http: reqwest::Client,
    access: Access,
    token: String,
}

impl ByHand {
    async fn connect(access: Access) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            data: Token,
        }
        #[derive(Deserialize)]
        struct Token {
            token: String,
        }
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        let key = BTreeMap::from([("apiKey", &access.credentials["easytransac"][0])]);
        let answer = http.post(format!("{}/auth", access.base_urls["easytransac"])).json(&key).send().await?;
        let token = answer.error_for_status()?.json::<Answer>().await?.data.token;
        Ok(Self { http, access, token })
    }

    async fn read(self: &Arc<Self>, references: &[MandateRef], tasks: bool) -> Result<(), Failure> {
        let status = |reference: MandateRef| {
            let by_hand = self.clone();
            async move {
                let call = async move { by_hand.status(&reference).await };
                if tasks { tokio::spawn(call).await? } else { call.await }
            }
        };
        let readings = stream::iter(references.to_vec()).map(status);
        let mut readings = readings.buffer_unordered(Settings::default().concurrency);
        while let Some(reading) = readings.next().await {
            reading?;
        }
        Ok(())
    }

    async fn status(&self, reference: &MandateRef) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Easytransac {
            data: Mandate,
        }
        #[derive(Deserialize)]
        struct SafeDebit {
            datas: Vec<Mandate>,
        }
        #[derive(Deserialize)]
        struct Mandate {
            #[serde(alias = "mandateId")]
            umr: String,
            status: String,
        }
        let (base_urls, id) = (&self.access.base_urls, reference.id());
        let mandate = if reference.provider() == Provider::Easytransac {
            let url = format!("{}/sdd/mandate/{id}/status", base_urls["easytransac"]);
            let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
            answer.error_for_status()?.json::<Easytransac>().await?.data
        } else {
            let [login, password] = &self.access.credentials["safedebit"][..] else { return Err("credentials".into()) };
            let url = format!("{}/search_mandate", base_urls["safedebit"]);
            let request = self.http.get(url).query(&[("umr", id)]).basic_auth(login, Some(password));
            let answer = request.send().await?.error_for_status()?.json::<SafeDebit>().await?;
            answer.datas.into_iter().next().ok_or("no mandate")?
        };
        if mandate.umr == id { Ok(mandate.status) } else { Err("another mandate".into()) }
    }
}
