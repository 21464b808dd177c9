//! The smallest estate in which something can be installed: one site, a few rooms with a device each, one published update.

use chrono::{DateTime, TimeDelta, Utc};
use domain::changes::NewInstall;
use domain::deployment::{Deployment, DeploymentState, FallBacks, Night};
use domain::ids::{ActionId, DeploymentId, DeviceId, ProductId, RingId, RoomId, SiteId, UpdateId};
use domain::reason::Reason;
use domain::ring::RingSequence;
use domain::rollout::{Rollout, RolloutState, Stage};
use domain::room::{RoomState, VersionSource};
use domain::settings::{Organisation, Settings};
use domain::start_window::StartWindow;
use domain::update::{ProductKind, Severity, VersionStanding};
use domain::version::VersionScheme;
use domain::zone::Zone;
use store::{NewDevice, NewRelease, NewRoom, NewSite, ProductRecord, Store, StoreError};
use testkit::{date, instant};
use uuid::Uuid;

pub const STAGING: RingId = RingId(Uuid::from_u128(1));
pub const GENERAL: RingId = RingId(Uuid::from_u128(2));
pub const EXECUTIVE: RingId = RingId(Uuid::from_u128(3));
pub const UPDATE: UpdateId = UpdateId(Uuid::from_u128(100));
/// Versions 1 and 2 of the product `cam`; the update is 2.
pub const OLD: Uuid = Uuid::from_u128(201);
pub const NEW: Uuid = Uuid::from_u128(202);

/// Inside the window of every room of the lab.
pub fn at_night() -> DateTime<Utc> {
    instant("2026-03-04T01:00:00Z")
}

pub fn rings() -> RingSequence {
    RingSequence::preconfigured(STAGING, GENERAL, EXECUTIVE)
}

pub fn organisation() -> Organisation {
    Organisation {
        name: "Example".to_owned(),
        zone: Zone::utc(),
        settings: Settings::default(),
    }
}

pub fn cam() -> ProductId {
    ProductId("cam".to_owned())
}

pub fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128(1_000 + number))
}

pub fn device(number: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(2_000 + number))
}

pub fn deployment_id(number: u128) -> DeploymentId {
    DeploymentId(Uuid::from_u128(3_000 + number))
}

pub fn a_room(number: u128, name: &str, ring: RingId) -> NewRoom {
    NewRoom {
        id: room(number),
        name: name.to_owned(),
        site: SiteId(Uuid::from_u128(50)),
        building: "North".to_owned(),
        floor: "2".to_owned(),
        capacity: 8,
        zone: Zone::utc(),
        zone_is_own: false,
        ring,
        state: RoomState::Managed,
    }
}

pub fn a_device(number: u128, position: u32, in_room: RoomId) -> NewDevice {
    NewDevice {
        id: device(number),
        controller: format!("device-{number}"),
        room: in_room,
        position,
        role: "camera".to_owned(),
        vendor: "Example".to_owned(),
        model: "M1".to_owned(),
        serial: String::new(),
    }
}

pub fn a_release(id: UpdateId, version_id: Uuid, version: &str, position: u32) -> NewRelease {
    NewRelease {
        id,
        product: cam(),
        version_id,
        version: version.to_owned(),
        title: "Camera".to_owned(),
        severity: Severity::Routine,
        minimum_version: None,
        models: Vec::new(),
        applies_to_unknown: false,
        supersedes: true,
        expected_minutes: 20,
        known_issues: vec![("A known issue.".to_owned(), None)],
        recalled: false,
        position,
    }
}

pub fn a_rollout(update: UpdateId, state: RolloutState) -> Rollout {
    Rollout {
        update,
        published_at: instant("2026-03-03T15:00:00Z"),
        starts_on: date("2026-03-04"),
        state,
        stages: vec![a_stage(STAGING, "Staging", 0)],
        paused_days: 0,
        automatic_days: None,
        superseded_by: Vec::new(),
        first_test_over: false,
        halt_rule: None,
        halt: None,
        counts: std::collections::BTreeMap::new(),
        next_at: None,
    }
}

pub fn a_stage(ring: RingId, name: &str, scale: i64) -> Stage {
    Stage {
        ring: ring.into(),
        name: name.to_owned(),
        place: domain::ring::RingPlace::from_scale(scale).expect("a place"),
        rollout_days: 2,
        test_days: 5,
        starts_on: date("2026-03-04"),
        rollout_ends: date("2026-03-07"),
        test_ends: date("2026-03-14"),
        entered_at: instant("2026-03-03T10:00:00Z"),
        rooms: 3,
        placed: 2,
    }
}

pub fn a_deployment(number: u128, in_room: RoomId, state: DeploymentState) -> Deployment {
    Deployment {
        id: deployment_id(number),
        update: UPDATE,
        room: in_room,
        ring: STAGING.into(),
        night: Night::Planned {
            date: date("2026-03-04"),
            planned: date("2026-03-04"),
        },
        state,
        attempt: 1,
        missed_windows: 0,
        offered_windows: 0,
        crowded_windows: 0,
        refusals: 0,
        last_failure: None,
        tolerated: false,
        fall_backs: FallBacks::default(),
        from_version: Some("1".to_owned()),
        reason: Reason::Night {
            night: 1,
            nights: 2,
            ring: "Staging".to_owned(),
            delay: None,
        },
        next_at: None,
    }
}

pub fn an_install(number: u128, on: DeviceId) -> NewInstall {
    NewInstall {
        deployment: deployment_id(number),
        update: UPDATE,
        device: on,
        attempt: 1,
        window: StartWindow::new(instant("2026-03-04T00:00:00Z"), instant("2026-03-04T05:00:00Z")),
    }
}

/// `rooms` rooms in Staging, one device each on version 1, and a running rollout of version 2. No deployments.
pub async fn fill(store: &Store, rooms: u128) {
    store::write!(store, tx => {
        tx.put_organisation(&organisation()).await?;
        tx.put_rings(&rings()).await?;
        tx.add_sites(&[NewSite {
            id: SiteId(Uuid::from_u128(50)),
            name: "Harbour".to_owned(),
            city: "London".to_owned(),
            country: "GB".to_owned(),
            zone: Zone::utc(),
        }]).await?;
        let plans: Vec<NewRoom> = (0..rooms).map(|number| a_room(number, &format!("Room {number}"), STAGING)).collect();
        tx.add_rooms(&plans).await?;
        let devices: Vec<NewDevice> = (0..rooms).map(|number| a_device(number, 0, room(number))).collect();
        tx.add_devices(&devices).await?;
        tx.put_products(&[ProductRecord {
            id: cam(),
            vendor: "Logitech".to_owned(),
            name: "Camera".to_owned(),
            kind: ProductKind::Firmware,
            covered: true,
            scheme: VersionScheme::default(),
            expected_minutes: 20,
        }]).await?;
        tx.put_version(OLD, &cam(), "1", Some(date("2026-01-01"))).await?;
        tx.put_version(NEW, &cam(), "2", Some(date("2026-02-01"))).await?;
        tx.add_release(&a_release(UPDATE, NEW, "2", 2)).await?;
        tx.put_standings(UPDATE, &[(OLD, VersionStanding::Below), (NEW, VersionStanding::Current)]).await?;
        let components: Vec<_> = (0..rooms).map(|number| (device(number), cam(), Some(OLD))).collect();
        tx.put_components(&components, VersionSource::Reported, at_night()).await?;
        tx.add_rollout(&a_rollout(UPDATE, RolloutState::Running), "Admin").await?;
        Ok::<_, StoreError>(())
    })
    .expect("the lab");
}

/// An open deployment in this room with a planned install for its device; the action.
pub async fn open(store: &Store, number: u128) -> ActionId {
    store::write!(store, tx => {
        let deployment = a_deployment(number, room(number), DeploymentState::Prepared);
        tx.put_deployments(&[deployment], at_night()).await?;
        tx.add_installs(&[an_install(number, device(number))]).await?;
        let installs = tx.installs_of(deployment_id(number)).await?;
        Ok::<_, StoreError>(installs[0].action)
    })
    .expect("an open deployment")
}

pub fn later(minutes: i64) -> DateTime<Utc> {
    at_night() + TimeDelta::minutes(minutes)
}
