//! Single rooms, their devices and their sites, and the estate as a file (SPEC P0, P5, R3, A4, G5).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use domain::deployment::DeploymentState;
use domain::ids::{RoomId, SiteId};
use domain::room::RoomState;
use futures::TryStreamExt;
use service::read::rooms::{RoomFilter, WhichRooms};
use service::rooms::{DeviceDraft, RoomDraft, SiteDraft};
use service::{RoomChoice, RoomsFile, ServiceError};
use store::RoomRecord;
use testkit::{Devices, Estate, actor, both_engines};
use uuid::Uuid;

both_engines![
    a_new_room_belongs_to_general_and_gets_what_has_passed_r3_s11,
    whoever_edits_a_room_as_it_was_is_told_and_changes_nothing_p0,
    a_new_zone_moves_the_windows_of_what_is_prepared_w2,
    a_retired_room_gets_nothing_and_comes_back_as_onboarding_p0,
    a_device_is_named_once_and_a_revoked_one_comes_back_with_a_new_token_a4,
    a_device_of_a_retired_room_gets_no_token_a4,
    a_revoked_device_goes_to_another_room_by_a_file_too_a4,
    one_of_two_who_move_a_room_is_told_where_it_is_now_r3_r13,
    an_export_is_a_file_that_an_import_takes_p0,
    a_review_names_every_line_that_is_refused_and_changes_nothing_g5,
];

async fn record(estate: &Estate, id: RoomId) -> RoomRecord {
    let mut tx = estate.service.store().read().await.unwrap();
    tx.room_record(id).await.unwrap().unwrap()
}

fn draft(site: SiteId, name: &str) -> RoomDraft {
    RoomDraft {
        name: name.into(),
        site,
        building: " Quay House ".into(),
        floor: "3".into(),
        capacity: 12,
        zone: "".into(),
    }
}

fn device(id: &str) -> DeviceDraft {
    DeviceDraft {
        controller: id.to_owned(),
        role: "bar".into(),
        vendor: "Example".into(),
        model: "B1".into(),
        serial: "".into(),
    }
}

fn said(error: &ServiceError) -> String {
    error.to_string()
}

async fn harbour(estate: &Estate) -> SiteId {
    let mut tx = estate.service.store().read().await.unwrap();
    tx.site_named("Harbour", None).await.unwrap().unwrap()
}

async fn a_new_room_belongs_to_general_and_gets_what_has_passed_r3_s11(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    let site = harbour(&estate).await;
    let id = estate
        .service
        .add_room(&actor(), &draft(site, " Mast "), None)
        .await
        .unwrap();
    let room = record(&estate, id).await;
    assert_eq!(
        (room.name.as_str(), room.building.as_str(), room.capacity),
        ("Mast", "Quay House", 12)
    );
    assert_eq!(room.ring, estate.ring("General").await);
    assert_eq!((room.zone.name(), room.zone_is_own), ("UTC", false));

    let same = estate
        .service
        .add_room(&actor(), &draft(site, "MAST"), None)
        .await
        .unwrap_err();
    assert_eq!(said(&same), "name: Harbour has a room named MAST already");
    let nowhere = RoomDraft {
        zone: "Mars/Base".into(),
        ..draft(site, "Deck")
    };
    let refused = estate.service.add_room(&actor(), &nowhere, None).await.unwrap_err();
    assert!(said(&refused).starts_with("zone: "), "{refused}");
    let crowd = RoomDraft {
        capacity: 10_001,
        ..draft(site, "Deck")
    };
    let refused = estate.service.add_room(&actor(), &crowd, None).await.unwrap_err();
    assert_eq!(said(&refused), "capacity: 10001 is more than 10000");
    let long = "W".repeat(101);
    let refused = estate
        .service
        .add_room(&actor(), &draft(site, &long), None)
        .await
        .unwrap_err();
    assert_eq!(said(&refused), "name: 101 characters are too many; at most 100");
    let emoji = "سَلام 🙂 <b>W</b>";
    let id = estate
        .service
        .add_room(&actor(), &draft(site, emoji), None)
        .await
        .unwrap();
    assert_eq!(record(&estate, id).await.name, emoji, "names mean themselves");
}

async fn whoever_edits_a_room_as_it_was_is_told_and_changes_nothing_p0(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1)]).await;
    let id = rooms["Staging 1"];
    let before = record(&estate, id).await;
    let site = before.site;
    estate
        .service
        .edit_room(&actor(), id, before.revision, &draft(site, "Mast"))
        .await
        .unwrap();
    let late = estate
        .service
        .edit_room(&actor(), id, before.revision, &draft(site, "Deck"))
        .await
        .unwrap_err();
    assert_eq!(
        said(&late),
        "Mast was changed by somebody else meanwhile; look at it again"
    );
    let after = record(&estate, id).await;
    assert_eq!(
        (after.name.as_str(), after.ring),
        ("Mast", before.ring),
        "the ring is not the form's"
    );
    let missing = estate
        .service
        .edit_room(&actor(), RoomId(Uuid::nil()), 0, &draft(site, "Deck"))
        .await;
    assert!(matches!(missing, Err(ServiceError::NotFound { .. })));
    let audit = estate.audit().await;
    assert_eq!(audit[0].1, "Edited the room Mast.");
}

async fn a_new_zone_moves_the_windows_of_what_is_prepared_w2(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1)]).await;
    let id = rooms["Staging 1"];
    let update = estate.publish("bar", "2.0", None).await;
    estate.at_and_tick("2025-03-05T00:01:00Z").await;
    let prepared = estate.deployment(id, update).await.unwrap();
    assert_eq!(prepared.state, DeploymentState::Prepared, "{prepared:?}");

    let room = record(&estate, id).await;
    let moved = RoomDraft {
        zone: "America/Vancouver".into(),
        ..draft(room.site, &room.name)
    };
    estate
        .service
        .edit_room(&actor(), id, room.revision, &moved)
        .await
        .unwrap();
    estate.service.tick().await.unwrap();
    let waiting = estate.deployment(id, update).await.unwrap();
    assert_eq!(waiting.state, DeploymentState::Waiting, "its night is hours away");
    estate.is_sound().await;

    // A site's zone is that of its rooms which have none of their own.
    let back = RoomDraft {
        zone: "".into(),
        ..moved
    };
    estate
        .service
        .edit_room(&actor(), id, record(&estate, id).await.revision, &back)
        .await
        .unwrap();
    let site = SiteDraft {
        name: "Harbour".into(),
        city: "Kathmandu".into(),
        country: "".into(),
        zone: "Asia/Kathmandu".into(),
    };
    estate.service.edit_site(&actor(), room.site, &site).await.unwrap();
    assert_eq!(record(&estate, id).await.zone.name(), "Asia/Kathmandu");
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
    let other = estate.service.add_site(&actor(), &site).await.unwrap_err();
    assert_eq!(said(&other), "name: there is a site named Harbour already");
}

async fn a_retired_room_gets_nothing_and_comes_back_as_onboarding_p0(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 4)]).await;
    let update = estate.publish("bar", "2.0", None).await;
    let mut devices = Devices::of(&rooms);
    estate.at_and_tick("2025-03-05T00:01:00Z").await;
    let mut tonight = Vec::new();
    for (name, room) in &rooms {
        let deployment = estate.deployment(*room, update).await.unwrap();
        if deployment.is_open() {
            tonight.push((name.to_lowercase().replace(' ', "-"), *room));
        }
    }
    let [(away, gone), (_, running)] = <[_; 2]>::try_from(tonight).unwrap();
    devices.away.push(away);
    devices.turn(&estate.service).await;
    let name = record(&estate, running).await.name;

    let refused = estate
        .service
        .retire_room(&actor(), running, "sold".into())
        .await
        .unwrap_err();
    assert_eq!(
        said(&refused),
        format!("an install is running in {name}; retire the room when it has ended")
    );
    let silent = estate
        .service
        .retire_room(&actor(), gone, " ".into())
        .await
        .unwrap_err();
    assert!(said(&silent).starts_with("reason: "), "{silent}");
    estate.service.retire_room(&actor(), gone, "sold".into()).await.unwrap();
    estate.service.tick().await.unwrap();
    let withdrawn = estate.deployment(gone, update).await.unwrap();
    assert!(
        matches!(withdrawn.state, DeploymentState::Withdrawn { .. }),
        "{withdrawn:?}"
    );
    let room = record(&estate, gone).await;
    assert_eq!(room.state, RoomState::Retired);
    assert!(
        estate.fleet().await.rooms[&gone].devices.is_empty(),
        "its devices are revoked"
    );
    estate.is_sound().await;
    for refused in [
        estate
            .service
            .retire_room(&actor(), gone, "again".into())
            .await
            .unwrap_err(),
        estate
            .service
            .edit_room(&actor(), gone, room.revision, &draft(room.site, "Mast"))
            .await
            .unwrap_err(),
        estate
            .service
            .add_device(&actor(), gone, &device("new"))
            .await
            .unwrap_err(),
        estate.service.bring_back_room(&actor(), running).await.unwrap_err(),
    ] {
        assert!(matches!(refused, ServiceError::Conflict { .. }), "{refused}");
    }

    estate.service.bring_back_room(&actor(), gone).await.unwrap();
    assert_eq!(record(&estate, gone).await.state, RoomState::Onboarding);
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_revoked_device_goes_to_another_room_by_a_file_too_a4(estate: Estate) {
    let room = estate.rooms(&[("Staging", 1)]).await["Staging 1"];
    let token = estate
        .service
        .add_device(&actor(), room, &device("bar-17"))
        .await
        .unwrap();
    let text = "site,name,device,model,product,version\nHarbour,Neisse,bar-17,Rally Bar,bar,1.0\n";
    let upload = estate.service.upload_rooms(&actor(), "moved.csv", text).await.unwrap();
    let review = estate.service.review_rooms(&actor(), upload).await.unwrap();
    let refused = "bar-17 is a device of Staging 1 already; revoke it there first";
    assert_eq!(review.refused[0].problem, refused);
    let import = estate.service.import_upload(&actor(), upload).await;
    assert_eq!(said(&import.unwrap_err()), format!("device: {refused}"));
    estate.service.revoke_device(&actor(), "bar-17").await.unwrap();
    let review = estate.service.review_rooms(&actor(), upload).await.unwrap();
    assert_eq!((review.refused.len(), review.devices), (0, 1));
    assert_eq!(review.first[0].moved, ["bar-17 comes from Staging 1"]);
    let report = estate.service.import_upload(&actor(), upload).await.unwrap();
    assert_eq!((report.rooms, report.devices), (1, 1));
    let fleet = estate.fleet().await;
    let moved = &fleet.rooms[&report.ids[0]];
    assert_eq!((moved.devices.len(), moved.devices[0].model.as_str()), (1, "Rally Bar"));
    assert_eq!(fleet.rooms[&room].devices.len(), 1, "the other one has stayed");
    for (room, says) in [(room, "went to Neisse"), (report.ids[0], "came from Staging 1")] {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let detail = snapshot.room(room).await.unwrap();
        let history = format!("{:?}", snapshot.history_of_room(&detail).await.unwrap());
        assert!(history.contains(&format!("The device bar-17 {says}.")), "{history}");
    }
    let speaks = |token: &str| service::devices::Credentials::Target(token.to_owned());
    let old = estate.service.device("bar-17", &speaks(&token)).await.unwrap();
    assert!(old.is_none(), "the old token does not count here");
    let token = estate.service.enrol_device(&actor(), "bar-17").await.unwrap();
    assert!(
        estate
            .service
            .device("bar-17", &speaks(&token))
            .await
            .unwrap()
            .is_some()
    );
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_device_is_named_once_and_a_revoked_one_comes_back_with_a_new_token_a4(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    let (room, other) = (rooms["Staging 1"], rooms["General 1"]);
    let token = estate
        .service
        .add_device(&actor(), room, &device("panel-7"))
        .await
        .unwrap();
    let speaks = |token: &str| service::devices::Credentials::Target(token.to_owned());
    let caller = estate.service.device("panel-7", &speaks(&token)).await.unwrap();
    assert!(caller.is_some(), "it may check in at once");
    let taken = estate
        .service
        .add_device(&actor(), other, &device("panel-7"))
        .await
        .unwrap_err();
    let problem = "device: panel-7 is a device of Staging 1 already; revoke it there first";
    assert_eq!(said(&taken), problem);
    let named = estate
        .service
        .add_device(&actor(), other, &device("no good"))
        .await
        .unwrap_err();
    assert!(said(&named).starts_with("device: "), "{named}");

    estate.service.revoke_device(&actor(), "panel-7").await.unwrap();
    assert!(
        estate
            .service
            .device("panel-7", &speaks(&token))
            .await
            .unwrap()
            .is_none()
    );
    let devices = || async { estate.fleet().await.rooms[&room].devices.len() };
    assert_eq!(devices().await, 1);
    let renewed = estate.service.enrol_device(&actor(), "panel-7").await.unwrap();
    assert!(
        estate
            .service
            .device("panel-7", &speaks(&token))
            .await
            .unwrap()
            .is_none(),
        "the old one"
    );
    assert!(
        estate
            .service
            .device("panel-7", &speaks(&renewed))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(devices().await, 2);
    // Its room is sold, and the panel goes elsewhere.
    estate.service.retire_room(&actor(), room, "sold".into()).await.unwrap();
    let moved = estate
        .service
        .add_device(&actor(), other, &device("panel-7"))
        .await
        .unwrap();
    let caller = estate.service.device("panel-7", &speaks(&moved)).await.unwrap();
    assert!(
        caller.is_some_and(|caller| caller.facts_wanted),
        "it is asked what it has"
    );
    let rooms = estate.fleet().await.rooms;
    assert_eq!(rooms[&room].devices.len(), 0);
    assert_eq!(rooms[&other].devices.len(), 2);
    estate.service.bring_back_room(&actor(), room).await.unwrap();
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn a_device_of_a_retired_room_gets_no_token_a4(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    let (hall, other) = (rooms["General 1"], rooms["Staging 1"]);
    estate
        .service
        .add_device(&actor(), hall, &device("hall-1"))
        .await
        .unwrap();
    let why = "It is a store room now.";
    estate.service.retire_room(&actor(), hall, why.into()).await.unwrap();
    let refused = "hall-1 is a device of General 1, which is retired: add the device to another room, or bring General 1 back first";
    let one = estate.service.enrol_device(&actor(), "hall-1").await;
    assert_eq!(said(&one.unwrap_err()), refused);
    let many = estate.service.enrol_devices(&actor(), &["hall-1".to_owned()]).await;
    assert_eq!(said(&many.unwrap_err()), refused);
    let token = estate
        .service
        .add_device(&actor(), other, &device("hall-1"))
        .await
        .unwrap();
    let speaks = service::devices::Credentials::Target(token);
    assert!(
        estate.service.device("hall-1", &speaks).await.unwrap().is_some(),
        "elsewhere it may speak"
    );
    estate.service.tick().await.unwrap();
    estate.is_sound().await;
}

async fn one_of_two_who_move_a_room_is_told_where_it_is_now_r3_r13(estate: Estate) {
    let room = estate.rooms(&[("Staging", 1)]).await["Staging 1"];
    let (staging, general, executive) = (
        estate.ring("Staging").await,
        estate.ring("General").await,
        estate.ring("Executive").await,
    );
    let other = estate.another().await;
    let (here, there) = tokio::join!(
        async {
            estate
                .service
                .move_rooms(&actor(), &RoomChoice::Named(vec![room]), Some(staging), general)
                .await
        },
        async {
            other
                .move_rooms(&actor(), &RoomChoice::Named(vec![room]), Some(staging), executive)
                .await
        }
    );
    let now = record(&estate, room).await.ring;
    let (slower, to) = match (here, there) {
        (Ok(_), Err(slower)) => (slower, general),
        (Err(slower), Ok(_)) => (slower, executive),
        both => panic!("{both:?}"),
    };
    assert_eq!(now, to);
    let to = if to == general { "General" } else { "Executive" };
    assert_eq!(
        said(&slower),
        format!("Staging 1 was moved to {to} by somebody else meanwhile")
    );
    let moves = estate
        .audit()
        .await
        .into_iter()
        .filter(|(action, _)| action == "room.moved")
        .count();
    assert_eq!(moves, 1);
}

async fn text_of(estate: &Estate, filter: RoomFilter) -> String {
    let parts = estate.service.export_rooms(&actor(), &filter, None).unwrap();
    parts.try_collect::<Vec<String>>().await.unwrap().concat()
}

async fn an_export_is_a_file_that_an_import_takes_p0(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 1)]).await;
    estate
        .service
        .add_device(&actor(), rooms["Staging 1"], &device("bar-2"))
        .await
        .unwrap();
    let site = harbour(&estate).await;
    let formula = RoomDraft {
        zone: "Asia/Kolkata".into(),
        ..draft(site, "=1+1; \"so\"")
    };
    estate.service.add_room(&actor(), &formula, None).await.unwrap();
    let gone = estate
        .service
        .add_room(&actor(), &draft(site, "Gone"), None)
        .await
        .unwrap();
    estate.service.retire_room(&actor(), gone, "sold".into()).await.unwrap();
    let csv = text_of(&estate, RoomFilter::default()).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "site,name,building,floor,capacity,zone,ring,state,device,role,vendor,model,serial,product,version"
    );
    assert_eq!(
        lines[1], "Harbour,\"'=1+1; \"\"so\"\"\",Quay House,3,12,Asia/Kolkata,General,onboarding,,,,,,,",
        "no formula for a spreadsheet"
    );
    assert_eq!(lines[2], "Harbour,General 1,,,,,General,managed,general-1,,,B1,,app,10");
    assert_eq!(lines.len(), 1 + 1 + 2 + (2 + 1) + 2, "{csv}");
    assert!(!csv.contains("Gone"));
    let retired = RoomFilter {
        which: WhichRooms::Retired,
        ..RoomFilter::default()
    };
    assert!(text_of(&estate, retired).await.contains("Gone"));

    // The same file, into an estate that has nothing but the site.
    let other = Estate::new(estate.database.engine).await;
    let harbour = SiteDraft {
        name: "Harbour".into(),
        city: "".into(),
        country: "".into(),
        zone: "UTC".into(),
    };
    other.service.add_site(&actor(), &harbour).await.unwrap();
    let upload = other.service.upload_rooms(&actor(), "rooms.csv", &csv).await.unwrap();
    let report = other.service.import_upload(&actor(), upload).await.unwrap();
    assert_eq!((report.rooms, report.devices), (4, 4));
    // Whatever they were elsewhere, here they are new (C8).
    let new = csv.replace(",managed,", ",onboarding,");
    assert_eq!(text_of(&other, RoomFilter::default()).await, new);
    let twice = other.service.import_upload(&actor(), upload).await.unwrap_err();
    assert!(
        said(&twice).contains("imported already") && said(&twice).ends_with("was not found"),
        "{twice}"
    );
}

async fn a_review_names_every_line_that_is_refused_and_changes_nothing_g5(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    let before = estate.fleet().await;
    let file = "\u{feff}site\tname\tcapacity\tdevice\tmodel\n\
        Harbour\tMast\t8\tbar-9\tB1\n\
        Harbour\tMast\t8\tbar-10\tB1\n\
        Atlantis\tDeck\t\t\t\n\
        Harbour\tBow\tmany\t\t\n\
        Harbour\tSTAGING 1\t\t\t\n\
        Harbour\tStern\t\tstaging-1\tB1\n\
        Harbour\tKeel\n\
        Harbour\tHull\t\tbar-11\t\n\
        harbour\tmast\t\t\t\n";
    let upload = estate.service.upload_rooms(&actor(), "rooms.tsv", file).await.unwrap();
    let review = estate.service.review_rooms(&actor(), upload).await.unwrap();
    assert_eq!(
        (review.name.as_str(), review.rooms, review.devices),
        ("rooms.tsv", 1, 2)
    );
    assert_eq!(review.first[0].name, "Mast");
    let mut refused: Vec<String> = review
        .refused
        .iter()
        .map(|line| format!("{}: {}: {}", line.place, line.field, line.problem))
        .collect();
    refused.sort();
    let expected = [
        "line 10 (mast): name: appears twice in this file for Harbour",
        "line 4 (Deck): site: there is no site named \"Atlantis\"",
        "line 5 (Bow): capacity: is not a whole number",
        "line 6 (STAGING 1): name: Harbour has a room of this name already",
        "line 7 (Stern): device: staging-1 is a device of Staging 1 already; revoke it there first",
        "line 8: line: has 2 values, and the first line names 5 columns",
        "line 9 (Hull): model: a device needs a model",
    ];
    assert_eq!(refused, expected);
    let first = estate.service.import_upload(&actor(), upload).await.unwrap_err();
    assert!(matches!(first, ServiceError::Invalid { .. }), "{first}");
    assert_eq!(estate.fleet().await, before, "nothing has changed");
    for (text, words) in [
        ("room,place\nA,B\n", "there is no column \"site\""),
        ("site,name,colour\nHarbour,A,red\n", "there is no column \"colour\""),
        ("{\"rooms\": 7}", "rooms: "),
    ] {
        let refused = estate.service.upload_rooms(&actor(), "f", text).await.unwrap_err();
        assert!(said(&refused).contains(words), "{refused}");
    }
    assert!(RoomsFile::parse("site,name\nHarbour,A\n").is_ok());
}
