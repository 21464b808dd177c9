//! The engine's plans: hot queries start from an index (P8).

use std::collections::BTreeSet;

use domain::changes::{Changes, Placement, Stop, StopOf};
use domain::conversation::Report;
use domain::conversation::feedback::{Execution, Finished};
use domain::conversation::inventory::ConfigMode;
use domain::deployment::DeploymentState;
use domain::deployment::Progress;
use domain::ids::PersonId;
use domain::readiness::CheckResult;
use domain::rollout::{Rollout, RolloutState};
use sqlx::AssertSqlSafe;
use store::{
    AuditFilter, CheckFilter, Engine, LookedUpBy, RoomFilter, SoftwareFilter, UpdateRoomFilter, UpdateRooms,
    VersionFilter, VersionSet,
};
use testkit::statements::Statements;
use testkit::{Home, date};
use uuid::Uuid;

use crate::inventory::facts;
use crate::lab::{self, GENERAL, STAGING, UPDATE, at_night, room};
use crate::reports::feedback;
use crate::world;

/// The lines of a plan that read a large table from end to end.
async fn full_scans(home: &Home, statement: &str) -> Vec<String> {
    const LARGE: [&str; 6] = ["deployments", "rooms", "devices", "installs", "components", "rollouts"];
    let words: Vec<&str> = statement
        .split(|c: char| c.is_whitespace() || c == ',' || c == '(')
        .filter(|word| !word.is_empty())
        .collect();
    let mut names: BTreeSet<String> = LARGE.iter().map(|table| (*table).to_owned()).collect();
    for pair in words.windows(2) {
        if LARGE.contains(&pair[0]) {
            names.insert(pair[1].to_owned());
        }
    }
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(&mut home.sqlite().await)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    let scans = plan.into_iter().map(|(.., line)| line).filter(|line| {
        let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        scanned.is_some_and(|name| names.contains(name))
    });
    scans.collect()
}

#[tokio::test]
async fn pages_of_rooms_are_in_the_order_of_an_index_p8() {
    let home = Home::new(Engine::Sqlite).await;
    let store = &home.store;
    lab::fill(store, 2).await;
    let heard = Statements::default();
    tracing::subscriber::set_global_default(heard.clone()).unwrap();
    let mut tx = store.read().await.unwrap();
    let place = Some(("room 1".to_owned(), room(1)));
    for (after, before) in [(None, None), (place.clone(), None), (None, place)] {
        for unhealthy_at in [None, Some(at_night())] {
            let filter = RoomFilter {
                unhealthy_at,
                after: after.clone(),
                before: before.clone(),
                ..RoomFilter::default()
            };
            tx.room_page(&filter, 50).await.unwrap();
        }
        for at in [None, Some(at_night())] {
            let filter = RoomFilter {
                versions: Some(VersionFilter {
                    products: vec![lab::cam()],
                    wanted: VersionSet::Only(vec![lab::OLD]),
                    worse: VersionSet::AllBut(vec![lab::NEW]),
                    at,
                }),
                after: after.clone(),
                before: before.clone(),
                ..RoomFilter::default()
            };
            tx.room_page(&filter, 50).await.unwrap();
            let looked_up = RoomFilter {
                looked_up_by: LookedUpBy::Versions(vec![(lab::cam(), Some(lab::OLD)), (lab::cam(), None)]),
                ..filter
            };
            if at.is_none() {
                tx.room_page(&looked_up, 50).await.unwrap();
            }
        }
        for looked_up_by in [LookedUpBy::Checks, LookedUpBy::Software] {
            let filter = RoomFilter {
                checks: Some(CheckFilter {
                    check: None,
                    results: vec![CheckResult::Fail],
                }),
                software: Some(SoftwareFilter {
                    name_key: "viewer".to_owned(),
                }),
                looked_up_by,
                after: after.clone(),
                before: before.clone(),
                ..RoomFilter::default()
            };
            tx.room_page(&filter, 50).await.unwrap();
        }
        for which in [
            UpdateRooms::All,
            UpdateRooms::At(vec![Progress::NotStarted]),
            UpdateRooms::At(vec![Progress::InProgress]),
            UpdateRooms::At(vec![Progress::Completed]),
            UpdateRooms::At(vec![Progress::Failed]),
            UpdateRooms::At(vec![Progress::Deprecated]),
            // Those of a deprecated rollout: two parts, joined in the order of names.
            UpdateRooms::At(vec![Progress::NotStarted, Progress::Deprecated]),
        ] {
            let filter = UpdateRoomFilter {
                update: UPDATE,
                product: lab::cam(),
                which,
                ring: None,
                few: false,
                after: after.clone(),
                before: before.clone(),
            };
            tx.update_room_page(&filter, 50).await.unwrap();
        }
    }
    tx.failed_deployments(UPDATE, None, 50).await.unwrap();
    tx.tickets_of_update(UPDATE).await.unwrap();
    let statements: Vec<String> = heard.take().into_iter().filter(|sql| sql.contains(" LIMIT ")).collect();
    assert!(statements.len() > 20, "only {} statements were heard", statements.len());
    for statement in statements {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .fetch_all(&mut home.sqlite().await)
                .await
                .unwrap();
        let sorted = plan
            .iter()
            .filter(|(.., line)| line.starts_with("USE TEMP B-TREE"))
            .count();
        // What a room has is found by its devices, never by a version: many rooms have one.
        let by_version = ["components_version", "component_history_product"];
        let lines = plan.iter().map(|(.., line)| line.as_str());
        let wrong = lines.filter(|line| by_version.iter().any(|index| line.contains(index)));
        assert!(
            !statement.contains(" k.device_id = ") || wrong.count() == 0,
            "{plan:?}: {statement}"
        );
        // Two parts, each of a page, are put in order once more before they are merged.
        let is_in_parts = [" UNION ALL ", " AS part UNION SELECT "].map(|merge| statement.contains(merge));
        let parts = if is_in_parts.contains(&true) { 2 } else { 0 };
        assert_eq!(sorted, parts, "{plan:?}: {statement}");
    }
}

#[tokio::test]
async fn every_hot_query_starts_from_an_index_p8() {
    let home = Home::new(Engine::Sqlite).await;
    let store = &home.store;
    lab::fill(store, 6).await;
    let action = lab::open(store, 0).await;
    let waiting = domain::deployment::Deployment {
        next_at: Some(at_night()),
        ..lab::a_deployment(1, room(1), DeploymentState::Waiting)
    };
    store::write!(store, tx => {
        tx.put_deployments(std::slice::from_ref(&waiting), at_night()).await?;
        // A ring that is being filled.
        tx.put_rollout(&Rollout { next_at: Some(at_night()), ..lab::a_rollout(UPDATE, RolloutState::Running) }).await?;
        let next = Placement { update: UPDATE, position: 0, room: room(3) };
        tx.apply(&Changes { placements: vec![next], ..Changes::default() }, &[], at_night()).await?;
        tx.recheck(room(2)).await
    })
    .unwrap();
    let heard = Statements::default();
    tracing::subscriber::set_global_default(heard.clone()).unwrap();

    // The tick, when nothing is due and when something is.
    let mut tx = store.read().await.unwrap();
    tx.next_due(at_night()).await.unwrap();
    let due = tx
        .due(&lab::organisation(), at_night(), world::ALL)
        .await
        .unwrap()
        .unwrap();
    let placement_batch = due.slice.due[0].placement_batch.as_ref().unwrap();
    assert!(placement_batch.rooms.len() == 1 && due.slice.rooms.len() == 2);
    // A poll, and what devices say.
    tx.device_facts("device-0").await.unwrap();
    tx.device_facts_of_action(lab::device(0), action).await.unwrap();
    drop(tx);
    store.report(Report::ShowedUp { action }, at_night()).await.unwrap();
    store
        .report(feedback(0, action, Execution::Closed, Finished::Success), at_night())
        .await
        .unwrap();
    store
        .report(
            facts(
                ConfigMode::Merge,
                &[("component.1.product", Some("cam")), ("component.1.version", Some("2"))],
            ),
            at_night(),
        )
        .await
        .unwrap();
    let (mut deployments, mut installs) = (0, 0);
    loop {
        let mut tx = store.begin().await.unwrap();
        let Some(due) = tx.due(&lab::organisation(), at_night(), world::ALL).await.unwrap() else {
            break;
        };
        let plan = domain::planner::plan(&due.slice, at_night(), &mut domain::sim::Counter(7));
        tx.apply(&plan, &due.rechecks, at_night()).await.unwrap();
        tx.commit().await.unwrap();
        (deployments, installs) = (deployments + plan.deployments.len(), installs + plan.new_installs.len());
    }
    assert!(deployments > 0 && installs > 0);
    // A ring that is entered, and a recall.
    let mut tx = store.begin().await.unwrap();
    let mut rollout = lab::a_rollout(UPDATE, RolloutState::Running);
    rollout.stages[0].placed = rollout.stages[0].rooms;
    (rollout.stages[0].rollout_ends, rollout.stages[0].test_ends) = (date("2026-03-04"), date("2026-03-04"));
    rollout.next_at = Some(at_night());
    tx.put_rollout(&rollout).await.unwrap();
    assert_eq!(tx.move_rooms(&[room(5)], STAGING, GENERAL).await.unwrap(), 1);
    let due = tx
        .due(&lab::organisation(), at_night(), world::ALL)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(due.slice.due[0].candidates.len(), 1);
    let recalled = Changes {
        stops: vec![Stop {
            of: StopOf::Release(UPDATE),
            why: "Recalled: it hums.".to_owned(),
            at: at_night(),
        }],
        ..Changes::default()
    };
    tx.apply(&recalled, &[], at_night()).await.unwrap();
    tx.commit().await.unwrap();
    // Pages.
    let mut tx = store.read().await.unwrap();
    let first = (String::from("room 1"), room(1));
    for filter in [
        RoomFilter::default(),
        RoomFilter {
            after: Some(first.clone()),
            ..RoomFilter::default()
        },
        RoomFilter {
            before: Some(first.clone()),
            ..RoomFilter::default()
        },
        RoomFilter {
            ring: Some(STAGING),
            after: Some(first.clone()),
            ..RoomFilter::default()
        },
    ] {
        tx.room_page(&filter, 50).await.unwrap();
    }
    tx.work_in(&[room(0), room(1)], at_night()).await.unwrap();
    tx.deployment_of(room(0), UPDATE).await.unwrap();
    tx.failed_deployments(UPDATE, None, 100).await.unwrap();
    tx.rooms_by_progress(UPDATE).await.unwrap();
    tx.events_of_room(room(0), 10).await.unwrap();
    tx.events_of_update(UPDATE, 10).await.unwrap();
    tx.device_details(room(0)).await.unwrap();
    tx.last_completed_in(STAGING).await.unwrap();
    // Who is there, and the audit's chain.
    tx.session(&[0; 32]).await.unwrap();
    tx.person_with("ada@example.com").await.unwrap();
    tx.sessions_of(PersonId(Uuid::nil())).await.unwrap();
    tx.link(&[0; 32], at_night()).await.unwrap();
    tx.last_sealed().await.unwrap();
    tx.unsealed(10).await.unwrap();
    tx.chain(0, 10).await.unwrap();
    tx.audit_actors().await.unwrap();
    tx.audit_kinds().await.unwrap();
    let ada = Some("Ada".to_owned());
    for actor in [None, ada] {
        for object_kind in [None, Some("room".to_owned())] {
            let filter = AuditFilter {
                actor: actor.clone(),
                object_kind,
                older_than: Some((1, 1)),
                ..AuditFilter::default()
            };
            tx.audit_page(&filter, 10).await.unwrap();
        }
    }
    drop(tx);

    let statements = heard.take();
    let explained: Vec<&String> = statements
        .iter()
        .filter(|sql| {
            ["SELECT", "UPDATE", "DELETE", "INSERT"]
                .iter()
                .any(|verb| sql.starts_with(verb))
        })
        .collect();
    assert!(explained.len() > 30, "only {} statements were heard", explained.len());
    let mut wrong = Vec::new();
    for statement in explained {
        let scans = full_scans(&home, statement).await;
        // In the order of an index, as far as the page is long.
        let pages = statement.contains(" LIMIT ") && scans.iter().all(|line| line.contains("USING INDEX rooms_order"));
        if !scans.is_empty() && !pages {
            wrong.push(format!("{scans:?}: {statement}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
