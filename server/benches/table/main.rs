//! `make bench`: one table of what Nightshift costs, in ratios to something bare that is built here and measured in the same run.
//!
//! The bare handlers have the same pragmas, the same look-up of a token and the same body, and nothing of Nightshift around them.
//! Numbers of one machine say little on another one; ratios say more. Start with [`run`].

mod bare;
mod checks;
mod estate;
mod house;
mod lists;
mod load;
mod pages;
mod planning;

use std::process::ExitCode;

/// One line of the table.
pub struct Line {
    /// What costs something.
    pub what: String,
    /// How much.
    pub measured: String,
    /// Beside what.
    pub compared: String,
    /// `0.84`, and whether that is what was wanted; `None`: nothing to compare with.
    pub ratio: Option<(f64, Wanted)>,
}

/// What a ratio should be.
pub enum Wanted {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    if std::env::var_os("RUST_LOG").is_some() {
        // `RUST_LOG=sqlx=debug` says where the time goes.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.as_slice() {
        [bare, file, port] if bare == "bare" => bare::serve(file, port.parse().expect("a port")).await,
        only => run(only).await,
    }
    ExitCode::SUCCESS
}

/// All parts, or those that are named.
async fn run(only: &[String]) {
    let wanted = |part: &str| only.is_empty() || only.iter().any(|only| only == part);
    let mut table = Vec::new();
    if wanted("load") {
        table.extend(load::devices().await);
    }
    if wanted("tick") {
        table.extend(planning::idle_ticks().await);
    }
    if wanted("enter") {
        table.extend(planning::entering_a_ring().await);
    }
    if wanted("checks") {
        table.extend(checks::nightly().await);
    }
    if wanted("process") {
        table.extend(load::process().await);
    }
    if wanted("month") {
        table.extend(planning::a_month().await);
    }
    if wanted("lists") {
        table.extend(lists::pages().await);
    }
    if wanted("pages") {
        table.extend(pages::first_load());
    }
    println!();
    println!("| what | measured | compared with | ratio | wanted |");
    println!("|---|---|---|---|---|");
    for line in &table {
        let (ratio, wanted) = match &line.ratio {
            Some((ratio, Wanted::AtLeast(least))) => (format!("{ratio:.2}"), verdict(*ratio >= *least, "≥", *least)),
            Some((ratio, Wanted::AtMost(most))) => (format!("{ratio:.2}"), verdict(*ratio <= *most, "≤", *most)),
            None => ("–".to_owned(), "–".to_owned()),
        };
        println!(
            "| {} | {} | {} | {ratio} | {wanted} |",
            line.what, line.measured, line.compared
        );
    }
}

fn verdict(met: bool, sign: &str, limit: f64) -> String {
    format!("{sign} {limit}{}", if met { "" } else { ": **missed**" })
}

/// Says what is being done: some parts take minutes.
pub fn say(what: &str) {
    eprintln!("bench: {what}");
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
