//! What people and devices do, and when. Bar 4.0 needs 3.0 first; win takes 90 minutes, its release 9 more than a window has. It begins
//! on Tuesday 2025-03-04 at 15:00; Staging has its nights on 5 and 6 March, General from the 12th, Executive from the 26th.

use domain::settings::{Mode, Settings};

use crate::steps::*;
use testkit::people::{Command, Whom};

pub fn pauses_and_retries() -> Vec<Step> {
    let mut steps = vec![
        refused("2025-03-04T15:00", pause(APP, None)),
        refused("2025-03-04T15:00", Command::Resume(APP)),
        refused("2025-03-04T15:00", Command::RetryAll(APP)),
        refused("2025-03-04T15:00", retry(APP, "Staging 1")),
        refused("2025-03-04T15:00", resume_on(APP, None)),
        refused("2025-03-04T15:00", Command::Acknowledge(APP)),
        well("2025-03-04T15:00", publish(APP)),
        refused("2025-03-04T15:00", publish(APP)),
        refused("2025-03-04T15:00", publish(OLD_APP)),
        refused("2025-03-04T15:00", publish(LONG)),
        refused("2025-03-04T15:10", Command::Resume(APP)),
        refused("2025-03-04T15:10", resume_on(APP, Some("2025-03-09"))),
        refused("2025-03-04T15:10", Command::Acknowledge(APP)),
        well("2025-03-04T15:10", Command::RetryAll(APP)),
        refused("2025-03-04T15:10", retry(APP, "Staging 1")),
        device("staging-1", Device::Fails(2)),
        device("staging-2", Device::Fails(1)),
        device("staging-3", Device::GoesSilent),
        well("2025-03-07T12:00", retry(APP, "Staging 1")),
        refused("2025-03-07T12:00", retry(APP, "Staging 1")),
        well("2025-03-07T12:10", Command::RetryAll(APP)),
        well("2025-03-07T12:11", Command::RetryAll(APP)),
        refused("2025-03-07T12:20", pause(APP, Some("2025-03-07"))),
        refused("2025-03-07T12:20", pause(APP, Some("2025-03-01"))),
        refused("2025-03-07T12:20", pause(APP, Some("2025-06-06"))),
        well("2025-03-07T12:20", pause(APP, Some("2025-06-05"))),
        refused("2025-03-07T12:20", pause(APP, None)),
        refused("2025-03-07T12:20", resume_on(APP, Some("2025-06-05"))),
        refused("2025-03-07T12:20", resume_on(APP, Some("2025-03-07"))),
        refused("2025-03-07T12:20", resume_on(APP, Some("2025-06-06"))),
        well("2025-03-07T12:20", resume_on(APP, Some("2025-03-09"))),
        well("2025-03-07T12:30", resume_on(APP, None)),
        refused("2025-03-07T12:30", resume_on(APP, None)),
        refused("2025-03-07T12:30", Command::RetryAll(APP)),
        refused("2025-03-07T12:30", retry(APP, "Staging 1")),
        refused("2025-03-07T12:30", force(APP, &["Staging 1"])),
    ];
    steps.extend(resumes());
    steps
}

fn resumes() -> Vec<Step> {
    vec![
        // In the middle of a night, and resumed in it.
        well("2025-03-09T01:00", Command::Resume(APP)),
        refused("2025-03-09T01:00", Command::Resume(APP)),
        Step::Wait {
            until: "2025-03-10T12:00",
        },
        well("2025-03-10T12:00", Command::RetryAll(APP)),
        // While General is being rolled out, on nights in two zones; and it ends by itself.
        device("general-2", Device::Fails(1)),
        well("2025-03-16T00:20", pause(APP, Some("2025-03-19"))),
        well(
            "2025-03-17T09:00",
            freeze("fair", Whom::Organisation, "2025-03-18", "2025-03-20"),
        ),
        Step::Wait {
            until: "2025-03-22T12:00",
        },
        well("2025-03-22T12:00", Command::RetryAll(APP)),
        // Twice on one day.
        well("2025-03-24T10:00", pause(APP, None)),
        well("2025-03-24T11:00", Command::Resume(APP)),
        well("2025-03-24T12:00", pause(APP, None)),
        well("2025-03-28T12:00", Command::Resume(APP)),
        Step::Wait {
            until: "2025-04-10T12:00",
        },
    ]
}

pub fn freezes_moves_and_rings() -> Vec<Step> {
    let mut steps = refused_freezes();
    steps.extend(freezes_and_moves());
    steps.extend(rings());
    steps
}

fn refused_freezes() -> Vec<Step> {
    let everybody = Whom::Organisation;
    let at = "2025-03-04T15:00";
    vec![
        well(at, publish(APP)),
        well(at, publish(WIN)),
        refused(at, plan_freeze(everybody, "2025-03-01", "2025-03-02")),
        refused(at, freeze("past", everybody, "2025-03-01", "2025-03-12")),
        refused(at, plan_freeze(everybody, "2025-03-14", "2025-03-13")),
        refused(at, freeze("backwards", everybody, "2025-03-14", "2025-03-13")),
        refused(at, plan_freeze(everybody, "2025-04-01", "2025-05-01")),
        refused(at, freeze("31 days", everybody, "2025-04-01", "2025-05-01")),
        refused(at, freeze("for ever", everybody, "2025-04-01", "3000-01-01")),
        refused(
            at,
            freeze("nobody's ring", Whom::Ring(NOBODY), "2025-04-01", "2025-04-02"),
        ),
        refused(
            at,
            freeze("nobody's room", Whom::Room(NOBODY), "2025-04-01", "2025-04-02"),
        ),
        refused(
            at,
            freeze("nobody's site", Whom::Site(NOBODY), "2025-04-01", "2025-04-02"),
        ),
        refused(at, Command::Lift(NOBODY)),
    ]
}

fn freezes_and_moves() -> Vec<Step> {
    let general = Whom::Ring("General");
    let mut steps = vec![
        // Of tonight, when rooms are prepared already.
        well(
            "2025-03-05T23:30",
            freeze("tonight", Whom::Organisation, "2025-03-05", "2025-03-06"),
        ),
        well("2025-03-10T12:00", plan_freeze(general, "2025-03-25", "2025-03-27")),
        well("2025-03-10T12:00", freeze("fair", general, "2025-03-25", "2025-03-27")),
        refused(
            "2025-03-10T12:00",
            freeze("too near", general, "2025-04-05", "2025-04-06"),
        ),
        refused(
            "2025-03-10T12:00",
            freeze("too near", Whom::Room("General 1"), "2025-04-05", "2025-04-06"),
        ),
        well(
            "2025-03-12T12:00",
            freeze("hill", Whom::Site("Hill"), "2025-03-28", "2025-04-01"),
        ),
        well(
            "2025-03-12T12:00",
            freeze("room", Whom::Room("Executive 1"), "2025-04-14", "2025-04-16"),
        ),
        well(
            "2025-03-13T12:00",
            plan_freeze(Whom::Room("Executive 2"), "2025-04-14", "2025-04-16"),
        ),
        refused("2025-03-13T12:00", move_rooms(&[], None, "Executive")),
        refused("2025-03-13T12:00", move_rooms(&[NOBODY], None, "Executive")),
        refused("2025-03-13T12:00", move_rooms(&["General 1"], None, NOBODY)),
        refused("2025-03-13T12:00", move_rooms(&["General 1"], None, "General")),
        refused(
            "2025-03-13T12:00",
            move_rooms(&["General 1"], Some("Staging"), "Executive"),
        ),
        refused(
            "2025-03-13T12:00",
            move_rooms(&["General 1", "Executive 1"], None, "Executive"),
        ),
    ];
    steps.extend(moves_and_lifts());
    steps
}

fn moves_and_lifts() -> Vec<Step> {
    vec![
        // Ahead, behind, back again, and before the ring has been entered.
        well(
            "2025-03-13T12:00",
            move_rooms(&["General 1", "General 2"], Some("General"), "Executive"),
        ),
        well("2025-03-14T12:00", move_rooms(&["Executive 2"], None, "Staging")),
        well("2025-03-15T12:00", move_rooms(&["General 1"], None, "General")),
        well(
            "2025-03-15T13:00",
            Command::AddHeldRoom {
                room: "Harbour annexe",
                ring: "General",
                since: "2025-03-15",
                until: "2025-03-19",
            },
        ),
        well("2025-03-16T12:00", Command::Lift("fair")),
        refused("2025-03-16T12:00", Command::Lift("fair")),
        refused("2025-03-16T12:00", Command::Lift("tonight")),
        // While it lasts.
        well("2025-03-30T12:00", Command::Lift("hill")),
        refused("2025-03-30T12:00", Command::Lift("hill")),
        well("2025-03-30T12:10", Command::Lift("room")),
    ]
}

fn rings() -> Vec<Step> {
    vec![
        refused("2025-04-01T12:00", add_ring("General", 7, 1, 1)),
        refused("2025-04-01T12:00", add_ring("Pilots", 5, 1, 1)),
        refused("2025-04-01T12:00", add_ring("Pilots", 3, 0, 1)),
        refused("2025-04-01T12:00", add_ring("Pilots", 3, 30, 3)),
        refused("2025-04-01T12:00", edit_ring("General", Some(5), 45, 2)),
        refused("2025-04-01T12:00", edit_ring(NOBODY, Some(5), 4, 2)),
        refused("2025-04-01T12:00", Command::DeleteRing("General")),
        refused("2025-04-01T12:00", Command::DeleteRing(NOBODY)),
        // Before the ring that is reached, and behind it.
        well("2025-04-01T12:00", add_ring("Pilots", 3, 2, 1)),
        well("2025-04-01T12:00", add_ring("Late", 8, 1, 1)),
        well("2025-04-01T12:10", move_rooms(&["Executive 3"], None, "Late")),
        well("2025-04-01T12:20", move_rooms(&["Hill General 1"], None, "Pilots")),
        // Entered rings stay as they were in a plan under way (R10).
        well("2025-04-01T12:30", edit_ring("Staging", None, 1, 0)),
        refused("2025-04-01T12:30", edit_ring("Executive", None, 36, 5)),
        well("2025-04-01T12:30", edit_ring("Late", Some(9), 2, 1)),
        // It takes its freezes along.
        well(
            "2025-04-02T11:00",
            freeze("pilots", Whom::Ring("Pilots"), "2025-06-02", "2025-06-03"),
        ),
        well("2025-04-02T12:00", Command::DeleteRing("Pilots")),
        refused("2025-04-02T12:05", Command::Lift("pilots")),
        well("2025-04-02T12:10", publish(BAR2)),
        well("2025-04-02T12:10", add_ring("First", 1, 3, 2)),
        well("2025-04-02T12:20", move_rooms(&["General 3"], None, "First")),
        // Bar 2.0 is inside it.
        refused("2025-04-11T12:00", Command::DeleteRing("First")),
        Step::Wait {
            until: "2025-04-20T12:00",
        },
    ]
}

pub fn forces_and_cancels() -> Vec<Step> {
    let mut steps = vec![
        refused("2025-03-04T15:00", force(BAR2, &["Staging 1"])),
        well("2025-03-04T15:00", publish(BAR2)),
        well("2025-03-04T15:00", publish(WIN)),
        refused(
            "2025-03-04T15:00",
            Command::Cancel {
                release: BAR2,
                room: "Staging 1",
            },
        ),
        // Before its ring, and in a ring that is far ahead.
        well("2025-03-04T16:00", force(BAR2, &["Staging 1", "Executive 1"])),
        // They run now, and nothing more is to force in them.
        well(
            "2025-03-04T16:05",
            force(BAR2, &["Staging 1", "Executive 1", "Staging 1"]),
        ),
        well(
            "2025-03-04T16:06",
            Command::Cancel {
                release: BAR2,
                room: "Staging 1",
            },
        ),
        Step::Wait {
            until: "2025-03-04T16:07",
        },
        refused(
            "2025-03-04T16:08",
            Command::Cancel {
                release: BAR2,
                room: "Staging 1",
            },
        ),
        well("2025-03-04T17:00", force(BAR2, &["Staging 1"])),
        well(
            "2025-03-04T18:00",
            Command::AddHeldRoom {
                room: "Harbour annexe",
                ring: "General",
                since: "2025-03-04",
                until: "2025-03-06",
            },
        ),
        well("2025-03-04T18:00", force(BAR2, &["Harbour annexe", NOBODY])),
        // When nobody is there: one says so, the other never does.
        well("2025-03-04T18:10", force_when_free(BAR2, &["General 1", "General 2"])),
        well("2025-03-04T18:11", force_when_free(BAR2, &["General 1"])),
        device("general-1", Device::IsFree),
        Step::Wait {
            until: "2025-03-04T19:00",
        },
        well("2025-03-04T19:00", force(BAR2, &["General 2"])),
    ];
    steps.extend(forces_in_freezes());
    steps
}

fn forces_in_freezes() -> Vec<Step> {
    vec![
        // In a freeze, and up to the next one.
        well(
            "2025-03-06T12:00",
            freeze("fair", Whom::Site("Hill"), "2025-03-06", "2025-03-07"),
        ),
        well("2025-03-06T12:00", force(BAR2, &["Hill General 1", "General 3"])),
        device("general-4", Device::IsAway),
        well("2025-03-06T13:00", force(BAR2, &["General 4"])),
        well(
            "2025-03-06T13:00",
            freeze("room", Whom::Room("General 4"), "2025-03-07", "2025-03-08"),
        ),
        well("2025-03-06T13:30", pause(BAR2, None)),
        refused("2025-03-06T13:30", force(BAR2, &[])),
        device("general-4", Device::IsBack),
        well("2025-03-07T12:00", Command::Resume(BAR2)),
        Step::Wait {
            until: "2025-03-10T12:00",
        },
        device("executive-2", Device::Fails(2)),
        // The whole update.
        well("2025-03-10T12:00", force(BAR2, &[])),
        well("2025-03-10T13:00", force(BAR2, &[])),
        well("2025-03-10T14:00", force(BAR2, &[])),
        // One at a time: another update of the room runs.
        well("2025-03-10T15:00", force(WIN, &["Staging 1", "Staging 2"])),
        well("2025-03-10T15:01", force(BAR2, &["Staging 1", "Staging 2"])),
        well("2025-03-10T16:00", Command::RetryAll(WIN)),
        Step::Wait {
            until: "2025-03-14T12:00",
        },
    ]
}

pub fn newer_releases() -> Vec<Step> {
    vec![
        well("2025-03-04T15:00", Command::Recall(OLD_APP)),
        refused("2025-03-04T15:00", Command::Recall(OLD_APP)),
        well("2025-03-04T15:00", publish(BAR2)),
        well("2025-03-04T15:00", publish(APP)),
        device("staging-1", Device::Fails(1)),
        device("general-1", Device::Fails(1)),
        device("general-2", Device::Fails(1)),
        Step::Wait {
            until: "2025-03-18T12:00",
        },
        // Its Staging test is over: it goes on ahead of the newer one (S9).
        well("2025-03-18T12:00", publish(BAR3)),
        refused("2025-03-18T12:00", publish(BAR3)),
        Step::Wait {
            until: "2025-03-20T12:00",
        },
        // In Staging the newer one has come; in General not yet.
        refused("2025-03-20T12:00", retry(BAR2, "Staging 1")),
        well("2025-03-20T12:00", Command::RetryAll(BAR2)),
        well("2025-03-20T12:10", force(BAR2, &["Staging 1", "General 3"])),
        well("2025-03-21T12:00", pause(BAR3, None)),
        well("2025-03-22T12:00", pause(BAR2, Some("2025-03-24"))),
        well("2025-03-23T12:00", Command::Resume(BAR3)),
        // It needs 3.0 first, which goes on beside it.
        well("2025-03-25T12:00", beside(BAR4)),
        // Paused ones are recalled too.
        well("2025-03-26T12:00", pause(APP, None)),
        well("2025-03-27T12:00", Command::Recall(APP)),
        well("2025-03-28T12:00", pause(BAR3, None)),
        well("2025-03-31T12:00", Command::Resume(BAR3)),
        // While a device downloads it.
        well("2025-04-02T00:03", Command::Recall(BAR3)),
        refused("2025-04-02T00:03", Command::Recall(BAR3)),
        refused("2025-04-02T12:00", publish(BAR3)),
        refused("2025-04-02T12:00", pause(BAR3, None)),
        refused("2025-04-02T12:00", Command::Resume(BAR3)),
        refused("2025-04-02T12:00", resume_on(BAR3, None)),
        refused("2025-04-02T12:00", Command::RetryAll(BAR3)),
        refused("2025-04-02T12:00", retry(BAR3, "Staging 1")),
        refused("2025-04-02T12:00", force(BAR3, &["Staging 1"])),
        refused("2025-04-02T12:00", Command::Acknowledge(BAR3)),
        // Not published, and never will be.
        well("2025-04-02T12:10", Command::Recall(WIN)),
        refused("2025-04-02T12:10", Command::Recall(WIN)),
        refused("2025-04-02T12:10", publish(WIN)),
        Step::Wait {
            until: "2025-04-12T12:00",
        },
    ]
}

pub fn late_states() -> Vec<Step> {
    let mut steps = vec![
        refused(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.window_minutes = 59),
        ),
        well(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.starvation_guard = false),
        ),
        well(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.mode = Mode::Automatic),
        ),
        well("2025-03-04T15:00", critical(WIN)),
        refused(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.window_minutes = 60),
        ),
        well("2025-03-04T15:00", critical(BAR2)),
        well(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.mode = Mode::RingValidated),
        ),
        device("staging-1", Device::Fails(1)),
        device("general-1", Device::Fails(9)),
        device("hill-general-1", Device::IsAway),
        well(
            "2025-03-07T12:00",
            Command::Settings(|settings| settings.unreachable_after_windows = 3),
        ),
        well(
            "2025-03-07T12:00",
            Command::Settings(|settings| settings.unreachable_after_windows = 3),
        ),
        well("2025-03-08T12:00", move_rooms(&["Executive 1"], None, "Staging")),
        well("2025-03-10T12:00", Command::RetryAll(BAR2)),
        well("2025-03-12T12:00", Command::RetryAll(WIN)),
        device("hill-general-1", Device::IsBack),
        Step::Wait {
            until: "2025-03-16T12:00",
        },
    ];
    steps.extend(when_all_is_over());
    steps
}

fn when_all_is_over() -> Vec<Step> {
    vec![
        // Both are over; what has failed may be seen, and tried again.
        refused("2025-03-16T12:00", pause(BAR2, None)),
        refused("2025-03-16T12:00", Command::Resume(BAR2)),
        well("2025-03-16T12:10", Command::Acknowledge(BAR2)),
        refused("2025-03-16T12:10", Command::Acknowledge(BAR2)),
        device("general-1", Device::Fails(0)),
        well("2025-03-16T13:00", Command::RetryAll(BAR2)),
        // A freeze for rooms that wait under a rollout that is over.
        well(
            "2025-03-16T13:10",
            freeze("fair", Whom::Organisation, "2025-03-16", "2025-03-18"),
        ),
        Step::Wait {
            until: "2025-03-20T12:00",
        },
        well("2025-03-20T12:00", move_rooms(&["General 2"], None, "Executive")),
        well(
            "2025-03-20T12:00",
            Command::AddHeldRoom {
                room: "Harbour annexe",
                ring: "General",
                since: "2025-03-20",
                until: "2025-03-21",
            },
        ),
        well("2025-03-20T12:00", force(BAR2, &[])),
        // Without the guard the older one ends at once, also when it is over already: then it stays Completed.
        well("2025-03-20T13:00", publish(BAR3)),
        well("2025-03-20T13:10", publish(BAR4)),
        well("2025-03-20T13:20", Command::Recall(BAR2)),
        refused("2025-03-20T13:20", Command::RetryAll(BAR2)),
        well(
            "2025-03-20T14:00",
            Command::Settings(|settings| settings.start_weekday = chrono::Weekday::Fri),
        ),
        Step::Wait {
            until: "2025-04-01T12:00",
        },
    ]
}

/// Settings that are changed when rooms are prepared for the night already, and back; and a step that is paused under an update that is
/// over.
pub fn evenings_and_steps() -> Vec<Step> {
    vec![
        well(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.mode = Mode::Automatic),
        ),
        well(
            "2025-03-04T15:00",
            Command::Settings(|settings| settings.automatic_days = 2),
        ),
        well("2025-03-04T15:00", critical(BAR4)),
        device("general-1", Device::Fails(1)),
        // Rooms are prepared an hour before their window.
        well(
            "2025-03-04T23:30",
            Command::Settings(|settings| settings.poll_seconds = 600),
        ),
        well("2025-03-04T23:40", Command::Settings(opens_at_two)),
        well(
            "2025-03-04T23:50",
            freeze("far", Whom::Organisation, "2025-03-25", "2025-03-26"),
        ),
        well("2025-03-05T00:30", move_rooms(&["General 2"], None, "Executive")),
        well(
            "2025-03-05T23:30",
            Command::Settings(|settings| settings.window_opens = chrono::NaiveTime::MIN),
        ),
        Step::Wait {
            until: "2025-03-10T12:00",
        },
        // It is older and takes nobody's place; rooms on their way to 4.0 need it first (S8).
        well("2025-03-10T12:00", publish(BAR3)),
        well("2025-03-10T12:10", pause(BAR3, None)),
        well("2025-03-10T12:20", Command::RetryAll(BAR4)),
        well("2025-03-11T00:30", Command::Resume(BAR3)),
        Step::Wait {
            until: "2025-03-14T12:00",
        },
    ]
}

/// Sites that get another zone while rooms are prepared, while windows are open, and while a freeze is ahead (W2, W4).
pub fn zones_at_night() -> Vec<Step> {
    let zone = |site, zone| Command::ChangeZone { site, zone };
    vec![
        refused("2025-03-04T15:00", zone("Harbour", "Mars/Base")),
        well("2025-03-04T15:00", critical(BAR2)),
        device("staging-2", Device::Fails(1)),
        device("general-1", Device::IsAway),
        // The rooms of the harbour are prepared: their evening comes an hour later, and then it is over already.
        well("2025-03-04T23:30", zone("Harbour", "Atlantic/Azores")),
        well("2025-03-05T00:30", zone("Harbour", "UTC")),
        well("2025-03-05T00:40", zone("Harbour", "UTC")),
        // In the middle of the window, with installs that run.
        well("2025-03-05T01:10", zone("Harbour", "Asia/Tokyo")),
        well("2025-03-05T19:00", zone("Hill", "America/New_York")),
        well(
            "2025-03-06T04:30",
            freeze("fair", Whom::Site("Hill"), "2025-03-07", "2025-03-08"),
        ),
        well("2025-03-06T06:00", zone("Hill", "Pacific/Kiritimati")),
        well("2025-03-06T12:00", zone("Harbour", "Europe/Berlin")),
        device("general-1", Device::IsBack),
        well("2025-03-07T23:30", Command::RetryAll(BAR2)),
        well("2025-03-07T23:40", zone("Harbour", "UTC")),
        Step::Wait {
            until: "2025-03-20T12:00",
        },
    ]
}

fn opens_at_two(settings: &mut Settings) {
    settings.window_opens = chrono::NaiveTime::from_hms_opt(2, 0, 0).expect("a time");
}
