//! Names of software that nobody has reviewed, and those that somebody has (C1).

use domain::readiness::{Check, CheckResult};
use service::read::PageOf;
use service::read::readiness::{ReadinessFilter, WantedResults};
use testkit::{Estate, actor, both_engines, facts, problem};

use crate::{checks, managed, stored};

both_engines![
    software_is_reviewed_once_for_all_rooms_c1,
    a_list_of_software_is_told_whole_and_the_device_is_named_c1_c7,
];

async fn software_is_reviewed_once_for_all_rooms_c1(estate: Estate) {
    let rooms = [managed(&estate, "nuc-1").await, managed(&estate, "nuc-2").await];
    for name in ["nuc-1", "nuc-2"] {
        facts::tell(&estate.service, name, &facts::FINE).await;
        facts::tell(
            &estate.service,
            name,
            &[("readiness.additional_software", "Viewer, Player")],
        )
        .await;
    }
    estate.service.tick().await.unwrap();
    let mut of_first = checks(&estate, rooms[0]).await;
    let found = of_first.remove(&Check::AdditionalSoftware).unwrap();
    assert_eq!(
        (found.result, found.to_review),
        (CheckResult::Warning, vec!["Viewer".to_owned(), "Player".to_owned()])
    );
    estate.service.review_software(&actor(), "viewer".into()).await.unwrap();
    assert_eq!(
        problem(estate.service.review_software(&actor(), "VIEWER".into()).await),
        "name: VIEWER is reviewed already"
    );
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let unreviewed = snapshot.unreviewed_software(10).await.unwrap();
    let unreviewed: Vec<(String, i64)> = unreviewed.into_iter().map(|item| (item.name, item.rooms)).collect();
    assert_eq!(
        unreviewed,
        [("Player".to_owned(), 2)],
        "those that nobody has reviewed, with their rooms"
    );
    let with_player = ReadinessFilter {
        software: "PLAYER".to_owned(),
        results: WantedResults::All,
        ..ReadinessFilter::default()
    };
    let found = snapshot.readiness_page(&with_player, &PageOf::First, 1).await.unwrap();
    assert_eq!((found.total, found.rooms.items.len()), (2, 1));
    drop(snapshot);
    estate.service.review_software(&actor(), "Player".into()).await.unwrap();
    estate.service.tick().await.unwrap();
    for room in rooms {
        assert_eq!(
            stored(&estate, room, Check::AdditionalSoftware).await,
            CheckResult::Pass
        );
    }
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    assert_eq!(snapshot.unreviewed_software(10).await.unwrap(), []);
    drop(snapshot);
    estate.service.end_review(&actor(), "Viewer".into()).await.unwrap();
    assert_eq!(
        problem(estate.service.end_review(&actor(), "Viewer".into()).await),
        "name: Viewer is not reviewed"
    );
    estate.service.tick().await.unwrap();
    for room in rooms {
        assert_eq!(
            stored(&estate, room, Check::AdditionalSoftware).await,
            CheckResult::Warning
        );
    }
    // A room with a warning already gets the second name too.
    estate.service.end_review(&actor(), "Player".into()).await.unwrap();
    estate.service.tick().await.unwrap();
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    let unreviewed = snapshot.unreviewed_software(10).await.unwrap().into_iter();
    let unreviewed: Vec<(String, i64)> = unreviewed.map(|item| (item.name, item.rooms)).collect();
    assert_eq!(unreviewed, [("Player".to_owned(), 2), ("Viewer".to_owned(), 2)]);
    drop(snapshot);
    estate.is_sound().await;
}

async fn a_list_of_software_is_told_whole_and_the_device_is_named_c1_c7(estate: Estate) {
    let room = managed(&estate, "nuc").await;
    facts::tell(&estate.service, "nuc", &facts::FINE).await;
    let more = "readiness.additional_software.2";
    let long = [("readiness.additional_software", "Viewer"), (more, "Player")];
    facts::tell(&estate.service, "nuc", &long).await;
    let software = checks(&estate, room).await.remove(&Check::AdditionalSoftware).unwrap();
    assert_eq!(software.to_review, ["Viewer", "Player"]);
    assert_eq!(software.reported_by, "nuc");
    facts::tell(&estate.service, "nuc", &[("readiness.additional_software", "none")]).await;
    let software = checks(&estate, room).await.remove(&Check::AdditionalSoftware).unwrap();
    assert_eq!(
        software.result,
        CheckResult::Pass,
        "what is not named is not there any more"
    );
}
