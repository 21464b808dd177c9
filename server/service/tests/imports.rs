//! Files from people: all of a file or nothing, and one sentence that names what is wrong.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use service::catalogue::Catalogue;
use service::{RoomsFile, ServiceError};
use testkit::{Estate, actor, both_engines};

both_engines![
    rooms_come_from_json_with_everything_in_them_r3_g1,
    rooms_come_from_csv_with_semicolons_and_a_byte_order_mark_g1,
    one_bad_line_in_the_middle_changes_nothing_and_is_named_g5,
    a_catalogue_that_comes_twice_adds_nothing_the_second_time_g1,
];

async fn add_site(estate: &Estate) {
    let file = RoomsFile::parse(
        r#"{"sites": [{"id": "hbr", "name": "Harbour", "city": "London", "zone": "Europe/London"}], "rooms": []}"#,
    )
    .unwrap();
    assert_eq!(estate.service.import_rooms(&actor(), &file).await.unwrap().sites, 1);
}

async fn rooms_come_from_json_with_everything_in_them_r3_g1(estate: Estate) {
    let file = RoomsFile::parse(
        "\u{feff}{\"sites\": [{\"id\": \"hbr\", \"name\": \"Harbour\", \"zone\": \"Europe/London\"}],
        \"rooms\": [
            {\"name\": \" Mast \", \"site\": \"hbr\", \"floor\": 3, \"capacity\": 8},
            {\"name\": \"Deck\", \"site\": \"HARBOUR\", \"zone\": \"Asia/Kolkata\", \"ring\": \"staging\", \"state\": \"onboarding\",
             \"devices\": [{\"id\": \"d-1\", \"model\": \"B1\", \"installed\": {\"bar\": \"1.0\", \"app\": null, \"toaster\": \"7\"}},
                           {\"id\": \"d-2\", \"model\": \"C1\"}]}
        ]}",
    )
    .unwrap();
    let report = estate.service.import_rooms(&actor(), &file).await.unwrap();
    assert_eq!((report.sites, report.rooms, report.devices), (1, 2, 2));
    let fleet = estate.fleet().await;
    let (mast, deck) = (&fleet.rooms[&report.ids[0]], &fleet.rooms[&report.ids[1]]);
    assert_eq!(
        (mast.name.as_str(), mast.zone.name(), mast.ring),
        ("Mast", "Europe/London", fleet.rings.general().id)
    );
    assert_eq!(
        (deck.zone.name(), deck.ring, deck.state),
        (
            "Asia/Kolkata",
            fleet.rings.staging().id,
            domain::room::RoomState::Onboarding
        )
    );
    let known: Vec<(&str, Option<&str>)> = deck.devices[0]
        .components
        .iter()
        .map(|component| (component.product.0.as_str(), component.version.as_deref()))
        .collect();
    assert_eq!(known, [("app", None), ("bar", Some("1.0"))]);
    assert_eq!(deck.devices[1].model, "C1");
    let audit = estate.audit().await;
    assert_eq!(
        audit[0],
        (
            "rooms.imported".to_owned(),
            "Imported 2 rooms with 2 devices.".to_owned()
        )
    );
}

async fn rooms_come_from_csv_with_semicolons_and_a_byte_order_mark_g1(estate: Estate) {
    add_site(&estate).await;
    let text = "\u{feff}site;name;capacity;ring;device;model;product;version\r\n\
        Harbour; Mast ;8;Executive;d-1;B1;bar;1.0\r\n\
        harbour;\"Deck; upper\";;;;;;\r\n";
    let report = estate
        .service
        .import_rooms(&actor(), &RoomsFile::parse(text).unwrap())
        .await
        .unwrap();
    assert_eq!((report.sites, report.rooms, report.devices), (0, 2, 1));
    let fleet = estate.fleet().await;
    let (mast, deck) = (&fleet.rooms[&report.ids[0]], &fleet.rooms[&report.ids[1]]);
    assert_eq!((mast.name.as_str(), deck.name.as_str()), ("Mast", "Deck; upper"));
    assert_eq!(mast.devices[0].components[0].version.as_deref(), Some("1.0"));
    assert_eq!((deck.ring, deck.devices.len()), (fleet.rings.general().id, 0));
    let commas = "site,name\nHarbour,Bow\n";
    assert_eq!(
        estate
            .service
            .import_rooms(&actor(), &RoomsFile::parse(commas).unwrap())
            .await
            .unwrap()
            .rooms,
        1
    );
}

async fn one_bad_line_in_the_middle_changes_nothing_and_is_named_g5(estate: Estate) {
    add_site(&estate).await;
    let good = |name: &str| {
        format!(
            "{{\"name\": \"{name}\", \"site\": \"Harbour\", \"devices\": [{{\"id\": \"{name}\", \"model\": \"B1\"}}]}}"
        )
    };
    let taken = RoomsFile::parse(&format!("{{\"rooms\": [{}]}}", good("There"))).unwrap();
    estate.service.import_rooms(&actor(), &taken).await.unwrap();
    let (fleet, audit) = (estate.fleet().await, estate.audit().await);
    let bad = [
        (
            "{\"name\": \"Mid\", \"site\": \"Nowhere\"}",
            "site: room 2 (Mid): there is no site named \"Nowhere\"",
        ),
        (
            "{\"name\": \"Mid\", \"site\": \"Harbour\", \"ring\": \"Outer\"}",
            "ring: room 2 (Mid): there is no ring named \"Outer\"",
        ),
        (
            "{\"name\": \"Mid\", \"site\": \"Harbour\", \"zone\": \"Mars/Olympus\"}",
            "zone: room 2 (Mid): ",
        ),
        (
            "{\"name\": \"Mid\", \"site\": \"Harbour\", \"state\": \"gone\"}",
            "state: room 2 (Mid): \"gone\"",
        ),
        ("{\"name\": \"  \", \"site\": \"Harbour\"}", "name: room 2: is missing"),
        (
            "{\"name\": \"ONE\", \"site\": \"Harbour\"}",
            "name: room 2 (ONE): appears twice",
        ),
        (
            "{\"name\": \"Mid\", \"site\": \"Harbour\", \"devices\": [{\"id\": \"a b\", \"model\": \"\"}]}",
            "device: room 2 (Mid): device id \"a b\"",
        ),
        (
            "{\"name\": \"Mid\", \"site\": \"Harbour\", \"devices\": [{\"id\": \"One\", \"model\": \"\"}]}",
            "device: room 2 (Mid): One appears twice",
        ),
        ("{\"name\": \"there\", \"site\": \"Harbour\"}", "name: "),
        (
            "{\"name\": \"Mid\", \"site\": \"Harbour\", \"devices\": [{\"id\": \"There\", \"model\": \"\"}]}",
            "device: ",
        ),
    ];
    for (line, expected) in bad {
        let file = format!(
            "{{\"sites\": [{{\"name\": \"New\", \"zone\": \"UTC\"}}], \"rooms\": [{}, {line}, {}]}}",
            good("One"),
            good("Two")
        );
        let error = estate
            .service
            .import_rooms(&actor(), &RoomsFile::parse(&file).unwrap())
            .await
            .unwrap_err();
        assert!(matches!(error, ServiceError::Invalid { .. }), "{error:?}");
        assert!(error.to_string().starts_with(expected), "{line}: {error}");
        assert_eq!(estate.fleet().await, fleet, "{line}");
        assert!(
            estate
                .service
                .store()
                .read()
                .await
                .unwrap()
                .sites()
                .await
                .unwrap()
                .iter()
                .all(|site| site.name != "New")
        );
    }
    assert_eq!(estate.audit().await, audit);
    // What cannot be read names its line.
    let csv = RoomsFile::parse("site,name,capacity\nHarbour,One,2\nHarbour,Mid,many\nHarbour,Two,2\n")
        .unwrap_err()
        .to_string();
    assert!(csv == "capacity: line 3 (Mid): is not a whole number", "{csv}");
    let json =
        RoomsFile::parse("{\"rooms\": [\n{\"name\": \"One\", \"site\": \"Harbour\"},\n{\"site\": \"Harbour\"}]}")
            .unwrap_err()
            .to_string();
    assert!(json.contains("name") && json.contains("line 3"), "{json}");
}

async fn a_catalogue_that_comes_twice_adds_nothing_the_second_time_g1(estate: Estate) {
    const PRODUCTS: &str = r#"[{"id": "cam", "vendor": "Example", "name": "Camera", "kind": "firmware", "covered": true, "expected_minutes": 5}]"#;
    let releases = |more: &str| {
        format!(
            r#"[{{"product": "cam", "version": "1", "rank": 1, "released": "2025-01-01"}},
            {{"product": "cam", "version": "2", "rank": 2, "minimum_version": "1", "known_issues": [{{"summary": "Hums.", "fixed_in": "3"}}]}}{more}]"#
        )
    };
    let import = async |releases: &str| {
        let catalogue = Catalogue::parse(PRODUCTS, releases).unwrap();
        estate.service.import_catalogue(&actor(), &catalogue).await
    };
    assert_eq!(import(&releases("")).await.unwrap(), (1, 2));
    let portfolio = async || {
        estate
            .service
            .store()
            .read()
            .await
            .unwrap()
            .portfolio_page("", 50, 0)
            .await
            .unwrap()
    };
    let before = format!("{:?}", portfolio().await);
    assert_eq!(import(&releases("")).await.unwrap(), (1, 0));
    assert_eq!(format!("{:?}", portfolio().await), before);
    assert_eq!(
        import(&releases(r#", {"product": "cam", "version": "3", "rank": 3}"#))
            .await
            .unwrap(),
        (1, 1)
    );
    let before = format!("{:?}", portfolio().await);
    for (more, expected) in [
        (
            r#", {"product": "cam", "version": "4", "rank": 4}, {"product": "toaster", "version": "1", "rank": 1}"#,
            "toaster",
        ),
        (
            r#", {"product": "cam", "version": "4", "rank": 4}, {"product": "cam", "version": " ", "rank": 5}"#,
            "version",
        ),
    ] {
        let error = import(&releases(more)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(format!("{:?}", portfolio().await), before);
    }
}
