//! What the demo's files hold, as they are written. See `demo/README.md`.

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use service::catalogue::Catalogue;
use service::{DeviceLine, SiteLine};

const PRODUCTS: &str = include_str!("../../demo/products.json");
const RELEASES: &str = include_str!("../../demo/releases.json");
const ESTATE: &str = include_str!("../../demo/estate.json");
const SCENARIO: &str = include_str!("../../demo/scenario_demo.json");

/// Sites, rings, rooms and their devices.
pub(super) fn estate() -> Result<Estate> {
    let mut file: Value = serde_json::from_str(ESTATE).context("the demo's estate")?;
    // Sites and devices are read as an import reads them, which refuses what it does not know.
    for site in entries(&mut file, "sites") {
        for key in ["building", "rooms"] {
            site.remove(key);
        }
    }
    for room in entries(&mut file, "rooms") {
        let devices = room.get_mut("devices").and_then(Value::as_array_mut);
        for device in devices.into_iter().flatten().filter_map(Value::as_object_mut) {
            device.remove("paired_with");
        }
    }
    serde_json::from_value(file).context("the demo's estate")
}

fn entries<'a>(file: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let entries = file.get_mut(list).and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Updates with what came of them, tickets, holds and freezes.
pub(super) fn scenario() -> Result<Scenario> {
    serde_json::from_str(SCENARIO).context("the demo's scenario")
}

/// Products and releases.
pub(super) fn catalogue() -> Result<Catalogue> {
    Ok(Catalogue::parse(PRODUCTS, RELEASES)?)
}

#[derive(Deserialize)]
pub(super) struct Estate {
    pub(super) as_of: DateTime<Utc>,
    pub(super) sites: Vec<SiteLine>,
    pub(super) rings: Vec<RingEntry>,
    pub(super) rooms: Vec<RoomEntry>,
}

#[derive(Deserialize)]
pub(super) struct RingEntry {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) default: bool,
    pub(super) order: Option<i64>,
    pub(super) rollout_days: u32,
    pub(super) test_days: u32,
    pub(super) description: String,
}

#[derive(Deserialize)]
pub(super) struct RoomEntry {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) site: String,
    pub(super) building: String,
    pub(super) floor: Value,
    pub(super) capacity: u32,
    pub(super) ring: String,
    pub(super) state: String,
    pub(super) online: bool,
    pub(super) last_seen: Option<DateTime<Utc>>,
    pub(super) devices: Vec<DeviceLine>,
    /// What its computer reports; `None`: it has none.
    pub(super) facts: Option<Facts>,
}

/// What a Windows computer reports. A fact that is null is not reported.
#[derive(Deserialize)]
pub(super) struct Facts {
    pub(super) base_image_oem: Option<String>,
    pub(super) expected_oem: Option<String>,
    pub(super) os_edition: Option<String>,
    pub(super) os_channel: Option<String>,
    pub(super) windows_update: Option<WindowsUpdate>,
    pub(super) store_updates: Option<String>,
    pub(super) antivirus: Option<AntivirusEntry>,
    pub(super) additional_software: Option<Vec<SoftwareEntry>>,
    pub(super) other_change_management: Option<Vec<String>>,
    pub(super) logitech_sync: Option<SyncEntry>,
    pub(super) reported_at: Option<DateTime<Utc>>,
    /// Somebody answers for the base image: set up in the portal, and not reported.
    pub(super) base_image_waiver: Option<WaiverEntry>,
}

#[derive(Deserialize)]
pub(super) struct AntivirusEntry {
    pub(super) product: Option<String>,
    pub(super) teams_exclusions: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct SoftwareEntry {
    pub(super) name: String,
    pub(super) reviewed: bool,
}

#[derive(Deserialize)]
pub(super) struct SyncEntry {
    pub(super) services: String,
}

#[derive(Deserialize)]
pub(super) struct WaiverEntry {
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) until: NaiveDate,
}

#[derive(Deserialize)]
pub(super) struct WindowsUpdate {
    pub(super) enabled: bool,
    pub(super) wsus_server: Option<String>,
    pub(super) reachable: bool,
    pub(super) managed_by: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Scenario {
    pub(super) updates: Vec<UpdateEntry>,
    pub(super) tickets: Vec<TicketEntry>,
    pub(super) holds: Vec<HoldEntry>,
    pub(super) freezes: Vec<FreezeEntry>,
}

#[derive(Deserialize)]
pub(super) struct UpdateEntry {
    pub(super) id: String,
    pub(super) product: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) critical: bool,
    pub(super) published_at: DateTime<Utc>,
    pub(super) start_date: NaiveDate,
    pub(super) status: String,
    pub(super) rings: Vec<StageEntry>,
    pub(super) rooms: Vec<RoomOutcome>,
    pub(super) paused_at: Option<DateTime<Utc>>,
    pub(super) recalled_at: Option<DateTime<Utc>>,
    pub(super) superseded_at: Option<DateTime<Utc>>,
    pub(super) superseded_by: Option<String>,
    pub(super) last_day_as_planned: Option<NaiveDate>,
}

#[derive(Deserialize)]
pub(super) struct StageEntry {
    pub(super) ring: String,
    pub(super) first_day: NaiveDate,
    pub(super) status: String,
}

#[derive(Deserialize)]
pub(super) struct RoomOutcome {
    pub(super) room: String,
    pub(super) ring: String,
    pub(super) from: Option<String>,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) night: Option<NaiveDate>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) completed_at: Option<DateTime<Utc>>,
    pub(super) last_attempt_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) attempt: Option<u32>,
    #[serde(default)]
    pub(super) missed_windows: u32,
    #[serde(default)]
    pub(super) catch_up: bool,
    pub(super) forced: Option<String>,
    pub(super) error: Option<ErrorEntry>,
    pub(super) path: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct ErrorEntry {
    pub(super) code: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct TicketEntry {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) category: Option<String>,
    pub(super) severity: String,
    pub(super) title: String,
    pub(super) rooms: Vec<String>,
    pub(super) update: Option<String>,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) history: Vec<TicketHistory>,
}

#[derive(Deserialize)]
pub(super) struct TicketHistory {
    pub(super) at: DateTime<Utc>,
    pub(super) by: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct HoldEntry {
    pub(super) room: String,
    pub(super) product: String,
    pub(super) reason: String,
    pub(super) owner: String,
    pub(super) since: DateTime<Utc>,
    pub(super) until: NaiveDate,
}

/// The scenario's only kind of freeze is that of a site.
#[derive(Deserialize)]
pub(super) struct FreezeEntry {
    pub(super) site: String,
    pub(super) first_day: NaiveDate,
    pub(super) last_day: NaiveDate,
    pub(super) reason: String,
}
