//! What is prepared for tonight, and somebody changes something this evening: only what the change concerns is taken back, and what is
//! taken back has missed no window (W4, W6).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use chrono::NaiveTime;
use domain::conversation::offer::Offer;
use domain::deployment::{Deployment, DeploymentState};
use domain::freeze::FreezeScope;
use domain::ids::{ActionId, RoomId, SiteId, UpdateId};
use domain::settings::Organisation;
use service::rooms::{RoomDraft, SiteDraft};
use service::settings::{OrganisationDraft, fingerprint};
use testkit::{Estate, actor, both_engines, date, open_install, speak};

both_engines![
    a_change_that_does_not_concern_tonight_takes_nothing_back_w4_w6,
    a_window_at_other_hours_is_prepared_anew_and_nothing_is_missed_w4,
    a_zone_in_which_tonight_is_still_ahead_keeps_the_night_w4,
    a_room_with_a_zone_of_its_own_keeps_what_is_prepared_when_its_site_moves_w4,
    a_freeze_of_tonight_moves_the_room_and_no_window_is_missed_w4_w6,
];

/// Two rooms in Staging; the one whose night is Thursday the 6th, prepared on Wednesday at 23:30.
struct Evening {
    estate: Estate,
    update: UpdateId,
    room: RoomId,
    controller: String,
}

impl Evening {
    async fn of(estate: Estate) -> Self {
        let rooms = estate.rooms(&[("Staging", 2)]).await;
        let update = estate.publish("bar", "2.0", None).await;
        estate.at_and_tick("2025-03-05T00:00:00Z").await;
        estate.at_and_tick("2025-03-05T23:30:00Z").await;
        for (name, room) in rooms {
            let deployment = estate.deployment(room, update).await.unwrap();
            if deployment.night.planned() == Some(date("2025-03-06")) {
                let controller = name.to_lowercase().replace(' ', "-");
                return Self {
                    estate,
                    update,
                    room,
                    controller,
                };
            }
        }
        panic!("no room has the second night")
    }

    async fn deployment(&self) -> Deployment {
        self.estate.deployment(self.room, self.update).await.unwrap()
    }

    /// The action that waits for the device.
    async fn action(&self) -> Option<ActionId> {
        let caller = speak(&self.estate.service, &self.controller).await;
        open_install(&self.estate.service, &caller)
            .await
            .map(|install| install.action)
    }

    async fn tick(&self) {
        self.estate.service.tick().await.unwrap();
    }

    /// It waits for its night as before, no window is missed, and its device is offered the update at this time.
    async fn is_offered_at(&self, instant: &str) {
        let deployment = self.deployment().await;
        assert_eq!(deployment.night.date(), date("2025-03-06"));
        assert_eq!(
            (deployment.missed_windows, deployment.crowded_windows),
            (0, 0),
            "{deployment:?}"
        );
        assert!(
            deployment.reason.sentence().starts_with("Night 2 of 2 in Staging"),
            "{}",
            deployment.reason.sentence()
        );
        self.estate.at_and_tick(instant).await;
        let caller = speak(&self.estate.service, &self.controller).await;
        assert_eq!(
            self.estate.service.poll(&caller).await.unwrap().offer,
            Offer::Install,
            "{instant}"
        );
        self.estate.is_sound().await;
    }

    async fn set(&self, change: impl FnOnce(&mut Organisation)) {
        let before = self.estate.service.read_snapshot().await.unwrap().organisation;
        let mut after = before.clone();
        change(&mut after);
        let draft = OrganisationDraft {
            name: after.name.into(),
            zone: after.zone.name().into(),
            settings: after.settings,
        };
        self.estate
            .service
            .edit_settings(&actor(), &fingerprint(&before), &draft)
            .await
            .unwrap();
    }

    async fn site(&self) -> SiteId {
        let mut tx = self.estate.service.store().read().await.unwrap();
        tx.site_named("Harbour", None).await.unwrap().unwrap()
    }

    async fn move_site_to(&self, zone: &str) {
        let draft = SiteDraft {
            name: "Harbour".into(),
            city: String::new().into(),
            country: String::new().into(),
            zone: zone.into(),
        };
        self.estate
            .service
            .edit_site(&actor(), self.site().await, &draft)
            .await
            .unwrap();
    }

    /// Gives the room a zone of its own, or its site's for an empty one.
    async fn move_room_to(&self, zone: &str) {
        let mut tx = self.estate.service.store().read().await.unwrap();
        let room = tx.room_record(self.room).await.unwrap().unwrap();
        drop(tx);
        let draft = RoomDraft {
            name: room.name.into(),
            site: room.site,
            building: room.building.into(),
            floor: room.floor.into(),
            capacity: room.capacity,
            zone: zone.into(),
        };
        self.estate
            .service
            .edit_room(&actor(), self.room, room.revision, &draft)
            .await
            .unwrap();
    }

    async fn freeze(&self, scope: FreezeScope, from: &str, until: &str) {
        let (from, until) = (date(from), date(until));
        self.estate
            .service
            .freeze(&actor(), scope, from, until, "Christmas".into())
            .await
            .unwrap();
    }
}

async fn a_change_that_does_not_concern_tonight_takes_nothing_back_w4_w6(estate: Estate) {
    let evening = Evening::of(estate).await;
    let prepared = evening.action().await;
    assert!(prepared.is_some());
    // Before the window has opened, and again after that.
    for (time, number) in [("2025-03-05T23:40:00Z", 1), ("2025-03-06T00:05:00Z", 2)] {
        evening.estate.at_and_tick(time).await;
        evening
            .set(|organisation| organisation.name = format!("Example {number}"))
            .await;
        evening.tick().await;
        evening
            .set(|organisation| organisation.settings.poll_seconds += 1)
            .await;
        evening.tick().await;
        evening.move_site_to("UTC").await;
        evening.tick().await;
        let year = 2024 + number * 2;
        let everybody = FreezeScope::Organisation;
        evening
            .freeze(everybody, &format!("{year}-12-20"), &format!("{}-01-05", year + 1))
            .await;
        evening.tick().await;
        assert_eq!(evening.action().await, prepared, "what was prepared stays, at {time}");
        assert_eq!(evening.deployment().await.state, DeploymentState::Prepared, "at {time}");
    }
    evening.is_offered_at("2025-03-06T00:10:00Z").await;
}

async fn a_window_at_other_hours_is_prepared_anew_and_nothing_is_missed_w4(estate: Estate) {
    let evening = Evening::of(estate).await;
    let prepared = evening.action().await;
    evening.estate.at_and_tick("2025-03-06T00:05:00Z").await;
    let half_past = NaiveTime::from_hms_opt(0, 30, 0).unwrap();
    evening
        .set(|organisation| organisation.settings.window_opens = half_past)
        .await;
    assert_eq!(evening.action().await, None, "no device starts by the hours of before");
    evening.tick().await;
    assert_ne!(evening.action().await, prepared, "it is prepared anew");
    let caller = speak(&evening.estate.service, &evening.controller).await;
    assert_eq!(
        evening.estate.service.poll(&caller).await.unwrap().offer,
        Offer::Nothing
    );
    evening.is_offered_at("2025-03-06T00:30:00Z").await;
}

async fn a_zone_in_which_tonight_is_still_ahead_keeps_the_night_w4(estate: Estate) {
    let evening = Evening::of(estate).await;
    // Midnight comes an hour later in the Azores, and then five hours later in New York.
    evening.move_site_to("Atlantic/Azores").await;
    evening.tick().await;
    evening.estate.at_and_tick("2025-03-06T00:30:00Z").await;
    evening.move_room_to("America/New_York").await;
    evening.tick().await;
    assert_eq!(evening.action().await, None, "its evening has not come yet");
    evening.is_offered_at("2025-03-06T05:10:00Z").await;
}

async fn a_room_with_a_zone_of_its_own_keeps_what_is_prepared_when_its_site_moves_w4(estate: Estate) {
    let evening = Evening::of(estate).await;
    evening.move_room_to("Europe/London").await;
    evening.tick().await;
    let prepared = evening.action().await;
    assert!(prepared.is_some());
    evening.move_site_to("Asia/Tokyo").await;
    assert_eq!(evening.action().await, prepared);
    evening.tick().await;
    assert_eq!(evening.action().await, prepared);
    evening.is_offered_at("2025-03-06T00:10:00Z").await;
}

async fn a_freeze_of_tonight_moves_the_room_and_no_window_is_missed_w4_w6(estate: Estate) {
    let evening = Evening::of(estate).await;
    evening
        .freeze(FreezeScope::Room(evening.room), "2025-03-06", "2025-03-07")
        .await;
    assert_eq!(evening.action().await, None, "no device starts any more");
    evening.tick().await;
    let deployment = evening.deployment().await;
    assert_eq!(deployment.night.date(), date("2025-03-08"), "{deployment:?}");
    assert_eq!((deployment.missed_windows, deployment.crowded_windows), (0, 0));
    evening.estate.is_sound().await;
}
