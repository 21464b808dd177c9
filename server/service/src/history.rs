//! Rollouts that ran elsewhere: taking their facts over, so that statuses follow from them as from our own.
//!
//! The demo starts from such a history; an organisation that comes from another tool could too. What is taken over is checked by
//! the planner with the next tick like any other fact.

mod versions;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Act;
use domain::changes::NewInstall;
use domain::deployment::{Deployment, DeploymentState, FallBacks, Force, Night};
use domain::ids::{DeploymentId, ProductId, RingId, RoomId, StageOf, TicketId, UpdateId};
use domain::install::{Install, InstallState};
use domain::reason::Reason;
use domain::ring::RingSequence;
use domain::rollout::{Rollout, RolloutState, Stage};
use domain::start_window::StartWindow;
use domain::ticket::{TicketSeverity, TicketState};
use domain::time_text;
use domain::update::{Severity, titled};
use domain::window::Window;
use store::{AuditEntry, TicketRecord, Tx};

use crate::error::{Result, ServiceError};
use crate::portfolio::compare_versions;
use crate::tick::organisation;
use crate::{Actor, Service};

/// A rollout that ran elsewhere.
#[derive(Clone, Debug)]
pub struct PastRollout {
    /// Of which product.
    pub product: ProductId,
    /// Which version; the portfolio must have the release.
    pub version: String,
    /// How urgent it was.
    pub severity: Severity,
    /// Title on screen.
    pub title: String,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Who published it.
    pub published_by: String,
    /// Date of the first ring's first night.
    pub starts_on: NaiveDate,
    /// Where it stands.
    pub state: RolloutState,
    /// The rings that it has entered: ring, first night.
    pub entered: Vec<(RingId, NaiveDate)>,
    pub rooms: Vec<PastDeployment>,
}

/// A room of such a rollout.
#[derive(Clone, Debug)]
pub struct PastDeployment {
    /// Where.
    pub room: RoomId,
    /// In which ring.
    pub ring: RingId,
    /// Its night; `None`: it was forced.
    pub night: Option<NaiveDate>,
    /// Where it stands.
    pub state: DeploymentState,
    /// When that began, for the history.
    pub at: DateTime<Utc>,
    pub attempt: u32,
    pub missed_windows: u32,
    /// It joined after its ring's turn.
    pub catch_up: bool,
    /// How it was forced.
    pub force: Option<Force>,
    /// The version it found.
    pub from_version: Option<String>,
    /// Why it stands where it stands.
    pub reason: String,
}

/// A ticket from elsewhere.
#[derive(Clone, Debug)]
pub struct PastTicket {
    pub number: i64,
    pub title: String,
    /// How bad.
    pub severity: TicketSeverity,
    pub category: String,
    pub rooms: Vec<RoomId>,
    /// Its update: product and version.
    pub update: Option<(ProductId, String)>,
    /// A failed deployment opened it by itself.
    pub of_failure: bool,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// What happened to it: when, who, what.
    pub events: Vec<(DateTime<Utc>, String, String)>,
}

/// The rings that a past rollout had entered, with their dates.
fn past_stages(past: &PastRollout, rings: &RingSequence, now: DateTime<Utc>) -> Result<Vec<Stage>> {
    let mut stages = Vec::with_capacity(past.entered.len());
    for (ring, starts_on) in &past.entered {
        let ring = rings
            .get(*ring)
            .ok_or_else(|| ServiceError::not_found("A ring of the history"))?;
        let of_ring = past.rooms.iter().filter(|room| room.ring == ring.id && !room.catch_up);
        let rooms = u32::try_from(of_ring.count()).unwrap_or(u32::MAX);
        stages.push(Stage {
            ring: StageOf::Ring(ring.id),
            name: ring.name.clone(),
            place: ring.place,
            rollout_days: ring.rollout_days,
            test_days: ring.test_days,
            starts_on: *starts_on,
            rollout_ends: *starts_on + chrono::Days::new(ring.rollout_days.into()),
            test_ends: *starts_on + chrono::Days::new((ring.rollout_days + ring.test_days).into()),
            entered_at: past
                .published_at
                .max(starts_on.and_time(chrono::NaiveTime::MIN).and_utc())
                .min(now),
            rooms,
            placed: rooms,
        });
    }
    Ok(stages)
}

/// What the audit has of a rollout that is taken over, with the words that it has for what happens here.
fn audit_entries(
    past: &PastRollout,
    update: UpdateId,
    forced: &BTreeMap<RoomId, String>,
) -> Vec<(DateTime<Utc>, AuditEntry)> {
    const RULE: &str = "Nightshift";
    let title = titled(&past.title, &past.version);
    let entry = |actor: &str, action, summary| AuditEntry {
        address: String::new(),
        actor: actor.to_owned(),
        action,
        object_kind: "update",
        object_id: update.to_string(),
        summary,
        before: None,
        after: None,
    };
    let summary = format!("Published {title}; it starts on {}.", time_text::dated(past.starts_on));
    let mut audit_entries = vec![(
        past.published_at,
        entry(&past.published_by, "update.published", summary),
    )];
    for room in past.rooms.iter().filter(|room| room.force.is_some()) {
        let Some(name) = forced.get(&room.room) else { continue };
        let summary = format!("Forced {title} in {name}.");
        audit_entries.push((room.at, entry(&past.published_by, "update.forced", summary)));
    }
    match &past.state {
        RolloutState::Running => {}
        RolloutState::Paused { since, by, reason, .. } => {
            audit_entries.push((*since, entry(by, "rollout.paused", format!("Paused {title}: {reason}"))));
        }
        RolloutState::Deprecated { at, reason } => {
            let summary = format!("{title} is deprecated. {}", reason.sentence());
            audit_entries.push((*at, entry(RULE, "rollout.deprecated", summary)));
        }
        RolloutState::Finished { at } => {
            audit_entries.push((
                *at,
                entry(RULE, "rollout.finished", format!("{title} is through all rings.")),
            ));
        }
    }
    audit_entries
}

impl Service {
    /// Takes over rollouts and tickets, oldest first. All or nothing.
    ///
    /// # Errors
    /// A release, room or ring is not there.
    pub async fn import_history(&self, actor: &Actor, rollouts: &[PastRollout], tickets: &[PastTicket]) -> Result<()> {
        actor.may(Act::Publish)?;
        let now = self.clock.now();
        store::write!(self.store, tx => {
            let mut audit_entries = Vec::new();
            for past in rollouts {
                audit_entries.extend(self.import_rollout(tx, past, now).await?);
            }
            versions::note_past_versions(tx, rollouts).await?;
            // The audit is in the order in which things happened.
            audit_entries.sort_by_key(|(at, _)| *at);
            for (at, entry) in audit_entries {
                tx.add_audit(at, &entry).await?;
            }
            for ticket in tickets {
                self.import_ticket(tx, ticket).await?;
            }
            let summary = format!("Took over {} rollouts and {} tickets.", rollouts.len(), tickets.len());
            tx.add_audit(now, &actor.entry("history.imported", "history", "", summary)).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(())
    }

    /// Takes over a rollout; gives what the audit is to have of it.
    async fn import_rollout(
        &self,
        tx: &mut Tx,
        past: &PastRollout,
        now: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, AuditEntry)>> {
        let Some(release) = tx.release_of(&past.product, &past.version).await? else {
            return Err(ServiceError::not_found(format!(
                "Release {} of {}",
                past.version, past.product
            )));
        };
        let update = release.release.id;
        tx.grade_release(update, past.severity, &past.title).await?;
        compare_versions(tx, &release).await?;
        let stages = past_stages(past, &tx.rings().await?, now)?;
        let rollout = Rollout {
            update,
            published_at: past.published_at,
            starts_on: past.starts_on,
            next_at: matches!(past.state, RolloutState::Running).then_some(now),
            state: past.state.clone(),
            stages,
            paused_days: 0,
            automatic_days: None,
            superseded_by: Vec::new(),
            first_test_over: matches!(past.state, RolloutState::Finished { .. }),
            halt_rule: None,
            halt: None,
            counts: BTreeMap::new(),
        };
        tx.add_rollout(&rollout, &past.published_by).await?;
        let mut rooms: Vec<&PastDeployment> = past.rooms.iter().collect();
        rooms.sort_by_key(|room| room.at);
        for room in rooms {
            self.import_deployment(tx, update, room, now).await?;
        }
        let forced: Vec<RoomId> = past
            .rooms
            .iter()
            .filter(|room| room.force.is_some())
            .map(|room| room.room)
            .collect();
        let forced = tx.room_names(&forced).await?.into_iter();
        let forced: BTreeMap<RoomId, String> = forced.map(|(id, name, _)| (id, name)).collect();
        Ok(audit_entries(past, update, &forced))
    }

    async fn import_deployment(
        &self,
        tx: &mut Tx,
        update: UpdateId,
        past: &PastDeployment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let record = tx
            .room_record(past.room)
            .await?
            .ok_or_else(|| ServiceError::not_found("A room of the history"))?;
        let (date, catch_up) = (past.night.unwrap_or_else(|| record.zone.date(past.at)), past.catch_up);
        let night = match (past.night, past.force) {
            (_, Some(how)) => Night::Forced { date, how, catch_up },
            (Some(planned), None) if !catch_up => Night::Planned { date, planned },
            (Some(_) | None, None) => Night::NextWindow { date, catch_up },
        };
        let unfinished = match past.state {
            DeploymentState::Waiting | DeploymentState::Prepared | DeploymentState::Started { .. } => true,
            DeploymentState::Completed { .. } | DeploymentState::Failed { .. } | DeploymentState::Withdrawn { .. } => {
                false
            }
        };
        let deployment = Deployment {
            id: DeploymentId(self.new_id()?),
            update,
            room: past.room,
            ring: StageOf::Ring(past.ring),
            night,
            state: past.state.clone(),
            attempt: past.attempt,
            missed_windows: past.missed_windows,
            offered_windows: 0,
            crowded_windows: 0,
            refusals: 0,
            last_failure: None,
            tolerated: false,
            fall_backs: FallBacks::default(),
            from_version: past.from_version.clone(),
            reason: Reason::Written(past.reason.clone()),
            next_at: unfinished.then_some(now),
        };
        tx.put_deployments(std::slice::from_ref(&deployment), past.at).await?;
        if let DeploymentState::Started { at: started_at } = past.state {
            self.import_running(tx, &deployment, started_at).await?;
        }
        Ok(())
    }

    /// Something is installing right now: its devices have started.
    async fn import_running(&self, tx: &mut Tx, deployment: &Deployment, started_at: DateTime<Utc>) -> Result<()> {
        let hours = organisation(tx).await?.settings.window();
        let Some(room) = tx.rooms(&[deployment.room]).await?.pop() else {
            return Ok(());
        };
        let updates = tx.updates(&[deployment.update]).await?;
        let Some(update) = updates.get(&deployment.update) else {
            return Ok(());
        };
        let window = Window::on(&room.zone, deployment.night.date(), hours);
        let window = window.as_ref().map(StartWindow::from);
        let new: Vec<NewInstall> = update
            .devices_in(&room)
            .map(|device| NewInstall {
                deployment: deployment.id,
                update: deployment.update,
                device: device.id,
                attempt: deployment.attempt,
                window,
            })
            .collect();
        tx.add_installs(&new).await?;
        let started: Vec<Install> = tx
            .installs_of(deployment.id)
            .await?
            .into_iter()
            .map(|install| Install {
                state: InstallState::Started {
                    heard_at: started_at,
                    silent_at: None,
                    installed_chunks: false,
                    objects: false,
                },
                started_at: Some(started_at),
                shown_up_at: Some(started_at),
                ..install
            })
            .collect();
        Ok(tx.put_installs(&started).await?)
    }

    async fn import_ticket(&self, tx: &mut Tx, past: &PastTicket) -> Result<()> {
        let update = match &past.update {
            Some((product, version)) => tx.release_of(product, version).await?.map(|release| release.release.id),
            None => None,
        };
        let ticket = TicketRecord {
            id: TicketId(self.new_id()?),
            number: past.number,
            title: past.title.clone(),
            description: past
                .events
                .first()
                .map_or_else(String::new, |(_, _, text)| text.clone()),
            severity: past.severity,
            category: past.category.clone(),
            state: TicketState::NeedsAction,
            high_impact: false,
            update,
            is_automatic: past.of_failure,
            suppression: None,
            opened_by: past.opened_by.clone(),
            opened_at: past.opened_at,
            assignee: None,
            rooms: (Vec::new(), 0),
        };
        let failure_room = past.rooms.first().copied().filter(|_| past.of_failure);
        tx.add_ticket(&ticket, &past.rooms, failure_room).await?;
        for (at, actor, text) in &past.events {
            tx.add_ticket_event(ticket.id, actor, text, *at).await?;
        }
        Ok(())
    }
}
