//! `nightshift`: see `cli.rs` for its commands and `commands.rs` for what they do.

use std::process::ExitCode;

use clap::Parser;
use server::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    // reqwest asks for a provider when its first client is made.
    let _ = rustls::crypto::ring::default_provider().install_default();
    server::commands::run(Cli::parse()).await
}
