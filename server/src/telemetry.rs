//! The log: on standard error, one line a decision, filtered by `RUST_LOG`.
//!
//! A disk may be full and a reader gone. What cannot be written is lost then, and nothing else is: no write here may panic, for it
//! happens in the middle of a tick or of a stop.

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging; a second call changes nothing.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,hyper=warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would say on standard error that standard error fails, and panic.
        .log_internal_errors(false)
        // A file or a journal has no use for colours.
        .with_ansi(std::io::stderr().is_terminal());
    // Tests start it many times in one process.
    let _ = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
}

/// A line for whoever has started the program.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line about what is wrong, for whoever has started the program.
pub(crate) fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "nightshift: {sentence}");
}
