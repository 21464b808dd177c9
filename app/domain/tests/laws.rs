//! For each law of the planner's README: a fleet that `check` finds clean, corrupted in one way, is reported by exactly that
//! letter. Law H is asked of two fleets; law A of a plan that is made again.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::check::{Finding, check, forward};
use domain::deployment::{Deployment, DeploymentState, Failure, Force, Night};
use domain::fleet::{Fleet, RoomChecks};
use domain::freeze::Freeze;
use domain::halt::{Halt, HaltCause, HaltRule, RingTally};
use domain::ids::{ActionId, DeploymentId, DeviceId, FreezeId, ProductId, RingId, RoomId, StageOf, UpdateId};
use domain::install::{Install, InstallState};
use domain::planner;
use domain::readiness::{BlockScope, Check, CheckResult};
use domain::reason::Reason;
use domain::ring::RingSequence;
use domain::rollout::{Rollout, RolloutState};
use domain::room::{Block, Component, Device, Room, RoomState, VersionSource};
use domain::settings::{Organisation, Settings};
use domain::sim::{Behaviour, Counter, Simulation};
use domain::ticket::{CauseTicket, TicketCause, TicketSeverity, TicketStatus};
use domain::update::{ProductKind, Severity, Update, VersionStanding};
use domain::zone::Zone;
use uuid::Uuid;

const UPDATE: UpdateId = UpdateId(Uuid::from_u128(900));

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn room(number: u128, ring: u128) -> Room {
    let component = Component {
        product: ProductId("app".to_owned()),
        version: Some("1".to_owned()),
        source: VersionSource::Reported,
    };
    let device = Device {
        id: DeviceId(Uuid::from_u128(100 + number)),
        model: "M".to_owned(),
        components: vec![component],
    };
    Room {
        id: RoomId(Uuid::from_u128(number)),
        name: format!("Room {number}"),
        zone: Zone::parse("Europe/London").expect("London"),
        ring: RingId(Uuid::from_u128(ring)),
        state: RoomState::Managed,
        blocks: Vec::new(),
        holds: Vec::new(),
        supported_until: BTreeMap::new(),
        freezes: Vec::new(),
        devices: vec![device],
    }
}

/// Two rooms in Staging, four in General; room 12 fails its first attempt. Published on Tuesday, 2025-03-04.
fn simulation_until(end: &str) -> Simulation {
    let ring = |number| RingId(Uuid::from_u128(number));
    let zone = Zone::parse("Europe/London").expect("London");
    let organisation = Organisation {
        name: "Example".to_owned(),
        zone,
        settings: Settings {
            halt: HaltRule::OFF,
            ..Settings::default()
        },
    };
    let mut fleet = Fleet::new(organisation, RingSequence::preconfigured(ring(1), ring(2), ring(3)));
    for room in [
        room(11, 1),
        room(12, 1),
        room(21, 2),
        room(22, 2),
        room(23, 2),
        room(24, 2),
    ] {
        fleet.rooms.insert(room.id, room);
    }
    let mut sim = Simulation::new(fleet, instant("2025-03-04T15:00:00Z"));
    sim.behaviours.insert(
        DeviceId(Uuid::from_u128(112)),
        Behaviour {
            failures: 1,
            ..Behaviour::default()
        },
    );
    let update = Update {
        id: UPDATE,
        product: ProductId("app".to_owned()),
        product_name: "app".to_owned(),
        kind: ProductKind::App,
        vendor: String::new(),
        version: "2".to_owned(),
        released: None,
        severity: Severity::Routine,
        expected_minutes: 15,
        minimum_version: None,
        models: Vec::new(),
        applies_to_unknown: false,
        offerable: true,
        standings: [
            ("1".to_owned(), VersionStanding::Below),
            ("2".to_owned(), VersionStanding::Current),
        ]
        .into(),
    };
    sim.publish(update, true).expect("it is published");
    sim.run_until(instant(end));
    assert_eq!(sim.findings, [], "a clean run");
    sim
}

/// In the middle of General, with a failed room in Staging and rooms that wait.
fn clean() -> Fleet {
    let fleet = simulation_until("2025-03-13T12:00:00Z").fleet;
    assert_eq!(check(&fleet), []);
    fleet
}

fn letters(findings: &[Finding]) -> String {
    let mut letters: Vec<char> = findings.iter().map(|finding| finding.law).collect();
    letters.dedup();
    letters.into_iter().collect()
}

#[track_caller]
fn reported(law: &str, corrupt: impl FnOnce(&mut Fleet)) {
    let mut fleet = clean();
    corrupt(&mut fleet);
    let findings = check(&fleet);
    assert_eq!(letters(&findings), law, "{findings:?}");
}

fn rollout(fleet: &mut Fleet) -> &mut Rollout {
    fleet.rollouts.get_mut(&UPDATE).expect("the rollout")
}

fn deployment(fleet: &mut Fleet, wanted: impl Fn(&Deployment) -> bool) -> &mut Deployment {
    fleet
        .deployments
        .values_mut()
        .find(|deployment| wanted(deployment))
        .expect("such a deployment")
}

fn waiting(deployment: &Deployment) -> bool {
    deployment.state == DeploymentState::Waiting
}

fn completed(deployment: &Deployment) -> bool {
    matches!(deployment.state, DeploymentState::Completed { .. })
}

fn install(fleet: &mut Fleet) -> &mut Install {
    fleet
        .installs
        .values_mut()
        .find(|install| matches!(install.state, InstallState::Completed { .. }))
        .expect("an install")
}

#[test]
fn a_plan_that_would_be_made_again_is_noticed_as_law_a_s14() {
    // The simulator plans every tick twice. Here the writer "forgets" a row: the second plan is not empty, and the same.
    let mut sim = simulation_until("2025-03-04T20:00:00Z");
    sim.now = instant("2025-03-05T00:00:00Z");
    let slice = sim.fleet.slice(sim.now).expect("Staging is due");
    let first = planner::plan(&slice, sim.now, &mut Counter(50));
    assert!(!first.is_empty());
    let mut forgetful = first.clone();
    forgetful.rollouts.clear();
    sim.fleet.apply(&forgetful);
    let slice = sim.fleet.slice(sim.now).expect("still due");
    assert!(!planner::plan(&slice, sim.now, &mut Counter(60)).is_empty());
    // And with every row written it ends: nothing is due any more.
    let mut whole = simulation_until("2025-03-04T20:00:00Z");
    whole.run_until(instant("2025-03-05T00:00:00Z"));
    assert!(whole.is_at_rest());
    assert_eq!(whole.findings, []);
}

#[test]
fn the_same_facts_and_instant_give_the_same_plan_s14() {
    let mut fleet = clean();
    fleet.rechecks = fleet.rooms.keys().copied().collect();
    let now = instant("2025-03-14T00:00:00Z");
    let plan = || planner::plan(&fleet.slice(now).expect("rooms to recheck"), now, &mut Counter(70));
    assert_eq!(plan(), plan());
}

#[test]
fn a_start_outside_the_window_breaks_law_b_w1() {
    reported("B", |fleet| {
        let install = install(fleet);
        let window = install.window.expect("a window");
        install.started_at = Some(window.closes());
    });
}

#[test]
fn a_forced_start_has_no_window_to_be_outside_of_k5() {
    reported("B", |fleet| install(fleet).window = None);
    reported("", |fleet| {
        let started = install(fleet);
        started.window = None;
        let of = started.deployment;
        let deployment = fleet.deployments.get_mut(&of).expect("its deployment");
        deployment.night = Night::Forced {
            date: deployment.night.date(),
            how: Force::Now,
            catch_up: false,
        };
    });
}

#[test]
fn a_ring_entered_before_the_one_before_has_ended_its_test_breaks_law_c_s5() {
    reported("C", |fleet| {
        // Staging's test would last one day more than General waited.
        let stage = &mut rollout(fleet).stages[0];
        stage.test_ends = stage.test_ends + chrono::Days::new(1);
    });
}

#[test]
fn two_deployments_of_an_update_in_a_room_break_law_d_s7() {
    reported("D", |fleet| {
        let mut second = deployment(fleet, completed).clone();
        second.id = DeploymentId(Uuid::from_u128(999));
        let counts = rollout(fleet).counts.entry(second.ring).or_default();
        counts.completed += 1;
        counts.attempted += 1;
        fleet.deployments.insert(second.id, second);
    });
}

#[test]
fn two_open_installs_on_a_device_break_law_d_s7() {
    reported("D", |fleet| {
        let mut one = install(fleet).clone();
        one.state = InstallState::Planned;
        one.started_at = None;
        let two = Install {
            action: ActionId(998),
            ..one.clone()
        };
        let one = Install {
            action: ActionId(997),
            ..one
        };
        fleet.installs.insert(one.action, one);
        fleet.installs.insert(two.action, two);
    });
}

#[test]
fn a_start_after_the_pause_breaks_law_e_k3() {
    reported("E", |fleet| {
        let since = install(fleet).started_at.expect("started") - TimeDelta::minutes(1);
        // Every start came later than this pause; the one is enough.
        rollout(fleet).state = RolloutState::Paused {
            since,
            by: "Admin".to_owned(),
            reason: "a reason".to_owned(),
            resumes_on: None,
        };
    });
}

#[test]
fn a_start_after_the_deprecation_breaks_law_e_t8() {
    reported("E", |fleet| {
        let at = instant("2025-03-12T00:00:00Z");
        rollout(fleet).state = RolloutState::Deprecated {
            at,
            reason: Reason::recalled("it breaks"),
        };
    });
}

#[test]
fn a_failure_without_a_ticket_breaks_law_f_k1() {
    reported("F", |fleet| fleet.tickets.clear());
}

#[test]
fn a_resolved_ticket_of_a_failed_room_breaks_law_f_k1() {
    reported("F", |fleet| {
        for ticket in fleet.tickets.values_mut() {
            ticket.state = TicketStatus::Resolved;
        }
    });
}

#[test]
fn an_open_ticket_of_a_completed_room_breaks_law_f_k1() {
    // Its device says otherwise as well.
    reported("FS", |fleet| {
        let failed = deployment(fleet, |deployment| {
            matches!(deployment.state, DeploymentState::Failed { .. })
        });
        failed.state = DeploymentState::Completed {
            at: instant("2025-03-13T00:00:00Z"),
        };
        let ring = failed.ring;
        let counts = rollout(fleet).counts.get_mut(&ring).expect("counts");
        counts.failed -= 1;
        counts.failed_attempts -= 1;
        counts.completed += 1;
    });
}

#[test]
fn a_plan_of_more_than_sixty_days_breaks_law_g_r8() {
    reported("G", |fleet| rollout(fleet).stages[1].test_days = 60);
}

#[test]
fn a_night_outside_its_rings_dates_breaks_law_i_s6() {
    reported("I", |fleet| {
        let deployment = deployment(fleet, waiting);
        let outside = deployment.night.planned().expect("a night") + chrono::Days::new(30);
        deployment.night = Night::Planned {
            date: outside,
            planned: outside,
        };
    });
}

#[test]
fn a_night_before_the_planned_one_breaks_law_i_s6() {
    reported("I", |fleet| {
        let deployment = deployment(fleet, waiting);
        deployment.night.move_to(deployment.night.date() - chrono::Days::new(1));
    });
}

#[test]
fn counts_that_do_not_add_up_break_law_j_t10() {
    reported("J", |fleet| {
        for counts in rollout(fleet).counts.values_mut() {
            counts.completed += 1;
        }
    });
}

#[test]
fn counts_that_are_missing_break_law_j_t10() {
    reported("J", |fleet| rollout(fleet).counts.clear());
}

#[test]
fn a_finished_rollout_with_a_waiting_room_breaks_law_k_t6() {
    reported("K", |fleet| {
        rollout(fleet).state = RolloutState::Finished {
            at: instant("2025-03-13T00:00:00Z"),
        }
    });
}

#[test]
fn a_status_without_a_reason_breaks_law_l_t5() {
    reported("L", |fleet| {
        deployment(fleet, waiting).reason = Reason::Written(String::new());
    });
}

#[test]
fn a_start_in_a_freeze_breaks_law_m_w6() {
    let freeze = |made_at: &str| Freeze {
        from: "2025-03-12".parse().expect("a date"),
        until: "2025-03-13".parse().expect("a date"),
        owner: "Facilities".to_owned(),
        reason: "a fair".to_owned(),
        made_at: instant(made_at),
        id: FreezeId(Uuid::nil()),
    };
    reported("M", |fleet| {
        fleet.freezes.organisation.push(freeze("2025-03-10T00:00:00Z"));
    });
    reported("M", |fleet| {
        for room in fleet.rooms.values_mut() {
            room.freezes.push(freeze("2025-03-10T00:00:00Z"));
        }
    });
    // What had started when the freeze was made went on.
    reported("", |fleet| {
        fleet.freezes.organisation.push(freeze("2025-03-13T11:00:00Z"));
    });
}

#[test]
fn a_room_that_waits_for_a_superseded_update_where_the_newer_one_has_come_breaks_law_n_s9() {
    let newer = UpdateId(Uuid::from_u128(901));
    let supersede = |fleet: &mut Fleet, state: RolloutState| {
        let mut other = rollout(fleet).clone();
        (other.update, other.state) = (newer, state);
        other.counts.clear();
        fleet.rollouts.insert(newer, other);
        rollout(fleet).superseded_by.push(newer);
    };
    reported("N", |fleet| supersede(fleet, RolloutState::Running));
    // One that was recalled counts no more.
    let deprecated = RolloutState::Deprecated {
        at: instant("2025-03-13T00:00:00Z"),
        reason: Reason::recalled("cameras stay dark"),
    };
    reported("", |fleet| supersede(fleet, deprecated));
}

/// The clean fleet and what came after it, one fact of which is turned back.
#[track_caller]
/// Room 1 as its checks see it.
fn checked(fleet: &mut Fleet, check: Check, result: CheckResult) -> RoomId {
    let room = RoomId(Uuid::from_u128(11));
    let checks = RoomChecks {
        results: BTreeMap::from([(check, result)]),
        ..RoomChecks::default()
    };
    fleet.checks.insert(room, checks);
    room
}

#[test]
fn a_check_that_blocks_nothing_breaks_law_o_c2() {
    reported("", |fleet| {
        checked(fleet, Check::OsUpdates, CheckResult::Unknown);
    });
    reported("O", |fleet| {
        checked(fleet, Check::OsUpdates, CheckResult::Fail);
    });
}

#[test]
fn a_block_that_no_check_keeps_breaks_law_o_c2() {
    let block = |fleet: &mut Fleet, result| {
        let room = checked(fleet, Check::OsUpdates, result);
        let why = "OS updates: fail".to_owned();
        let scope = BlockScope::Os;
        fleet.rooms.get_mut(&room).expect("the room").blocks = vec![Block { scope, why }];
    };
    reported("", |fleet| block(fleet, CheckResult::Fail));
    reported("", |fleet| block(fleet, CheckResult::Unknown));
    reported("O", |fleet| block(fleet, CheckResult::Waived));
}

#[test]
fn a_plan_in_a_room_that_is_onboarding_breaks_law_p_s13() {
    reported("P", |fleet| {
        let planned = |deployment: &&Deployment| deployment.state == DeploymentState::Waiting;
        let room = fleet.deployments.values().find(planned).expect("a planned room").room;
        fleet.rooms.get_mut(&room).expect("the room").state = RoomState::Onboarding;
    });
}

#[test]
fn an_open_ticket_of_a_check_that_passes_breaks_law_q_c2() {
    let open = |fleet: &mut Fleet, result, state| {
        let room = checked(fleet, Check::BaseImage, result);
        let severity = TicketSeverity::Important;
        let cause = TicketCause::Check(Check::BaseImage);
        fleet
            .cause_tickets
            .insert((room, cause), CauseTicket { severity, state });
    };
    reported("", |fleet| open(fleet, CheckResult::Fail, TicketStatus::NeedsAction));
    reported("", |fleet| open(fleet, CheckResult::Pass, TicketStatus::Resolved));
    reported("Q", |fleet| open(fleet, CheckResult::Pass, TicketStatus::NeedsAction));
}

fn forward_reports(law: &str, corrupt: impl FnOnce(&mut Fleet)) {
    let before = clean();
    let mut after = simulation_until("2025-03-16T12:00:00Z").fleet;
    assert_eq!(forward(&before, &after), []);
    corrupt(&mut after);
    let findings = forward(&before, &after);
    assert_eq!(letters(&findings), law, "{findings:?}");
}

#[test]
fn a_completed_room_that_is_not_completed_any_more_breaks_law_h_t8() {
    forward_reports("H", |after| {
        let at = instant("2025-03-16T00:00:00Z");
        deployment(after, completed).state = DeploymentState::Failed {
            at,
            failure: Failure::Reported,
        };
    });
    forward_reports("H", |after| {
        let id = deployment(after, completed).id;
        after.deployments.remove(&id);
    });
}

#[test]
fn an_action_that_had_ended_and_changes_breaks_law_h() {
    forward_reports("H", |after| install(after).state = InstallState::Planned);
}

#[test]
fn a_ring_that_was_entered_and_is_not_any_more_breaks_law_h() {
    forward_reports("H", |after| {
        rollout(after).stages.pop();
    });
    forward_reports("H", |after| {
        let stage = &mut rollout(after).stages[0];
        stage.starts_on = stage.starts_on + chrono::Days::new(1);
    });
}

#[test]
fn a_final_state_that_goes_on_breaks_law_h_t8() {
    let after = clean();
    let mut before = after.clone();
    rollout(&mut before).state = RolloutState::Deprecated {
        at: instant("2025-03-13T11:00:00Z"),
        reason: Reason::recalled("it breaks"),
    };
    assert_eq!(letters(&forward(&before, &after)), "H");
    rollout(&mut before).state = RolloutState::Finished {
        at: instant("2025-03-13T11:00:00Z"),
    };
    assert_eq!(letters(&forward(&before, &after)), "H");
}

#[test]
fn a_rollout_that_is_gone_breaks_law_h() {
    let before = clean();
    let mut after = before.clone();
    after.rollouts.clear();
    assert!(letters(&forward(&before, &after)).contains('H'));
}

/// General with 43 rooms, entered in batches of `batch`, up to the morning after its first night.
fn first_night_of_a_large_ring(batch: usize) -> Fleet {
    let mut sim = simulation_until("2025-03-11T12:00:00Z");
    sim.fleet.batch = batch;
    for number in 301..=339 {
        let room = room(number, 2);
        sim.fleet.rooms.insert(room.id, room);
    }
    sim.run_until(instant("2025-03-12T12:00:00Z"));
    assert_eq!(sim.findings, []);
    sim.fleet
}

#[test]
fn a_large_ring_is_entered_in_batches_that_give_the_nights_of_one_plan_s6() {
    let nights = |fleet: &Fleet| -> BTreeMap<RoomId, chrono::NaiveDate> {
        let of = fleet.deployments.values();
        of.filter_map(|deployment| Some((deployment.room, deployment.night.planned()?)))
            .collect()
    };
    let (whole, cut) = (first_night_of_a_large_ring(5_000), first_night_of_a_large_ring(2));
    assert_eq!(nights(&whole), nights(&cut));
    let general = whole.rollouts[&UPDATE]
        .stage(StageOf::Ring(RingId(Uuid::from_u128(2))))
        .expect("General")
        .rooms;
    assert_eq!(general, 43);
    for (day, rooms) in (0..10).zip([5, 4, 4, 5, 4, 4, 5, 4, 4, 4]) {
        let night = "2025-03-12".parse::<chrono::NaiveDate>().expect("a date") + chrono::Days::new(day);
        let found = nights(&whole).values().filter(|found| **found == night).count();
        assert_eq!(found, rooms, "on {night}");
    }
}

#[test]
fn rooms_of_a_ring_that_is_entered_in_batches_have_their_first_night_s5_s6() {
    let fleet = first_night_of_a_large_ring(2);
    let first = "2025-03-12".parse().ok();
    let mut of_first = fleet
        .deployments
        .values()
        .filter(|deployment| deployment.night.planned() == first);
    let missed: Vec<String> = of_first
        .clone()
        .filter(|of| of.missed_windows > 0)
        .map(|of| of.reason.sentence())
        .collect();
    assert_eq!(missed, Vec::<String>::new());
    assert!(
        of_first.all(|deployment| matches!(deployment.state, DeploymentState::Completed { .. })),
        "{:?}",
        of_first.map(|of| of.reason.sentence()).collect::<Vec<_>>()
    );
    assert!(fleet.placements.is_empty(), "the order is not needed any more");
}

#[test]
fn a_halt_without_its_ticket_breaks_law_r_k7() {
    let halt = |rollout: &Rollout| Halt {
        ring: RingTally {
            name: rollout.stages[0].name.clone(),
            failed: 1,
            ..RingTally::default()
        },
        cause: HaltCause::FirstRing,
        rule: HaltRule::default(),
    };
    reported("R", |fleet| {
        let rollout = rollout(fleet);
        rollout.halt = Some(halt(rollout));
    });
    reported("R", |fleet| {
        fleet.halt_tickets.insert(UPDATE, TicketStatus::NeedsAction);
    });
}

#[test]
fn a_completed_room_whose_device_has_another_version_breaks_law_s_s16() {
    reported("S", |fleet| {
        let room = deployment(fleet, completed).room;
        let room = fleet.rooms.get_mut(&room).expect("a room");
        room.devices[0].components[0].version = Some("1".to_owned());
    });
}
