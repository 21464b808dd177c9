//! The portfolio before publishing (SPEC P7, S3, S9, K9, G5): products, releases, files that come in parts, and what publishing would mean.

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use bytes::Bytes;
use domain::freeze::FreezeScope;
use domain::ids::{ProductId, UpdateId};
use domain::update::{ProductKind, Severity};
use futures::{StreamExt, TryStreamExt, stream};
use service::artifacts::Hashes;
use service::releases::{ProductDraft, ReleaseDraft};
use service::{NewFile, Source};
use testkit::{Estate, actor, both_engines, date, problem};

both_engines![
    what_is_planned_before_publishing_is_what_publishing_does_k9_s3,
    a_release_has_its_limits_and_gets_its_place_p7_g5,
    a_file_that_comes_in_parts_is_hashed_and_one_that_breaks_off_leaves_nothing_p7,
    files_stay_as_they_are_once_published_p7,
    what_a_freeze_would_move_is_what_it_moves_k9_w6,
];

fn release(product: &str, version: &str) -> ReleaseDraft {
    ReleaseDraft {
        product: ProductId(product.to_owned()),
        version: version.into(),
        released: Some(date("2025-03-01")),
        severity: Severity::Routine,
        minimum_version: "".into(),
        models: "B1\n\n B2 \n".into(),
        applies_to_unknown: false,
        expected_minutes: None,
        known_issues: "No sound after a call\n".into(),
    }
}

fn parts(size: usize, ends: bool) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Unpin {
    let whole =
        stream::iter((0..size).map(|number| Ok(Bytes::from(vec![u8::try_from(number % 251).unwrap_or(0); 1000]))));
    let broken = stream::iter((!ends).then(|| Err(std::io::Error::other("gone"))));
    Box::pin(whole.chain(broken))
}

async fn receive(estate: &Estate, id: UpdateId, name: &str, size: usize) -> service::Result<Hashes> {
    estate.service.receive_file(&actor(), id, name, parts(size, true)).await
}

async fn add(estate: &Estate, id: UpdateId, name: &str, hashes: Hashes, expected: Option<&str>) -> service::Result<()> {
    let file = NewFile {
        filename: name.to_owned(),
        source: Source::Received(hashes),
        expected_sha256: expected.map(str::to_owned),
    };
    estate.service.add_file(&actor(), id, file).await.map(drop)
}

async fn what_is_planned_before_publishing_is_what_publishing_does_k9_s3(estate: Estate) {
    estate.rooms(&[("Staging", 2), ("General", 3)]).await;
    let older = estate.publish("bar", "2.0", None).await;
    let everywhere = ReleaseDraft {
        models: "".into(),
        ..release("bar", "9.0")
    };
    let id = estate.service.add_release(&actor(), &everywhere).await.unwrap();
    let bare = estate.service.publish_plan(&actor(), id, Severity::Routine).await;
    assert_eq!(
        problem(bare),
        "files: Bar firmware 9.0 has no file; add one before publishing"
    );
    let hashes = receive(&estate, id, "bar.swu", 3).await.unwrap();
    add(&estate, id, "bar.swu", hashes, None).await.unwrap();

    let before = estate.fleet().await;
    let critical = estate
        .service
        .publish_plan(&actor(), id, Severity::Critical)
        .await
        .unwrap();
    assert_eq!(critical.starts_on, date("2025-03-04"), "S4: at once");
    let plan = estate
        .service
        .publish_plan(&actor(), id, Severity::Routine)
        .await
        .unwrap();
    assert_eq!(estate.fleet().await, before, "nothing is changed by asking");
    assert_eq!(plan.starts_on, date("2025-03-05"));
    assert_eq!(plan.supersedes, ["Bar firmware 2.0"]);
    let general = estate.ring("General").await;
    assert_eq!(plan.rooms[&general], 3);
    assert_eq!(plan.rooms[&estate.ring("Staging").await], 2);

    let product = ProductId("bar".to_owned());
    let published = estate.service.publish(&actor(), &product, "9.0", None).await.unwrap();
    assert_eq!(published.starts_on, plan.starts_on);
    let fleet = estate.fleet().await;
    let rollout = &fleet.rollouts[&id];
    let calendar = rollout.calendar_at(
        &fleet.rings,
        &fleet.freezes,
        &fleet.organisation.zone,
        estate.clock.now(),
    );
    assert_eq!(calendar, plan.stages);
    assert!(!fleet.rollouts[&older].is_live(), "S9: it gave way");
    let again = estate.service.publish_plan(&actor(), id, Severity::Routine).await;
    assert_eq!(problem(again), "Bar firmware 9.0 is published already");
}

async fn a_release_has_its_limits_and_gets_its_place_p7_g5(estate: Estate) {
    let dock = ProductDraft {
        id: "dock".to_owned(),
        vendor: "Example".into(),
        name: " Dock ".into(),
        kind: ProductKind::Firmware,
        expected_minutes: 9,
    };
    estate.service.add_product(&actor(), &dock).await.unwrap();
    for (draft, problem) in [
        (dock.clone(), "id: there is a product dock already"),
        (
            ProductDraft {
                id: "Dock 2".to_owned(),
                ..dock.clone()
            },
            "id: product \"Dock 2\" must be",
        ),
        (
            ProductDraft {
                id: "d".to_owned(),
                expected_minutes: 1441,
                ..dock.clone()
            },
            "expected minutes: 1441 is not between 1 and 1440",
        ),
        (
            ProductDraft {
                id: "d".to_owned(),
                name: " ".into(),
                ..dock
            },
            "name: is missing",
        ),
    ] {
        let refused = estate
            .service
            .add_product(&actor(), &draft)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.starts_with(problem), "{refused}");
    }
    let first = estate
        .service
        .add_release(&actor(), &release("dock", " 1.0 "))
        .await
        .unwrap();
    let second = estate
        .service
        .add_release(&actor(), &release("dock", "1.1"))
        .await
        .unwrap();
    let product = ProductId("dock".to_owned());
    let mut tx = estate.service.store().read().await.unwrap();
    let (page, total) = tx.release_page(&product, 50, 0).await.unwrap();
    assert_eq!((page[0].id, page[1].id, total), (second, first, 2), "the newest first");
    let kept = tx.release(first).await.unwrap().unwrap();
    assert_eq!(
        (kept.release.version.as_str(), kept.release.expected_minutes),
        ("1.0", 9)
    );
    assert_eq!(kept.release.models, ["B1", "B2"]);
    assert_eq!(kept.release.known_issues, [("No sound after a call".to_owned(), None)]);
    drop(tx);
    for (draft, problem) in [
        (release("dock", "1.0"), "version: Dock has a release 1.0 already"),
        (release("dock", ""), "version: is missing"),
        (release("nothing", "1.0"), "This product was not found"),
        (
            ReleaseDraft {
                expected_minutes: Some(0),
                ..release("dock", "2.0")
            },
            "expected minutes: 0 is not",
        ),
        (
            ReleaseDraft {
                models: "W\n".repeat(201).into(),
                ..release("dock", "2.0")
            },
            "models: 201 lines are too many; at most 200",
        ),
    ] {
        let refused = estate
            .service
            .add_release(&actor(), &draft)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.starts_with(problem), "{refused}");
    }
}

async fn a_file_that_comes_in_parts_is_hashed_and_one_that_breaks_off_leaves_nothing_p7(estate: Estate) {
    let id = estate
        .service
        .add_release(&actor(), &release("bar", "9.0"))
        .await
        .unwrap();
    // More than one part for the disk.
    let hashes = receive(&estate, id, "bar.swu", 12_000).await.unwrap();
    let whole: Vec<u8> = parts(12_000, true).try_collect::<Vec<Bytes>>().await.unwrap().concat();
    assert_eq!(hashes, Hashes::of(&whole));
    let read = estate
        .service
        .open_artifact(&hashes.sha256, 0, hashes.size)
        .await
        .unwrap();
    let read: Vec<u8> = read.try_collect::<Vec<Bytes>>().await.unwrap().concat();
    assert_eq!(read, whole);

    let wrong = "0".repeat(64);
    let refused = add(&estate, id, "bar.swu", hashes.clone(), Some(&wrong))
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.starts_with("SHA-256: the file has "), "{refused}");
    add(&estate, id, "bar.swu", hashes, None).await.unwrap();
    let broken = estate
        .service
        .receive_file(&actor(), id, "other.swu", parts(7, false))
        .await
        .unwrap_err();
    assert_eq!(broken.to_string(), "file: did not arrive whole; send it again");
    let empty = receive(&estate, id, "other.swu", 0).await.unwrap_err();
    assert_eq!(empty.to_string(), "file: is empty");
    let named = receive(&estate, id, "../x", 1).await.unwrap_err().to_string();
    assert!(named.starts_with("file name: "), "{named}");
    let twice = receive(&estate, id, "bar.swu", 1).await.unwrap_err().to_string();
    assert_eq!(twice, "file name: the release has a file named bar.swu already");
    let incoming = std::fs::read_dir(estate.database.folder.path().join("artifacts/incoming"));
    assert_eq!(
        incoming.map_or(0, Iterator::count),
        0,
        "nothing is left of what broke off"
    );
}

async fn files_stay_as_they_are_once_published_p7(estate: Estate) {
    estate.rooms(&[("Staging", 1)]).await;
    let id = estate
        .service
        .add_release(&actor(), &release("bar", "9.0"))
        .await
        .unwrap();
    let hashes = receive(&estate, id, "bar.swu", 3).await.unwrap();
    add(&estate, id, "bar.swu", hashes.clone(), None).await.unwrap();
    estate.service.remove_file(&actor(), id, "bar.swu").await.unwrap();
    let missing = estate.service.remove_file(&actor(), id, "bar.swu").await.unwrap_err();
    assert_eq!(missing.to_string(), "The file \"bar.swu\" was not found");
    add(&estate, id, "bar.swu", hashes, None).await.unwrap();
    let product = ProductId("bar".to_owned());
    estate.service.publish(&actor(), &product, "9.0", None).await.unwrap();
    for refused in [
        estate.service.remove_file(&actor(), id, "bar.swu").await.unwrap_err(),
        receive(&estate, id, "two.swu", 1).await.unwrap_err(),
    ] {
        assert_eq!(
            refused.to_string(),
            "Bar firmware 9.0 is published; its files stay as they are"
        );
    }
}

async fn what_a_freeze_would_move_is_what_it_moves_k9_w6(estate: Estate) {
    estate.rooms(&[("Staging", 1), ("General", 1)]).await;
    let id = estate.publish("bar", "2.0", None).await;
    estate.at_and_tick("2025-03-05T12:00:00Z").await;
    let before = estate.fleet().await;
    let (scope, from, until) = (FreezeScope::Organisation, date("2025-03-10"), date("2025-03-12"));
    let plan = estate.service.freeze_plan(&actor(), scope, from, until).await.unwrap();
    assert_eq!(estate.fleet().await, before, "nothing is changed by asking");
    let [(title, was, is)] = plan.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!((title.as_str(), (*is - *was).num_days()), ("Bar firmware 2.0", 3));
    estate
        .service
        .freeze(&actor(), scope, from, until, "a fair".into())
        .await
        .unwrap();
    let fleet = estate.fleet().await;
    let calendar = fleet.rollouts[&id].calendar_at(
        &fleet.rings,
        &fleet.freezes,
        &fleet.organisation.zone,
        estate.clock.now(),
    );
    assert_eq!(calendar.last().unwrap().test_ends.pred_opt(), Some(*is));
    let site = estate.service.sites(&actor()).await.unwrap()[0].site.id;
    let ada = actor();
    let aside = estate
        .service
        .freeze_plan(&ada, FreezeScope::Site(site), date("2025-05-01"), date("2025-05-02"));
    assert!(
        aside.await.unwrap().iter().all(|(_, was, is)| was == is),
        "one of a site moves no plan"
    );
    let long = estate
        .service
        .freeze_plan(&actor(), scope, date("2025-05-01"), date("2025-06-30"))
        .await
        .unwrap_err();
    assert!(long.to_string().starts_with("last date: "), "{long}");
}
