//! `nightshift demo`: its own database, an estate of 120 rooms, and its devices as real DDI clients over HTTP.
//!
//! Time is discrete: the clock jumps to the next wake-up of a device or of the tick, never while a request runs, and no faster
//! than `--speed` (docs/architecture.md, "One tick"). Its position is stored, so that a restart goes on where it was. The demo goes through the same
//! imports, the same planner and the same HTTP as everybody; nothing in the product knows that it runs.

mod devices;
mod estate;
mod facts;
mod files;
mod history;
mod time;

use anyhow::Result;
use chrono::{DateTime, Utc};
use domain::settings::Settings;
use domain::zone::Zone;
use service::{Artifacts, Clock, ProcessConfig, Service, ServiceError};
use store::Store;

use crate::cli::Demo;
use crate::config::ServerConfig;
use crate::serve;

/// Where the demo's clock stands is kept under this name.
pub(crate) const CLOCK: &str = "demo.clock";

pub(crate) async fn run(options: Demo) -> Result<()> {
    std::fs::create_dir_all(&options.data)?;
    let store = Store::open(&format!("sqlite:{}", options.data.join("demo.db").display()), true).await?;
    serve::migrate(&store).await?;
    let listener = serve::listen(options.listen).await?;
    let address = listener.local_addr()?;
    let service = open(
        store,
        Artifacts::open(&options.data.join("artifacts"))?,
        format!("http://{address}"),
    )
    .await?;
    let stop = serve::stop_on_signal();
    let clock = if options.frozen {
        "The clock stands still.".to_owned()
    } else {
        format!("The clock runs at {}×.", grouped(options.speed))
    };
    let driving = (!options.frozen).then(|| {
        let demo_devices = devices::DemoDevices::new(&service, format!("http://{address}"), options.seed);
        tokio::spawn(time::drive(service.clone(), demo_devices, options.speed, stop.clone()))
    });
    serve::serve_until(
        listener,
        None,
        service,
        ServerConfig {
            demo_clock: Some(clock),
            ..ServerConfig::default()
        },
        stop.clone(),
    )
    .await?;
    if let Some(driving) = driving {
        stop.cancel();
        serve::in_time("the demo's devices", driving).await.transpose()?;
    }
    Ok(())
}

/// A service on the demo's database, filled on the first start.
///
/// # Errors
/// The demo's own files are broken.
pub async fn open(store: Store, artifacts: Artifacts, public_url: String) -> Result<Service> {
    let stored = store.read().await?.program_value(CLOCK).await?;
    let start = match stored {
        Some(stored) => stored.parse::<DateTime<Utc>>()?,
        None => estate::as_of()?,
    };
    let config = ProcessConfig {
        public_url,
        tenant: "DEFAULT".to_owned(),
        gateway_token: None,
        trusted_proxies: Vec::new(),
    };
    let at = |instant| Service::new(store.clone(), Clock::driven(instant), artifacts.clone(), config.clone());
    let service = at(start);
    let settings = Settings {
        poll_seconds: 1200,
        // As the scenario has it: a superseded update stops at once.
        starvation_guard: false,
        ..Settings::default()
    };
    if service
        .first_start("Tidewater Group".into(), Zone::parse("Europe/London")?, settings)
        .await?
    {
        estate::fill(&service, at).await?;
        keep_clock(&service).await?;
    }
    service.tick().await?;
    Ok(service)
}

async fn keep_clock(service: &Service) -> Result<(), ServiceError> {
    let now = service.clock().now().to_rfc3339();
    store::write!(service.store(), tx => {
        tx.put_program_value(CLOCK, &now).await?;
        Ok::<_, ServiceError>(())
    })
}

/// `3,600`.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
