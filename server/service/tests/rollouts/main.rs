//! From publishing to the end, on both engines, with devices that are driven by hand: what people do to a rollout on its way. A file a noun;
//! here stands what several of them look at.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

mod forces;
mod freezes;
mod pauses;
mod publishing;
mod retries;
mod rings;
mod rooms;
mod ticks;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::{RoomId, UpdateId};
use domain::status::UpdateStatus;
use testkit::Estate;

async fn status(estate: &Estate, update: UpdateId) -> UpdateStatus {
    estate
        .service
        .read_snapshot()
        .await
        .unwrap()
        .update(update)
        .await
        .unwrap()
        .status
}

async fn nights(estate: &Estate, update: UpdateId) -> BTreeMap<RoomId, NaiveDate> {
    let fleet = estate.fleet().await;
    fleet
        .deployments
        .values()
        .filter(|deployment| deployment.update == update)
        .map(|deployment| (deployment.room, deployment.night.date()))
        .collect()
}
