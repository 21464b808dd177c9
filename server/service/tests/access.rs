//! Who may call what, and the trace it leaves (SPEC A1, A3): every call of the service that changes something, walked with each role.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::collections::BTreeMap;

use domain::access::{Act, Role};
use domain::deployment::Force;
use domain::freeze::FreezeScope;
use domain::ids::{AnnouncementId, FreezeId, PersonId, ProductId, RoomId, SiteId, TokenId, UpdateId};
use domain::readiness::Check;
use domain::ticket::TicketSeverity;
use domain::update::{ProductKind, Severity};
use service::announcements::AnnouncementDraft;
use service::catalogue::Catalogue;
use service::releases::{ProductDraft, ReleaseDraft};
use service::rooms::{DeviceDraft, RoomDraft, SiteDraft};
use service::settings::{OrganisationDraft, fingerprint};
use service::tickets::{Issue, TicketDraft};
use service::{Actor, NewFile, Result, RoomChoice, RoomScope, RoomsFile, ServiceError, Source};
use store::{AuditFacts, AuditFilter, TicketFilter};
use testkit::{Devices, Estate, actor, both_engines, date, draft};
use uuid::Uuid;

both_engines![
    every_call_that_changes_something_asks_for_its_right_a1,
    who_may_not_change_a_ticket_hears_that_before_anything_of_its_fields_a1,
    every_change_leaves_one_entry_with_what_was_and_what_is_a3,
];

/// A call: its name, what it asks for, and whether something was there before it.
type Call = (&'static str, Act, bool);

/// Every call that changes something, in an order in which each of them can be made.
const CALLS: [Call; 61] = [
    ("import catalogue", Act::Publish, false),
    ("import rooms", Act::EditRooms, false),
    ("import uploaded catalogue", Act::Publish, false),
    ("add product", Act::Publish, false),
    ("cover product", Act::Publish, true),
    ("add release", Act::Publish, false),
    ("add file", Act::Publish, false),
    ("remove file", Act::Publish, true),
    ("add file", Act::Publish, false),
    ("publish", Act::Publish, false),
    ("announce", Act::Announce, false),
    ("take down announcement", Act::Announce, true),
    ("pause", Act::ControlUpdates, true),
    ("set resume date", Act::ControlUpdates, true),
    ("resume", Act::ControlUpdates, true),
    ("force", Act::ControlUpdates, false),
    ("cancel", Act::ControlUpdates, true),
    ("retry", Act::RetryRoom, true),
    ("retry all failed", Act::ControlUpdates, true),
    ("refresh facts", Act::RefreshFacts, false),
    ("add ring", Act::EditRings, false),
    ("edit ring", Act::EditRings, true),
    ("move rooms", Act::EditRings, true),
    ("delete ring", Act::EditRings, true),
    ("freeze", Act::Freeze, false),
    ("lift freeze", Act::Freeze, true),
    ("recall", Act::Publish, false),
    ("acknowledge", Act::ControlUpdates, true),
    ("add site", Act::EditRooms, false),
    ("edit site", Act::EditRooms, true),
    ("edit settings", Act::EditSettings, true),
    ("add room", Act::EditRooms, false),
    ("edit room", Act::EditRooms, true),
    ("add device", Act::ManageDevices, false),
    ("retire room", Act::EditRooms, true),
    ("bring back room", Act::EditRooms, true),
    ("waive check", Act::DecideReadiness, false),
    ("end waiver", Act::DecideReadiness, true),
    ("confirm room", Act::DecideReadiness, false),
    ("review software", Act::DecideReadiness, false),
    ("end review", Act::DecideReadiness, true),
    ("set profile", Act::EditSettings, false),
    ("set support policy", Act::Publish, true),
    ("import upload", Act::EditRooms, false),
    ("record issue", Act::WorkOnTickets, false),
    ("leave issue out", Act::WorkOnTickets, false),
    ("add note", Act::WorkOnTickets, true),
    ("assign ticket", Act::WorkOnTickets, true),
    ("investigate ticket", Act::WorkOnTickets, true),
    ("edit ticket", Act::WorkOnTickets, true),
    ("resolve ticket", Act::WorkOnTickets, true),
    ("suppress ticket", Act::WorkOnTickets, true),
    ("enrol device", Act::ManageDevices, false),
    ("revoke device", Act::ManageDevices, false),
    ("add person", Act::ManagePeople, false),
    ("set role", Act::ManagePeople, true),
    ("reset person", Act::ManagePeople, true),
    ("end sessions", Act::ManagePeople, false),
    ("disable person", Act::ManagePeople, true),
    ("add token", Act::ManageTokens, false),
    ("revoke token", Act::ManageTokens, true),
];

struct Scene {
    estate: Estate,
    rooms: BTreeMap<String, RoomId>,
    /// Failed in a room and downloads in another one.
    running: UpdateId,
    freeze: std::sync::Mutex<FreezeId>,
}

impl Scene {
    async fn new(estate: Estate) -> Self {
        let rooms = estate.rooms(&[("Staging", 3), ("General", 2)]).await;
        let running = estate.publish("bar", "2.0", None).await;
        let mut devices = Devices::of(&rooms);
        devices.fails.insert("staging-1".to_owned(), 9);
        devices.fails.insert("staging-3".to_owned(), 9);
        devices.away.push("staging-2".to_owned());
        estate.live_until("2025-03-06T12:00:00Z", &mut devices).await;
        Self {
            estate,
            rooms,
            running,
            freeze: std::sync::Mutex::new(FreezeId(Uuid::nil())),
        }
    }

    async fn call(&self, name: &str, by: &Actor) -> Result<()> {
        let service = &self.estate.service;
        let (app, room) = (ProductId("app".to_owned()), self.rooms["General 2"]);
        let (general, person) = (self.estate.ring("General").await, "bo@example.com");
        let pilot = || async {
            let rings = service.store().read().await.unwrap().rings().await.unwrap();
            rings.named("Pilot").map_or(general, |ring| ring.id)
        };
        match name {
            "import catalogue" => {
                let release = r#"[{"product": "app", "version": "12", "rank": 3, "released": "2025-03-01"}]"#;
                let product = r#"[{"id": "app", "vendor": "Example", "name": "Room app", "kind": "app", "covered": true, "expected_minutes": 12}]"#;
                let catalogue = Catalogue::parse(product, release).unwrap();
                service.import_catalogue(by, &catalogue).await.map(drop)
            }
            "import rooms" => {
                let file = r#"{"rooms": [{"name": "New", "site": "Harbour", "devices": []}]}"#;
                service
                    .import_rooms(by, &RoomsFile::parse(file).unwrap())
                    .await
                    .map(drop)
            }
            "add file" => {
                let mut tx = service.store().read().await.unwrap();
                let release = tx.release_of(&app, "11").await.unwrap().unwrap().release.id;
                drop(tx);
                let file = NewFile {
                    filename: "app.swu".to_owned(),
                    source: Source::Bytes(b"app 11".to_vec()),
                    expected_sha256: None,
                };
                service.add_file(by, release, file).await.map(drop)
            }
            "import uploaded catalogue" => {
                let product =
                    r#"[{"id": "tap", "vendor": "Example", "name": "Tap", "kind": "firmware", "expected_minutes": 9}]"#;
                let upload = service.upload_catalogue(by, "releases.json", product, "[]").await?;
                service.import_uploaded_catalogue(by, upload).await.map(drop)
            }
            "add product" => {
                let draft = ProductDraft {
                    id: "dock".to_owned(),
                    vendor: "Example".into(),
                    name: "Dock".into(),
                    kind: ProductKind::Firmware,
                    expected_minutes: 9,
                };
                service.add_product(by, &draft).await.map(drop)
            }
            "cover product" => service.cover_product(by, &ProductId("dock".to_owned()), false).await,
            "add release" => {
                let draft = ReleaseDraft {
                    product: ProductId("dock".to_owned()),
                    version: "1.0".into(),
                    released: None,
                    severity: Severity::Routine,
                    minimum_version: "".into(),
                    models: "".into(),
                    applies_to_unknown: false,
                    expected_minutes: None,
                    known_issues: "It is slow".into(),
                };
                service.add_release(by, &draft).await.map(drop)
            }
            "remove file" => {
                let mut tx = service.store().read().await.unwrap();
                let release = tx.release_of(&app, "11").await.unwrap().unwrap().release.id;
                drop(tx);
                service.remove_file(by, release, "app.swu").await
            }
            "publish" => service.publish(by, &app, "11", None).await.map(drop),
            "announce" => {
                let draft = AnnouncementDraft {
                    title: "No updates at quarter close".into(),
                    text: "Two days.\nThen they go on.".into(),
                    until: None,
                };
                service.announce(by, &draft).await.map(drop)
            }
            "take down announcement" => {
                let mut tx = service.store().read().await.unwrap();
                let known = tx.announcements(None, date("2025-03-06"), 1).await.unwrap();
                drop(tx);
                let id = known.first().map_or(AnnouncementId(Uuid::nil()), |known| known.id);
                service.take_down_announcement(by, id).await
            }
            "pause" => service.pause(by, self.running, "a look".into(), None).await,
            "set resume date" => {
                let date = Some(date("2025-03-20"));
                service
                    .set_resume_date(by, self.running, "a longer look".into(), date)
                    .await
            }
            "resume" => service.resume(by, self.running, "looked".into()).await,
            "force" => service
                .force(
                    by,
                    self.running,
                    &RoomScope::Rooms(vec![self.rooms["Staging 2"]]),
                    Force::Now,
                    "at once".into(),
                )
                .await
                .map(drop),
            "cancel" => service
                .cancel(by, self.running, self.rooms["Staging 2"], "not now".into())
                .await
                .map(drop),
            "retry" => service.retry(by, self.running, self.rooms["Staging 3"]).await,
            "refresh facts" => service.refresh_facts(by, self.rooms["Staging 3"]).await.map(drop),
            "retry all failed" => service.retry_all_failed(by, self.running).await.map(drop),
            "add ring" => service.add_ring(by, draft("Pilot", Some(1), 1, 1)).await.map(drop),
            "edit ring" => {
                service
                    .edit_ring(by, pilot().await, None, draft("Pilot", Some(1), 2, 1))
                    .await
            }
            "move rooms" => service
                .move_rooms(by, &RoomChoice::Named(vec![room]), None, pilot().await)
                .await
                .map(drop),
            "delete ring" => service.delete_ring(by, pilot().await, Some(general)).await,
            "acknowledge" => {
                service
                    .acknowledge(by, self.running, "two bars of one batch".into())
                    .await
            }
            "freeze" => {
                let scope = FreezeScope::Room(room);
                let made = service
                    .freeze(by, scope, date("2025-04-01"), date("2025-04-03"), "a fair".into())
                    .await?;
                *self.freeze.lock().unwrap() = made;
                Ok(())
            }
            "lift freeze" => {
                let id = *self.freeze.lock().unwrap();
                service.lift_freeze(by, id, "no fair".into()).await
            }
            "recall" => service.recall(by, &app, "11", "it breaks".into()).await.map(drop),
            "add site" => service.add_site(by, &site("Quay")).await.map(drop),
            "edit site" => service.edit_site(by, self.site("Quay").await, &site("Quay 2")).await,
            "edit settings" => {
                let organisation = service.read_snapshot().await.unwrap().organisation;
                let draft = OrganisationDraft {
                    name: "Fathom Lane".into(),
                    zone: organisation.zone.name().into(),
                    settings: organisation.settings.clone(),
                };
                service.edit_settings(by, &fingerprint(&organisation), &draft).await
            }
            "add room" => {
                let at = self.site("Quay 2").await;
                service.add_room(by, &room_at(at, "Mast"), None).await.map(drop)
            }
            "edit room" => {
                let (room, revision, at) = self.room("Mast").await;
                service.edit_room(by, room, revision, &room_at(at, "Main mast")).await
            }
            "add device" => {
                let (room, ..) = self.room("Main mast").await;
                let device = DeviceDraft {
                    controller: "mast-1".to_owned(),
                    role: "bar".into(),
                    vendor: "Example".into(),
                    model: "B1".into(),
                    serial: "".into(),
                };
                service.add_device(by, room, &device).await.map(drop)
            }
            "retire room" => {
                service
                    .retire_room(by, self.room("Main mast").await.0, "sold".into())
                    .await
            }
            "bring back room" => service.bring_back_room(by, self.room("Main mast").await.0).await,
            "waive check" => {
                let room = self.room("Main mast").await.0;
                let until = date("2025-12-31");
                service
                    .waive_check(by, room, Check::BaseImage, until, "a visit is booked".into())
                    .await
            }
            "end waiver" => {
                let room = self.room("Main mast").await.0;
                service.end_waiver(by, room, Check::BaseImage).await
            }
            "confirm room" => {
                let room = self.room("Main mast").await.0;
                service.confirm_onboarding(by, &[room]).await.map(drop)
            }
            "review software" => service.review_software(by, "Viewer".into()).await,
            "end review" => service.end_review(by, "Viewer".into()).await,
            "set profile" => service.set_profile(by, "{}").await,
            "set support policy" => service.set_support_policy(by, &app, false).await,
            "import upload" => {
                // Who may not is told before anything is kept.
                let upload = service
                    .upload_rooms(by, "rooms.csv", "site,name\nQuay 2,Deck\n")
                    .await?;
                service.import_upload(by, upload).await.map(drop)
            }
            "record issue" => service.record_issue(by, &issue(self.running)).await.map(drop),
            "leave issue out" => service.leave_issue_out(by, self.running, "known".into()).await,
            "add note" => service.add_note(by, self.ticket().await, "seen".into()).await,
            "assign ticket" => {
                service
                    .assign_ticket(by, self.ticket().await, by.name.as_str().into())
                    .await
            }
            "investigate ticket" => service.investigate_ticket(by, self.ticket().await, true).await,
            "edit ticket" => {
                let number = self.ticket().await;
                service.edit_ticket(by, number, ticket_draft("No sound")).await
            }
            "suppress ticket" => {
                let number = self.ticket_that(true).await;
                service
                    .suppress_ticket(by, number, date("2025-06-01"), "known".into())
                    .await
            }
            "resolve ticket" => {
                service
                    .resolve_ticket(by, self.ticket().await, "Audio", "mended".into())
                    .await
            }
            "enrol device" => service.enrol_device(by, "general-2").await.map(drop),
            "revoke device" => service.revoke_device(by, "general-2").await,
            "add person" => service
                .add_person(by, "Bo".into(), person.into(), Role::Helpdesk)
                .await
                .map(drop),
            "set role" => service.set_role(by, person.into(), Role::Auditor).await,
            "reset person" => service.reset_link(by, person.into()).await.map(drop),
            "end sessions" => {
                let people = service.people(&actor()).await.unwrap();
                let person = people.first().map_or(PersonId(Uuid::nil()), |person| person.id);
                service.end_sessions(by, person).await
            }
            "add token" => service
                .add_token(by, "Archive".into(), Role::Auditor, 30)
                .await
                .map(drop),
            "revoke token" => {
                let tokens = service.tokens(&actor()).await.unwrap();
                let token = tokens.first().map_or(TokenId(Uuid::nil()), |token| token.id);
                service.revoke_token(by, token).await
            }
            "disable person" => service.disable_person(by, person.into()).await,
            other => panic!("{other} has no call"),
        }
    }

    async fn site(&self, name: &str) -> SiteId {
        let mut tx = self.estate.service.store().read().await.unwrap();
        tx.site_named(name, None).await.unwrap().unwrap_or(SiteId(Uuid::nil()))
    }

    /// A room by its name: id, revision, site.
    async fn room(&self, name: &str) -> (RoomId, i64, SiteId) {
        let mut tx = self.estate.service.store().read().await.unwrap();
        let found = tx.rooms_named(name).await.unwrap();
        found
            .first()
            .map_or((RoomId(Uuid::nil()), 0, SiteId(Uuid::nil())), |room| {
                (room.id, room.revision, room.site)
            })
    }

    /// The number of the ticket that was recorded last.
    async fn ticket(&self) -> i64 {
        self.ticket_that(false).await
    }

    /// The number of the last ticket that opened by itself, or of the last that somebody recorded.
    async fn ticket_that(&self, is_automatic: bool) -> i64 {
        let mut tx = self.estate.service.store().read().await.unwrap();
        let all = TicketFilter {
            words: String::new(),
            state: "all".to_owned(),
            severity: String::new(),
            now: self.estate.clock.now(),
        };
        let tickets = tx.tickets(&all, 100, 0).await.unwrap();
        let recorded = tickets.iter().filter(|ticket| ticket.is_automatic == is_automatic);
        recorded.map(|ticket| ticket.number).max().unwrap_or(0)
    }

    async fn audit(&self) -> Vec<AuditFacts> {
        let mut tx = self.estate.service.store().read().await.unwrap();
        tx.audit_page(&AuditFilter::default(), 1_000).await.unwrap()
    }
}

fn site(name: &str) -> SiteDraft {
    SiteDraft {
        name: name.into(),
        city: "Lisbon".into(),
        country: "Portugal".into(),
        zone: "Europe/Lisbon".into(),
    }
}

fn room_at(site: SiteId, name: &str) -> RoomDraft {
    RoomDraft {
        name: name.into(),
        site,
        building: "".into(),
        floor: "2".into(),
        capacity: 8,
        zone: "".into(),
    }
}

fn issue(update: UpdateId) -> Issue {
    Issue {
        title: "No picture".into(),
        description: "since noon".into(),
        severity: TicketSeverity::Important,
        category: "Video".to_owned(),
        rooms: "General 2".into(),
        high_impact: false,
        update: Some(update),
    }
}

fn is_forbidden(result: &Result<()>) -> bool {
    matches!(result, Err(ServiceError::Forbidden { .. }))
}

async fn every_call_that_changes_something_asks_for_its_right_a1(estate: Estate) {
    let scene = Scene::new(estate).await;
    let (fleet, entries) = (scene.estate.fleet().await, scene.audit().await.len());
    for role in [Role::Helpdesk, Role::Auditor] {
        let by = Actor { role, ..actor() };
        for (name, act, _) in CALLS {
            let may = role == Role::Helpdesk && matches!(act, Act::RetryRoom | Act::WorkOnTickets | Act::RefreshFacts);
            assert_eq!(role.may(act), may, "{role:?} {name}");
            assert!(may || is_forbidden(&scene.call(name, &by).await), "{role:?} {name}");
        }
    }
    assert_eq!(scene.estate.fleet().await, fleet, "nothing has changed");
    assert_eq!(scene.audit().await.len(), entries, "and nothing is said to have");
    let helpdesk = Actor {
        role: Role::Helpdesk,
        ..actor()
    };
    scene.call("retry", &helpdesk).await.unwrap();
    let again = scene.call("retry", &helpdesk).await.unwrap_err();
    assert_eq!(
        again.to_string(),
        "Bar firmware 2.0 has not failed in Staging 3",
        "K4: a second click changes nothing"
    );
    for (name, ..) in CALLS {
        assert!(!is_forbidden(&scene.call(name, &actor()).await), "{name}");
    }
}

async fn who_may_not_change_a_ticket_hears_that_before_anything_of_its_fields_a1(estate: Estate) {
    let service = &estate.service;
    let by = Actor {
        role: Role::Auditor,
        ..actor()
    };
    let too_early = date("2000-01-01");
    for refused in [
        service.add_note(&by, 0, "".into()).await,
        service.assign_ticket(&by, 0, "nobody of this name".into()).await,
        service.edit_ticket(&by, 0, ticket_draft("")).await,
        service.resolve_ticket(&by, 0, "no category", "".into()).await,
        service.suppress_ticket(&by, 0, too_early, "".into()).await,
    ] {
        assert!(is_forbidden(&refused), "{refused:?}");
    }
}

async fn every_change_leaves_one_entry_with_what_was_and_what_is_a3(estate: Estate) {
    let scene = Scene::new(estate).await;
    let by = Actor {
        address: "192.0.2.7".to_owned(),
        ..Actor::system("Ada")
    };
    for (name, _, had_before) in CALLS {
        if name == "cancel" {
            // What was forced has begun to download.
            let mut devices = Devices::of(&scene.rooms);
            scene.estate.service.tick().await.unwrap();
            devices.turn(&scene.estate.service).await;
        }
        if name == "acknowledge" {
            let mut devices = Devices::of(&scene.rooms);
            devices.fails.insert("staging-1".to_owned(), 9);
            scene.estate.live_until("2025-05-05T12:00:00Z", &mut devices).await;
        }
        let entries = scene.audit().await.len();
        scene
            .call(name, &by)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let audit = scene.audit().await;
        let of_ada: Vec<&AuditFacts> = audit[..audit.len() - entries]
            .iter()
            .filter(|entry| entry.actor == "Ada")
            .collect();
        assert_eq!(of_ada.len(), 1, "{name}: {of_ada:?}");
        let entry = of_ada[0];
        assert_eq!(entry.address, "192.0.2.7", "{name}");
        assert_eq!(entry.before.is_some(), had_before, "{name}: {entry:?}");
        let ends = [
            "delete ring",
            "end review",
            "end waiver",
            "lift freeze",
            "revoke token",
            "remove file",
            "take down announcement",
        ]
        .contains(&name);
        assert!(entry.after.is_some() || ends, "{name}: {entry:?}");
        assert!(
            entry.summary.ends_with('.') || entry.summary.contains(": "),
            "{name}: {}",
            entry.summary
        );
    }
}

fn ticket_draft(title: &str) -> TicketDraft {
    TicketDraft {
        title: title.into(),
        description: "since noon".into(),
        severity: TicketSeverity::Critical,
        high_impact: true,
    }
}
