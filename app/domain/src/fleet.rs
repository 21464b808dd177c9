//! All facts in memory, for the simulator, the checker and tests; and [`Slice`], the part of them that one plan looks at.
//!
//! The store holds the same facts as rows and cuts the same slices with SQL. A conformance test keeps the two alike.

mod apply;
mod slice;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::commands::resume::Calendar;
use crate::deployment::Deployment;
use crate::freeze::Freezes;
use crate::ids::{ActionId, DeploymentId, RoomId, SiteId, UpdateId};
use crate::install::{Install, InstallState};
use crate::readiness::{Check, CheckResult, Waiver};
use crate::ring::RingSequence;
use crate::rollout::Rollout;
use crate::room::Room;
use crate::settings::Organisation;
use crate::ticket::{CauseTicket, FailureTicket, TicketCause, TicketStatus};
use crate::update::{Exclusion, Update};

pub use slice::{Candidate, DueRollout, DueRoom, PlacementBatch, Slice, next_positions};

/// At most this many rooms of a rollout get their night in one plan, so that entering a large ring is cut into transactions of
/// bounded size.
pub const MOST_NEW_DEPLOYMENTS: usize = 5_000;

/// All facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// Whose they are.
    pub organisation: Organisation,
    /// The rings of today.
    pub rings: RingSequence,
    /// Releases: those that were published, and others that may be steps on a way (S8).
    pub updates: BTreeMap<UpdateId, Update>,
    /// Their ways through the rings.
    pub rollouts: BTreeMap<UpdateId, Rollout>,
    /// Updates whose failures an admin has acknowledged (T9).
    pub acknowledged: BTreeSet<UpdateId>,
    /// Releases that were recalled (S10).
    pub recalled: BTreeSet<UpdateId>,
    /// Rooms with what is in them.
    pub rooms: BTreeMap<RoomId, Room>,
    /// The rooms of a site, where a freeze concerns it.
    pub sites: BTreeMap<SiteId, BTreeSet<RoomId>>,
    /// Updates in rooms.
    pub deployments: BTreeMap<DeploymentId, Deployment>,
    /// Attempts on devices.
    pub installs: BTreeMap<ActionId, Install>,
    /// What failed, one a room and update.
    pub tickets: BTreeMap<(RoomId, UpdateId), FailureTicket>,
    /// Tickets of rollouts that were paused by rule (K7).
    pub halt_tickets: BTreeMap<UpdateId, TicketStatus>,
    /// What else is the matter with rooms, one for each cause.
    pub cause_tickets: BTreeMap<(RoomId, TicketCause), CauseTicket>,
    /// What the checks of rooms came to; one that is missing was never checked.
    pub checks: BTreeMap<RoomId, RoomChecks>,
    /// Names of software that an admin has reviewed (C1).
    pub reviewed: BTreeSet<String>,
    /// The freezes that move plans (W6).
    pub freezes: Freezes,
    /// The order of nights in rings that are being filled (S6), by position.
    pub placements: BTreeMap<(UpdateId, u32), RoomId>,
    /// At most so many rooms get their night in one plan: [`MOST_NEW_DEPLOYMENTS`], or fewer in tests.
    pub batch: usize,
    /// Rooms to recheck: their facts have changed since the planner last looked.
    pub rechecks: BTreeSet<RoomId>,
    /// Rooms to recheck at an instant, because a hold begins or ends.
    pub rechecks_at: BTreeSet<(DateTime<Utc>, RoomId)>,
}

/// A room's readiness checks (C1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomChecks {
    /// What each came to last.
    pub results: BTreeMap<Check, CheckResult>,
    /// Names of software that nobody has reviewed.
    pub unreviewed: BTreeSet<String>,
    /// Also those that have ended.
    pub waivers: Vec<Waiver>,
    /// Somebody has confirmed that change management has moved here (C4).
    pub is_confirmed: bool,
    /// When they are made again.
    pub next_at: Option<DateTime<Utc>>,
}

impl Fleet {
    /// A fleet with rings and nothing else.
    #[must_use]
    pub fn new(organisation: Organisation, rings: RingSequence) -> Self {
        Self {
            organisation,
            rings,
            updates: BTreeMap::new(),
            rollouts: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            recalled: BTreeSet::new(),
            rooms: BTreeMap::new(),
            sites: BTreeMap::new(),
            deployments: BTreeMap::new(),
            installs: BTreeMap::new(),
            tickets: BTreeMap::new(),
            halt_tickets: BTreeMap::new(),
            cause_tickets: BTreeMap::new(),
            checks: BTreeMap::new(),
            reviewed: BTreeSet::new(),
            freezes: Freezes::default(),
            placements: BTreeMap::new(),
            batch: MOST_NEW_DEPLOYMENTS,
            rechecks: BTreeSet::new(),
            rechecks_at: BTreeSet::new(),
        }
    }

    /// What dates of rollouts follow from.
    #[must_use]
    pub fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.organisation.zone,
            rings: &self.rings,
            freezes: &self.freezes,
        }
    }

    /// The first instant at which something is due; `None`: nothing ever, unless something happens.
    #[must_use]
    pub fn next_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.rechecks.is_empty() {
            return Some(now);
        }
        let rollouts = self.rollouts.values().filter_map(|rollout| rollout.next_at);
        let deployments = self.deployments.values().filter_map(|deployment| deployment.next_at);
        let rechecks = self.rechecks_at.first().map(|(at, _)| *at);
        let checks = self.checks.values().filter_map(|checks| checks.next_at);
        rollouts.chain(deployments).chain(rechecks).chain(checks).min()
    }

    /// The deployment of an update in a room.
    #[must_use]
    pub fn deployment_of(&self, room: RoomId, update: UpdateId) -> Option<&Deployment> {
        self.deployments
            .values()
            .find(|deployment| deployment.room == room && deployment.update == update)
    }

    /// Whether some room without a deployment would get one (T3).
    #[must_use]
    pub fn applies_to_a_room(&self, update: &Update, now: DateTime<Utc>) -> bool {
        self.rooms
            .values()
            .any(|room| match update.exclusion(room, room.zone.date(now)) {
                None | Some(Exclusion::Held { .. } | Exclusion::Blocked { .. } | Exclusion::Onboarding) => {
                    room.state != crate::room::RoomState::Retired
                }
                Some(
                    Exclusion::AlreadyOn { .. }
                    | Exclusion::DoesNotApply
                    | Exclusion::OtherFamily { .. }
                    | Exclusion::VersionUnknown
                    | Exclusion::Retired,
                ) => false,
            })
    }

    /// Forgets the rechecks that were due by `now`: a plan has seen their rooms.
    pub fn forget_rechecks(&mut self, settled: &[RoomId], now: DateTime<Utc>) {
        self.rechecks_at
            .retain(|(at, room)| *at > now || !settled.contains(room));
    }

    /// A device has said something that changed its install: the room must be looked at.
    pub fn hear(&mut self, install: Install) {
        if let Some(deployment) = self.deployments.get(&install.deployment) {
            self.rechecks.insert(deployment.room);
        }
        self.installs.insert(install.action, install);
    }

    /// The open install of a device.
    #[must_use]
    pub fn open_install(&self, device: crate::ids::DeviceId) -> Option<&Install> {
        self.installs
            .values()
            .find(|install| install.device == device && install.is_open())
    }

    /// Notes that a device polled while it might have started (W4).
    pub fn showed_up(&mut self, action: ActionId, now: DateTime<Utc>) {
        if let Some(install) = self.installs.get_mut(&action)
            && install.state == InstallState::Planned
            && install.shown_up_at.is_none()
        {
            install.shown_up_at = Some(now);
        }
    }
}
