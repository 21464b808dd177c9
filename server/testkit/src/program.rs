//! The program itself, as a process of its own: `nightshift serve --clock driven`, started, ticked, stopped and killed by tests.
//!
//! Cargo tells only the tests of the crate `server` where the program lies (`CARGO_BIN_EXE_nightshift`), so they name it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program that listens.
pub struct Program {
    child: Child,
    hears: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts it on a port of this machine; it listens when this returns.
    pub async fn start(program: &str, database: &str, artifacts: &Path, port: u16, now: DateTime<Utc>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments(database, artifacts, port));
        Self::listening(command, now).await
    }

    /// The same, with every line of the log going to `log`: a file, or a pipe whose reader goes away at once.
    pub async fn logging_to(
        log: Stdio,
        program: &str,
        database: &str,
        artifacts: &Path,
        port: u16,
        now: DateTime<Utc>,
    ) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments(database, artifacts, port))
            .stderr(log)
            .env("RUST_LOG", "info");
        Self::listening(command, now).await
    }

    /// The same for a command that ends in this program.
    pub async fn listening(mut command: Command, now: DateTime<Utc>) -> Self {
        if command.as_std().get_envs().all(|(name, _)| name != "RUST_LOG") {
            command.env("RUST_LOG", "warn");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        drop(child.stderr.take());
        let hears = child.stdin.take().expect("its input");
        let says = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut program = Self { child, hears, says };
        program.tell(now).await;
        let mut said = program.hear().await.expect("it says where it listens");
        if said.starts_with("Nobody has an account yet.") {
            said = program.hear().await.expect("it says where it listens");
        }
        assert!(said.starts_with("Nightshift listens on"), "{said}");
        program
    }

    /// Sets its clock and waits for the tick that follows.
    pub async fn tick_at(&mut self, now: DateTime<Utc>) {
        self.tell(now).await;
        let said = self.hear().await.expect("it answers");
        assert_eq!(said, written(now), "a tick");
    }

    /// Sets its clock; the answer is still to come, and never comes if it is killed.
    pub async fn tell(&mut self, now: DateTime<Utc>) {
        let line = format!("{}\n", written(now));
        self.hears.write_all(line.as_bytes()).await.expect("it listens");
    }

    /// The next line that it prints; `None`: it has ended.
    pub async fn hear(&mut self) -> Option<String> {
        let line = tokio::time::timeout(PATIENCE, self.says.next_line());
        line.await.expect("an answer in time").expect("text")
    }

    /// SIGKILL: it is gone when this returns.
    pub async fn kill(&mut self) {
        self.child.start_kill().expect("a running process");
        self.child.wait().await.expect("its end");
    }

    /// SIGTERM, and how it ended.
    pub async fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().expect("a running process").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.expect("kill runs").success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait());
        ended.await.expect("it ends").expect("its end")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a running process")
    }
}

/// `serve` with a driven clock.
pub fn arguments(database: &str, artifacts: &Path, port: u16) -> Vec<String> {
    let artifacts = artifacts.to_str().expect("a path in UTF-8");
    let listen = format!("127.0.0.1:{port}");
    [
        "serve",
        "--clock",
        "driven",
        "--database",
        database,
        "--artifacts",
        artifacts,
        "--listen",
        &listen,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn written(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Micros, true)
}
