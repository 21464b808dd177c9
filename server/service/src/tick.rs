//! The tick: plan what is due, write it, until nothing is due (docs/architecture.md, "One tick").
//!
//! Each round is one transaction of bounded size; its cost follows the work due. Any number of processes may tick at once.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::changes::{Changes, ReportLine};
use domain::event::{Event, Subject};
use domain::fleet::Slice;
use domain::ids::UpdateId;
use domain::planner;
use domain::readiness::decide::RoomToCheck;
use domain::rollout::{Rollout, RolloutState};
use domain::settings::Organisation;
use domain::text::counted;
use domain::update::Update;
use serde_json::{Value, json};
use store::{AuditEntry, Limits};
use tokio_util::sync::CancellationToken;

use crate::Service;
use crate::clock::Stopwatch;
use crate::clock_jump::{ClockWatch, Planning};
use crate::error::{Result, ServiceError};

/// What a tick did.
#[derive(Clone, Debug, Default)]
pub struct TickReport {
    /// Transactions that wrote something.
    pub rounds: u32,
    /// What was decided and what is waited for.
    pub lines: Vec<ReportLine>,
    /// Another process was planning; it does the work.
    pub elsewhere: bool,
}

/// What a tick would do.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// At which instant.
    pub now: DateTime<Utc>,
    pub checks: DryChecks,
    /// What would be decided, in words: (about, sentence).
    pub lines: Vec<(String, String)>,
    /// Whether anything would be written.
    pub writes: bool,
}

/// What the checks of rooms that are due would come to (C5).
#[derive(Clone, Debug, Default)]
pub struct DryChecks {
    /// Rooms whose checks would be made.
    pub rooms: usize,
    /// What would follow, in words: (room, sentence). Of [`MOST_NAMED`] rooms at most.
    pub lines: Vec<(String, String)>,
    /// Rooms beyond those for which something would follow.
    pub more: usize,
    named: usize,
}

/// Rooms of which a dry run says what their checks would come to.
pub const MOST_NAMED: usize = 200;

impl DryChecks {
    fn add(&mut self, room: &RoomToCheck, changes: &Changes) {
        let sentences = room.what_follows(changes);
        if sentences.is_empty() {
            return;
        }
        if self.named == MOST_NAMED {
            self.more += 1;
            return;
        }
        self.named += 1;
        let lines = sentences.into_iter().map(|sentence| (room.name.clone(), sentence));
        self.lines.extend(lines);
    }
}

/// More rounds than this at one instant mean that a plan does not come to rest.
const MOST_ROUNDS: u32 = 100_000;

impl Service {
    /// Plans until nothing is due.
    ///
    /// # Errors
    /// The database fails. What earlier rounds wrote stays; the next tick goes on from there.
    pub async fn tick(&self) -> Result<TickReport> {
        let report = self.tick_until_nothing_is_due().await?;
        self.seal_audit().await?;
        Ok(report)
    }

    async fn tick_until_nothing_is_due(&self) -> Result<TickReport> {
        self.activity.ticked();
        self.flush_last_contacts().await;
        let now = self.clock.now();
        let mut report = TickReport {
            elsewhere: !self.check_rooms(now).await?,
            ..TickReport::default()
        };
        while report.rounds < MOST_ROUNDS {
            let round = self.round(now).await?;
            self.activity.round_ended();
            match round {
                Round::Nothing => {
                    self.ask_for_nightly_facts(now).await?;
                    return Ok(report);
                }
                Round::Elsewhere => {
                    report.elsewhere = true;
                    return Ok(report);
                }
                Round::Wrote(lines) => {
                    report.rounds += 1;
                    self.activity.wrote_a_round();
                    for line in &lines {
                        log(line);
                    }
                    // A report is for reading; what does not fit is in the log.
                    let room = 10_000_usize.saturating_sub(report.lines.len());
                    report.lines.extend(lines.into_iter().take(room));
                }
            }
        }
        Err(ServiceError::conflict(
            "the planner does not come to rest; nightshift check may say why",
        ))
    }

    async fn round(&self, now: DateTime<Utc>) -> Result<Round> {
        store::write!(self.store, tx => {
            if !tx.try_tick_lock().await? {
                return Ok::<_, ServiceError>(Round::Elsewhere);
            }
            let Some(organisation) = tx.organisation().await? else { return Ok(Round::Nothing) };
            self.cache_polling_settings(Arc::new(organisation.settings.clone()));
            let Some(due) = tx.due(&organisation, now, Limits::default()).await? else { return Ok(Round::Nothing) };
            let plan = planner::plan(&due.slice, now, &mut self.plan_ids()?);
            tx.apply(&plan, &due.rechecks, now).await?;
            for (before, after) in changed_by_rule(&due.slice, &plan) {
                tx.add_audit(now, &by_rule(&due.slice, &plan, before, after)).await?;
            }
            Ok(Round::Wrote(plan.report))
        })
    }

    /// What a tick would do now: all its rounds in one transaction that is rolled back. Nothing is written; on SQLite writers wait
    /// meanwhile.
    ///
    /// # Errors
    /// Another process is planning.
    pub async fn plan(&self) -> Result<DryRun> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if !tx.try_tick_lock().await? {
            return Err(ServiceError::conflict("a tick is under way; try again"));
        }
        let organisation = organisation(&mut tx).await?;
        let mut dry = DryRun {
            now,
            checks: DryChecks::default(),
            lines: Vec::new(),
            writes: false,
        };
        self.work_out_support(&mut tx, &organisation).await?;
        loop {
            let report = |room: &RoomToCheck, changes: &Changes| dry.checks.add(room, changes);
            match self.check_some(&mut tx, now, report).await? {
                0 => break,
                rooms => dry.checks.rooms += rooms,
            }
        }
        dry.writes = dry.checks.rooms > 0;
        for _ in 0..MOST_ROUNDS {
            let Some(due) = tx.due(&organisation, now, Limits::default()).await? else {
                break;
            };
            let plan = planner::plan(&due.slice, now, &mut self.plan_ids()?);
            tx.apply(&plan, &due.rechecks, now).await?;
            dry.writes |= !plan.is_empty();
            dry.lines
                .extend(plan.report.iter().map(|line| in_words(line, &due.slice)));
        }
        tx.roll_back().await?;
        Ok(dry)
    }

    /// When the next tick has something to do; `None`: when something happens.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(self.store.read().await?.next_due(self.clock.now()).await?)
    }

    /// Ticks by timer and by wake-up until `stop`. A failed tick is logged and tried again.
    pub async fn run_ticks(&self, stop: CancellationToken) {
        let mut failures = 0_u32;
        let (mut watch, running) = (ClockWatch::default(), Stopwatch::start());
        self.activity.planning_begins();
        loop {
            if self.clock_has_jumped(&mut watch, running.elapsed()) {
                // Nothing is planned: after a while `/readyz` says so as well.
                tokio::select! {
                    () = stop.cancelled() => return self.activity.planning_ends(),
                    () = self.seal_until(Duration::from_secs(30)) => continue,
                }
            }
            // In a task of its own: a fault of ours in one tick must not be the last of all ticks.
            let ticking = tokio::spawn({
                let service = self.clone();
                async move { service.tick().await }
            });
            let ticked = ticking.await;
            let failed: Option<&dyn std::error::Error> = match &ticked {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(error),
                Err(panic) => Some(panic),
            };
            let pause = match failed {
                None => {
                    failures = 0;
                    self.activity.tick_succeeded();
                    self.pause_until_due().await
                }
                Some(error) => {
                    failures += 1;
                    self.activity.tick_failed();
                    let pause = Duration::from_millis(200 << failures.min(7)) + self.jitter();
                    tracing::error!(error, failures, ?pause, "the tick failed; it is tried again");
                    pause
                }
            };
            tokio::select! {
                () = stop.cancelled() => return self.activity.planning_ends(),
                () = self.wake.notified() => {}
                () = self.seal_until(pause) => {}
            }
        }
    }

    /// Whether a machine's clock stands far ahead of the time that has passed. A driven clock jumps as it likes.
    fn clock_has_jumped(&self, watch: &mut ClockWatch, running: Duration) -> bool {
        if self.clock.is_driven() {
            return false;
        }
        let now = self.clock.now();
        match watch.may_plan(now, running) {
            Planning::GoesOn => false,
            Planning::Stops { by } => {
                tracing::error!(
                    %now,
                    days = by.num_days(),
                    "the clock has jumped ahead; nothing is planned before it is back, or has stood there for ten minutes"
                );
                true
            }
            Planning::Waits => true,
        }
    }

    /// Waits, and seals once a second what the audit has got meanwhile: not every change wakes the tick.
    async fn seal_until(&self, pause: Duration) {
        const INTERVAL: Duration = Duration::from_secs(1);
        let mut left = pause;
        while left > INTERVAL {
            tokio::time::sleep(INTERVAL).await;
            left -= INTERVAL;
            if let Err(error) = self.seal_audit().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the audit could not be sealed; it is tried again"
                );
            }
        }
        tokio::time::sleep(left).await;
    }

    /// Not longer than half a minute: another process may have changed what is due.
    async fn pause_until_due(&self) -> Duration {
        const LONGEST: TimeDelta = TimeDelta::seconds(30);
        let pause = match self.next_due().await {
            Ok(Some(at)) => (at - self.clock.now()).clamp(TimeDelta::zero(), LONGEST),
            Ok(None) | Err(_) => LONGEST,
        };
        pause.to_std().unwrap_or_default() + self.jitter()
    }

    /// Up to a fifth of a second, so that several processes do not meet at the lock.
    fn jitter(&self) -> Duration {
        let random = self.new_id().map_or(0, |id| u64::from(id.as_bytes()[15]));
        Duration::from_millis(5 + random % 195)
    }
}

/// Rollouts that a rule has ended: the audit covers people and rules.
fn changed_by_rule<'p>(slice: &'p Slice, plan: &'p Changes) -> impl Iterator<Item = (&'p Rollout, &'p Rollout)> {
    plan.rollouts.iter().filter_map(|after| {
        let before = slice.rollouts.get(&after.update)?;
        let is_news = std::mem::discriminant(&before.state) != std::mem::discriminant(&after.state);
        is_news.then_some((before, after))
    })
}

fn by_rule(slice: &Slice, changes: &Changes, before: &Rollout, after: &Rollout) -> AuditEntry {
    let title = slice.updates.get(&after.update).map_or_else(String::new, Update::title);
    let (mut was, mut is) = (state_facts(&before.state), state_facts(&after.state));
    let (action, summary) = match &after.state {
        RolloutState::Running => {
            let days = days_later(changes, after.update);
            (was, is) = (
                json!({ "state": "paused", "since": paused_since(before) }),
                json!({ "state": "running", "days_later": days }),
            );
            let summary = format!(
                "Resumed {title} on the date that its pause was given; later dates move by {}.",
                counted(days, "day")
            );
            ("rollout.resumed", summary)
        }
        RolloutState::Paused { reason, .. } if after.halt.is_some() => {
            ("rollout.halted", format!("Halted {title} by rule: {reason}"))
        }
        RolloutState::Paused { reason, .. } => ("rollout.paused", format!("Paused {title}: {reason}")),
        RolloutState::Deprecated { reason, .. } => (
            "rollout.deprecated",
            format!("{title} is deprecated. {}", reason.sentence()),
        ),
        RolloutState::Finished { .. } => ("rollout.finished", format!("{title} is through all rings.")),
    };
    AuditEntry {
        actor: "Nightshift".to_owned(),
        address: String::new(),
        action,
        object_kind: "update",
        object_id: after.update.to_string(),
        summary,
        before: Some(was),
        after: Some(is),
    }
}

/// What the audit keeps of a state: its facts, and reasons as sentences.
fn state_facts(state: &RolloutState) -> Value {
    match state {
        RolloutState::Deprecated { at, reason } => {
            json!({ "state": "deprecated", "at": at, "reason": reason.sentence() })
        }
        state => serde_json::to_value(state).unwrap_or_default(),
    }
}

fn paused_since(rollout: &Rollout) -> Option<DateTime<Utc>> {
    match rollout.state {
        RolloutState::Paused { since, .. } => Some(since),
        RolloutState::Running | RolloutState::Deprecated { .. } | RolloutState::Finished { .. } => None,
    }
}

/// By how many days the end of a pause has moved the dates of a rollout.
fn days_later(changes: &Changes, update: UpdateId) -> u32 {
    let of = |line: &&ReportLine| line.subject == Subject::Rollout(update);
    let days = |line: &ReportLine| match line.event {
        Event::PauseOver { days } => Some(days),
        _ => None,
    };
    changes.report.iter().filter(of).find_map(days).unwrap_or(0)
}

/// (About, sentence).
fn in_words(line: &ReportLine, slice: &Slice) -> (String, String) {
    let title = |update| slice.updates.get(update).map_or_else(String::new, Update::title);
    let about = match &line.subject {
        Subject::Rollout(update) => title(update),
        Subject::Room(room, update) => {
            let due = slice.rooms.iter().find(|due| due.room.id == *room);
            let name = due.map_or("a room of the ring", |due| due.room.name.as_str());
            format!("{name}, {}", title(update))
        }
    };
    (about, line.event.sentence())
}

enum Round {
    Nothing,
    Elsewhere,
    Wrote(Vec<ReportLine>),
}

fn log(line: &ReportLine) {
    match line.subject {
        Subject::Rollout(update) => tracing::info!(%update, "{}", line.event.sentence()),
        Subject::Room(room, update) => tracing::debug!(%update, %room, "{}", line.event.sentence()),
    }
}

/// The organisation, which is there from the first start on.
pub(crate) async fn organisation(tx: &mut store::Tx) -> Result<Organisation> {
    tx.organisation()
        .await?
        .ok_or_else(|| ServiceError::conflict("the database has no organisation yet; run nightshift serve once"))
}

#[cfg(test)]
mod tests {
    use domain::changes::{SettingChange, SettingEvent};
    use domain::ids::{DeviceId, RoomId};
    use domain::room::RoomState;
    use domain::zone::Zone;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_dry_run_names_the_checks_of_200_rooms_and_counts_the_rest_g1() {
        let room = |number: u128| RoomToCheck {
            room: RoomId(Uuid::from_u128(number)),
            name: format!("Room {number}"),
            state: RoomState::Managed,
            zone: Zone::utc(),
            devices: Vec::new(),
            waivers: Vec::new(),
            is_confirmed: true,
            results: std::collections::BTreeMap::new(),
            blocks: Vec::new(),
            versions: Vec::new(),
            bad_signals: Vec::new(),
            tickets: std::collections::BTreeMap::new(),
            unreviewed: std::collections::BTreeSet::new(),
        };
        let asked = SettingChange {
            device: DeviceId(Uuid::nil()),
            event: SettingEvent::Wanted,
        };
        let changes = Changes {
            settings: vec![asked, asked],
            ..Changes::default()
        };
        let mut checks = DryChecks::default();
        for number in 0..203 {
            checks.add(&room(number), &changes);
            checks.add(&room(number), &Changes::default());
        }
        assert_eq!((checks.lines.len(), checks.more), (400, 3));
    }
}
