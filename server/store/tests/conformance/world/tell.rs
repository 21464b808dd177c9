//! What people and devices did in the simulator is written to the database, row by row.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::changes::{Changes, HaltTicket, NewInstall};
use domain::deployment::Deployment;
use domain::fleet::Fleet;
use domain::freeze::FreezeScope;
use domain::halt::{Halt, HaltCause, HaltRule, RingTally};
use domain::ids::{HoldId, ProductId, SiteId};
use domain::install::Install;
use domain::readiness::checked::CheckedRoom;
use domain::reason::Reason;
use domain::room::Room;
use domain::ticket::{TicketChange, TicketEvent, TicketStatus};
use domain::update::{Update, VersionStanding};
use domain::version::VersionScheme;
use domain::zone::Zone;
use store::{NewArtifact, NewDevice, NewRelease, NewRoom, NewSite, ProductRecord, Result, Tx};
use uuid::Uuid;

use super::{CHECKED_LATER, PRODUCTS};

/// The row of a version: known products have versions 1 to 9.
fn version_row(product: &ProductId, version: &str) -> Uuid {
    let place = PRODUCTS
        .iter()
        .position(|(name, _)| *name == product.0)
        .expect("a product");
    let number: u128 = version.parse().expect("a number");
    Uuid::from_u128(500 + u128::try_from(place).expect("a number") * 10 + number)
}

/// Writes the difference between two fleets of which the second follows from the first by what people and devices do.
pub async fn tell(tx: &mut Tx, before: &Fleet, after: &Fleet, now: DateTime<Utc>) -> Result<()> {
    if tx.organisation().await?.is_none() {
        found(tx, after).await?;
    }
    if before.rings != after.rings {
        tx.put_rings(&after.rings).await?;
    }
    if before.organisation != after.organisation {
        tx.put_organisation(&after.organisation).await?;
    }
    for freeze in &after.freezes.organisation {
        if !before.freezes.organisation.contains(freeze) {
            tx.add_freeze(FreezeScope::Organisation, freeze).await?;
        }
    }
    for (ring, freezes) in &after.freezes.rings {
        let known = before.freezes.rings.get(ring);
        for freeze in freezes
            .iter()
            .filter(|freeze| known.is_none_or(|known| !known.contains(freeze)))
        {
            tx.add_freeze(FreezeScope::Ring(*ring), freeze).await?;
        }
    }
    for (id, update) in &after.updates {
        if !update.offerable && before.updates.get(id).is_some_and(|before| before.offerable) {
            tx.recall_release(*id, now.date_naive()).await?;
        }
    }
    for (id, update) in after.updates.iter().filter(|(id, _)| !before.updates.contains_key(id)) {
        assert!(after.rollouts.contains_key(id));
        add_update(tx, update).await?;
    }
    for (id, rollout) in &after.rollouts {
        match before.rollouts.get(id) {
            None => tx.add_rollout(rollout, "Admin").await?,
            Some(old) if old != rollout => tx.put_rollout(rollout).await?,
            Some(_) => {}
        }
    }
    for (id, room) in &after.rooms {
        tell_room(tx, before.rooms.get(id), room, now).await?;
    }
    let changed: Vec<Deployment> = after
        .deployments
        .values()
        .filter(|deployment| before.deployments.get(&deployment.id) != Some(deployment))
        .cloned()
        .collect();
    tx.put_deployments(&changed, now).await?;
    for install in after.installs.values() {
        match before.installs.get(&install.action) {
            Some(old) if old == install => {}
            Some(_) => tx.put_installs(std::slice::from_ref(install)).await?,
            None => add_install(tx, install).await?,
        }
    }
    tell_halts(tx, before, after, now).await?;
    for (pair, ticket) in after
        .tickets
        .iter()
        .filter(|(pair, ticket)| before.tickets.get(pair) != Some(ticket))
    {
        let change = |event| TicketChange {
            room: pair.0,
            update: pair.1,
            event,
        };
        let mut tickets = vec![change(TicketEvent::Failed {
            attempt: 1,
            reason: Reason::PausedHalfway,
        })];
        if ticket.state == TicketStatus::Resolved {
            tickets.push(change(TicketEvent::Cleared(Reason::FreezeOver)));
        }
        tx.apply(
            &Changes {
                tickets,
                ..Changes::default()
            },
            &[],
            now,
        )
        .await?;
    }
    for room in after.rechecks.difference(&before.rechecks) {
        tx.recheck(*room).await?;
    }
    Ok(())
}

async fn found(tx: &mut Tx, fleet: &Fleet) -> Result<()> {
    tx.put_organisation(&fleet.organisation).await?;
    tx.put_rings(&fleet.rings).await?;
    tx.add_sites(&[NewSite {
        id: SiteId(Uuid::from_u128(50)),
        name: "Harbour".to_owned(),
        city: "London".to_owned(),
        country: "GB".to_owned(),
        zone: Zone::utc(),
    }])
    .await?;
    for (name, kind) in PRODUCTS {
        let id = ProductId(name.to_owned());
        tx.put_products(&[ProductRecord {
            id: id.clone(),
            vendor: "Example".to_owned(),
            name: name.to_owned(),
            kind,
            covered: true,
            scheme: VersionScheme::default(),
            expected_minutes: 20,
        }])
        .await?;
        for version in 1..=9 {
            let text = version.to_string();
            tx.put_version(version_row(&id, &text), &id, &text, None).await?;
        }
    }
    Ok(())
}

async fn add_update(tx: &mut Tx, update: &Update) -> Result<()> {
    tx.add_release(&NewRelease {
        id: update.id,
        product: update.product.clone(),
        version_id: version_row(&update.product, &update.version),
        version: update.version.clone(),
        title: update.product_name.clone(),
        severity: update.severity,
        minimum_version: update.minimum_version.clone(),
        models: update.models.clone(),
        applies_to_unknown: update.applies_to_unknown,
        supersedes: true,
        expected_minutes: update.expected_minutes,
        known_issues: Vec::new(),
        recalled: !update.offerable,
        position: update.version.parse().expect("a number"),
    })
    .await?;
    let standings: Vec<(Uuid, VersionStanding)> = update
        .standings
        .iter()
        .map(|(version, standing)| (version_row(&update.product, version), *standing))
        .collect();
    tx.add_artifact(&NewArtifact {
        update: update.id,
        filename: "image.swu".to_owned(),
        size: 1,
        sha256: "0".repeat(64),
        sha1: "0".repeat(40),
        md5: "0".repeat(32),
        url: None,
    })
    .await?;
    tx.put_standings(update.id, &standings).await
}

async fn tell_room(tx: &mut Tx, before: Option<&Room>, room: &Room, now: DateTime<Utc>) -> Result<()> {
    if let Some(before) = before {
        if before.ring != room.ring {
            assert_eq!(tx.move_rooms(&[room.id], before.ring, room.ring).await?, 1);
        }
    } else {
        tx.add_rooms(&[NewRoom {
            id: room.id,
            name: room.name.clone(),
            site: SiteId(Uuid::from_u128(50)),
            building: String::new(),
            floor: String::new(),
            capacity: 4,
            zone: room.zone.clone(),
            zone_is_own: true,
            ring: room.ring,
            state: room.state,
        }])
        .await?;
        for (device, position) in room.devices.iter().zip(0..) {
            tx.add_devices(&[NewDevice {
                id: device.id,
                controller: device.id.to_string(),
                room: room.id,
                position,
                role: "camera".to_owned(),
                vendor: "Example".to_owned(),
                model: device.model.clone(),
                serial: String::new(),
            }])
            .await?;
        }
        tx.put_blocks(room.id, &room.blocks).await?;
        // These worlds are about plans: their rooms are checked in another century.
        let checked = CheckedRoom {
            room: room.id,
            at: now,
            changed: BTreeMap::new(),
            worst: None,
            blocks: None,
            unreviewed: None,
            becomes_managed: false,
            next_at: now + CHECKED_LATER,
        };
        let changes = Changes {
            checked_rooms: vec![checked],
            ..Changes::default()
        };
        tx.apply(&changes, &[], now).await?;
    }
    for device in &room.devices {
        let known = before.and_then(|before| before.devices.iter().find(|known| known.id == device.id));
        for component in &device.components {
            if known.and_then(|known| known.component(&component.product)) == Some(component) {
                continue;
            }
            let row = component
                .version
                .as_ref()
                .map(|version| version_row(&component.product, version));
            tx.put_components(&[(device.id, component.product.clone(), row)], component.source, now)
                .await?;
        }
    }
    for freeze in &room.freezes {
        if before.is_none_or(|before| !before.freezes.contains(freeze)) {
            tx.add_freeze(FreezeScope::Room(room.id), freeze).await?;
        }
    }
    for hold in &room.holds {
        if before.is_none_or(|before| !before.holds.contains(hold)) {
            let day = u128::try_from(hold.since.to_epoch_days()).expect("a date after 1970");
            tx.add_hold(
                HoldId(Uuid::from_u128(room.id.0.as_u128() * 1_000_000 + day)),
                room.id,
                hold,
                now,
            )
            .await?;
        }
    }
    Ok(())
}

/// With the action id that the simulator gave it: the database counts in the same way.
async fn add_install(tx: &mut Tx, install: &Install) -> Result<()> {
    let new = NewInstall {
        deployment: install.deployment,
        update: install.update,
        device: install.device,
        attempt: install.attempt,
        window: install.window,
    };
    tx.add_installs(&[new]).await?;
    tx.put_installs(std::slice::from_ref(install)).await
}

/// The tickets of rollouts that were paused by rule, and of those that go on (K7).
async fn tell_halts(tx: &mut Tx, before: &Fleet, after: &Fleet, now: DateTime<Utc>) -> Result<()> {
    for (update, ticket) in &after.halt_tickets {
        if before.halt_tickets.get(update) == Some(ticket) {
            continue;
        }
        let halt = Halt {
            ring: RingTally::default(),
            cause: HaltCause::FirstRing,
            rule: HaltRule::default(),
        };
        let mut halt_tickets = vec![HaltTicket::Opened { update: *update, halt }];
        if *ticket == TicketStatus::Resolved {
            let by = "Admin".to_owned();
            halt_tickets.push(HaltTicket::Cleared { update: *update, by });
        }
        let changes = Changes {
            halt_tickets,
            ..Changes::default()
        };
        tx.apply(&changes, &[], now).await?;
    }
    Ok(())
}
