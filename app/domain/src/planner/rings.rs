//! Rollouts on their way through the rings: entering, filling, finishing (S5, S6, T6).

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::changes::{Plan, Subject};
use super::{MOST_NEW_DEPLOYMENTS, NewIds};
use crate::deployment::{Deployment, DeploymentState};
use crate::fleet::{Candidate, DueRollout, Slice};
use crate::ids::{RingId, RoomId, UpdateId};
use crate::ring::RingSequence;
use crate::rollout::{PlannedStage, Rollout, RolloutState, Stage, days};
use crate::when;
use crate::window::Window;
use crate::zone::Zone;

impl Rollout {
    /// The ring that this rollout is filling, or the one it enters next; `None`: it has entered all.
    #[must_use]
    pub fn ring_to_fill(&self, rings: &RingSequence) -> Option<RingId> {
        match self.stages.last() {
            Some(last) if last.placed < last.rooms => Some(last.ring),
            Some(_) | None => rings.iter().find(|ring| !self.has_reached(ring)).map(|ring| ring.id),
        }
    }

    /// [`Rollout::calendar`] as it stands at `now`.
    #[must_use]
    pub fn calendar_at(&self, rings: &RingSequence, organisation: &Zone, now: DateTime<Utc>) -> Vec<PlannedStage> {
        let pause = match &self.state {
            RolloutState::Paused { since, .. } => Some(organisation.date(*since)),
            RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
        };
        self.calendar(rings, pause, organisation.date(now))
    }

    /// The organisation's date on which [`crate::status::ring`] judges this rollout: today, or the date of its deprecation, for
    /// its rings stand still since then.
    #[must_use]
    pub fn judged_on(&self, organisation: &Zone, now: DateTime<Utc>) -> NaiveDate {
        match self.state {
            RolloutState::Deprecated { at, .. } => organisation.date(at),
            RolloutState::Running | RolloutState::Paused { .. } | RolloutState::Finished { .. } => {
                organisation.date(now)
            }
        }
    }
}

/// Takes a due rollout one step further. What more is due at the same instant follows in the next slice.
pub(super) fn advance(slice: &Slice, due: &DueRollout, now: DateTime<Utc>, ids: &mut dyn NewIds, plan: &mut Plan) {
    let Some(rollout) = slice.rollouts.get(&due.update) else {
        return;
    };
    let mut after = rollout.clone();
    match rollout.state {
        RolloutState::Running => step(slice, due, &mut after, now, ids, plan),
        // A pause is ended by a person; the other two are final.
        RolloutState::Paused { .. } | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => {
            after.next_at = None;
        }
    }
    if after != *rollout {
        plan.rollouts.push(after);
    }
}

fn step(
    slice: &Slice,
    due: &DueRollout,
    rollout: &mut Rollout,
    now: DateTime<Utc>,
    ids: &mut dyn NewIds,
    plan: &mut Plan,
) {
    let subject = Subject::Rollout(rollout.update);
    let organisation = &slice.organisation;
    if rollout.stages.last().is_some_and(|stage| stage.placed < stage.rooms) {
        fill(slice, due, rollout, now, ids, plan);
        return;
    }
    let calendar = rollout.calendar_at(&slice.rings, &organisation.zone, now);
    let this_year = organisation.zone.date(now).year();
    if let Some(next) = calendar.iter().find(|stage| !stage.entered) {
        let (begins, zone) = begins(next.starts_on, &due.zones, &organisation.zone);
        if now < begins {
            rollout.next_at = Some(begins);
            plan.say(
                subject,
                format!("{} starts {}.", next.name, when::date(next.starts_on, this_year)),
            );
            return;
        }
        // README, "A ring entered late". A critical update may be published when its date is well on its way in the east.
        let late = zone.date(now) - zone.date(begins.max(rollout.published_at));
        enter(slice, due, rollout, next, late.num_days(), now, plan);
        fill(slice, due, rollout, now, ids, plan);
        return;
    }
    let Some(last) = calendar.last() else { return };
    let ends = organisation.zone.start_of(last.test_ends);
    if now < ends {
        rollout.next_at = Some(ends);
        plan.say(
            subject,
            format!(
                "{} is over after {}.",
                last.name,
                when::date(last.test_ends - days(1), this_year)
            ),
        );
        return;
    }
    // The rooms of this slice may end in the same plan; their end wakes the rollout once more.
    let unfinished = rollout.total_counts().unfinished();
    rollout.next_at = None;
    if unfinished > 0 {
        plan.say(
            subject,
            format!("Finishing: waits for {}.", counted(unfinished, "room")),
        );
        return;
    }
    rollout.state = RolloutState::Finished { at: now };
    plan.say(subject, "Through all rings.");
}

/// When `date` begins for a ring: in the easternmost zone of its rooms, or in the organisation's where it has none (S5).
fn begins<'z>(date: NaiveDate, zones: &'z [Zone], organisation: &'z Zone) -> (DateTime<Utc>, &'z Zone) {
    let easternmost = zones.iter().map(|zone| (zone.start_of(date), zone)).min();
    easternmost.unwrap_or_else(|| (organisation.start_of(date), organisation))
}

fn enter(
    slice: &Slice,
    due: &DueRollout,
    rollout: &mut Rollout,
    next: &PlannedStage,
    late: i64,
    now: DateTime<Utc>,
    plan: &mut Plan,
) {
    let rooms = due.candidates.iter().filter(|candidate| !candidate.placed).count();
    let rooms = u32::try_from(rooms).unwrap_or(u32::MAX);
    let starts_on = next.starts_on + days(u32::try_from(late).unwrap_or(0));
    rollout.stages.push(Stage {
        ring: next.ring,
        name: next.name.clone(),
        place: next.place,
        rollout_days: next.rollout_days,
        test_days: next.test_days,
        starts_on,
        shifted_days: 0,
        test_shifted_days: 0,
        entered_at: now,
        rooms,
        placed: 0,
    });
    let this_year = slice.organisation.zone.date(now).year();
    let because = if late > 0 {
        format!(
            ", {} after {}, because the service was away",
            counted(late, "day"),
            when::date(next.starts_on, this_year)
        )
    } else {
        String::new()
    };
    plan.say(
        Subject::Rollout(rollout.update),
        format!(
            "Enters {}{because}: {} in {}.",
            next.name,
            counted(rooms, "room"),
            counted(next.rollout_days, "night")
        ),
    );
}

/// `1 room`, `2 rooms`.
fn counted(number: impl Into<i64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Gives the next rooms of the ring their nights; the last batch completes the entry.
fn fill(
    slice: &Slice,
    due: &DueRollout,
    rollout: &mut Rollout,
    now: DateTime<Utc>,
    ids: &mut dyn NewIds,
    plan: &mut Plan,
) {
    rollout.next_at = Some(now);
    let update = rollout.update;
    let Some(stage) = rollout.stages.last_mut() else { return };
    let hours = slice.organisation.settings.window();
    let order = in_order(update, &due.candidates);
    let number = u64::try_from(order.len()).unwrap_or(u64::MAX).max(1);
    let mut placed_now = 0;
    for (position, candidate) in (0_u64..).zip(order) {
        if candidate.placed {
            continue;
        }
        if placed_now == MOST_NEW_DEPLOYMENTS {
            break;
        }
        // Room k of n gets night floor(k·D/n) of the D rollout nights (S6).
        let index = u32::try_from(position * u64::from(stage.rollout_days) / number).unwrap_or(0);
        let assigned = stage.starts_on + days(index);
        let window = Window::next(&candidate.zone, assigned, now, hours);
        let of = format!("Night {} of {} in {}", index + 1, stage.rollout_days, stage.name);
        let reason = if window.night == assigned {
            format!("{of}.")
        } else if Window::on(&candidate.zone, assigned, hours).is_none() {
            format!(
                "{of}, in the next window because {} has no such date.",
                candidate.zone.city()
            )
        } else {
            format!("{of}, in the next window because that night was over already.")
        };
        plan.deployments.push(Deployment {
            id: candidate.withdrawn.unwrap_or_else(|| ids.deployment()),
            update,
            room: candidate.room,
            ring: stage.ring,
            night: window.night,
            planned_night: Some(assigned),
            state: DeploymentState::Waiting,
            attempt: 1,
            missed_windows: 0,
            catch_up: false,
            force: None,
            from_version: candidate.from_version.clone(),
            reason,
            next_at: Some(super::rooms::prepares_at(&slice.organisation.settings, &window)),
        });
        placed_now += 1;
    }
    stage.placed += u32::try_from(placed_now).unwrap_or(u32::MAX);
    if placed_now < MOST_NEW_DEPLOYMENTS {
        // A room that left the ring between two batches is not waited for.
        stage.rooms = stage.placed;
    }
}

/// The rooms of a ring in the order of their nights (S6): by position among the rooms of the same model, so that the first
/// night meets the most different models; then by the hash of update and room.
fn in_order(update: UpdateId, candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut by_model: Vec<(&str, u64, &Candidate)> = candidates
        .iter()
        .map(|candidate| (candidate.model.as_str(), hash(update, candidate.room), candidate))
        .collect();
    by_model.sort_by_key(|(model, hash, candidate)| (*model, *hash, candidate.room));
    let mut positioned = Vec::with_capacity(by_model.len());
    let mut position = 0_usize;
    for (index, (model, hash, candidate)) in by_model.iter().enumerate() {
        position = if index > 0 && by_model[index - 1].0 == *model {
            position + 1
        } else {
            0
        };
        positioned.push((position, *hash, *candidate));
    }
    positioned.sort_by_key(|(position, hash, candidate)| (*position, *hash, candidate.room));
    positioned.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// A number that is the same for the same update and room on every machine and in every release of this program: FNV-1a over
/// both ids, mixed once more so that ids made one after the other scatter.
pub(crate) fn hash(update: UpdateId, room: RoomId) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in update.0.as_bytes().iter().chain(room.0.as_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
