//! Rollouts, deployments and installs come back as they were written, and are counted.

use domain::check::check;
use domain::deployment::{DeploymentState, Failure, Force, Night, Withdrawal};
use domain::ids::{ActionId, UpdateId};
use domain::install::InstallState;
use domain::reason::Reason;
use domain::rollout::{Rollout, RolloutState};
use store::StoreError;
use testkit::{Dice, Home, both_engines, date, instant};
use uuid::Uuid;

use crate::lab::{self, GENERAL, STAGING, UPDATE, at_night, later, room};
use crate::refused;

both_engines![
    rollouts_come_back_in_every_state_with_their_stages_r10,
    deployments_come_back_in_every_state_t1,
    installs_come_back_in_every_state,
    one_deployment_is_open_in_a_room_one_exists_for_room_and_update_one_install_is_open_on_a_device_s7,
    the_counts_of_a_ring_follow_every_change_of_its_deployments_t10,
    a_reason_that_another_program_wrote_is_its_sentence_t5,
];

async fn rollouts_come_back_in_every_state_with_their_stages_r10(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let since = instant("2026-03-05T11:22:33.123456Z");
    let states = [
        RolloutState::Running,
        RolloutState::Paused {
            since,
            by: "Ärztin".to_owned(),
            reason: "It hums.".to_owned(),
            resumes_on: Some(date("2026-03-20")),
        },
        RolloutState::Deprecated {
            at: since,
            reason: Reason::Superseded {
                by: "Camera 3".to_owned(),
            },
        },
        RolloutState::Finished { at: since },
    ];
    for (state, number) in states.into_iter().zip(3_u32..) {
        let id = UpdateId(Uuid::from_u128(100 + u128::from(number)));
        let mut rollout = Rollout {
            next_at: Some(since),
            paused_days: 4,
            automatic_days: (number % 2 == 0).then_some(5),
            ..lab::a_rollout(id, state)
        };
        rollout.stages.push(lab::a_stage(GENERAL, "General", 5));
        store::write!(store, tx => {
            let version = Uuid::from_u128(200 + u128::from(number));
            tx.put_version(version, &lab::cam(), &number.to_string(), None).await?;
            tx.add_release(&lab::a_release(id, version, &number.to_string(), number)).await?;
            tx.add_rollout(&rollout, "Admin").await
        })
        .unwrap();
        assert_eq!(
            store.read().await.unwrap().rollout(id).await.unwrap(),
            Some(rollout.clone())
        );

        // A second time, with other numbers; a stage keeps the ring as it was entered.
        rollout.starts_on = date("2026-03-11");
        rollout.next_at = None;
        rollout.stages[1].rollout_ends = date("2026-03-20");
        rollout.stages[1].test_ends = date("2026-03-21");
        rollout.superseded_by.push(UPDATE);
        rollout.stages[1].placed = 3;
        store::write!(store, tx => { tx.put_rollout(&rollout).await }).unwrap();
        assert_eq!(store.read().await.unwrap().rollout(id).await.unwrap(), Some(rollout));
    }
    let mut tx = store.read().await.unwrap();
    let live = tx.live_rollouts().await.unwrap();
    let expected = [100_u128, 103, 104].map(|number| UpdateId(Uuid::from_u128(number)));
    assert_eq!(live, expected);
    assert_eq!(tx.all_rollouts().await.unwrap().len(), 5);
    assert_eq!(
        tx.published_at(UPDATE).await.unwrap(),
        Some((instant("2026-03-03T15:00:00Z"), "Admin".to_owned()))
    );
    drop(tx);
    let nobody = UpdateId(Uuid::from_u128(999));
    let missing = store::write!(store, tx => { tx.put_rollout(&lab::a_rollout(nobody, RolloutState::Running)).await });
    assert!(
        matches!(missing, Err(StoreError::Row { table: "rollouts", .. })),
        "{missing:?}"
    );
    let twice =
        store::write!(store, tx => { tx.add_rollout(&lab::a_rollout(UPDATE, RolloutState::Running), "Admin").await });
    assert!(refused(&twice), "{twice:?}");
}

pub fn every_deployment_state() -> Vec<DeploymentState> {
    let at = instant("2026-03-04T02:03:04.000005Z");
    let mut states = vec![
        DeploymentState::Waiting,
        DeploymentState::Prepared,
        DeploymentState::Started { at },
        DeploymentState::Completed { at },
    ];
    for failure in [
        Failure::Reported,
        Failure::Unreachable,
        Failure::Silent,
        Failure::Unconfirmed,
        Failure::Canceled,
        Failure::NoPath,
    ] {
        states.push(DeploymentState::Failed { at, failure });
    }
    for why in [Withdrawal::Deprecated, Withdrawal::Moved, Withdrawal::NotRequired] {
        states.push(DeploymentState::Withdrawn { at, why });
    }
    states
}

async fn deployments_come_back_in_every_state_t1(home: Home) {
    let store = &home.store;
    let states = every_deployment_state();
    lab::fill(store, states.len() as u128 + 2).await;
    for (state, number) in states.into_iter().zip(0_u128..) {
        let mut deployment = lab::a_deployment(number, room(number), state);
        deployment.next_at = Some(later(7));
        store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await })
            .unwrap();
        let stored = store
            .read()
            .await
            .unwrap()
            .deployment_of(room(number), UPDATE)
            .await
            .unwrap();
        assert_eq!(stored, Some(deployment.clone()));
        // Again with everything else changed.
        deployment.ring = GENERAL.into();
        deployment.attempt = 3;
        deployment.missed_windows = 1;
        deployment.crowded_windows = 2;
        deployment.night = Night::Forced {
            date: date("2026-04-01"),
            how: if number % 2 == 0 {
                Force::Now
            } else {
                Force::WhenAvailable
            },
            catch_up: true,
        };
        deployment.from_version = None;
        deployment.reason = Reason::Stopped {
            why: "Another reason: \"quoted\", 'quoted'.".to_owned(),
        };
        deployment.next_at = None;
        store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&deployment), at_night()).await })
            .unwrap();
        let stored = store
            .read()
            .await
            .unwrap()
            .deployment_of(room(number), UPDATE)
            .await
            .unwrap();
        assert_eq!(stored, Some(deployment));
    }
    let mut tx = store.read().await.unwrap();
    assert_eq!(
        check(&tx.fleet().await.unwrap())
            .into_iter()
            .filter(|finding| finding.law == 'J')
            .count(),
        0
    );
    assert_eq!(tx.deployment_of(room(90), UPDATE).await.unwrap(), None);
    // What happened to them is kept, oldest last.
    let events = tx.events_of_room(room(0), 10).await.unwrap();
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event.state.as_str(), event.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("waiting", "Another reason: \"quoted\", 'quoted'."),
            ("waiting", "Night 1 of 2 in Staging.")
        ]
    );
}

async fn installs_come_back_in_every_state(home: Home) {
    let store = &home.store;
    let at = instant("2026-03-04T02:03:04.000005Z");
    let mut states = vec![
        InstallState::Planned,
        InstallState::Started {
            heard_at: at,
            silent_at: None,
            installed_chunks: false,
            objects: false,
        },
        InstallState::Started {
            heard_at: at,
            silent_at: Some(at),
            installed_chunks: true,
            objects: false,
        },
        InstallState::Withdrawn { at },
        InstallState::Canceled { at },
        InstallState::Installed { at, doubtful: false },
        InstallState::Completed { at },
        InstallState::Withdrawn { at },
    ];
    for failure in [
        Failure::Reported,
        Failure::Unreachable,
        Failure::Silent,
        Failure::Unconfirmed,
    ] {
        states.push(InstallState::Failed { at, failure });
    }
    lab::fill(store, states.len() as u128).await;
    for (state, number) in states.into_iter().zip(0_u128..) {
        let action = lab::open(store, number).await;
        let mut tx = store.read().await.unwrap();
        let planned = tx.installs_of(lab::deployment_id(number)).await.unwrap().remove(0);
        drop(tx);
        assert_eq!(
            planned,
            lab::an_install(number, lab::device(number)).with_action(action)
        );
        let install = domain::install::Install {
            state,
            shown_up_at: Some(at),
            started_at: Some(at),
            detail: "Erasing 100 %.".to_owned(),
            cancel_wanted: Some("Stopped by Admin: \"the board\" meets.".to_owned()),
            ..planned
        };
        store::write!(store, tx => { tx.put_installs(std::slice::from_ref(&install)).await }).unwrap();
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        assert_eq!(fleet.installs[&action], install);
    }
    let missing = domain::install::Install {
        action: ActionId(4_000),
        ..lab::an_install(0, lab::device(0)).with_action(ActionId(1))
    };
    let missing = store::write!(store, tx => { tx.put_installs(std::slice::from_ref(&missing)).await });
    assert!(
        matches!(missing, Err(StoreError::Row { table: "installs", .. })),
        "{missing:?}"
    );
}

async fn one_deployment_is_open_in_a_room_one_exists_for_room_and_update_one_install_is_open_on_a_device_s7(
    home: Home,
) {
    let store = &home.store;
    lab::fill(store, 2).await;
    lab::open(store, 0).await;
    // A second update in the same room: it may wait, but not be open.
    let other = UpdateId(Uuid::from_u128(101));
    store::write!(store, tx => {
        tx.put_version(Uuid::from_u128(203), &lab::cam(), "3", None).await?;
        tx.add_release(&lab::a_release(other, Uuid::from_u128(203), "3", 3)).await?;
        tx.add_rollout(&lab::a_rollout(other, RolloutState::Running), "Admin").await
    })
    .unwrap();
    let mut second = lab::a_deployment(8, room(0), DeploymentState::Waiting);
    second.update = other;
    store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&second), at_night()).await }).unwrap();
    second.state = DeploymentState::Prepared;
    let two_open = store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&second), at_night()).await });
    assert!(refused(&two_open), "{two_open:?}");
    // The same update a second time.
    let twice = lab::a_deployment(9, room(0), DeploymentState::Waiting);
    let twice = store::write!(store, tx => { tx.put_deployments(std::slice::from_ref(&twice), at_night()).await });
    assert!(refused(&twice), "{twice:?}");
    // A second install on the device, of whatever deployment.
    let install = domain::changes::NewInstall {
        deployment: second.id,
        update: other,
        ..lab::an_install(0, lab::device(0))
    };
    let two_installs = store::write!(store, tx => { tx.add_installs(std::slice::from_ref(&install)).await });
    assert!(refused(&two_installs), "{two_installs:?}");
    // What closes may make room for what opens in one write, in whatever order they are given.
    let first = lab::a_deployment(0, room(0), DeploymentState::Waiting);
    store::write!(store, tx => { tx.put_deployments(&[second.clone(), first.clone()], at_night()).await }).unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert_eq!(fleet.deployments[&second.id].state, second.state);
    assert!(
        check(&fleet)
            .iter()
            .all(|finding| finding.law != 'D' && finding.law != 'J'),
        "{:?}",
        check(&fleet)
    );
}

async fn the_counts_of_a_ring_follow_every_change_of_its_deployments_t10(home: Home) {
    let store = &home.store;
    lab::fill(store, 4).await;
    let mut dice = Dice::new(7);
    let states = every_deployment_state();
    let rings = [STAGING, GENERAL, lab::EXECUTIVE];
    for step in 0..60 {
        // Several at once, some of them new, from any state into any state, ring and kind.
        let mut batch = Vec::new();
        for number in 0..4_u128 {
            let mut deployment = lab::a_deployment(number, room(number), states[dice.below(states.len())].clone());
            deployment.ring = rings[dice.below(3)].into();
            if dice.below(4) == 0 {
                deployment.night = Night::NextWindow {
                    date: deployment.night.date(),
                    catch_up: true,
                };
            }
            if dice.below(2) == 0 {
                batch.push(deployment);
            }
        }
        store::write!(store, tx => { tx.put_deployments(&batch, at_night()).await }).unwrap();
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        let wrong: Vec<_> = check(&fleet).into_iter().filter(|finding| finding.law == 'J').collect();
        assert_eq!(wrong, [], "step {step}");
    }
    // A count that is made wrong is found.
    home.try_execute("UPDATE ring_counts SET completed = completed + 1")
        .await
        .unwrap();
    let fleet = store.read().await.unwrap().fleet().await.unwrap();
    assert!(check(&fleet).iter().any(|finding| finding.law == 'J'));
}

async fn a_reason_that_another_program_wrote_is_its_sentence_t5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    lab::open(store, 0).await;
    let reason = async || {
        let mut tx = store.read().await.unwrap();
        tx.deployment_of(room(0), UPDATE).await.unwrap().unwrap().reason
    };
    let night = lab::a_deployment(0, room(0), DeploymentState::Waiting).reason;
    assert_eq!(reason().await, night, "its facts come back");
    let written = |sentence: &str| Reason::Written(sentence.to_owned());
    // A program before this one writes the sentence and leaves the facts as they are.
    home.try_execute("UPDATE deployments SET reason = 'As it was written.'")
        .await
        .unwrap();
    assert_eq!(reason().await, written("As it was written."));
    // A program after this one has reasons that nobody here knows.
    home.try_execute("UPDATE deployments SET reason_facts = '{\"code\":\"of_tomorrow\",\"facts\":{\"a\":1}}'")
        .await
        .unwrap();
    assert_eq!(reason().await, written("As it was written."));
    home.try_execute("UPDATE deployments SET reason_facts = NULL")
        .await
        .unwrap();
    assert_eq!(reason().await, written("As it was written."));
}
