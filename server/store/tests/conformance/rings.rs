//! The organisation and its rings (R1, R2, R3, R4, R11).

use std::collections::BTreeSet;

use domain::ids::RingId;
use domain::ring::{Ring, RingDraft, RingKind, RingOrder, RingPlace, RingSequence};
use domain::settings::Settings;
use domain::zone::Zone;
use store::{Store, StoreError};
use testkit::{Home, both_engines};
use uuid::Uuid;

use crate::lab::{self, GENERAL, STAGING, room};
use crate::{Written, refused};

both_engines![
    the_organisation_and_its_rings_come_back_as_they_were_written,
    the_database_keeps_the_three_preconfigured_rings_r1,
    the_database_keeps_two_rings_from_one_order_r2,
    the_database_keeps_a_ring_of_each_kind_in_its_place_r1_r2,
    the_database_knows_names_without_regard_to_case_r4,
    a_ring_that_has_rooms_cannot_be_deleted_r11,
    a_room_that_two_people_move_at_once_ends_in_exactly_one_ring_r3,
];

fn custom(number: u128, name: &str, order: i64) -> Ring {
    Ring {
        id: RingId(Uuid::from_u128(number)),
        kind: RingKind::Custom,
        name: name.to_owned(),
        description: "Early birds, été, 早".to_owned(),
        place: RingPlace::Between(RingOrder::try_from(order).expect("an order")),
        rollout_days: 3,
        test_days: 4,
    }
}

fn with(rings: &RingSequence, ring: Ring) -> RingSequence {
    RingSequence::new(rings.iter().cloned().chain([ring]).collect()).expect("rings")
}

async fn put_rings(store: &Store, rings: &RingSequence) -> Written {
    store::write!(store, tx => { tx.put_rings(rings).await })
}

async fn the_organisation_and_its_rings_come_back_as_they_were_written(home: Home) {
    let store = &home.store;
    assert!(store.read().await.unwrap().organisation().await.unwrap().is_none());
    let mut organisation = lab::organisation();
    organisation.zone = Zone::parse("America/St_Johns").unwrap();
    organisation.settings = Settings {
        poll_seconds: 77,
        window_minutes: 240,
        ..Settings::default()
    };
    let rings = with(&with(&lab::rings(), custom(9, "Pilots", 3)), custom(8, "Züge", 9));
    store::write!(store, tx => {
        tx.put_organisation(&organisation).await?;
        tx.put_rings(&rings).await
    })
    .unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.organisation().await.unwrap(), Some(organisation.clone()));
    assert_eq!(tx.rings().await.unwrap(), rings);
    drop(tx);

    // An edit, a ring that goes, and orders that change places.
    let rings = rings.without(RingId(Uuid::from_u128(8))).unwrap();
    let draft = RingDraft {
        name: "Pilot floors".to_owned(),
        description: String::new(),
        order: RingOrder::try_from(7).ok(),
        rollout_days: 1,
        test_days: 0,
    };
    let rings = rings.with_edited(RingId(Uuid::from_u128(9)), draft).unwrap();
    organisation.name = "Other".to_owned();
    store::write!(store, tx => {
        tx.put_organisation(&organisation).await?;
        tx.put_rings(&rings).await
    })
    .unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.organisation().await.unwrap(), Some(organisation));
    assert_eq!(tx.rings().await.unwrap(), rings);
    drop(tx);

    store::write!(store, tx => { tx.put_program_value("demo.clock", "1").await?; tx.put_program_value("demo.clock", "2").await }).unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.program_value("demo.clock").await.unwrap().as_deref(), Some("2"));
    assert_eq!(tx.program_value("other").await.unwrap(), None);
}

async fn the_database_keeps_the_three_preconfigured_rings_r1(home: Home) {
    put_rings(&home.store, &lab::rings()).await.unwrap();
    for ring in lab::rings().iter() {
        let said = home
            .try_execute(&format!("DELETE FROM rings WHERE id = {}", home.id(ring.id.0)))
            .await
            .unwrap_err();
        assert!(said.contains("a preconfigured ring cannot be deleted"), "{said}");
    }
    assert!(home.try_execute("DELETE FROM rings").await.is_err());
    assert_eq!(home.store.read().await.unwrap().rings().await.unwrap(), lab::rings());
    // Nor can one be turned into a custom ring first.
    let turned = format!(
        "UPDATE rings SET kind = 'custom', place = 4 WHERE id = {}",
        home.id(STAGING.0)
    );
    let said = home.try_execute(&turned).await;
    assert!(said.is_err(), "a preconfigured ring was made a custom one");
}

async fn the_database_keeps_two_rings_from_one_order_r2(home: Home) {
    put_rings(&home.store, &with(&lab::rings(), custom(9, "Pilots", 3)))
        .await
        .unwrap();
    let second = |place: i64| {
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, 'custom', 'Second', 'second', '', {place}, 1, 0)",
            home.id(Uuid::from_u128(10)),
        )
    };
    for taken in [3, 5] {
        assert!(
            home.try_execute(&second(taken)).await.is_err(),
            "order {taken} was given twice"
        );
    }
    home.try_execute(&second(4)).await.unwrap();
}

async fn the_database_keeps_a_ring_of_each_kind_in_its_place_r1_r2(home: Home) {
    put_rings(&home.store, &lab::rings()).await.unwrap();
    let ring = |kind: &str, place: i64, days: i64| {
        format!(
            "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ({}, '{kind}', 'Another', 'another', '', {place}, {days}, 0)",
            home.id(Uuid::from_u128(10)),
        )
    };
    for (kind, place, days) in [
        ("custom", 0, 1),
        ("custom", 10, 1),
        ("custom", -1, 1),
        ("staging", 3, 1),
        ("general", 3, 1),
        ("executive", 3, 1),
        ("other", 3, 1),
        ("custom", 3, 0),
    ] {
        assert!(
            home.try_execute(&ring(kind, place, days)).await.is_err(),
            "{kind} at {place} with {days} days was accepted"
        );
    }
    home.try_execute(&ring("custom", 3, 1)).await.unwrap();
}

async fn the_database_knows_names_without_regard_to_case_r4(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    put_rings(store, &with(&lab::rings(), custom(9, "Grüße", 3)))
        .await
        .unwrap();
    // Past RingSequence, which refuses it too.
    for (name, key) in [
        ("GRÜSSE", domain::ring::name_key("GRÜSSE")),
        ("Grüße", domain::ring::name_key("Grüße")),
    ] {
        let same = key == domain::ring::name_key("Grüße");
        let added = home
            .try_execute(&format!(
                "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
                VALUES ({}, 'custom', '{name}', '{key}', '', 4, 1, 0)",
                home.id(Uuid::from_u128(10)),
            ))
            .await;
        assert!(!same || added.is_err(), "{name} was added beside Grüße");
        home.try_execute(&format!(
            "DELETE FROM rings WHERE id = {}",
            home.id(Uuid::from_u128(10))
        ))
        .await
        .unwrap();
    }
    assert_eq!(domain::ring::name_key(" PILOTS "), domain::ring::name_key("pilots"));

    // Rooms: at one site; sites: everywhere; devices: their ids are what they say, with regard to case.
    let twice = store::write!(store, tx => { tx.add_rooms(&[lab::a_room(7, "ROOM 0", GENERAL)]).await });
    assert!(refused(&twice), "{twice:?}");
    let site = store::NewSite {
        id: domain::ids::SiteId(Uuid::from_u128(51)),
        name: "HARBOUR".to_owned(),
        city: String::new(),
        country: String::new(),
        zone: Zone::utc(),
    };
    let twice = store::write!(store, tx => { tx.add_sites(std::slice::from_ref(&site)).await });
    assert!(refused(&twice), "{twice:?}");
    let twice = store::write!(store, tx => {
        tx.add_devices(&[store::NewDevice { controller: "device-0".to_owned(), ..lab::a_device(7, 1, room(0)) }]).await
    });
    assert!(refused(&twice), "{twice:?}");
    let named = store.read().await.unwrap().rooms_named(" rOOm 0 ").await.unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (named[0].id, named[0].site_name.as_str(), named[0].capacity),
        (room(0), "Harbour", 8)
    );
}

async fn a_ring_that_has_rooms_cannot_be_deleted_r11(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let rings = with(&lab::rings(), custom(9, "Pilots", 3));
    let pilots = RingId(Uuid::from_u128(9));
    put_rings(store, &rings).await.unwrap();
    store::write!(store, tx => { tx.move_rooms(&[room(0)], STAGING, pilots).await }).unwrap();
    assert!(refused(&put_rings(store, &lab::rings()).await));
    assert_eq!(store.read().await.unwrap().rings().await.unwrap(), rings);
    let moved = store::write!(store, tx => {
        let moved = tx.move_all_rooms(pilots, GENERAL).await?;
        tx.put_rings(&lab::rings()).await?;
        Ok::<_, StoreError>(moved)
    });
    assert_eq!(moved.unwrap(), 1);
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert_eq!(fleet.rooms[&room(0)].ring, GENERAL);
    assert_eq!(fleet.rechecks, BTreeSet::from([room(0)]));
}

async fn a_room_that_two_people_move_at_once_ends_in_exactly_one_ring_r3(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let other = lab::EXECUTIVE;
    let move_to = |to: RingId| {
        let store = store.clone();
        tokio::spawn(async move { store::write!(store, tx => { tx.move_rooms(&[room(0)], STAGING, to).await }) })
    };
    for round in 0..40 {
        let (first, second) = (move_to(GENERAL), move_to(other));
        let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
        assert_eq!(first + second, 1, "round {round}");
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        assert_eq!(fleet.rooms[&room(0)].ring, if first == 1 { GENERAL } else { other });
        let back = store::write!(store, tx => { tx.move_rooms(&[room(0)], fleet.rooms[&room(0)].ring, STAGING).await });
        assert_eq!(back.unwrap(), 1);
    }
}
