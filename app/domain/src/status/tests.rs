//! What each status follows from (T1–T8).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::deployment::{DeploymentState, Failure, Withdrawal};
use crate::freeze::Freezes;
use crate::ids::{RingId, StageOf, UpdateId};
use crate::reason::Reason;
use crate::ring::RingSequence;
use crate::rollout::Stage;

fn at() -> DateTime<Utc> {
    "2025-03-13T12:00:00Z".parse().expect("an instant")
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn ring_id(number: u128) -> RingId {
    RingId(Uuid::from_u128(number))
}

fn rings() -> RingSequence {
    RingSequence::preconfigured(ring_id(1), ring_id(2), ring_id(3))
}

fn paused() -> RolloutState {
    RolloutState::Paused {
        since: at(),
        by: "Admin".to_owned(),
        reason: "a reason".to_owned(),
        resumes_on: None,
    }
}

fn deprecated() -> RolloutState {
    RolloutState::Deprecated {
        at: at(),
        reason: Reason::recalled("it breaks"),
    }
}

fn finished() -> RolloutState {
    RolloutState::Finished { at: at() }
}

/// Staging from 5 to 6 March with tests to the 11th, General from the 12th to the 21st with tests to the 25th.
fn rollout(state: RolloutState) -> Rollout {
    let stage = |number, starts_on: &str| {
        let rings = rings();
        let ring = rings.get(ring_id(number)).expect("a ring").clone();
        Stage {
            ring: StageOf::Ring(ring.id),
            name: ring.name,
            place: ring.place,
            rollout_days: ring.rollout_days,
            test_days: ring.test_days,
            starts_on: date(starts_on),
            rollout_ends: date(starts_on) + chrono::Days::new(ring.rollout_days.into()),
            test_ends: date(starts_on) + chrono::Days::new((ring.rollout_days + ring.test_days).into()),
            entered_at: at(),
            rooms: 1,
            placed: 1,
        }
    };
    Rollout {
        update: UpdateId(Uuid::nil()),
        published_at: at(),
        starts_on: date("2025-03-05"),
        state,
        stages: vec![stage(1, "2025-03-05"), stage(2, "2025-03-12")],
        paused_days: 0,
        automatic_days: None,
        superseded_by: Vec::new(),
        first_test_over: false,
        halt_rule: None,
        halt: None,
        counts: BTreeMap::from([(
            StageOf::Ring(ring_id(1)),
            Counts {
                completed: 1,
                ..Counts::default()
            },
        )]),
        next_at: None,
    }
}

#[test]
fn a_rooms_status_follows_from_its_deployment_and_its_rollout_t1_t8() {
    use DeploymentState as D;
    use RoomStatus as S;
    let failure = Failure::Reported;
    // Columns: running, finished, paused, deprecated.
    let table = [
        (D::Waiting, [S::Scheduled, S::Scheduled, S::Paused, S::Deprecated]),
        (D::Prepared, [S::Scheduled, S::Scheduled, S::Paused, S::Deprecated]),
        (D::Started { at: at() }, [S::InProgress; 4]),
        (D::Completed { at: at() }, [S::Completed; 4]),
        (D::Failed { at: at(), failure }, [S::Failed; 4]),
        (
            D::Withdrawn {
                at: at(),
                why: Withdrawal::Deprecated,
            },
            [S::Deprecated; 4],
        ),
        (
            D::Withdrawn {
                at: at(),
                why: Withdrawal::Moved,
            },
            [S::NotRequired; 4],
        ),
        (
            D::Withdrawn {
                at: at(),
                why: Withdrawal::NotRequired,
            },
            [S::NotRequired; 4],
        ),
    ];
    let rollouts = [RolloutState::Running, finished(), paused(), deprecated()];
    for (state, expected) in table {
        let found = rollouts.clone().map(|of| room(state.progress(), &of));
        assert_eq!(found, expected, "{state:?}");
        // The other way round, and for many.
        for (of, status) in rollouts.iter().zip(expected) {
            assert!(progress_of(status, of).contains(&state.progress()), "{state:?}");
            let many = RoomsByStatus::of([(state.progress(), 7)], of);
            let counted = if status == S::NotRequired { 0 } else { 7 };
            assert_eq!((many.with(status), many.total()), (counted, counted), "{state:?}");
        }
    }
}

#[test]
fn no_room_of_a_deprecated_rollout_is_scheduled_t1_t8() {
    let counts = Counts {
        scheduled: 3,
        in_progress: 1,
        deprecated: 2,
        catch_up: 5,
        ..Counts::default()
    };
    let by_status = rooms(&counts, &deprecated());
    assert_eq!(by_status.with(RoomStatus::Deprecated), 5);
    assert_eq!((by_status.waiting(), by_status.total()), (0, 6));
    assert_eq!(rooms(&counts, &paused()).with(RoomStatus::Paused), 3);
    assert_eq!(progress_of(RoomStatus::Scheduled, &deprecated()), []);
    assert_eq!(
        progress_of(RoomStatus::Deprecated, &deprecated()),
        [Progress::NotStarted, Progress::Deprecated]
    );
    assert_eq!(progress_of(RoomStatus::Paused, &RolloutState::Running), []);
}

fn rings_on(rollout: &Rollout, today: &str) -> Vec<RingStatus> {
    let pause = match rollout.state {
        RolloutState::Paused { .. } => Some(date("2025-03-13")),
        RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
    };
    let calendar = rollout.calendar(&rings(), &Freezes::default(), pause, date(today));
    calendar.iter().map(|stage| ring(rollout, stage, date(today))).collect()
}

#[test]
fn a_ring_rolls_out_is_tested_and_is_completed_by_its_dates_t2() {
    use RingStatus as S;
    let running = rollout(RolloutState::Running);
    assert_eq!(
        rings_on(&running, "2025-03-12"),
        [S::Completed, S::RollingOut, S::NotStarted]
    );
    assert_eq!(
        rings_on(&running, "2025-03-21"),
        [S::Completed, S::RollingOut, S::NotStarted]
    );
    assert_eq!(
        rings_on(&running, "2025-03-22"),
        [S::Completed, S::Testing, S::NotStarted]
    );
    assert_eq!(
        rings_on(&running, "2025-03-25"),
        [S::Completed, S::Testing, S::NotStarted]
    );
    assert_eq!(
        rings_on(&running, "2025-03-26"),
        [S::Completed, S::Completed, S::NotStarted]
    );
}

#[test]
fn a_ring_with_a_failed_room_is_completed_with_failures_t2() {
    let mut running = rollout(RolloutState::Running);
    running.counts.insert(
        StageOf::Ring(ring_id(1)),
        Counts {
            completed: 4,
            failed: 1,
            ..Counts::default()
        },
    );
    assert_eq!(rings_on(&running, "2025-03-13")[0], RingStatus::CompletedWithFailures);
}

#[test]
fn while_paused_entered_and_unfinished_rings_are_paused_and_later_ones_not_started_t2() {
    let expected = [RingStatus::Completed, RingStatus::Paused, RingStatus::NotStarted];
    assert_eq!(rings_on(&rollout(paused()), "2025-03-13"), expected);
    assert_eq!(
        rings_on(&rollout(paused()), "2025-06-01"),
        expected,
        "ring clocks stand still"
    );
}

#[test]
fn after_deprecation_unfinished_rings_are_deprecated_t2() {
    let expected = [RingStatus::Completed, RingStatus::Deprecated, RingStatus::Deprecated];
    assert_eq!(rings_on(&rollout(deprecated()), "2025-03-13"), expected);
}

#[test]
fn an_updates_status_follows_from_its_rollout_and_its_counts_t3_t6_t7() {
    let with = |state: RolloutState, counts: Counts| Rollout {
        counts: BTreeMap::from([(StageOf::Ring(ring_id(1)), counts)]),
        ..rollout(state)
    };
    let done = Counts {
        completed: 3,
        ..Counts::default()
    };
    let failed = Counts {
        completed: 3,
        failed: 1,
        ..Counts::default()
    };
    let retrying = Counts {
        completed: 3,
        scheduled: 1,
        ..Counts::default()
    };
    let caught_up = Counts {
        catch_up: 1,
        ..Counts::default()
    };
    let none = Counts::default();
    let fresh = Rollout {
        stages: Vec::new(),
        counts: BTreeMap::new(),
        ..rollout(RolloutState::Running)
    };

    assert_eq!(update(&fresh, true), UpdateStatus::Scheduled);
    assert_eq!(update(&fresh, false), UpdateStatus::NotRequired);
    assert_eq!(
        update(&with(RolloutState::Running, done), false),
        UpdateStatus::InProgress,
        "also when all rooms are done (T6)"
    );
    assert_eq!(
        update(&with(RolloutState::Running, failed), true),
        UpdateStatus::InProgress
    );
    assert_eq!(update(&with(paused(), done), true), UpdateStatus::Paused);
    assert_eq!(update(&with(deprecated(), none), false), UpdateStatus::Deprecated);
    assert_eq!(update(&with(finished(), done), false), UpdateStatus::Completed);
    assert_eq!(
        update(&with(finished(), failed), false),
        UpdateStatus::CompletedWithFailures
    );
    assert_eq!(
        update(&with(finished(), retrying), false),
        UpdateStatus::CompletedWithFailures,
        "until the retry has worked (T7)"
    );
    assert_eq!(update(&with(finished(), caught_up), false), UpdateStatus::Completed);
    assert_eq!(update(&with(finished(), none), false), UpdateStatus::NotRequired);
    let given_way = Counts {
        completed: 1,
        deprecated: 1,
        ..none
    };
    assert_eq!(
        update(&with(finished(), given_way), false),
        UpdateStatus::CompletedWithFailures,
        "a room that failed and then gave way to a newer update has not got this one"
    );
}

#[test]
fn active_updates_are_those_that_somebody_may_have_to_look_at_t9() {
    let active: Vec<UpdateStatus> = UpdateStatus::ALL
        .into_iter()
        .filter(|status| status.is_active(false))
        .collect();
    let expected = [
        UpdateStatus::Scheduled,
        UpdateStatus::InProgress,
        UpdateStatus::Paused,
        UpdateStatus::CompletedWithFailures,
    ];
    assert_eq!(active, expected);
    assert!(!UpdateStatus::CompletedWithFailures.is_active(true), "acknowledged");
}
