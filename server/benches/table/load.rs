//! Devices over HTTP, against the program as a process of its own and against the bare handlers, by wrk from Debian.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use service::clock::Stopwatch;
use store::Engine;
use testkit::program::{Program, arguments, free_port};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::estate::{Estate, GATEWAY, monday};
use crate::{Line, Wanted, median, say};

/// Connections that speak at once.
const CONNECTIONS: u32 = 64;
const SECONDS: u32 = 4;
/// Rounds of each, in turn; the median counts.
const ROUNDS: usize = 3;

/// Polls, feedbacks and reports of facts.
pub async fn devices() -> Vec<Line> {
    say("an estate of 1,000 rooms for polls");
    let estate = Estate::new(Engine::Sqlite, 1000).await;
    let tokens = estate.all_enrolled(1000).await;
    let polls = tokens
        .iter()
        .map(|(device, token)| request("GET", device, "", token, ""));
    let poll = compare(&estate, "poll", polls.collect()).await;

    say("an estate of 1,000 rooms that install");
    let estate = Estate::new(Engine::Sqlite, 1000).await;
    let started = estate.all_started().await;
    let body = json!({ "status": { "execution": "proceeding", "details": ["Installing the image."], "result": { "finished": "none" } } });
    let feedbacks = started.iter().map(|(device, token, action)| {
        request(
            "POST",
            device,
            &format!("/deploymentBase/{action}/feedback"),
            token,
            &body.to_string(),
        )
    });
    let feedback = compare(&estate, "feedback", feedbacks.collect()).await;
    // Every report says something new.
    let body = |build: &str| {
        let data = json!({ "component.1.product": "bar", "component.1.version": "1.0", "os.build": build });
        json!({ "data": data }).to_string()
    };
    let reports = ["26100.1742", "26100.1882"].into_iter().flat_map(|build| {
        let all = started.iter();
        all.map(move |(device, token, _)| request("PUT", device, "/configData", token, &body(build)))
    });
    let config = compare(&estate, "configData", reports.collect()).await;

    let mut lines = Vec::new();
    for (compared, least) in [(&poll, 0.7), (&feedback, 1.0), (&config, 1.1)] {
        lines.push(Line {
            what: format!("{} at {CONNECTIONS} connections", compared.what),
            measured: format!("{:.0}/s, p99 {:.1} ms", compared.own.per_second, compared.own.p99_ms),
            compared: format!(
                "bare handler: {:.0}/s, p99 {:.1} ms",
                compared.bare.per_second, compared.bare.p99_ms
            ),
            ratio: Some((
                compared.own.per_second / compared.bare.per_second,
                Wanted::AtLeast(least),
            )),
        });
    }
    for compared in [&feedback, &config] {
        if let Some((answers, syncs)) = compared.syncs {
            lines.push(Line {
                what: format!("{}: answers to one fsync at {CONNECTIONS} connections", compared.what),
                measured: format!("{answers:.0} answers"),
                compared: format!("{syncs} fsyncs, counted with strace"),
                ratio: Some((answers / syncs.max(1.0), Wanted::AtLeast(8.0))),
            });
        }
    }
    lines
}

/// What 100,000 rooms cost a process: memory, and the time until it is ready.
pub async fn process() -> Vec<Line> {
    say("a process with 100,000 rooms");
    let estate = Estate::new(Engine::Sqlite, 100_000).await;
    estate.publish().await;
    // General is entered in the process that is measured.
    let begins = "2025-03-10T00:00:00Z".parse().expect("an instant");
    estate.tick_until(begins - chrono::TimeDelta::hours(1)).await;
    let port = free_port();
    let file = estate.folder.path().join("polls");
    let gateway = |number| {
        let device = format!("bench-{number}");
        format!("GET\t/DEFAULT/controller/v1/{device}\tGatewayToken {GATEWAY}\t\n")
    };
    std::fs::write(&file, (1..=100_000).map(gateway).collect::<String>()).expect("a file");
    estate.service.store().close().await;
    let started = Stopwatch::start();
    let mut program = start(&estate, port).await;
    let url = format!("http://127.0.0.1:{port}/readyz");
    while !reqwest::get(&url)
        .await
        .is_ok_and(|answer| answer.status().is_success())
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ready = started.elapsed();
    let at_rest = resident(program.pid());
    run(port, &file, 10).await;
    let polled = resident(program.pid());
    program.tick_at(begins).await;
    let entered = resident(program.pid());
    let line = |what: &str, measured: String| Line {
        what: what.to_owned(),
        measured,
        compared: "–".to_owned(),
        ratio: None,
    };
    vec![
        line(
            "from start to `/readyz`, 100,000 rooms",
            format!("{} ms", ready.as_millis()),
        ),
        line("memory at 100,000 rooms: at rest", at_rest),
        line("… after ten seconds of polls of all devices", polled),
        line("… after 100,000 rooms have got their nights", entered),
    ]
}

struct Compared {
    what: &'static str,
    own: Load,
    bare: Load,
    /// Answers, and the fsyncs that they took.
    syncs: Option<(f64, f64)>,
}

#[derive(Clone, Copy)]
struct Load {
    per_second: f64,
    p99_ms: f64,
}

fn request(method: &str, device: &str, path: &str, token: &str, body: &str) -> String {
    format!("{method}\t/DEFAULT/controller/v1/{device}{path}\tTargetToken {token}\t{body}\n")
}

async fn start(estate: &Estate, port: u16) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightshift"));
    command.args(arguments(&estate.address, &estate.artifacts(), port));
    command.args(["--gateway-token", GATEWAY]);
    let now = estate.service.clock().now().max(monday());
    Program::listening(command, now).await
}

/// Each on a copy of the same database, in turn.
async fn compare(estate: &Estate, what: &'static str, requests: Vec<String>) -> Compared {
    say(&format!("{what}: {ROUNDS} rounds of {SECONDS} s each"));
    let file = estate.folder.path().join(what);
    std::fs::write(&file, requests.concat()).expect("a file");
    let copy = estate.folder.path().join(format!("{what}.db"));
    estate.execute(&format!("VACUUM INTO '{}'", copy.display())).await;
    let (port, bare_port) = (free_port(), free_port());
    let program = start(estate, port).await;
    let mut bare = start_bare(&copy, bare_port).await;
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        own.push(run(port, &file, SECONDS).await);
        other.push(run(bare_port, &file, SECONDS).await);
    }
    let syncs = if what == "poll" {
        None
    } else {
        Some(count_syncs(program.pid(), port, &file).await)
    };
    bare.kill().await.expect("an end");
    program.stop().await;
    let middle = |loads: &[Load]| Load {
        per_second: median(loads.iter().map(|load| load.per_second).collect()),
        p99_ms: median(loads.iter().map(|load| load.p99_ms).collect()),
    };
    Compared {
        what,
        own: middle(&own),
        bare: middle(&other),
        syncs,
    }
}

async fn start_bare(database: &Path, port: u16) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["bare", database.to_str().expect("a path in UTF-8"), &port.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
    said.next_line().await.expect("a line").expect("a line");
    child
}

/// wrk for so many seconds; every answer must be a good one.
async fn run(port: u16, file: &Path, seconds: u32) -> Load {
    let (load, errors) = wrk(port, file, seconds).await;
    assert_eq!(errors, 0, "answers above 399, or broken connections");
    load
}

async fn wrk(port: u16, file: &Path, seconds: u32) -> (Load, u64) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/bench/requests.lua");
    let output = Command::new("wrk")
        .args([
            "--threads",
            "1",
            "--connections",
            &CONNECTIONS.to_string(),
            "--duration",
            &format!("{seconds}s"),
            "--latency",
        ])
        .arg("--script")
        .arg(script)
        .arg(format!("http://127.0.0.1:{port}"))
        .arg("--")
        .arg(file)
        .output()
        .await
        .expect("wrk runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let done = said
        .lines()
        .find_map(|line| line.strip_prefix("done "))
        .unwrap_or_else(|| panic!("wrk said {said}"));
    let numbers: Vec<u64> = done
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [answers, micros, above_399, broken, p99] = numbers[..] else {
        panic!("wrk said {done}")
    };
    let per_second = number(answers) / number(micros) * 1e6;
    (
        Load {
            per_second,
            p99_ms: number(p99) / 1000.0,
        },
        above_399 + broken,
    )
}

/// Answers, and fsyncs of the process meanwhile. strace slows it down; the ratio stays.
async fn count_syncs(pid: u32, port: u16, file: &Path) -> (f64, f64) {
    let log = file.with_extension("strace");
    let mut strace = Command::new("strace")
        .args([
            "--follow-forks",
            "--trace=fsync,fdatasync",
            "--output",
            log.to_str().expect("a path in UTF-8"),
        ])
        .args(["--attach", &pid.to_string()])
        .stderr(Stdio::null())
        .spawn()
        .expect("strace runs");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (load, errors) = wrk(port, file, SECONDS).await;
    assert_eq!(errors, 0);
    let pid = strace.id().expect("it runs").to_string();
    Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .await
        .expect("kill runs");
    strace.wait().await.expect("it ends");
    let calls = std::fs::read_to_string(&log).expect("its log");
    let syncs = calls
        .lines()
        .filter(|line| line.contains("sync(") && !line.contains("resumed"))
        .count();
    (
        load.per_second * f64::from(SECONDS),
        number(u64::try_from(syncs).expect("a number")),
    )
}

/// Memory that the process holds now, and the most it ever held.
fn resident(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let megabytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes / 1024
    };
    format!("{} MB, at most {} MB", megabytes("VmRSS:"), megabytes("VmHWM:"))
}

/// Good enough for a table.
#[allow(clippy::cast_precision_loss, reason = "no count here is beyond 2^52")]
pub fn number(count: u64) -> f64 {
    count as f64
}
