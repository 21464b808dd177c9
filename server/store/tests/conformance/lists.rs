//! Lists for pages: their order, their pages, and the counts that are kept for them (P8).

use domain::deployment::{DeploymentState, Progress};
use domain::ids::{RingId, RoomId};
use domain::readiness::CheckResult;
use domain::room::{RoomState, VersionSource};
use domain::ticket::{Suppression, TicketSeverity, TicketState};
use store::{
    CheckFilter, LookedUpBy, NewDevice, RoomFilter, RoomListRecord, SoftwareFilter, TicketFilter, TicketRecord, Tx,
    UpdateRoomFilter, UpdateRooms, VersionFilter, VersionSet,
};
use testkit::{Home, both_engines};
use uuid::Uuid;

use crate::lab::{self, GENERAL, NEW, OLD, STAGING, UPDATE, at_night, device, later, room};
use crate::rollouts::every_deployment_state;

both_engines![
    rooms_and_tickets_are_counted_with_every_change_p8,
    pages_of_rooms_follow_each_other_forth_and_back_p8,
    the_rooms_of_an_update_stand_by_name_whatever_their_status_p3_p8,
    the_unhealthy_rooms_are_known_with_every_change_of_a_ticket_i4_p8,
    rooms_are_the_same_by_whatever_they_are_looked_up_c8_l5_p8,
];

async fn pages_of_rooms_follow_each_other_forth_and_back_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let names = ["Älv", "alpha", "Beta", "beta 2", "Éclair", "gamma", "Zürich", "Ω"];
    store::write!(store, tx => {
        let rooms: Vec<_> = names.iter().zip(10_u128..).map(|(name, number)| lab::a_room(number, name, GENERAL)).collect();
        tx.add_rooms(&rooms).await?;
        tx.add_rooms(&[store::NewRoom { state: RoomState::Retired, ..lab::a_room(30, "gone", GENERAL) }]).await
    })
    .unwrap();
    let mut tx = store.read().await.unwrap();
    let all = tx.room_page(&RoomFilter::default(), 100).await.unwrap();
    let found = tx.rooms_found(&RoomFilter::default()).await.unwrap();
    assert_eq!((all.len(), found), (9, 9));
    let mut forth = Vec::new();
    let mut after = None;
    loop {
        let filter = RoomFilter {
            after: after.clone(),
            ..RoomFilter::default()
        };
        let page = tx.room_page(&filter, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.name_key.clone(), last.id));
        forth.extend(page.into_iter().map(|room| room.id));
    }
    let ids: Vec<_> = all.iter().map(|room| room.id).collect();
    assert_eq!(forth, ids);
    let filter = RoomFilter {
        before: Some((all[5].name_key.clone(), all[5].id)),
        ..RoomFilter::default()
    };
    let back = tx.room_page(&filter, 3).await.unwrap();
    assert_eq!(back.iter().map(|room| room.id).collect::<Vec<_>>(), ids[2..5]);
    // Signs that mean something in a pattern are letters to people.
    // Marks on letters are as people type them, or leave them out.
    for (words, number) in [
        ("beta", 2),
        ("%", 0),
        ("zurich", 1),
        ("ZÜR", 1),
        ("eclair", 1),
        ("êcl", 1),
        ("al", 2),
        ("Zu\u{308}r", 1),
    ] {
        let filter = RoomFilter {
            words: words.to_owned(),
            ring: Some(GENERAL),
            ..RoomFilter::default()
        };
        let page = tx.room_page(&filter, 10).await.unwrap();
        assert_eq!(
            (page.len(), tx.rooms_found(&filter).await.unwrap()),
            (number, number as i64),
            "{words}"
        );
        let found = tx.find_rooms(&store::words_of(words), 10).await.unwrap();
        assert_eq!(found.len(), number, "the box finds what the list does: {words}");
    }
}

/// The names on all pages of two rooms each; the pages that lead back are the same.
pub async fn named_on_pages(tx: &mut Tx, filter: &UpdateRoomFilter) -> Vec<String> {
    let mut pages: Vec<Vec<RoomListRecord>> = Vec::new();
    loop {
        let last = pages.last().and_then(|page| page.last());
        let next = UpdateRoomFilter {
            after: last.map(|room| (room.name_key.clone(), room.id)),
            ..filter.clone()
        };
        let page = tx.update_room_page(&next, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        pages.push(page);
    }
    for (page, next) in pages.iter().zip(pages.iter().skip(1)) {
        let back = UpdateRoomFilter {
            before: Some((next[0].name_key.clone(), next[0].id)),
            ..filter.clone()
        };
        let back = tx.update_room_page(&back, 2).await.unwrap();
        let ids = |page: &[RoomListRecord]| page.iter().map(|room| room.id).collect::<Vec<_>>();
        assert_eq!(ids(&back), ids(page));
    }
    pages.into_iter().flatten().map(|room| room.name).collect()
}

async fn the_rooms_of_an_update_stand_by_name_whatever_their_status_p3_p8(home: Home) {
    let store = &home.store;
    let states = every_deployment_state();
    let all = states.len() as u128 + 2;
    lab::fill(store, all).await;
    // The last states first, so that neither ids nor the order in which rows were written is that of the names.
    for (state, number) in states.into_iter().rev().zip(0_u128..) {
        let deployment = lab::a_deployment(number, room(number), state);
        store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await })
            .unwrap();
    }
    store::write!(store, tx => {
        let record = tx.room_record(room(8)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Retired, ..record }).await?;
        // One that stands in another ring for this update.
        let placed = tx.deployment_of(room(12), UPDATE).await?.unwrap();
        tx.put_deployments(&[domain::deployment::Deployment { ring: GENERAL.into(), ..placed }], at_night()).await
    })
    .unwrap();
    let pages_in = async |which: UpdateRooms, ring: Option<RingId>| {
        let mut tx = store.read().await.unwrap();
        let mut ways = Vec::new();
        for few in [false, true] {
            let filter = UpdateRoomFilter {
                update: UPDATE,
                product: lab::cam(),
                which: which.clone(),
                ring,
                few,
                after: None,
                before: None,
            };
            let names = named_on_pages(&mut tx, &filter).await;
            let found = tx.update_rooms_found(&filter).await.unwrap();
            assert_eq!(usize::try_from(found).unwrap(), names.len(), "{which:?}");
            ways.push(names);
        }
        assert_eq!(ways[0], ways[1], "{which:?}: both ways lead to the same rooms");
        ways.remove(0)
    };
    let pages = async |which: UpdateRooms| pages_in(which, None).await;
    let everyone = [0, 1, 10, 11, 12, 13, 14, 2, 3, 4, 5, 6, 7, 9].map(|number| format!("Room {number}"));
    assert_eq!(pages(UpdateRooms::All).await, everyone);
    let expected = [
        (UpdateRooms::At(vec![Progress::NotStarted]), vec!["Room 11", "Room 12"]),
        (UpdateRooms::At(vec![Progress::InProgress]), vec!["Room 10"]),
        (UpdateRooms::At(vec![Progress::Completed]), vec!["Room 9"]),
        (
            UpdateRooms::At(vec![Progress::Failed]),
            // Room 8 was one, and is retired.
            vec!["Room 3", "Room 4", "Room 5", "Room 6", "Room 7"],
        ),
        (UpdateRooms::At(vec![Progress::Deprecated]), vec!["Room 2"]),
        (UpdateRooms::NotRequired, vec!["Room 0", "Room 1", "Room 13", "Room 14"]),
        (UpdateRooms::At(vec![]), vec![]),
    ];
    for (which, names) in expected {
        assert_eq!(pages(which.clone()).await, names, "{which:?}");
    }
    assert_eq!(
        pages_in(UpdateRooms::At(vec![Progress::NotStarted]), Some(STAGING)).await,
        ["Room 11"]
    );
    assert_eq!(
        pages_in(UpdateRooms::At(vec![Progress::NotStarted]), Some(GENERAL)).await,
        ["Room 12"]
    );
    let slices = async |after: Option<RoomId>| {
        let mut tx = store.read().await.unwrap();
        let failed = tx.failed_deployments(UPDATE, after, 2).await.unwrap();
        failed.into_iter().map(|deployment| deployment.room).collect::<Vec<_>>()
    };
    assert_eq!(slices(None).await, [room(3), room(4)]);
    assert_eq!(slices(Some(room(4))).await, [room(5), room(6)]);
    // A room that is renamed stands where its new name belongs.
    let rename = async |number: u128, name: &str| {
        let name = name.to_owned();
        let put = store::write!(store, tx => {
            let record = tx.room_record(room(number)).await?.unwrap();
            tx.put_room(&store::RoomRecord { name: name.clone(), ..record }).await
        });
        assert!(put.unwrap());
    };
    rename(11, "Zebra").await;
    rename(5, "Aula").await;
    assert_eq!(
        pages(UpdateRooms::At(vec![Progress::NotStarted])).await,
        ["Room 12", "Zebra"]
    );
    assert_eq!(
        pages(UpdateRooms::At(vec![Progress::Failed])).await,
        ["Aula", "Room 3", "Room 4", "Room 6", "Room 7"]
    );
    // So does a deployment that is written again.
    let again = lab::a_deployment(1, room(11), DeploymentState::Completed { at: at_night() });
    let placed = store
        .read()
        .await
        .unwrap()
        .deployment_of(room(11), UPDATE)
        .await
        .unwrap()
        .unwrap();
    let again = domain::deployment::Deployment { id: placed.id, ..again };
    store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&again), at_night()).await }).unwrap();
    assert_eq!(
        pages(UpdateRooms::At(vec![Progress::Completed])).await,
        ["Room 9", "Zebra"]
    );
    assert_eq!(
        store.read().await.unwrap().wrong_counts().await.unwrap(),
        Vec::<String>::new()
    );
}

async fn the_unhealthy_rooms_are_known_with_every_change_of_a_ticket_i4_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 4).await;
    let unhealthy = async || {
        let filter = RoomFilter {
            unhealthy_at: Some(at_night()),
            ..RoomFilter::default()
        };
        let mut tx = store.read().await.unwrap();
        let listed = tx.room_page(&filter, 10).await.unwrap();
        let matching = tx.matching_rooms(&filter, 10).await.unwrap();
        let lines = tx.estate_lines(&filter, 10).await.unwrap();
        let names: Vec<String> = listed.iter().map(|room| room.name.clone()).collect();
        assert_eq!(matching.into_iter().map(|room| room.name).collect::<Vec<_>>(), names);
        assert_eq!(lines.into_iter().map(|line| line.name).collect::<Vec<_>>(), names);
        assert_eq!(
            tx.rooms_found(&filter).await.unwrap(),
            i64::try_from(names.len()).unwrap()
        );
        assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
        // Each alone on its page.
        let mut after = None;
        for name in &names {
            let next = RoomFilter {
                after,
                ..filter.clone()
            };
            let page = tx.room_page(&next, 1).await.unwrap();
            assert_eq!(page[0].name, *name);
            after = Some((page[0].name_key.clone(), page[0].id));
        }
        names
    };
    let none: [&str; 0] = [];
    assert_eq!(unhealthy().await, none);
    let ticket = |number: i64, severity: TicketSeverity, by: &str| TicketRecord {
        id: domain::ids::TicketId(Uuid::from_u128(number.unsigned_abs().into())),
        number,
        title: "Echo".to_owned(),
        description: String::new(),
        severity,
        category: "Audio".to_owned(),
        state: TicketState::NeedsAction,
        high_impact: false,
        update: None,
        is_automatic: false,
        opened_by: by.to_owned(),
        opened_at: at_night(),
        assignee: None,
        suppression: None,
        rooms: (Vec::new(), 0),
    };
    let people = ticket(7, TicketSeverity::Warning, "Ada");
    let rule = ticket(8, TicketSeverity::Warning, "Nightshift");
    store::write!(store, tx => {
        tx.add_ticket(&people, &[room(3), room(1)], None).await?;
        tx.add_ticket(&rule, &[room(1), room(0)], None).await
    })
    .unwrap();
    assert_eq!(
        unhealthy().await,
        ["Room 1", "Room 3"],
        "a rule's warning changes nothing"
    );
    let put = async |ticket: &TicketRecord| {
        store::write!(store, tx => { tx.put_ticket(ticket, at_night()).await }).unwrap();
    };
    let worse = TicketRecord {
        severity: TicketSeverity::Critical,
        ..rule.clone()
    };
    put(&worse).await;
    assert_eq!(unhealthy().await, ["Room 0", "Room 1", "Room 3"]);
    let suppressed = |until| TicketRecord {
        suppression: Some(Suppression {
            until,
            reason: "It is exchanged.".to_owned(),
        }),
        ..people.clone()
    };
    put(&suppressed(later(1))).await;
    assert_eq!(unhealthy().await, ["Room 0", "Room 1"], "one of two tickets of Room 1");
    put(&suppressed(at_night())).await;
    assert_eq!(unhealthy().await, ["Room 0", "Room 1", "Room 3"], "until that instant");
    put(&TicketRecord {
        state: TicketState::Resolved {
            at: at_night(),
            category: None,
        },
        ..worse
    })
    .await;
    assert_eq!(unhealthy().await, ["Room 1", "Room 3"]);
    let put = store::write!(store, tx => {
        let record = tx.room_record(room(1)).await?.unwrap();
        tx.put_room(&store::RoomRecord { name: "Zebra".to_owned(), ..record }).await
    });
    assert!(put.unwrap());
    assert_eq!(unhealthy().await, ["Room 3", "Zebra"]);
    let put = store::write!(store, tx => {
        let record = tx.room_record(room(3)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Onboarding, ..record }).await
    });
    assert!(put.unwrap());
    assert_eq!(unhealthy().await, ["Zebra"], "who does not take part is not unhealthy");
    home.try_execute("DELETE FROM ticket_rooms").await.unwrap();
    assert_eq!(unhealthy().await, none);
    // What does not fit is found.
    home.try_execute("UPDATE room_troubles SET tickets = 4 WHERE room_key = 'zebra'")
        .await
        .unwrap();
    let findings = store.read().await.unwrap().wrong_counts().await.unwrap();
    assert_eq!(
        findings,
        ["4 tickets that make \"Zebra\" unhealthy are counted, and there are 0"]
    );
}

async fn rooms_and_tickets_are_counted_with_every_change_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 6).await;
    let counted = async || {
        let mut tx = store.read().await.unwrap();
        let by_ring = tx.rooms_by_ring().await.unwrap();
        let of = |ring| by_ring.get(&ring).copied().unwrap_or(0);
        let retired = RoomFilter {
            retired: true,
            ..RoomFilter::default()
        };
        let (all, retired) = (tx.room_count().await.unwrap(), tx.rooms_found(&retired).await.unwrap());
        (of(STAGING), of(GENERAL), retired, all)
    };
    assert_eq!(counted().await, (6, 0, 0, 6));
    let moved = store::write!(store, tx => { tx.move_rooms(&[room(0), room(1)], STAGING, GENERAL).await });
    assert_eq!(moved.unwrap(), 2);
    assert_eq!(counted().await, (4, 2, 0, 6));
    let put = store::write!(store, tx => {
        let record = tx.room_record(room(1)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Retired, ..record }).await
    });
    assert!(put.unwrap());
    assert_eq!(counted().await, (4, 1, 1, 6));
    // What is rolled back is not counted.
    let mut tx = store.begin().await.unwrap();
    tx.move_rooms(&[room(2)], STAGING, GENERAL).await.unwrap();
    tx.roll_back().await.unwrap();
    assert_eq!(counted().await, (4, 1, 1, 6));
    // Tickets, as they open, change and are gone.
    let ticket = "INSERT INTO tickets (id, number, title, description, severity, category, state, high_impact, opened_by, opened_at, changed_at)
        SELECT id, 7, 'Echo', '', 'warning', 'Audio', 'needs_action', false, 'Ada', 0, 0 FROM sites LIMIT 1";
    let found = async |state: &str| {
        let filter = TicketFilter {
            words: String::new(),
            state: state.to_owned(),
            severity: String::new(),
            now: at_night(),
        };
        let mut tx = store.read().await.unwrap();
        (
            tx.tickets_found(&filter).await.unwrap(),
            tx.wrong_counts().await.unwrap(),
        )
    };
    for (statement, open, all) in [
        (ticket, 1, 1),
        ("UPDATE tickets SET severity = 'critical'", 1, 1),
        ("UPDATE tickets SET state = 'resolved', resolved_at = 1", 0, 1),
        ("DELETE FROM tickets", 0, 0),
    ] {
        home.try_execute(statement).await.unwrap();
        assert_eq!(found("").await, (open, Vec::new()), "{statement}");
        assert_eq!(found("all").await.0, all, "{statement}");
    }
    // What does not fit is found.
    home.try_execute("UPDATE room_counts SET rooms = rooms + 1 WHERE state = 'retired'")
        .await
        .unwrap();
    let (_, findings) = found("").await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with("2 retired rooms of ring"), "{findings:?}");
}

/// The names of all rooms that match, read in pages of two, forth and back.
async fn pages_of_two(tx: &mut Tx, filter: &RoomFilter) -> Vec<String> {
    let (mut forth, mut back) = (Vec::new(), Vec::new());
    let mut next = filter.clone();
    loop {
        let page = tx.room_page(&next, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        next.after = Some((last.name_key.clone(), last.id));
        forth.extend(page.into_iter().map(|room| room.name));
    }
    let mut next = RoomFilter {
        before: Some(("~".to_owned(), room(0))),
        ..filter.clone()
    };
    loop {
        let page = tx.room_page(&next, 2).await.unwrap();
        let Some(first) = page.first() else { break };
        next.before = Some((first.name_key.clone(), first.id));
        back.extend(page.into_iter().rev().map(|room| room.name));
    }
    back.reverse();
    assert_eq!(forth, back, "{filter:?}");
    assert_eq!(
        tx.rooms_found(filter).await.unwrap(),
        i64::try_from(forth.len()).unwrap()
    );
    forth
}

async fn rooms_are_the_same_by_whatever_they_are_looked_up_c8_l5_p8(home: Home) {
    let store = &home.store;
    lab::fill(store, 6).await;
    // Room 1 has two devices with version 1; Room 2 one with each; what the device of Room 3 has nobody knows.
    store::write!(store, tx => {
        tx.add_devices(&[lab::a_device(11, 1, room(1)), lab::a_device(12, 1, room(2))]).await?;
        let components = [(device(11), lab::cam(), Some(OLD)), (device(12), lab::cam(), Some(NEW)), (device(3), lab::cam(), None)];
        tx.put_components(&components, VersionSource::Reported, at_night()).await
    })
    .unwrap();
    for statement in [
        "INSERT INTO checks (room_id, check_name, result, since) SELECT r.id, 'worst', 'pass', 0 FROM rooms r",
        "UPDATE checks SET result = 'fail' WHERE room_key IN ('room 1', 'room 4')",
        "UPDATE checks SET result = 'unknown' WHERE room_key IN ('room 2', 'room 5')",
        "INSERT INTO unreviewed_software (room_id, name_key, name) SELECT r.id, 'viewer', 'Viewer' FROM rooms r WHERE r.name_key > 'room 2'",
    ] {
        home.try_execute(statement).await.unwrap();
    }
    let checks = |results: &[CheckResult]| RoomFilter {
        checks: Some(CheckFilter {
            check: None,
            results: results.to_vec(),
        }),
        ..RoomFilter::default()
    };
    let software = RoomFilter {
        software: Some(SoftwareFilter {
            name_key: "viewer".to_owned(),
        }),
        ..RoomFilter::default()
    };
    let versions = |wanted: VersionSet, worse: Vec<Uuid>| RoomFilter {
        versions: Some(VersionFilter {
            products: vec![lab::cam()],
            wanted,
            worse: VersionSet::Only(worse),
            at: None,
        }),
        ..RoomFilter::default()
    };
    let of = |each: &[Option<Uuid>]| LookedUpBy::Versions(each.iter().map(|version| (lab::cam(), *version)).collect());
    let alike = async |filter: &RoomFilter, by: &LookedUpBy| {
        let mut tx = store.read().await.unwrap();
        let looked_up = RoomFilter {
            looked_up_by: by.clone(),
            ..filter.clone()
        };
        let found = pages_of_two(&mut tx, filter).await;
        assert_eq!(pages_of_two(&mut tx, &looked_up).await, found, "{looked_up:?}");
        assert_eq!(tx.wrong_counts().await.unwrap(), Vec::<String>::new());
        found
    };
    let failed = checks(&[CheckResult::Fail]);
    let open = checks(&[CheckResult::Fail, CheckResult::Unknown, CheckResult::Warning]);
    let old = versions(VersionSet::Only(vec![OLD]), Vec::new());
    let new = versions(VersionSet::Only(vec![NEW]), Vec::new());
    let none_older = versions(VersionSet::Only(vec![NEW]), vec![OLD]);
    let any = versions(VersionSet::all(), Vec::new());
    let unknown = versions(VersionSet::AllBut(vec![OLD, NEW]), Vec::new());
    assert_eq!(alike(&failed, &LookedUpBy::Checks).await, ["Room 1", "Room 4"]);
    assert_eq!(
        alike(&open, &LookedUpBy::Checks).await,
        ["Room 1", "Room 2", "Room 4", "Room 5"]
    );
    assert_eq!(
        alike(&software, &LookedUpBy::Software).await,
        ["Room 3", "Room 4", "Room 5"]
    );
    assert_eq!(
        alike(&old, &of(&[Some(OLD)])).await,
        ["Room 0", "Room 1", "Room 2", "Room 4", "Room 5"]
    );
    assert_eq!(alike(&new, &of(&[Some(NEW)])).await, ["Room 2"]);
    assert_eq!(alike(&none_older, &of(&[Some(NEW)])).await, [""; 0]);
    assert_eq!(alike(&unknown, &of(&[None])).await, ["Room 3"]);
    assert_eq!(
        alike(&any, &of(&[Some(OLD), Some(NEW), None])).await.len(),
        6,
        "each room once"
    );
    // Both at once, by the one and by the other.
    let both = RoomFilter {
        software: software.software.clone(),
        ..failed.clone()
    };
    assert_eq!(alike(&both, &LookedUpBy::Checks).await, ["Room 4"]);
    assert_eq!(alike(&both, &LookedUpBy::Software).await, ["Room 4"]);

    // A renamed room, a device that is revoked, one that moves, and a retired room.
    store::write!(store, tx => {
        let record = tx.room_record(room(4)).await?.unwrap();
        tx.put_room(&store::RoomRecord { name: "Aspen".to_owned(), ..record }).await?;
        let record = tx.room_record(room(5)).await?.unwrap();
        tx.put_room(&store::RoomRecord { state: RoomState::Retired, ..record }).await?;
        tx.revoke_device("device-12", at_night()).await?;
        tx.move_device(device(11), &NewDevice { room: room(3), ..lab::a_device(11, 1, room(3)) }, at_night()).await?;
        tx.put_components(&[(device(11), lab::cam(), Some(NEW))], VersionSource::Reported, at_night()).await
    })
    .unwrap();
    assert_eq!(alike(&failed, &LookedUpBy::Checks).await, ["Aspen", "Room 1"]);
    assert_eq!(alike(&software, &LookedUpBy::Software).await, ["Aspen", "Room 3"]);
    assert_eq!(
        alike(&old, &of(&[Some(OLD)])).await,
        ["Aspen", "Room 0", "Room 1", "Room 2"]
    );
    assert_eq!(alike(&new, &of(&[Some(NEW)])).await, ["Room 3"]);
    // What does not fit is found.
    for (statement, finding) in [
        (
            "UPDATE components SET room_key = 'room 9' WHERE room_key = 'room 0'",
            "the components of \"Room 0\" stand in lists as \"room 9\", and the room as \"room 0\"",
        ),
        (
            "UPDATE components SET room_key = 'room 0' WHERE room_key = 'room 9'",
            "",
        ),
        (
            "UPDATE components SET room_key = 'room 2' WHERE room_key IS NULL",
            "the components of \"device-12\" stand in lists of rooms, and it is revoked",
        ),
    ] {
        home.try_execute(statement).await.unwrap();
        let findings = store.read().await.unwrap().wrong_counts().await.unwrap();
        assert_eq!(findings.join("; "), finding, "{statement}");
    }
}
