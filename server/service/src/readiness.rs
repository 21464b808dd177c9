//! Readiness checks of rooms, and what people decide about them (C1–C8).
//!
//! Checks are made with the tick, in the rooms that are due: after a report, after a decision, and at least daily. What follows is
//! `domain::readiness::decide`'s. How pages read them stands in `read::readiness`. Start with [`Service::check_rooms`].

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::access::Act;
use domain::changes::{Applied, Changes};
use domain::clean::{CleanLine, CleanText, name_key};
use domain::commands::readiness::{RoomToDecide, confirm_onboarding, end_review, end_waiver, review, waive};
use domain::ids::RoomId;
use domain::readiness::decide::{RoomToCheck, Rules, decide};
use domain::readiness::profile::Profile;
use domain::readiness::verdict::Given;
use domain::readiness::{Check, Waiver};
use domain::refusal::Refusal;
use domain::settings::Settings;
use serde_json::json;
use store::{AuditEntry, Tx};

use crate::change::{change, change_records};
use crate::control::checked_reason;
use crate::error::{Result, ServiceError};
use crate::limits::check_text;
use crate::tick::organisation;
use crate::{Actor, Service};

/// Rooms whose checks are made in one transaction.
const ROOMS: i64 = 500;
/// Most characters of a name of software: as many as a list of programs has.
pub const LONGEST_SOFTWARE: usize = domain::conversation::programs::MOST_CHARACTERS;
/// Rooms that are confirmed at once.
pub const MOST_CONFIRMED: usize = 1_000;

/// By what rooms are judged.
pub(crate) struct ReadinessRules {
    pub(crate) profile: Profile,
    pub(crate) reviewed: Vec<String>,
    stale_after: TimeDelta,
    bad_signal_after: TimeDelta,
}

impl ReadinessRules {
    pub(crate) async fn of(tx: &mut Tx, settings: &Settings) -> Result<Self> {
        let reviewed = tx.reviewed_software().await?;
        Ok(Self {
            profile: tx.own_profile().await?.unwrap_or_default(),
            reviewed: reviewed.into_iter().map(|reviewed| reviewed.name).collect(),
            stale_after: settings.facts_count(),
            bad_signal_after: settings.bad_signal_after(),
        })
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules {
            profile: &self.profile,
            reviewed: &self.reviewed,
            stale_after: self.stale_after,
            bad_signal_after: self.bad_signal_after,
        }
    }
}

/// What came of a confirmation of many rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfirmOutcome {
    /// Rooms that are confirmed now.
    pub confirmed: usize,
    /// Why others are not, each with its room.
    pub left_out: Vec<String>,
}

impl Service {
    /// Makes the checks of rooms that are due (C5): `false`, another process plans.
    pub(crate) async fn check_rooms(&self, now: DateTime<Utc>) -> Result<bool> {
        loop {
            let checked = store::write!(self.store, tx => {
                if !tx.try_tick_lock().await? {
                    return Ok::<_, ServiceError>(None);
                }
                let Some(organisation) = tx.organisation().await? else {
                    return Ok(Some(0));
                };
                self.work_out_support(tx, &organisation).await?;
                Ok(Some(self.check_some(tx, now, |_, _| ()).await?))
            })?;
            match checked {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(_) => self.activity.round_ended(),
            }
        }
    }

    /// Makes the checks of these rooms, whether they are due or not, so that whoever has decided something sees at once what has come of
    /// it. If another process plans just now, that one makes them.
    async fn check_at_once(&self, rooms: &[RoomId], now: DateTime<Utc>) -> Result<()> {
        for rooms in rooms.chunks(usize::try_from(ROOMS).unwrap_or(usize::MAX)) {
            store::write!(self.store, tx => {
                if tx.try_tick_lock().await? {
                    tx.lock_rooms_to_check(rooms).await?;
                    self.make_checks(tx, rooms, now, |_, _| ()).await?;
                }
                Ok::<_, ServiceError>(())
            })?;
        }
        Ok(())
    }

    /// Makes the checks of at most [`ROOMS`] rooms that are due. Of how many it has made them. `report` gets each room as it was, and what
    /// follows.
    pub(crate) async fn check_some(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        report: impl FnMut(&RoomToCheck, &Changes) + Send,
    ) -> Result<usize> {
        let rooms = tx.rooms_to_check(now, ROOMS).await?;
        if !rooms.is_empty() {
            self.make_checks(tx, &rooms, now, report).await?;
        }
        Ok(rooms.len())
    }

    /// Makes the checks of rooms, and writes what follows. Nobody else may make theirs meanwhile.
    async fn make_checks(
        &self,
        tx: &mut Tx,
        rooms: &[RoomId],
        now: DateTime<Utc>,
        mut report: impl FnMut(&RoomToCheck, &Changes) + Send,
    ) -> Result<()> {
        let organisation = organisation(tx).await?;
        let rules = ReadinessRules::of(tx, &organisation.settings).await?;
        let mut changes = Changes::default();
        let mut managed = Vec::new();
        for room in tx.checked_facts(rooms).await? {
            let of_room = decide(&room, &rules.rules(), now);
            report(&room, &of_room);
            if of_room.checked_rooms.iter().any(|checked| checked.becomes_managed) {
                managed.push(became_managed(room.room, &room.name));
            }
            changes.rechecks.extend(of_room.rechecks);
            changes.cause_tickets.extend(of_room.cause_tickets);
            changes.settings.extend(of_room.settings);
            changes.checked_rooms.extend(of_room.checked_rooms);
        }
        tx.apply(&changes, &[], now).await?;
        for entry in &managed {
            tx.add_audit(now, entry).await?;
        }
        if !managed.is_empty() {
            // What their rings have behind them comes to them now (R14).
            tx.wake_rollouts(now).await?;
        }
        Ok(())
    }

    /// Waives a check of a room until a date in its zone, that date included (C1).
    ///
    /// # Errors
    /// The actor may not, there is no such room, the date is no good, or the reason is missing.
    pub async fn waive_check(
        &self,
        actor: &Actor,
        room: RoomId,
        check: Check,
        until: NaiveDate,
        reason: CleanText,
    ) -> Result<()> {
        change!(
            self,
            actor,
            Act::DecideReadiness,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                (room_to_decide(tx, room).await?, reason)
            },
            |(room, reason), now| {
                let facts = RoomToDecide::of(&room, now);
                let given = Given {
                    by: actor.name.clone(),
                    why: reason.clone(),
                };
                let waiver = Waiver {
                    check,
                    until,
                    given: Some(given),
                };
                let changes = waive(&facts, waiver, now)?;
                let summary = format!("Waived {} in {} until {until}: {reason}", check.label(), facts.name);
                let entry = actor
                    .entry("check.waived", "room", facts.room, summary)
                    .with_after(json!({ "check": check, "until": until, "reason": reason }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Ends a waiver before its date.
    ///
    /// # Errors
    /// The actor may not, there is no such room, or the check is not waived in it.
    pub async fn end_waiver(&self, actor: &Actor, room: RoomId, check: Check) -> Result<()> {
        change!(
            self,
            actor,
            Act::DecideReadiness,
            |tx| { room_to_decide(tx, room).await? },
            |room, now| {
                let (facts, waivers) = (RoomToDecide::of(&room, now), room.waivers);
                let changes = end_waiver(&facts, &waivers, check)?;
                let summary = format!("Ended the waiver of {} in {}.", check.label(), facts.name);
                let before = waivers.iter().find(|waiver| waiver.check == check);
                let entry = actor
                    .entry("check.waiver_ended", "room", facts.room, summary)
                    .with_before(before.map(|before| json!(before)));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Confirms that the change management of rooms has moved here (C4). Each becomes Managed as soon as its checks let it. Rooms for which
    /// it cannot be said are left out, and the rest is confirmed.
    ///
    /// # Errors
    /// The actor may not; no room is named, or too many; one alone that cannot be confirmed.
    pub async fn confirm_onboarding(&self, actor: &Actor, rooms: &[RoomId]) -> Result<ConfirmOutcome> {
        if rooms.is_empty() {
            return Err(Refusal::NoRooms.into());
        }
        if rooms.len() > MOST_CONFIRMED {
            let problem = format!("at most {MOST_CONFIRMED} at once; these are {}", rooms.len());
            return Err(ServiceError::invalid("rooms", problem));
        }
        let outcome: Result<(ConfirmOutcome, Vec<RoomId>)> = change!(
            self,
            actor,
            Act::DecideReadiness,
            |tx| { tx.checked_facts(rooms).await? },
            |loaded, now| {
                let (mut changes, mut entries, mut outcome) =
                    (Changes::default(), Vec::new(), ConfirmOutcome::default());
                let mut confirmed_rooms = Vec::new();
                for room in &loaded {
                    let facts = RoomToDecide::of(room, now);
                    match confirm_onboarding(&facts, room.is_confirmed, &actor.name, now) {
                        Ok(confirmed) => {
                            changes.readiness.extend(confirmed.readiness);
                            let summary =
                                format!("Confirmed that the change management of {} has moved here.", room.name);
                            let entry = actor.entry("room.confirmed", "room", room.room, summary);
                            entries.push(entry.with_after(json!({ "confirmed by": actor.name })));
                            confirmed_rooms.push(room.room);
                        }
                        Err(refusal) if rooms.len() == 1 => return Err(refusal.into()),
                        Err(refusal) => outcome.left_out.push(domain::text::refusal::sentence(&refusal)),
                    }
                }
                if loaded.is_empty() {
                    return Err(Refusal::NoSuchRoom.into());
                }
                outcome.confirmed = confirmed_rooms.len();
                (changes, |_: &Applied| Ok((entries, (outcome, confirmed_rooms))))
            }
        );
        let (outcome, confirmed) = outcome?;
        self.check_at_once(&confirmed, self.clock.now()).await?;
        Ok(outcome)
    }

    /// Marks a name of software as reviewed, for all rooms (C1).
    ///
    /// # Errors
    /// The actor may not, the name breaks a limit, or it is reviewed already.
    pub async fn review_software(&self, actor: &Actor, name: CleanLine) -> Result<()> {
        change!(
            self,
            actor,
            Act::DecideReadiness,
            |tx| {
                check_text("name", &name, LONGEST_SOFTWARE)?;
                is_reviewed(tx, name.as_str()).await?
            },
            |is_reviewed, now| {
                let changes = review(name.as_str(), is_reviewed, &actor.name, now)?;
                let summary = format!("Marked the software {name} as reviewed.");
                let entry = actor.entry("software.reviewed", "software", name.as_str(), summary);
                let entry = entry.with_after(json!({ "reviewed by": actor.name }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Lets a name of software count as not reviewed again.
    ///
    /// # Errors
    /// The actor may not, or nobody has reviewed it.
    pub async fn end_review(&self, actor: &Actor, name: CleanLine) -> Result<()> {
        change!(
            self,
            actor,
            Act::DecideReadiness,
            |tx| { is_reviewed(tx, name.as_str()).await? },
            |is_reviewed, _now| {
                let changes = end_review(name.as_str(), is_reviewed)?;
                let summary = format!("The software {name} counts as not reviewed again.");
                let entry = actor.entry("software.review_ended", "software", name.as_str(), summary);
                let entry = entry.with_before(json!({ "name": name.as_str() }));
                (changes, |_: &Applied| Ok((vec![entry], ())))
            }
        )
    }

    /// Has the organisation go by a readiness profile of its own, as JSON; an empty text: by the one that comes with Nightshift (C6). All
    /// rooms are checked again.
    ///
    /// # Errors
    /// The actor may not, or the text is no profile: the sentence says what is wrong with it.
    pub async fn set_profile(&self, actor: &Actor, text: &str) -> Result<()> {
        // Who may not is told that, whatever they have typed.
        actor.may(Act::EditSettings)?;
        let own = match text.trim() {
            "" => None,
            text => Some(parsed_profile(text)?),
        };
        change_records!(self, actor, Act::EditSettings, |tx, _now| {
            let before = tx.own_profile().await?;
            let mut entries = Vec::new();
            if before != own {
                tx.put_own_profile(own.as_ref()).await?;
                let summary = match own {
                    Some(_) => "Set a readiness profile of the organisation's own.",
                    None => "Went back to the readiness profile that comes with Nightshift.",
                };
                entries.push(
                    actor
                        .entry("profile.changed", "settings", "", summary.to_owned())
                        .with_before(before.map(|before| json!(before)))
                        .with_after(own.as_ref().map(|own| json!(own))),
                );
            }
            (entries, ())
        })
    }
}

/// Most bytes of a readiness profile.
const LARGEST_PROFILE: usize = 64 * 1024;

/// A profile in JSON; keys that a profile does not have are refused (C6).
fn parsed_profile(text: &str) -> Result<Profile> {
    if text.len() > LARGEST_PROFILE {
        let problem = format!("{} bytes are too many; at most {LARGEST_PROFILE}", text.len());
        return Err(ServiceError::invalid("profile", problem));
    }
    let json: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| ServiceError::invalid("profile", format!("this is not JSON: {error}")))?;
    if !json.is_object() {
        return Err(ServiceError::invalid("profile", "it must be an object in braces"));
    }
    let profile: Profile =
        serde_json::from_str(text).map_err(|error| ServiceError::invalid("profile", error.to_string()))?;
    profile
        .check()
        .map_err(|refused| ServiceError::invalid("profile", refused.to_string()))?;
    Ok(profile)
}

async fn is_reviewed(tx: &mut Tx, name: &str) -> Result<bool> {
    let reviewed = tx.reviewed_software().await?;
    Ok(reviewed
        .iter()
        .any(|reviewed| name_key(&reviewed.name) == name_key(name)))
}

async fn room_to_decide(tx: &mut Tx, room: RoomId) -> Result<RoomToCheck> {
    Ok(tx.checked_facts(&[room]).await?.pop().ok_or(Refusal::NoSuchRoom)?)
}

fn became_managed(room: RoomId, name: &str) -> AuditEntry {
    AuditEntry {
        actor: "Nightshift".to_owned(),
        address: String::new(),
        action: "room.managed",
        object_kind: "room",
        object_id: room.to_string(),
        summary: format!("{name} is managed from now on: nothing keeps it in onboarding any more."),
        before: Some(json!({ "state": "onboarding" })),
        after: Some(json!({ "state": "managed" })),
    }
}
