//! What the properties found, as examples that stay.

use crate::plan::{Conduct, RoomPlan, Step};
use crate::world::live;

const RINGS: [(u32, u32); 4] = [(1, 0), (1, 0), (1, 0), (1, 0)];

fn conduct() -> Conduct {
    Conduct {
        minutes: 5,
        failures: 0,
        refusals: 0,
        silences: 0,
        late_minutes: None,
        absent: None,
        confirms: true,
        refuses_cancel: false,
        busy: None,
    }
}

fn in_ring(ring: usize) -> RoomPlan {
    RoomPlan {
        zone: 0,
        ring,
        model: 0,
        devices: 1,
        onboarding: false,
        behaviour: conduct(),
    }
}

/// Room by room over the date line: an update that needs another one first comes to the ring when a third one is prepared there,
/// and puts that other one in front of it.
#[test]
fn what_a_newcomer_needs_first_goes_first_from_then_on_s7_s8() {
    let at = |zone, ring| RoomPlan {
        zone,
        behaviour: Conduct {
            confirms: false,
            ..conduct()
        },
        ..in_ring(ring)
    };
    let rooms = [at(0, 0), at(0, 0), at(2, 1), at(0, 0), at(3, 1)];
    let publish = |product, critical, needs_one| Step::Publish {
        product,
        critical,
        minutes: 5,
        needs_one,
        supersedes: false,
    };
    let steps = [
        publish(1, true, false),
        publish(0, true, false),
        publish(1, false, true),
        Step::Wait { minutes: 1 },
    ];
    live(0, &RINGS, &rooms, &steps);
}

fn publish(product: usize, critical: bool, minutes: u32) -> Step {
    Step::Publish {
        product,
        critical,
        minutes,
        needs_one: false,
        supersedes: true,
    }
}

#[test]
fn a_room_that_comes_to_the_ring_ahead_from_further_east_moves_its_entry_s5() {
    let kiwi = RoomPlan { zone: 2, ..in_ring(1) };
    live(
        3,
        &RINGS,
        &[in_ring(0), kiwi],
        &[publish(0, false, 5), Step::Move(1, 0)],
    );
    live(
        3,
        &RINGS,
        &[in_ring(0), in_ring(1)],
        &[publish(0, false, 5), Step::Move(0, 1)],
    );
}

#[test]
fn a_room_that_moves_at_the_instant_of_a_rings_entry_is_not_lost_r14() {
    let steps = [publish(0, true, 5), Step::Away { minutes: 540 }, Step::Move(0, 1)];
    live(0, &RINGS, &[in_ring(0)], &steps);
}

#[test]
fn a_silent_device_that_reports_its_success_late_leaves_nothing_to_plan_w5() {
    let slow = RoomPlan {
        behaviour: Conduct {
            minutes: 127,
            confirms: false,
            ..conduct()
        },
        ..in_ring(0)
    };
    live(0, &RINGS, &[slow], &[publish(0, false, 5)]);
}

#[test]
fn a_step_whose_device_never_confirms_leaves_nothing_to_plan_s8() {
    let quiet = RoomPlan {
        behaviour: Conduct {
            silences: 1,
            confirms: false,
            ..conduct()
        },
        ..in_ring(0)
    };
    let needs_one = Step::Publish {
        product: 0,
        critical: false,
        minutes: 5,
        needs_one: true,
        supersedes: false,
    };
    live(
        0,
        &RINGS,
        &[quiet],
        &[publish(0, false, 67), Step::Recall(0), needs_one],
    );
}

#[test]
fn a_room_of_which_one_device_has_done_a_step_leaves_nothing_to_plan_s8() {
    let two = |ring| RoomPlan {
        devices: 2,
        ..in_ring(ring)
    };
    let needs_one = Step::Publish {
        product: 2,
        critical: false,
        minutes: 296,
        needs_one: true,
        supersedes: true,
    };
    let steps = [
        Step::AddRoom(two(1)),
        publish(2, false, 298),
        Step::Wait { minutes: 1 },
        Step::AddRoom(two(0)),
        needs_one,
        publish(0, false, 5),
        Step::Move(2, 0),
        Step::Recall(2),
    ];
    live(0, &[(1, 3), (1, 0), (1, 0), (1, 0)], &[in_ring(2)], &steps);
}

#[test]
fn a_room_that_is_named_twice_is_forced_once_k5() {
    live(
        0,
        &RINGS,
        &[in_ring(1)],
        &[publish(0, false, 5), Step::Force(0, vec![0, 0])],
    );
}

#[test]
fn a_room_with_one_device_done_and_one_that_did_not_fit_goes_on_the_next_night_s7() {
    let two = RoomPlan {
        devices: 2,
        ..in_ring(0)
    };
    live(0, &RINGS, &[in_ring(0), two], &[publish(1, false, 296)]);
}

#[test]
fn a_retry_of_a_held_room_is_taken_back_at_once_k4() {
    let silent = RoomPlan {
        behaviour: Conduct {
            silences: 1,
            ..conduct()
        },
        ..in_ring(0)
    };
    let steps = [
        publish(0, false, 5),
        Step::Wait { minutes: 602 },
        Step::Hold(0, 0),
        Step::Retry(0),
    ];
    live(0, &RINGS, &[silent], &steps);
}

#[test]
fn a_ticket_is_cleared_by_a_success_after_a_hold_in_between_k1() {
    let fails = RoomPlan {
        behaviour: Conduct {
            failures: 1,
            refusals: 0,
            ..conduct()
        },
        ..in_ring(0)
    };
    let steps = [
        publish(0, false, 5),
        Step::Wait { minutes: 547 },
        Step::Retry(0),
        Step::Hold(0, 0),
    ];
    live(0, &[(1, 2), (3, 1), (4, 1), (1, 0)], &[fails], &steps);
}

#[test]
fn a_late_report_after_the_last_ring_goes_on_with_the_attempt_it_had_w5_t6() {
    let late = RoomPlan {
        behaviour: Conduct {
            silences: 1,
            late_minutes: Some(1_312),
            confirms: false,
            ..conduct()
        },
        ..in_ring(3)
    };
    let steps = [Step::AddRoom(late), publish(0, false, 5)];
    live(4, &RINGS, &[in_ring(0)], &steps);
}
