//! Files of rooms: what one would become, and importing it (P0).

use domain::access::Act;
use uuid::Uuid;

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result, ring_view};
use crate::formats;
use crate::rooms::model::{ImportReview, ImportedRoom};

/// Lines that a review names.
const NAMED: usize = 100;

impl RequestContext {
    /// What a file that was sent would become (P0); nothing, where none was.
    ///
    /// # Errors
    /// As [`service::Service::review_rooms`].
    pub async fn review_rooms(&self, upload: Option<Uuid>) -> Result<Option<ImportReview>> {
        let snapshot = self.snapshot_for(Act::EditRooms).await?;
        let Some(upload) = upload else { return Ok(None) };
        let review = self.service.review_rooms(&self.viewer.actor, upload).await?;
        let refused_lines = i64::try_from(review.refused.len()).unwrap_or(i64::MAX);
        let refused = review.refused.into_iter().take(NAMED);
        let rooms = review.first.into_iter().map(|room| ImportedRoom {
            place: room.place,
            name: room.name,
            site: format!("{}, {}", room.site, room.zone.name()),
            ring: ring_view(&snapshot, room.ring),
            devices: i64::try_from(room.devices).unwrap_or(i64::MAX),
            moved: room.moved.join(", "),
        });
        Ok(Some(ImportReview {
            name: review.name,
            adds: counted(review.sites, review.rooms, review.devices),
            refused_lines,
            refused: refused
                .map(|line| (line.place, line.field.to_owned(), line.problem))
                .collect(),
            rooms: rooms.collect(),
        }))
    }

    /// Imports a file that was looked at.
    ///
    /// # Errors
    /// As [`service::Service::import_upload`].
    pub async fn import_rooms(&self, upload: Uuid) -> Result<FormSuccess> {
        let report = self.service.import_upload(&self.viewer.actor, upload).await?;
        let added = counted(report.sites, report.rooms, report.devices);
        Ok(FormSuccess::new(format!("Imported: {added}."), "/rooms"))
    }
}

/// `2 sites, 14 rooms, 30 devices`.
fn counted(sites: usize, rooms: usize, devices: usize) -> String {
    let count =
        |number: usize, one: &str, many: &str| formats::count(i64::try_from(number).unwrap_or(i64::MAX), one, many);
    let mut parts = vec![count(rooms, "room", "rooms"), count(devices, "device", "devices")];
    if sites > 0 {
        parts.insert(0, count(sites, "site", "sites"));
    }
    parts.join(", ")
}
