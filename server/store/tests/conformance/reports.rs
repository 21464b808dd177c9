//! What devices report about their actions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use domain::check::check;
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::{Fetched, Outcome, Report};
use domain::deployment::Failure;
use domain::ids::{ActionId, DeviceId};
use domain::install::InstallState;
use domain::reason::Reason;
use domain::rollout::RolloutState;
use store::Store;
use testkit::{Home, both_engines, date, says};
use uuid::Uuid;

use crate::lab::{self, UPDATE, at_night, later};
use crate::{Written, rechecks};

both_engines![
    a_device_starts_reports_and_ends_and_hears_gone_afterwards,
    a_failure_ends_the_action_and_a_late_word_changes_nothing,
    a_report_about_an_action_that_is_not_the_devices_own_finds_nothing_a4,
    a_device_that_names_anothers_action_takes_nothing_of_its_report_away_a4,
    nothing_starts_outside_the_window_or_while_the_rollout_is_paused_w1_k3,
    what_runs_when_the_pause_comes_is_recorded_k3,
    a_device_that_shows_up_is_noted_once_w4,
    many_devices_report_at_once_and_every_report_is_kept_g3,
    a_start_that_races_with_a_pause_never_comes_after_it_k3,
];

pub fn feedback(number: u128, action: ActionId, execution: Execution, finished: Finished) -> Report {
    Report::Feedback {
        device: lab::device(number),
        action,
        feedback: says(execution, finished),
        window_aware: false,
    }
}

async fn install(store: &Store, number: u128) -> domain::install::Install {
    store
        .read()
        .await
        .unwrap()
        .installs_of(lab::deployment_id(number))
        .await
        .unwrap()
        .remove(0)
}

async fn clear_rechecks(home: &Home) {
    home.try_execute("DELETE FROM marks").await.unwrap();
}

async fn a_device_starts_reports_and_ends_and_hears_gone_afterwards(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    let fetched = || {
        Report::Fetched(Fetched {
            device: lab::device(0),
            action,
        })
    };
    assert_eq!(store.report(fetched(), later(0)).await.unwrap(), Outcome::Changed);
    assert_eq!(install(store, 0).await.started_at, Some(later(0)));
    assert_eq!(rechecks(store).await, 1);
    clear_rechecks(&home).await;
    // A second fetch and signs of life change nothing that the planner must see.
    assert_eq!(store.report(fetched(), later(1)).await.unwrap(), Outcome::Noted);
    for (minutes, execution) in [
        (2, Execution::Download),
        (3, Execution::Proceeding),
        (4, Execution::Resumed),
    ] {
        let said = store
            .report(feedback(0, action, execution, Finished::None), later(minutes))
            .await
            .unwrap();
        assert_eq!(said, Outcome::Noted, "{execution:?}");
    }
    assert_eq!(rechecks(store).await, 0);
    let running = install(store, 0).await;
    assert_eq!(
        running.state,
        InstallState::Started {
            heard_at: later(4),
            silent_at: None,
            installed_chunks: false,
            objects: false
        }
    );
    assert_eq!(running.started_at, Some(later(0)));
    // Success; the inventory is asked for.
    home.try_execute("UPDATE devices SET facts_wanted = NOT TRUE")
        .await
        .unwrap();
    let closed = || feedback(0, action, Execution::Closed, Finished::Success);
    assert_eq!(store.report(closed(), later(20)).await.unwrap(), Outcome::Changed);
    assert_eq!(rechecks(store).await, 1);
    assert!(
        store
            .read()
            .await
            .unwrap()
            .device_facts("device-0")
            .await
            .unwrap()
            .unwrap()
            .device
            .facts_wanted
    );
    let done = install(store, 0).await;
    assert_eq!(
        done.state,
        InstallState::Installed {
            at: later(20),
            doubtful: false
        }
    );
    // Whatever comes now is kept and changes nothing.
    for (execution, finished) in [
        (Execution::Closed, Finished::Success),
        (Execution::Closed, Finished::Failure),
        (Execution::Proceeding, Finished::None),
    ] {
        let said = store
            .report(feedback(0, action, execution, finished), later(30))
            .await
            .unwrap();
        assert_eq!(said, Outcome::Ended, "{execution:?}");
    }
    assert_eq!(store.report(fetched(), later(31)).await.unwrap(), Outcome::Noted);
    assert_eq!(install(store, 0).await, done);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports").await, 7);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports WHERE NOT counted").await, 3);
}

async fn a_failure_ends_the_action_and_a_late_word_changes_nothing(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    let long = Feedback {
        execution: Execution::Closed,
        finished: Finished::Failure,
        details: vec!["first".to_owned(), format!("no space\u{0} left {}", "x".repeat(5_000))],
    };
    let report = || Report::Feedback {
        device: lab::device(0),
        action,
        feedback: long.clone(),
        window_aware: false,
    };
    // Its first word may be its last; a NUL, which Postgres cannot keep, does no harm.
    assert_eq!(store.report(report(), later(0)).await.unwrap(), Outcome::Changed);
    let failed = install(store, 0).await;
    assert_eq!(
        failed.state,
        InstallState::Failed {
            at: later(0),
            failure: Failure::Reported
        }
    );
    assert!(failed.detail.starts_with("no space"), "{}", failed.detail);
    assert_eq!(store.report(report(), later(1)).await.unwrap(), Outcome::Ended);
    assert_eq!(
        store
            .report(feedback(0, action, Execution::Closed, Finished::Success), later(2))
            .await
            .unwrap(),
        Outcome::Ended
    );
    assert_eq!(install(store, 0).await, failed);
}

async fn a_report_about_an_action_that_is_not_the_devices_own_finds_nothing_a4(home: Home) {
    let store = &home.store;
    lab::fill(store, 2).await;
    let action = lab::open(store, 0).await;
    let before = install(store, 0).await;
    let nobody = DeviceId(Uuid::from_u128(9_999));
    let word = || says(Execution::Closed, Finished::Success);
    for (device, action) in [
        (lab::device(1), action),
        (nobody, action),
        (lab::device(0), ActionId(4_711)),
        (lab::device(0), ActionId(0)),
    ] {
        let said = store
            .report(
                Report::Feedback {
                    device,
                    action,
                    feedback: word(),
                    window_aware: false,
                },
                later(0),
            )
            .await
            .unwrap();
        assert_eq!(said, Outcome::NotFound, "{device} {action}");
        let said = store
            .report(Report::Fetched(Fetched { device, action }), later(0))
            .await
            .unwrap();
        assert_eq!(said, Outcome::NotFound, "{device} {action}");
    }
    let report = ConfigReport {
        mode: ConfigMode::Merge,
        data: BTreeMap::new(),
    };
    assert_eq!(
        store
            .report(Report::Config { device: nobody, report }, later(0))
            .await
            .unwrap(),
        Outcome::NotFound
    );
    assert_eq!(install(store, 0).await, before);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports").await, 0);
    assert_eq!(rechecks(store).await, 0);
}

async fn put_state(store: &Store, state: RolloutState) {
    let rollout = lab::a_rollout(UPDATE, state);
    store::write!(store, tx => { tx.put_rollout(&rollout).await }).unwrap();
}

async fn nothing_starts_outside_the_window_or_while_the_rollout_is_paused_w1_k3(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    let planned = install(store, 0).await;
    let window = planned.window.unwrap();
    let (opens, closes) = (window.opens(), window.closes());
    let word = || feedback(0, action, Execution::Proceeding, Finished::None);
    let fetch = || {
        Report::Fetched(Fetched {
            device: lab::device(0),
            action,
        })
    };
    for at in [opens - TimeDelta::microseconds(1), closes, closes + TimeDelta::hours(1)] {
        assert_eq!(store.report(word(), at).await.unwrap(), Outcome::NotFound, "{at}");
        assert_ne!(store.report(fetch(), at).await.unwrap(), Outcome::Changed, "{at}");
    }
    let since = later(0);
    let barred = [
        RolloutState::Paused {
            since,
            by: "Admin".to_owned(),
            reason: "It hums.".to_owned(),
            resumes_on: Some(date("2026-03-20")),
        },
        RolloutState::Deprecated {
            at: since,
            reason: Reason::recalled("it hums"),
        },
    ];
    for state in barred {
        put_state(store, state).await;
        assert_eq!(store.report(word(), later(1)).await.unwrap(), Outcome::NotFound);
        assert_ne!(store.report(fetch(), later(1)).await.unwrap(), Outcome::Changed);
    }
    assert_eq!(install(store, 0).await, planned);
    put_state(store, RolloutState::Running).await;
    assert_eq!(store.report(word(), opens).await.unwrap(), Outcome::Changed);
    assert_eq!(install(store, 0).await.started_at, Some(opens));
}

async fn what_runs_when_the_pause_comes_is_recorded_k3(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    assert_eq!(
        store
            .report(feedback(0, action, Execution::Download, Finished::None), later(0))
            .await
            .unwrap(),
        Outcome::Changed
    );
    put_state(
        store,
        RolloutState::Paused {
            since: later(1),
            by: "Admin".to_owned(),
            reason: "It hums.".to_owned(),
            resumes_on: Some(date("2026-03-20")),
        },
    )
    .await;
    assert_eq!(
        store
            .report(feedback(0, action, Execution::Proceeding, Finished::None), later(2))
            .await
            .unwrap(),
        Outcome::Noted
    );
    let done = store
        .report(feedback(0, action, Execution::Closed, Finished::Success), later(3))
        .await
        .unwrap();
    assert_eq!(done, Outcome::Changed);
    assert_eq!(
        install(store, 0).await.state,
        InstallState::Installed {
            at: later(3),
            doubtful: false
        }
    );
}

async fn a_device_that_shows_up_is_noted_once_w4(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    let action = lab::open(store, 0).await;
    for minutes in [3, 9] {
        assert_eq!(
            store.report(Report::ShowedUp { action }, later(minutes)).await.unwrap(),
            Outcome::Noted
        );
    }
    assert_eq!(install(store, 0).await.shown_up_at, Some(later(3)));
    assert_eq!(
        store
            .report(Report::ShowedUp { action: ActionId(999) }, later(3))
            .await
            .unwrap(),
        Outcome::Noted
    );
    assert_eq!(rechecks(store).await, 0);
}

async fn a_device_that_names_anothers_action_takes_nothing_of_its_report_away_a4(home: Home) {
    let store = &home.store;
    lab::fill(store, 3).await;
    let (first, second) = (lab::open(store, 0).await, lab::open(store, 1).await);
    let closed =
        |number, action| store.report(feedback(number, action, Execution::Closed, Finished::Success), later(1));
    let moment = std::time::Duration::from_millis(100);
    // While the one writer is held, what comes piles up: the first report is a batch that waits, the others are the next batch.
    let holder = store.begin().await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.report(Report::ShowedUp { action: second }, later(0)).await }
    });
    tokio::time::sleep(moment).await;
    let ((), attacker, owner, other) = tokio::join!(
        async {
            tokio::time::sleep(moment).await;
            holder.roll_back().await.unwrap();
        },
        closed(2, first),
        closed(0, first),
        closed(1, second),
    );
    waiting.await.unwrap().unwrap();
    assert_eq!(attacker.unwrap(), Outcome::NotFound);
    assert_eq!(owner.unwrap(), Outcome::Changed);
    assert_eq!(other.unwrap(), Outcome::Changed);
    for number in 0..2 {
        let state = install(store, number).await.state;
        assert!(matches!(state, InstallState::Installed { .. }), "{number}: {state:?}");
    }
    assert_eq!(home.number("SELECT COUNT(*) FROM reports WHERE counted").await, 2);
}

async fn many_devices_report_at_once_and_every_report_is_kept_g3(home: Home) {
    const DEVICES: u128 = 60;
    let store = &home.store;
    lab::fill(store, DEVICES).await;
    let mut actions = Vec::new();
    for number in 0..DEVICES {
        actions.push(lab::open(store, number).await);
    }
    let mut tasks = Vec::new();
    for (number, action) in (0..DEVICES).zip(actions) {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            // The same word at once from two connections: one counts, the other finds it done.
            let word = || feedback(number, action, Execution::Closed, Finished::Success);
            let (first, second) = tokio::join!(store.report(word(), later(1)), store.report(word(), later(1)));
            let mut outcomes = [first.unwrap(), second.unwrap()];
            outcomes.sort_by_key(|outcome| *outcome == Outcome::Ended);
            assert_eq!(outcomes, [Outcome::Changed, Outcome::Ended]);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        home.number("SELECT COUNT(*) FROM installs WHERE state = 'installed'")
            .await,
        60
    );
    assert_eq!(home.number("SELECT COUNT(*) FROM reports WHERE counted").await, 60);
    assert_eq!(home.number("SELECT COUNT(*) FROM reports").await, 120);
    assert_eq!(rechecks(store).await, 60);
}

/// A clock that never shows the same instant twice, as a machine's does.
#[derive(Clone)]
struct Ticking(Arc<AtomicI64>);

impl Ticking {
    fn now(&self) -> DateTime<Utc> {
        at_night() + TimeDelta::microseconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

async fn a_start_that_races_with_a_pause_never_comes_after_it_k3(home: Home) {
    const ROUNDS: u128 = 60;
    let store = &home.store;
    lab::fill(store, ROUNDS).await;
    let clock = Ticking(Arc::default());
    let mut started = 0;
    for round in 0..ROUNDS {
        put_state(store, RolloutState::Running).await;
        let action = lab::open(store, round).await;
        let device = {
            let (store, clock) = (store.clone(), clock.clone());
            tokio::spawn(async move {
                if round % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                let now = clock.now();
                let report = if round % 2 == 0 {
                    feedback(round, action, Execution::Proceeding, Finished::None)
                } else {
                    Report::Fetched(Fetched {
                        device: lab::device(round),
                        action,
                    })
                };
                store.report(report, now).await.unwrap()
            })
        };
        let person = {
            let (store, clock) = (store.clone(), clock.clone());
            tokio::spawn(async move {
                let written: Written = store::write!(store, tx => {
                    tx.lock_rollout(UPDATE).await?;
                    let since = clock.now();
                    let state = RolloutState::Paused { since, by: "Admin".to_owned(), reason: "It hums.".to_owned(), resumes_on: None };
                    tx.put_rollout(&lab::a_rollout(UPDATE, state)).await
                });
                written.unwrap();
            })
        };
        let outcome = device.await.unwrap();
        person.await.unwrap();
        let fleet = store.read().await.unwrap().fleet().await.unwrap();
        let broken: Vec<_> = check(&fleet).into_iter().filter(|finding| finding.law == 'E').collect();
        // Installs of earlier rounds started before earlier pauses, which are all before this one.
        assert_eq!(broken, [], "round {round}: {outcome:?}");
        assert_eq!(
            fleet.installs[&action].started_at.is_some(),
            outcome == Outcome::Changed,
            "round {round}"
        );
        started += usize::from(outcome == Outcome::Changed);
    }
    assert!(started > 0, "no device was ever faster");
}
