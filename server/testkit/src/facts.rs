//! Facts and files of a service by the names that tests use.

use domain::conversation::Outcome;
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::fleet::Fleet;
use domain::ids::{ProductId, RingId, RoomId, UpdateId};
use domain::room::RoomState;
use service::{NewFile, Service, Source};

use crate::actor;

/// What a computer reports of which every readiness check passes.
pub const FINE: [(&str, &str); 9] = [
    ("device.vendor", "Lenovo"),
    ("os.name", "Windows 11"),
    ("os.edition", "IoTEnterprise"),
    ("readiness.base_image_oem", "Lenovo"),
    ("readiness.os_updates", "enabled"),
    ("readiness.store_updates", "off"),
    ("readiness.antivirus", "excluded"),
    ("readiness.additional_software", "none"),
    ("readiness.other_change_management", "none"),
];

/// All facts.
pub async fn fleet(service: &Service) -> Fleet {
    let mut tx = service.store().read().await.expect("a snapshot");
    tx.fleet().await.expect("the fleet")
}

/// The ring of this name.
pub async fn ring(service: &Service, name: &str) -> RingId {
    let mut tx = service.store().read().await.expect("a snapshot");
    let rings = tx.rings().await.expect("rings");
    rings.named(name).expect("a ring").id
}

/// A release of the catalogue.
pub async fn release(service: &Service, product: &str, version: &str) -> UpdateId {
    let mut tx = service.store().read().await.expect("a snapshot");
    let release = tx.release_of(&ProductId(product.to_owned()), version).await;
    let release = release.expect("a query");
    release
        .unwrap_or_else(|| panic!("{product} has no release {version}"))
        .release
        .id
}

/// Adds a file to a release.
pub async fn add_file(service: &Service, release: UpdateId, filename: &str, bytes: Vec<u8>) {
    let file = NewFile {
        filename: filename.to_owned(),
        source: Source::Bytes(bytes),
        expected_sha256: None,
    };
    service.add_file(&actor(), release, file).await.expect("a file");
}

/// Rooms as they were before there were facts: Managed, and nobody has confirmed it (C4).
pub async fn manage(service: &Service, rooms: &[RoomId]) {
    let managed: store::Result<()> = store::write!(service.store(), tx => {
        for room in rooms {
            let mut record = tx.room_record(*room).await?.expect("a room");
            if record.state == RoomState::Onboarding {
                record.state = RoomState::Managed;
                tx.put_room(&record).await?;
            }
        }
        Ok::<_, store::StoreError>(())
    });
    managed.expect("rooms");
}

/// A device reports facts about itself, beside what it has reported so far.
pub async fn tell(service: &Service, controller: &str, facts: &[(&str, &str)]) {
    let mut tx = service.store().read().await.expect("a snapshot");
    let device = tx.device_facts(controller).await.expect("a query").expect("a device");
    drop(tx);
    let data = facts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    let report = ConfigReport {
        mode: ConfigMode::Merge,
        data: data.collect(),
    };
    let outcome = service.config(device.device.id, report).await.expect("a report");
    assert!(matches!(outcome, Outcome::Changed | Outcome::Noted), "{outcome:?}");
}
