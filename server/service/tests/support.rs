//! Support of versions at the service (L1–L5): last days, tickets, rooms by support today and then, and S7's rank.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use std::collections::BTreeMap;

use domain::deployment::DeploymentState;
use domain::ids::{ProductId, RoomId};
use domain::lifecycle::{CountingRule, SupportGroup};
use domain::rollout::RolloutState;
use domain::ticket::{TicketSeverity, TicketStatus};
use domain::update::Severity;
use domain::zone::Zone;
use futures::TryStreamExt;
use service::read::support::{SupportFilter, SupportPage};
use service::read::tickets::{TicketFilter, WhichTickets};
use service::read::{NumberedPage, PageOf};
use service::rooms::DeviceDraft;
use service::settings::{OrganisationDraft, fingerprint};
use service::{PastDeployment, PastRollout};
use testkit::{Estate, actor, both_engines, catalogue, date, facts, instant, problem};

both_engines![
    a_version_that_loses_its_support_opens_a_ticket_that_grows_l4,
    rooms_are_found_by_support_today_and_on_a_past_day_l5,
    a_room_with_several_versions_of_a_product_counts_once_for_the_worst_l5_p16,
    a_past_day_counts_what_devices_had_in_the_rooms_of_that_day_l5_p16,
    a_past_day_counts_what_rollouts_from_elsewhere_brought_and_found_l5,
    a_room_has_its_last_day_in_its_own_zone_and_the_date_that_the_rings_give_it_l4_l5_w7,
    what_is_out_of_support_goes_before_other_kinds_s7,
    a_recall_gives_support_back_l1,
    lines_are_counted_where_the_organisation_says_so_l3,
    a_product_without_a_policy_has_no_end_l1,
];

/// Apps 10 to 13, two months from each other.
async fn four_apps(estate: &Estate) {
    let (by, apps) = (actor(), catalogue::apps());
    estate.service.import_catalogue(&by, &apps).await.unwrap();
}

async fn support(estate: &Estate, filter: &SupportFilter) -> SupportPage {
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    snapshot.support_page(filter, &PageOf::First, 50).await.unwrap()
}

/// Rooms of the app by group.
async fn groups(estate: &Estate, day: Option<&str>) -> Vec<(SupportGroup, i64)> {
    let filter = SupportFilter {
        date: day.map(date),
        ..SupportFilter::default()
    };
    let page = support(estate, &filter).await;
    let app = page.products.iter().find(|product| product.id.0 == "app").unwrap();
    app.rooms.iter().map(|(group, rooms)| (*group, *rooms)).collect()
}

async fn tickets(estate: &Estate) -> Vec<(String, TicketSeverity, TicketStatus)> {
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let filter = TicketFilter {
        which: WhichTickets::All,
        ..TicketFilter::default()
    };
    let found = snapshot
        .ticket_page(&filter, NumberedPage { number: 1, limit: 50 })
        .await;
    let found = found.unwrap().items.into_iter();
    found
        .map(|ticket| (ticket.title, ticket.severity, ticket.status))
        .collect()
}

async fn has(estate: &Estate, room: RoomId, product: &str, version: &str) {
    let told = [("component.1.product", product), ("component.1.version", version)];
    let name = estate.fleet().await.rooms[&room].name.to_lowercase().replace(' ', "-");
    facts::tell(&estate.service, &name, &told).await;
}

async fn a_version_that_loses_its_support_opens_a_ticket_that_grows_l4(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1)]).await;
    four_apps(&estate).await;
    estate.service.tick().await.unwrap();
    assert_eq!(
        groups(&estate, None).await,
        [(SupportGroup::Supported, 1)],
        "10 came on 1 January"
    );
    // 11, 12 and 13 came on 1 Feb, 1 Mar and 20 Mar: 10 is supported up to the day before the third.
    estate.at_and_tick("2025-03-19T23:59:00Z").await;
    assert_eq!(tickets(&estate).await, []);
    estate.at_and_tick("2025-03-20T00:00:00Z").await;
    let title = "Staging 1 runs Room app 10, which is out of support".to_owned();
    let with = |severity, status| vec![(title.clone(), severity, status)];
    assert_eq!(
        tickets(&estate).await,
        with(TicketSeverity::Warning, TicketStatus::NeedsAction)
    );
    estate.at_and_tick("2025-04-18T12:00:00Z").await;
    assert_eq!(
        tickets(&estate).await,
        with(TicketSeverity::Warning, TicketStatus::NeedsAction),
        "30 days"
    );
    estate.at_and_tick("2025-04-19T12:00:00Z").await;
    assert_eq!(
        tickets(&estate).await,
        with(TicketSeverity::Important, TicketStatus::NeedsAction)
    );
    has(&estate, rooms["Staging 1"], "app", "13").await;
    estate.service.tick().await.unwrap();
    assert_eq!(
        tickets(&estate).await,
        with(TicketSeverity::Important, TicketStatus::Resolved)
    );
    estate.is_sound().await;
}

async fn rooms_are_found_by_support_today_and_on_a_past_day_l5(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 1)]).await;
    four_apps(&estate).await;
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    has(&estate, rooms["Staging 2"], "app", "13").await;
    has(&estate, rooms["General 1"], "app", "never released").await;
    estate.service.tick().await.unwrap();
    let now = [
        (SupportGroup::Unsupported, 1),
        (SupportGroup::Supported, 1),
        (SupportGroup::Unknown, 1),
    ];
    assert_eq!(groups(&estate, None).await, now);
    let of = |group, day: Option<&str>| SupportFilter {
        date: day.map(date),
        product: Some("app".to_owned()),
        group: Some(group),
        version: None,
    };
    let names = async |filter: &SupportFilter| {
        let page = support(&estate, filter).await;
        let names = page.rooms.items.into_iter().map(|room| room.name);
        let names: Vec<String> = names.collect();
        assert_eq!(i64::try_from(names.len()).unwrap(), page.total);
        names
    };
    assert_eq!(names(&of(SupportGroup::Unsupported, None)).await, ["Staging 1"]);
    assert_eq!(names(&of(SupportGroup::Unknown, None)).await, ["General 1"]);
    // As it was before the third newer release, and before the devices changed.
    let then = Some("2025-03-10");
    assert_eq!(groups(&estate, then).await, [(SupportGroup::Supported, 3)]);
    assert_eq!(
        names(&of(SupportGroup::Supported, then)).await,
        ["General 1", "Staging 1", "Staging 2"]
    );
    assert_eq!(groups(&estate, Some("2025-03-01")).await, [], "nobody knew a room then");
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let ahead = of(SupportGroup::Supported, Some("2025-03-22"));
    let refused = snapshot.support_page(&ahead, &PageOf::First, 50).await;
    assert_eq!(problem(refused), "date: 2025-03-22 is ahead; it is 2025-03-21");
}

/// A device that joins a room, and runs a version of the app; `None`: it does not say which.
async fn joins(estate: &Estate, room: RoomId, name: &str, version: Option<&str>) {
    let device = DeviceDraft {
        controller: name.to_owned(),
        role: "bar".into(),
        vendor: "".into(),
        model: "B1".into(),
        serial: "".into(),
    };
    estate.service.add_device(&actor(), room, &device).await.unwrap();
    let mut told = vec![("component.1.product", "app")];
    told.extend(version.map(|version| ("component.1.version", version)));
    facts::tell(&estate.service, name, &told).await;
}

/// The lines of the file: room, version, group.
async fn lines(estate: &Estate, filter: &SupportFilter) -> Vec<String> {
    let parts = estate.service.export_support(&actor(), filter).unwrap();
    let text: Vec<String> = parts.try_collect().await.unwrap();
    let text = text.concat();
    let mut lines = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        lines.push(format!("{} {} {}", cells[1], cells[3], cells[4]));
    }
    lines
}

async fn a_room_with_several_versions_of_a_product_counts_once_for_the_worst_l5_p16(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 2), ("General", 2)]).await;
    four_apps(&estate).await;
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    // Staging 1 keeps 10, which is out of support.
    joins(&estate, rooms["Staging 1"], "new-1", Some("13")).await;
    joins(&estate, rooms["Staging 1"], "new-2", Some("12")).await;
    // Nobody can say that all of Staging 2 is supported.
    has(&estate, rooms["Staging 2"], "app", "13").await;
    joins(&estate, rooms["Staging 2"], "new-3", Some("own build")).await;
    joins(&estate, rooms["Staging 2"], "new-4", None).await;
    has(&estate, rooms["General 1"], "app", "12").await;
    joins(&estate, rooms["General 1"], "new-5", Some("13")).await;
    has(&estate, rooms["General 2"], "app", "13").await;
    estate.service.tick().await.unwrap();
    let expected = [
        ("10", SupportGroup::Unsupported, "Staging 1"),
        ("12", SupportGroup::Supported, "General 1"),
        ("13", SupportGroup::Supported, "General 2"),
        ("own build", SupportGroup::Unknown, "Staging 2"),
    ];
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let app = ProductId("app".to_owned());
    let in_portfolio = snapshot
        .product(&app, NumberedPage { number: 1, limit: 10 })
        .await
        .unwrap();
    assert_eq!(in_portfolio.rooms, 4, "as on the page of support");
    drop(snapshot);
    estate.at("2025-03-23T12:00:00Z");
    // Today, and as it was yesterday.
    for day in [None, Some("2025-03-22")] {
        let counted = [
            (SupportGroup::Unsupported, 1),
            (SupportGroup::Supported, 2),
            (SupportGroup::Unknown, 1),
        ];
        assert_eq!(groups(&estate, day).await, counted);
        let all = SupportFilter {
            date: day.map(date),
            ..SupportFilter::default()
        };
        let page = support(&estate, &all).await;
        let app = page.products.iter().find(|product| product.id.0 == "app").unwrap();
        let mut versions: Vec<_> = app.versions.iter().collect();
        versions.sort_by_key(|item| item.version.clone());
        let versions: Vec<_> = versions
            .into_iter()
            .map(|item| (item.version.as_deref().unwrap(), item.group, item.rooms))
            .collect();
        let once = expected.map(|(version, group, _)| (version, group, 1));
        assert_eq!(versions, once);
        assert_eq!(page.total, 4);
        for group in SupportGroup::ALL {
            let filter = SupportFilter {
                group: Some(group),
                ..all.clone()
            };
            let page = support(&estate, &filter).await;
            let listed = page.rooms.items.iter().flat_map(|room| {
                let versions = room.versions.iter();
                versions.map(|version| (version.version.as_deref().unwrap(), version.group, room.name.as_str()))
            });
            let of_group = expected.iter().filter(|(_, of, _)| *of == group);
            let of_group: Vec<_> = of_group.copied().collect();
            assert_eq!(listed.collect::<Vec<_>>(), of_group, "{group:?} {day:?}");
            assert_eq!(page.total, i64::try_from(of_group.len()).unwrap());
            let of_file = of_group
                .iter()
                .map(|(version, group, room)| format!("{room} {version} {}", group.as_str()));
            assert_eq!(lines(&estate, &filter).await, of_file.collect::<Vec<_>>());
        }
        // Who still has one version: the rooms that count for it, as many as its number says.
        for (version, group, room) in expected {
            let filter = SupportFilter {
                product: Some("app".to_owned()),
                version: Some(version.to_owned()),
                ..all.clone()
            };
            let page = support(&estate, &filter).await;
            let names: Vec<&str> = page.rooms.items.iter().map(|room| room.name.as_str()).collect();
            assert_eq!((names, page.total), (vec![room], 1), "{version} {day:?}");
            assert_eq!(
                lines(&estate, &filter).await,
                [format!("{room} {version} {}", group.as_str())]
            );
        }
        let nobody = SupportFilter {
            product: Some("app".to_owned()),
            version: Some("99".to_owned()),
            ..all.clone()
        };
        assert_eq!(support(&estate, &nobody).await.total, 0);
    }
}

async fn a_past_day_counts_what_devices_had_in_the_rooms_of_that_day_l5_p16(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 2)]).await;
    four_apps(&estate).await;
    estate.at_and_tick("2025-03-05T12:00:00Z").await;
    has(&estate, rooms["Staging 1"], "app", "11").await;
    // On the 21st the device of a room goes to another one, where it gets a newer version. The other one is sold.
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    estate.service.revoke_device(&actor(), "staging-1").await.unwrap();
    estate.at_and_tick("2025-03-21T13:00:00Z").await;
    joins(&estate, rooms["General 1"], "staging-1", Some("12")).await;
    estate
        .service
        .retire_room(&actor(), rooms["General 2"], "sold".into())
        .await
        .unwrap();
    estate.at_and_tick("2025-03-23T12:00:00Z").await;
    let rows = async |day: Option<&str>| {
        let filter = SupportFilter {
            date: day.map(date),
            ..SupportFilter::default()
        };
        let page = support(&estate, &filter).await;
        let app = page.products.iter().find(|product| product.id.0 == "app").unwrap();
        assert_eq!(app.rooms.values().sum::<i64>(), page.total, "{day:?}");
        let rooms = page.rooms.items.iter();
        let rows = rooms.flat_map(|room| {
            let versions = room.versions.iter();
            versions.map(|version| format!("{} {}", room.name, version.version.as_deref().unwrap()))
        });
        rows.collect::<Vec<_>>()
    };
    // Of the two devices in General 1 the one with 10 counts.
    assert_eq!(rows(None).await, ["General 1 10"]);
    assert_eq!(rows(Some("2025-03-21")).await, ["General 1 10"]);
    let before = ["General 1 10", "General 2 10", "Staging 1 11"];
    assert_eq!(rows(Some("2025-03-20")).await, before);
    let named = SupportFilter {
        date: Some(date("2025-03-20")),
        group: Some(SupportGroup::Unsupported),
        ..SupportFilter::default()
    };
    assert_eq!(
        lines(&estate, &named).await,
        ["General 1 10 unsupported", "General 2 10 unsupported"]
    );
}

/// A rollout that ran elsewhere, published on 10 February: rooms, whether each caught up, and what it found there.
async fn elsewhere(estate: &Estate, version: &str, rooms: &[(RoomId, bool, Option<&str>)]) -> PastRollout {
    let ring = estate.ring("Staging").await;
    let at = instant("2025-02-15T01:00:00Z");
    let past = |(room, catch_up, found): &(RoomId, bool, Option<&str>)| PastDeployment {
        room: *room,
        ring,
        night: Some(date("2025-02-15")),
        state: DeploymentState::Completed { at },
        at,
        attempt: 1,
        missed_windows: 0,
        catch_up: *catch_up,
        force: None,
        from_version: found.map(str::to_owned),
        reason: format!("Confirmed {version}."),
    };
    PastRollout {
        product: ProductId("app".to_owned()),
        version: version.to_owned(),
        severity: Severity::Routine,
        title: "Room app".to_owned(),
        published_at: instant("2025-02-10T09:00:00Z"),
        published_by: "Ada".to_owned(),
        starts_on: date("2025-02-11"),
        state: RolloutState::Finished { at },
        entered: vec![(ring, date("2025-02-11"))],
        rooms: rooms.iter().map(past).collect(),
    }
}

async fn a_past_day_counts_what_rollouts_from_elsewhere_brought_and_found_l5(estate: Estate) {
    // Each has 10 now.
    let rooms = estate.rooms(&[("Staging", 4)]).await;
    let rollouts = [
        elsewhere(
            &estate,
            "10",
            &[
                (rooms["Staging 1"], false, Some("9")),
                // It may have come after the tenth: nobody knows what it had then.
                (rooms["Staging 2"], true, Some("9")),
            ],
        )
        .await,
        // Something else has put 10 there since, and nobody knows when.
        elsewhere(&estate, "11", &[(rooms["Staging 3"], false, Some("9"))]).await,
    ];
    estate.service.import_history(&actor(), &rollouts, &[]).await.unwrap();
    estate.at_and_tick("2025-03-06T12:00:00Z").await;
    for (day, expected) in [
        ("2025-02-09", vec![]),
        ("2025-02-10", vec![("9", 1)]),
        ("2025-02-14", vec![("9", 1)]),
        ("2025-02-15", vec![("10", 2)]),
        ("2025-03-03", vec![("10", 2)]),
        // From here on all four are known here.
        ("2025-03-04", vec![("10", 4)]),
    ] {
        let filter = SupportFilter {
            date: Some(date(day)),
            ..SupportFilter::default()
        };
        let page = support(&estate, &filter).await;
        let app = page.products.iter().find(|product| product.id.0 == "app").unwrap();
        let versions = app.versions.iter();
        let versions: Vec<_> = versions
            .map(|item| (item.version.as_deref().unwrap(), item.rooms))
            .collect();
        assert_eq!(versions, expected, "{day}");
        assert_eq!(
            page.total,
            expected.iter().map(|(_, rooms)| rooms).sum::<i64>(),
            "{day}"
        );
    }
}

async fn a_room_has_its_last_day_in_its_own_zone_and_the_date_that_the_rings_give_it_l4_l5_w7(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1), ("General", 1), ("Executive", 1)]).await;
    four_apps(&estate).await;
    // 10 is supported up to and including Wed 19 March: 13 comes on the 20th.
    estate.at_and_tick("2025-03-19T12:00:00Z").await;
    let left = async |zone: &str| {
        let mut snapshot = estate.service.read_snapshot().await.unwrap();
        let zone = Zone::parse(zone).unwrap();
        let versions = snapshot.support_of_room(rooms["General 1"], &zone).await.unwrap();
        let app = versions.into_iter().find(|version| version.product.0 == "app").unwrap();
        (app.last_day, app.days_left, app.group)
    };
    let a_year = (Some(date("2026-01-01")), Some(288), SupportGroup::Supported);
    assert_eq!(left("UTC").await, a_year, "13 is not there yet");
    let last = Some(date("2025-03-19"));
    assert_eq!(
        left("Pacific/Kiritimati").await,
        (last, Some(-1), SupportGroup::Unsupported)
    );
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    assert_eq!(left("UTC").await, (last, Some(-2), SupportGroup::Unsupported));
    let projected = async || {
        let page = support(&estate, &SupportFilter::default()).await;
        let rooms = page.rooms.items.into_iter();
        let rooms = rooms.map(|room| {
            let app = room.versions.into_iter().find(|version| version.product.0 == "app");
            (room.name, app.unwrap().projected)
        });
        rooms.collect::<BTreeMap<_, _>>()
    };
    assert!(projected().await.values().all(Option::is_none), "nothing is published");
    estate.publish("app", "13", None).await;
    has(&estate, rooms["Executive 1"], "app", "13").await;
    estate.service.tick().await.unwrap();
    let found = projected().await;
    let found: Vec<(&str, Option<&str>)> = found
        .iter()
        .map(|(room, words)| (room.as_str(), words.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("Executive 1", Some("Has it")),
            ("General 1", Some("By Fri 11 Apr 2025")),
            ("Staging 1", Some("By Thu 27 Mar 2025"))
        ]
    );
}

async fn what_is_out_of_support_goes_before_other_kinds_s7(estate: Estate) {
    let rooms = estate.rooms(&[("Staging", 1)]).await;
    four_apps(&estate).await;
    estate.at("2025-03-20T10:00:00Z");
    // An app would come before firmware in any case; a service would come before both.
    let bar = estate.publish("bar", "2.0", Some(Severity::Critical)).await;
    let app = estate.publish("app", "13", Some(Severity::Critical)).await;
    estate
        .database
        .execute("UPDATE products SET kind = 'driver' WHERE id = 'app'")
        .await;
    estate
        .database
        .execute("UPDATE products SET kind = 'app' WHERE id = 'bar'")
        .await;
    estate.at_and_tick("2025-03-20T23:30:00Z").await;
    let room = rooms["Staging 1"];
    let fleet = estate.fleet().await;
    assert!(fleet.rooms[&room].is_out_of_support(&ProductId("app".to_owned()), date("2025-03-21")));
    let open = fleet.deployments.values().filter(|deployment| deployment.is_open());
    let open: Vec<_> = open.map(|deployment| deployment.update).collect();
    assert_eq!(open, [app], "and not {bar:?}");
}

async fn a_recall_gives_support_back_l1(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    four_apps(&estate).await;
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    assert_eq!(groups(&estate, None).await, [(SupportGroup::Unsupported, 1)]);
    let app = ProductId("app".to_owned());
    let recalled = estate
        .service
        .recall(&actor(), &app, "13", "it breaks the clock".into())
        .await;
    recalled.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(groups(&estate, None).await, [(SupportGroup::Supported, 1)]);
    assert_eq!(
        groups(&estate, Some("2025-03-20")).await,
        [(SupportGroup::Unsupported, 1)],
        "it counted until its recall"
    );
    let status: Vec<_> = tickets(&estate).await.into_iter().map(|(.., status)| status).collect();
    assert_eq!(status, [TicketStatus::Resolved]);
}

async fn lines_are_counted_where_the_organisation_says_so_l3(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    let (by, lines) = (actor(), catalogue::lines());
    estate.service.import_catalogue(&by, &lines).await.unwrap();
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    // 10.1, 10.2 and 10.3 are three newer releases, and one line.
    assert_eq!(groups(&estate, None).await, [(SupportGroup::Unsupported, 1)]);
    let before = estate.service.read_snapshot().await.unwrap().organisation.clone();
    let mut settings = before.settings.clone();
    settings.support_rule = CountingRule::Lines;
    let draft = OrganisationDraft {
        name: before.name.as_str().into(),
        zone: before.zone.name().into(),
        settings,
    };
    let edited = estate
        .service
        .edit_settings(&actor(), &fingerprint(&before), &draft)
        .await;
    edited.unwrap();
    estate.service.tick().await.unwrap();
    assert_eq!(groups(&estate, None).await, [(SupportGroup::Supported, 1)]);
}

async fn a_product_without_a_policy_has_no_end_l1(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    four_apps(&estate).await;
    estate.at_and_tick("2025-03-21T12:00:00Z").await;
    assert_eq!(tickets(&estate).await.len(), 1);
    let app = ProductId("app".to_owned());
    estate.service.set_support_policy(&actor(), &app, false).await.unwrap();
    estate.service.tick().await.unwrap();
    assert!(support(&estate, &SupportFilter::default()).await.products.is_empty());
    let status: Vec<_> = tickets(&estate).await.into_iter().map(|(.., status)| status).collect();
    assert_eq!(status, [TicketStatus::Resolved]);
    let again = estate.service.set_support_policy(&actor(), &app, false).await;
    assert_eq!(problem(again), "Room app has no support policy already");
}
