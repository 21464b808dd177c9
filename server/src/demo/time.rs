//! The demo's time: discrete events, paced.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use service::Service;
use service::clock::Stopwatch;
use tokio_util::sync::CancellationToken;

use super::devices::DemoDevices;
use super::keep_clock;

/// How often the clock on screen moves while nothing happens, and how often its position is stored.
const STEP: Duration = Duration::from_millis(250);

/// The tick also writes last contacts, so it runs now and then when nothing is due.
const LONGEST_WITHOUT_TICK: TimeDelta = TimeDelta::minutes(10);

/// Drives clock, devices and tick until `stop`.
pub(super) async fn drive(service: Service, mut devices: DemoDevices, speed: u32, stop: CancellationToken) {
    if let Err(error) = devices.enrol().await {
        tracing::error!(error = %error, "the demo's devices could not be enrolled");
        return;
    }
    let mut limit = SpeedLimit::from(service.clock().now(), speed);
    let mut stored = Stopwatch::start();
    let mut ticked_at = service.clock().now();
    while !stop.is_cancelled() {
        let due = match service.next_due().await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the demo cannot see what is due"
                );
                None
            }
        };
        let now = service.clock().now();
        if due.is_some_and(|due| due <= now) || now - ticked_at >= LONGEST_WITHOUT_TICK {
            if let Err(error) = service.tick().await {
                tracing::error!(error = &error as &dyn std::error::Error, "the demo's tick failed");
            }
            ticked_at = now;
        }
        let next = due
            .into_iter()
            .filter(|due| *due > now)
            .chain(devices.next_at())
            .min()
            .map(|next| next.max(now));
        match next.filter(|next| *next <= limit.reached()) {
            Some(next) => {
                service.clock().advance_to(next);
                devices.act().await;
                // Work that took longer than its share of time is not made up for.
                limit.not_behind(service.clock().now());
            }
            None => wait(&service, &limit, next, &stop).await,
        }
        if stored.elapsed() >= STEP * 4 {
            stored = Stopwatch::start();
            if let Err(error) = keep_clock(&service).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the demo's clock could not be stored"
                );
            }
        }
    }
    let _ = keep_clock(&service).await;
}

/// Nothing happens yet: the clock goes on as far as the speed allows, or stops at what comes next.
async fn wait(service: &Service, limit: &SpeedLimit, next: Option<DateTime<Utc>>, stop: &CancellationToken) {
    let until = next.map_or(limit.reached(), |next| next.min(limit.reached()));
    service.clock().advance_to(until);
    let pause = next.map_or(STEP, |next| limit.until(next).min(STEP));
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// How far time may have come: no faster than the speed.
struct SpeedLimit {
    start: DateTime<Utc>,
    since: Stopwatch,
    speed: i64,
}

impl SpeedLimit {
    fn from(start: DateTime<Utc>, speed: u32) -> Self {
        Self {
            start,
            since: Stopwatch::start(),
            speed: i64::from(speed.max(1)),
        }
    }

    fn reached(&self) -> DateTime<Utc> {
        let micros = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.start + TimeDelta::microseconds(micros.saturating_mul(self.speed).min(i64::MAX / 4))
    }

    fn until(&self, instant: DateTime<Utc>) -> Duration {
        let ahead = (instant - self.reached()).num_microseconds().unwrap_or(0).max(0) / self.speed;
        Duration::from_micros(u64::try_from(ahead).unwrap_or(0) + 1000)
    }

    /// Starts over from `now` when real time has run ahead by more than two steps.
    fn not_behind(&mut self, now: DateTime<Utc>) {
        let two_steps = TimeDelta::milliseconds(500) * i32::try_from(self.speed).unwrap_or(i32::MAX);
        if self.reached() - now > two_steps {
            self.start = now;
            self.since = Stopwatch::start();
        }
    }
}
