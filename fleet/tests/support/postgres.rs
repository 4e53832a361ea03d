//! A PostgreSQL server of its own, in a temporary folder, for tests and examples.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A running server. Its files are removed at the end.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
}

static STARTED: AtomicU32 = AtomicU32::new(0);

impl Postgres {
    /// Starts a server, or returns the reason why there is none.
    pub fn start() -> Result<Self, String> {
        let programs = programs().ok_or("PostgreSQL is not installed. Install it: apt install postgresql")?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // The path of a socket may have 107 bytes.
        let folder = Path::new("/tmp").join(format!("mandat-fleet-{}-{number}", std::process::id()));
        let told = |e: io::Error| format!("{}: {e}", folder.display());
        fs::create_dir(&folder).map_err(told)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).map_err(told)?;
        let server = Self { folder, programs };
        server.run("initdb", &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])?;
        server.resume()?;
        Ok(server)
    }

    /// Starts a server, or prints the reason why the test is skipped. `.ci/fleet` sets `MANDAT_FLEET_TEST`, and the test
    /// then fails instead.
    #[allow(dead_code, reason = "an example is not skipped")]
    pub fn of_test() -> Option<Self> {
        match Self::start() {
            Ok(server) => Some(server),
            Err(why) if std::env::var_os("MANDAT_FLEET_TEST").is_none() => {
                eprintln!("skipped: {why}");
                None
            }
            Err(why) => panic!("{why}"),
        }
    }

    /// The address of the server for `DATABASE_URL`.
    pub fn url(&self) -> String {
        format!("host={} user=postgres dbname=postgres", self.folder.display())
    }

    /// Stops the server, and ends all connections.
    #[allow(dead_code, reason = "not every test stops the server")]
    pub fn pause(&self) -> Result<(), String> {
        self.run("pg_ctl", &["--wait", "--mode=fast", "stop"])
    }

    /// Starts the server.
    pub fn resume(&self) -> Result<(), String> {
        let folder = self.folder.display();
        // No machine loses power in a test, so the server need not write through to the disk.
        let options = format!("-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=400");
        self.run(
            "pg_ctl",
            &["--wait", "--timeout=120", &format!("--log={folder}/log"), &format!("--options={options}"), "start"],
        )
    }

    /// Runs a program of PostgreSQL. The server refuses to run as root, so root runs it as `postgres`.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.arg("-D").arg(self.folder.join("data")).args(arguments).current_dir("/tmp");
        let log = self.folder.join(format!("{program}.log"));
        let out = fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let error = out.try_clone().map_err(|e| e.to_string())?;
        // The server inherits these. A pipe would stay open as long as the server runs.
        let status =
            command.stdin(Stdio::null()).stdout(out).stderr(error).status().map_err(|e| format!("{program}: {e}"))?;
        let said = || fs::read_to_string(&log).unwrap_or_default();
        if status.success() { Ok(()) } else { Err(format!("{program} failed: {}", said())) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A server that has stopped already is no failure.
        let _ = self.run("pg_ctl", &["--wait", "--mode=immediate", "stop"]);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The folder of `initdb`: on Debian the newest version, else the one in `PATH`.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = debian
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists())
        .collect();
    found.sort();
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    found.pop().map(|(_, folder)| folder).or_else(in_path)
}
