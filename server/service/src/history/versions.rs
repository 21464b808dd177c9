//! Which versions devices had while rollouts ran elsewhere (L5): taken over with the rollouts, so that a past day counts them.
//!
//! Only what the rollouts say is taken over: what a room was given, and what it had when a rollout was published. Start with
//! [`note_past_versions`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::deployment::DeploymentState;
use domain::ids::{ProductId, RoomId};
use store::{FirstVersion, PastVersion, Tx};
use uuid::Uuid;

use super::PastRollout;
use crate::error::Result;

/// What a room had of a product, from when on, the oldest first.
type RoomVersions<'p> = BTreeMap<(RoomId, &'p ProductId), BTreeMap<DateTime<Utc>, &'p str>>;

/// What the rollouts say of versions in rooms.
fn room_versions(rollouts: &[PastRollout]) -> RoomVersions<'_> {
    let mut versions: RoomVersions<'_> = BTreeMap::new();
    for rollout in rollouts {
        for room in &rollout.rooms {
            if let DeploymentState::Completed { at } = room.state {
                let of_room = versions.entry((room.room, &rollout.product)).or_default();
                of_room.insert(at, &rollout.version);
            }
        }
    }
    for rollout in rollouts {
        // A room that caught up may have come after the rollout was published.
        for room in rollout.rooms.iter().filter(|room| !room.catch_up) {
            let Some(found) = &room.from_version else { continue };
            let of_room = versions.entry((room.room, &rollout.product)).or_default();
            // If another rollout brought it, it came with that one's end.
            if of_room.values().all(|version| version != found) {
                of_room.insert(rollout.published_at, found);
            }
        }
    }
    versions
}

/// Notes what devices had before they were known here. A device whose versions do not lead to what it has is left out: something else has
/// changed it, and nobody knows when.
pub(super) async fn note_past_versions(tx: &mut Tx, rollouts: &[PastRollout]) -> Result<()> {
    let by_room = room_versions(rollouts);
    let rooms: BTreeSet<RoomId> = by_room.keys().map(|(room, _)| *room).collect();
    let rooms: Vec<RoomId> = rooms.into_iter().collect();
    let mut rows = BTreeMap::new();
    let mut past = Vec::new();
    for first in tx.first_versions(&rooms).await? {
        let Some(versions) = by_room.get(&(first.room, &first.product)) else {
            continue;
        };
        let mut earlier = Vec::new();
        for (at, text) in versions.range(..first.from) {
            earlier.push((*at, version_row(tx, &mut rows, &first.product, text).await?));
        }
        past.extend(leading_to(&first, &earlier));
    }
    tx.put_past_versions(&past).await?;
    Ok(())
}

/// The row of a version. `known` has those that were looked up before.
async fn version_row(
    tx: &mut Tx,
    known: &mut BTreeMap<(ProductId, String), Uuid>,
    product: &ProductId,
    text: &str,
) -> Result<Option<Uuid>> {
    let key = (product.clone(), text.to_owned());
    if let Some(row) = known.get(&key) {
        return Ok(Some(*row));
    }
    let Some(record) = tx.product(product).await? else {
        return Ok(None);
    };
    let row = tx.known_version(&record, text).await?;
    known.insert(key, row);
    Ok(Some(row))
}

/// The versions of a device up to the first one that is known here, which is the last of them; none if another one is the last.
fn leading_to(first: &FirstVersion, earlier: &[(DateTime<Utc>, Option<Uuid>)]) -> Vec<PastVersion> {
    match earlier.last() {
        Some((_, version)) if *version == first.version => {}
        Some(_) | None => return Vec::new(),
    }
    let ends = earlier.iter().skip(1).map(|(at, _)| *at).chain([first.from]);
    let past = earlier.iter().zip(ends).map(|((from, version), until)| PastVersion {
        device: first.device,
        product: first.product.clone(),
        version: *version,
        from: *from,
        until,
    });
    past.collect()
}
