//! `nightshift`: see `cli.rs`.

use std::process::ExitCode;

use clap::Parser;
use server::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    // reqwest asks for a provider when its first client is made.
    let _ = rustls::crypto::ring::default_provider().install_default();
    server::cli::run(Cli::parse()).await
}
