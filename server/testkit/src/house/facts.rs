//! What is there: facts of a house by the names that people and devices have.

use std::collections::BTreeMap;

use domain::deployment::Deployment;
use domain::fleet::Fleet;
use domain::ids::{ActionId, DeviceId, RoomId, UpdateId};
use domain::install::Install;
use domain::room::Room;
use domain::status::{self, RoomStatus};
use domain::ticket::TicketStatus;

use super::House;
use crate::facts;

impl House {
    /// The name of the room that a device stands in.
    pub async fn room_of(&self, device: &str) -> String {
        let id = self.device_id(device).await;
        let rooms = self.fleet().await.rooms;
        let room = rooms.values().find(|room| room.devices.iter().any(|own| own.id == id));
        room.expect("a room").name.clone()
    }

    /// All facts.
    pub async fn fleet(&self) -> Fleet {
        facts::fleet(&self.service).await
    }

    /// The room of this name.
    pub async fn room(&self, name: &str) -> Room {
        let fleet = self.fleet().await;
        let room = fleet.rooms.into_values().find(|room| room.name == name);
        room.unwrap_or_else(|| panic!("there is no room {name}"))
    }

    /// Where the update stands in the room.
    pub async fn deployment(&self, room: &str, update: UpdateId) -> Option<Deployment> {
        let id = self.room(room).await.id;
        self.fleet().await.deployment_of(id, update).cloned()
    }

    /// What the pages say of the update in the room.
    pub async fn status(&self, room: &str, update: UpdateId) -> RoomStatus {
        let fleet = self.fleet().await;
        let id = fleet
            .rooms
            .values()
            .find(|known| known.name == room)
            .map(|room| room.id);
        let id = id.unwrap_or_else(|| panic!("there is no room {room}"));
        let rollout = fleet.rollouts.get(&update).expect("a rollout");
        fleet
            .deployment_of(id, update)
            .map_or(RoomStatus::NotRequired, |deployment| {
                status::room(deployment.progress(), &rollout.state)
            })
    }

    /// Why the room stands where it stands.
    pub async fn reason(&self, room: &str, update: UpdateId) -> String {
        self.deployment(room, update)
            .await
            .map_or_else(String::new, |deployment| deployment.reason.sentence())
    }

    /// The state of the ticket for the update in the room.
    pub async fn ticket(&self, room: &str, update: UpdateId) -> Option<TicketStatus> {
        let id: RoomId = self.room(room).await.id;
        self.fleet().await.tickets.get(&(id, update)).map(|ticket| ticket.state)
    }

    /// The device's id in the database.
    pub async fn device_id(&self, device: &str) -> DeviceId {
        let mut tx = self.service.store().read().await.expect("a read");
        tx.device_facts(device)
            .await
            .expect("a query")
            .expect("a device")
            .device
            .id
    }

    /// What the device has to install, or installs.
    pub async fn open_install(&self, device: &str) -> Option<Install> {
        let mut tx = self.service.store().read().await.expect("a read");
        let facts = tx.device_facts(device).await.expect("a query").expect("a device");
        facts.open_install.map(|open| open.install)
    }

    /// The install behind an action.
    pub async fn install(&self, action: &str) -> Install {
        let action = ActionId(action.parse().expect("an action id"));
        let fleet = self.fleet().await;
        fleet.installs.get(&action).cloned().expect("an install")
    }

    /// What is kept of the device's attributes.
    pub async fn attributes(&self, device: &str) -> BTreeMap<String, String> {
        let query = format!("SELECT cast(attributes AS text) FROM devices WHERE controller_id = '{device}'");
        let text = self.database.text(&query).await;
        serde_json::from_str(&text).expect("attributes are JSON")
    }
}
