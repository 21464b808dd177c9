//! `nightshift serve --clock driven`: for tests, which let months pass and stop the process at chosen moments.
//!
//! Time stands still until a line with an instant comes in on standard input. Each line sets the clock, forward or back, and is
//! answered with the same instant on standard output once the tick that it brings is done. Nothing ticks by itself meanwhile.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use service::{Clock, Service};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::telemetry::{complain, say};

/// Whoever writes to standard input.
pub(crate) struct Driver {
    lines: mpsc::Receiver<String>,
}

impl Driver {
    /// Waits for the first line: that is where the clock starts.
    pub(crate) async fn start() -> Result<(Self, Clock)> {
        complain("the clock is driven from standard input. This is for tests; updates would come at any time.");
        let (sender, lines) = mpsc::channel(1);
        // A thread of its own: the runtime would wait at its end for a read that nobody answers.
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        let mut driver = Self { lines };
        let first = driver
            .lines
            .recv()
            .await
            .context("standard input ended before it named an instant")?;
        Ok((driver, Clock::driven(instant(&first)?)))
    }

    /// Ticks whenever a line comes, until `stop` or the end of standard input.
    pub(crate) async fn drive(mut self, service: Service, stop: CancellationToken) {
        while let Some(Some(line)) = stop.run_until_cancelled(self.lines.recv()).await {
            let answer = match instant(&line) {
                Ok(now) => {
                    service.clock().set_to(now);
                    match service.tick().await {
                        Ok(_) => line,
                        Err(error) => format!("failed: {error}"),
                    }
                }
                Err(error) => format!("failed: {error:#}"),
            };
            say(&answer);
        }
        stop.cancel();
    }
}

fn instant(line: &str) -> Result<DateTime<Utc>> {
    line.trim()
        .parse()
        .with_context(|| format!("{line:?} is not an instant; write 2025-03-05T00:10:00Z"))
}
