//! What a decision consists of: rows in their new state, a few edits of many rows at once, and typed events.
//!
//! The planner and the commands of people make [`Changes`]; `Fleet::apply` writes them in memory and the store's `Tx::apply` in SQL.
//! There is no third writer, and nothing here decides.

use chrono::{DateTime, NaiveDate, Utc};

use crate::deployment::{Deployment, DeploymentState, Night};
use crate::event::{Event, Subject};
use crate::freeze::{Freeze, FreezeScope, Shift};
use crate::halt::Halt;
use crate::ids::{ActionId, DeploymentId, DeviceId, FreezeId, RingId, RoomId, SiteId, StageOf, UpdateId};
use crate::install::{Install, InstallState};
use crate::readiness::checked::CheckedRoom;
use crate::readiness::{Check, Waiver};
use crate::ring::RingSequence;
use crate::rollout::{Rollout, RolloutState};
use crate::settings::Organisation;
use crate::start_window::StartWindow;
use crate::ticket::{CauseTicketChange, TicketChange};

/// What a decision writes. Three kinds of fields:
///
/// - Rows in their new state, each once: the organisation, rings, rollouts, placements, deployments, installs, and new ones of them. The
///   writer compares deployments with what is there, to keep the counts.
/// - Edits that name what they change, in one row or in many: freezes, moved rooms, recalls, acknowledgements, tickets, moved nights,
///   stops, what is taken back, woken or rechecked. They carry decided values. [`Applied`] says of some how many rows they
///   have changed.
/// - The report, which no row keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The organisation and its settings.
    pub organisation: Option<Organisation>,
    /// All rings. Those that are missing here are deleted; no room is in them any more.
    pub rings: Option<RingSequence>,
    /// Freezes that are made or lifted (W6).
    pub freezes: Vec<FreezeChange>,
    /// Rooms that go to another ring (R12). All of them are rechecked.
    pub moved_rooms: Vec<MovedRooms>,
    /// Releases that are recalled (S10).
    pub recalled: Vec<UpdateId>,
    /// Rollouts of releases that are published (S3).
    pub new_rollouts: Vec<NewRollout>,
    /// Updates whose failures somebody has acknowledged (T9).
    pub acknowledged: Vec<Acknowledgement>,
    /// Rollouts with their stages. The counts in them are not the plan's to write.
    pub rollouts: Vec<Rollout>,
    /// The order of nights in a ring that is too large for one plan (S6).
    pub placements: Vec<Placement>,
    /// Rollouts whose order of nights is not needed any more.
    pub fully_placed: Vec<UpdateId>,
    /// Deployments that a ring's entry makes: new ones, all waiting for their first attempt.
    pub placed: Vec<Deployment>,
    /// Other new and changed deployments.
    pub deployments: Vec<Deployment>,
    /// Changed installs.
    pub installs: Vec<Install>,
    /// Installs to make; the writer gives each its action id.
    pub new_installs: Vec<NewInstall>,
    /// Versions that are set because their devices do not report them (`docs/devices.md` 2.13).
    pub believed: Vec<BelievedVersion>,
    /// Failure tickets to open, add to or resolve.
    pub tickets: Vec<TicketChange>,
    /// Tickets of rollouts that were paused by rule, and of those that go on (K7).
    pub halt_tickets: Vec<HaltTicket>,
    /// Updates whose failed rooms fire no halt again: an admin has resumed them after one (K7).
    pub tolerated: Vec<UpdateId>,
    /// Tickets of rooms that something else is the matter with.
    pub cause_tickets: Vec<CauseTicketChange>,
    /// What people have decided about readiness.
    pub readiness: Vec<ReadinessEdit>,
    /// Settings that devices are asked to change, and what came of it (C3).
    pub settings: Vec<SettingChange>,
    /// Rooms whose readiness checks were made (C5).
    pub checked_rooms: Vec<CheckedRoom>,
    /// Nights of waiting rooms that move with the dates of their rollout (K3, W6).
    pub moved_nights: Vec<MovedNights>,
    /// Devices that are asked to stop what they download (`docs/devices.md` 3).
    pub stops: Vec<Stop>,
    /// Prepared installs that are taken back.
    pub taken_back: Vec<TakeBack>,
    /// What the planner looks at by an instant.
    pub woken: Vec<Wake>,
    /// Rooms that the planner rechecks, because their facts have changed.
    pub rechecks: Vec<Recheck>,
    /// Rooms that were rechecked.
    pub rechecked_rooms: Vec<RoomId>,
    /// What was decided and what everything waits for.
    pub report: Vec<ReportLine>,
}

/// A freeze is made or lifted (W6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FreezeChange {
    /// A new one.
    Made {
        /// Whom it concerns.
        scope: FreezeScope,
        /// Its dates, its owner and its reason.
        freeze: Freeze,
    },
    Lifted {
        /// Which.
        id: FreezeId,
        /// The last date that stays frozen; `None`: nothing of it stays.
        last: Option<NaiveDate>,
    },
}

/// Rooms go from one ring to another, those that are still in the first one (R3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedRooms {
    /// Which; `None`: all that are in the ring.
    pub rooms: Option<Vec<RoomId>>,
    /// The ring that they leave.
    pub from: RingId,
    /// The ring that they go to.
    pub to: RingId,
}

/// What happens to the ticket of a rollout that is paused by rule (K7). An update has at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaltTicket {
    /// It was paused: the ticket has the rooms that have failed.
    Opened { update: UpdateId, halt: Halt },
    /// An admin has resumed it, or it has ended: that resolves the ticket.
    Cleared { update: UpdateId, by: String },
}

/// A release is published.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRollout {
    /// Its rollout, which has entered no ring.
    pub rollout: Rollout,
    /// Who has published it.
    pub by: String,
}

/// A device that has never reported a version of a product has closed an install without doubt: it has the release's version from now on,
/// unless it has reported one meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BelievedVersion {
    /// Where the device is.
    pub room: RoomId,
    pub device: DeviceId,
    /// Of which release.
    pub update: UpdateId,
}

/// The setting of a device that Nightshift changes from afar: that apps from the store do not update themselves (C3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingChange {
    pub device: DeviceId,
    pub event: SettingEvent,
}

/// What happens to a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingEvent {
    /// The device is asked to change it.
    Wanted,
    /// Its facts show that it is changed.
    Done,
    /// It could not, or its facts show that it is not.
    Failed,
    /// Nobody wants it any more.
    Withdrawn,
}

/// What somebody has decided about readiness. The checks of the rooms that it concerns are made again at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadinessEdit {
    /// Somebody answers for a check of a room; this takes the place of an earlier waiver of the check.
    Waived {
        room: RoomId,
        waiver: Waiver,
        at: DateTime<Utc>,
    },
    WaiverEnded {
        room: RoomId,
        check: Check,
    },
    /// A room's change management has moved here (C4).
    Confirmed {
        room: RoomId,
        by: String,
        at: DateTime<Utc>,
    },
    /// A name of software is fine, in all rooms (C1).
    Reviewed {
        name: String,
        by: String,
        at: DateTime<Utc>,
    },
    ReviewEnded {
        name: String,
    },
}

/// Somebody has acknowledged the failures of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Of which update.
    pub update: UpdateId,
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is prepared and has not started is taken back, so that no device starts what the next tick would not let start. Deployments of
/// which something is taken back are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeBack {
    /// In the rooms that a freeze of this scope would concern.
    pub scope: FreezeScope,
    /// For a night from the first to the second date, both included, or forced; `None`: whatever it is for. What is forced has no
    /// night: it may start until the next freeze begins, and is prepared anew until then.
    pub nights: Option<(NaiveDate, NaiveDate)>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The planner looks at something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// At what.
    pub what: WakeOf,
    /// By when.
    pub at: DateTime<Utc>,
}

/// What the planner looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeOf {
    /// Everything unfinished of an update.
    Update(UpdateId),
    /// Everything unfinished of updates that may wait for this one as a step (S8).
    WaitingForStep(UpdateId),
    /// What waits under rollouts that are over: a retry or a force (K4, K5). `Some`: in the rooms of this ring alone.
    UnderFinished(Option<RingId>),
    /// Every running rollout, because rings, zones, settings or the rooms in rings have changed.
    Rollouts,
}

impl Wake {
    /// Everything unfinished of an update is looked at.
    #[must_use]
    pub fn update(update: UpdateId, at: DateTime<Utc>) -> Self {
        Self {
            what: WakeOf::Update(update),
            at,
        }
    }

    /// Every running rollout is looked at.
    #[must_use]
    pub fn rollouts(at: DateTime<Utc>) -> Self {
        Self {
            what: WakeOf::Rollouts,
            at,
        }
    }
}

/// Rooms that the planner rechecks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// Those that have a version of this update's product that is out of support on a date (S11).
    OutOfSupport { update: UpdateId, on: NaiveDate },
    /// Those that have yet to get an update of this one's product whose rollout is over (S11).
    Late(UpdateId),
    /// Those of a ring.
    Ring(RingId),
    /// Those of a site.
    Site(SiteId),
    /// One.
    Room(RoomId),
}

/// The nights of a rollout's waiting rooms move, in one ring: all for which [`MovedNights::of`] gives another night.
#[derive(Clone, Debug, PartialEq)]
pub struct MovedNights {
    /// Of which update.
    pub update: UpdateId,
    /// In the ring that the rollout was in.
    pub ring: StageOf,
    /// How its dates move.
    pub shift: Shift,
}

impl MovedNights {
    /// A waiting room after the dates of its rollout have moved: its night has moved with the plan. `None`: it stays as it is.
    ///
    /// Only nights of the ring that the rollout was in, and only those from the shift on: the days are added to that ring, and a room
    /// of an earlier one, or one that waits for "the next window", goes to the next window there is.
    #[must_use]
    pub fn of(&self, deployment: &Deployment) -> Option<Deployment> {
        let Night::Planned { date, planned } = deployment.night else {
            return None;
        };
        let waits = deployment.state == DeploymentState::Waiting && deployment.follows_plan();
        let concerned = deployment.update == self.update && deployment.ring == self.ring;
        if !waits || !concerned || planned < self.shift.from {
            return None;
        }
        let mut moved = deployment.clone();
        moved.night = Night::Planned {
            date: self.shift.date(deployment.ring, date),
            planned: self.shift.date(deployment.ring, planned),
        };
        (moved != *deployment).then_some(moved)
    }
}

/// Devices that download are asked to stop; those that have said `All Chunks Installed.` are not (`docs/devices.md` 2.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Which ones.
    pub of: StopOf,
    /// Why, in the words of whoever asks.
    pub why: String,
    /// When: a release's deployments are looked at then.
    pub at: DateTime<Utc>,
}

/// Whose downloads stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOf {
    /// All of a release, and whatever has it open is looked at.
    Release(UpdateId),
    /// Those of one deployment.
    Deployment(DeploymentId),
}

/// How many rows each edit of many rows has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rooms whose night has moved.
    pub moved_nights: u64,
    /// Devices that are asked to stop.
    pub stops: u64,
    /// Rooms that have gone to another ring.
    pub moved_rooms: u64,
}

/// A room's place in the order of its ring's nights, fixed when the ring is entered (S6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Of which update.
    pub update: UpdateId,
    /// The *k* of S6, from 0.
    pub position: u32,
    /// Which room.
    pub room: RoomId,
}

/// An install that has no action id yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstall {
    /// See [`Install::deployment`].
    pub deployment: DeploymentId,
    /// See [`Install::update`].
    pub update: UpdateId,
    /// See [`Install::device`].
    pub device: DeviceId,
    /// See [`Install::attempt`].
    pub attempt: u32,
    /// See [`Install::window`].
    pub window: Option<StartWindow>,
}

impl NewInstall {
    /// The install under its action id.
    #[must_use]
    pub fn with_action(&self, action: ActionId) -> Install {
        Install {
            action,
            deployment: self.deployment,
            update: self.update,
            device: self.device,
            attempt: self.attempt,
            window: self.window,
            state: InstallState::Planned,
            shown_up_at: None,
            started_at: None,
            detail: String::new(),
            cancel_wanted: None,
        }
    }
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// What it is about.
    pub subject: Subject,
    /// What was decided and why, or what is waited for.
    pub event: Event,
}

impl Changes {
    /// Whether there is nothing to write. A plan made right after another must be empty (law A).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // Each field by name, so that a new one is not forgotten here. A report alone writes nothing.
        let Self {
            organisation,
            rings,
            freezes,
            moved_rooms,
            recalled,
            new_rollouts,
            acknowledged,
            rollouts,
            placements,
            fully_placed,
            placed,
            deployments,
            installs,
            new_installs,
            believed,
            tickets,
            cause_tickets,
            halt_tickets,
            tolerated,
            readiness,
            settings,
            checked_rooms,
            moved_nights,
            stops,
            taken_back,
            rechecks,
            woken,
            rechecked_rooms,
            report: _,
        } = self;
        organisation.is_none()
            && rings.is_none()
            && freezes.is_empty()
            && moved_rooms.is_empty()
            && recalled.is_empty()
            && new_rollouts.is_empty()
            && acknowledged.is_empty()
            && rollouts.is_empty()
            && placements.is_empty()
            && fully_placed.is_empty()
            && placed.is_empty()
            && deployments.is_empty()
            && installs.is_empty()
            && new_installs.is_empty()
            && believed.is_empty()
            && tickets.is_empty()
            && cause_tickets.is_empty()
            && halt_tickets.is_empty()
            && tolerated.is_empty()
            && readiness.is_empty()
            && settings.is_empty()
            && checked_rooms.is_empty()
            && moved_nights.is_empty()
            && stops.is_empty()
            && taken_back.is_empty()
            && rechecks.is_empty()
            && woken.is_empty()
            && rechecked_rooms.is_empty()
    }

    /// The nights of a rollout's rooms move with its dates, in the ring that it is in.
    pub fn move_nights(&mut self, rollout: &Rollout, shift: &Shift) {
        self.moved_nights.extend(rollout.stages.last().map(|stage| MovedNights {
            update: rollout.update,
            ring: stage.ring,
            shift: shift.clone(),
        }));
    }

    /// Changes a rollout that may be among the changes already.
    pub(crate) fn change_rollout(&mut self, before: &Rollout, change: impl FnOnce(&mut Rollout)) {
        match self.rollouts.iter_mut().find(|planned| planned.update == before.update) {
            Some(planned) => change(planned),
            None => {
                let mut after = before.clone();
                change(&mut after);
                self.rollouts.push(after);
            }
        }
    }

    /// A rollout goes on after a pause. After a halt, what has failed so far fires none again, and its ticket is resolved (K7). Rooms that
    /// are out of support may have it again (S11). `on`: the organisation's date.
    pub fn note_resume(&mut self, before: &Rollout, on: NaiveDate, by: &str) {
        let update = before.update;
        if before.halt.is_some() {
            self.tolerated.push(update);
            self.clear_halt_ticket(update, by);
        }
        if before.first_test_over {
            self.rechecks.push(Recheck::OutOfSupport { update, on });
        }
    }

    /// [`Changes::note_end`] of those of these rollouts that are deprecated with these changes.
    pub fn note_ends<'r>(&mut self, before: impl Iterator<Item = &'r Rollout>, by: &str, now: DateTime<Utc>) {
        for rollout in before {
            let is_end = |after: &Rollout| {
                after.update == rollout.update && matches!(after.state, RolloutState::Deprecated { .. })
            };
            if self.rollouts.iter().any(is_end) {
                self.note_end(rollout, by, now);
            }
        }
    }

    /// A rollout is deprecated: the ticket of its halt is resolved (K7), late rooms may get an older update in its place (S11), and rooms
    /// that waited for the end of its pause look for their way anew (S8).
    pub fn note_end(&mut self, before: &Rollout, by: &str, now: DateTime<Utc>) {
        if matches!(before.state, RolloutState::Paused { .. }) {
            self.woken.push(Wake {
                what: WakeOf::WaitingForStep(before.update),
                at: now,
            });
        }
        if before.halt.is_some() {
            self.clear_halt_ticket(before.update, by);
        }
        self.rechecks.push(Recheck::Late(before.update));
    }

    fn clear_halt_ticket(&mut self, update: UpdateId, by: &str) {
        let by = by.to_owned();
        self.halt_tickets.push(HaltTicket::Cleared { update, by });
    }

    pub(crate) fn report_line(&mut self, subject: Subject, event: Event) {
        self.report.push(ReportLine { subject, event });
    }
}
