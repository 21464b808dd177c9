//! The device conversation: who speaks, what it is told, what it reports (`docs/devices.md`).
//!
//! The wire is the server crate's; this module knows no HTTP. A device may speak only for itself (A4).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::access::Act;
use domain::conversation::feedback::Feedback;
use domain::conversation::inventory::ConfigReport;
use domain::conversation::offer::{self, Answer, Offer};
use domain::conversation::sleep;
use domain::conversation::{Fetched, OfferFacts, Outcome, Report};
use domain::ids::{ActionId, DeviceId};
use domain::refusal::Refusal;
use domain::room::RoomState;
use domain::settings::Settings;
use domain::text::counted;
use futures::stream::BoxStream;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{ArtifactRecord, AuditEntry, Caller, DeviceFacts};
use subtle::ConstantTimeEq;

use crate::error::{Result, ServiceError};
use crate::tick::organisation;
use crate::{Actor, Service};

/// Last contacts that are not written yet. Losing them does no harm (docs/architecture.md).
#[derive(Default)]
pub struct LastContacts(Mutex<PendingContacts>);

#[derive(Default)]
struct PendingContacts {
    unwritten: HashMap<DeviceId, DateTime<Utc>>,
    written_at: Option<DateTime<Utc>>,
}

/// What a device proves itself with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Its own token.
    Target(String),
    /// The organisation's, which acts for any device.
    Gateway(String),
}

/// What a poll is answered with.
#[derive(Clone, Debug)]
pub struct PollAnswer {
    /// What it is told.
    pub offer: Offer,
    /// About which action.
    pub action: Option<ActionId>,
    /// The last action that it has closed with success: what it installed may be looked up.
    pub installed: Option<ActionId>,
    /// It is asked for its facts.
    pub facts_wanted: bool,
    /// Changes whenever the offer does.
    pub offer_tag: u32,
    /// Seconds until it should poll again.
    pub sleep_seconds: u32,
}

/// What a window-aware device is told of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaintenanceWindow {
    /// It may install.
    Available,
    /// It may fetch, and installs when the window opens.
    Unavailable,
}

/// What a device installs.
#[derive(Clone, Debug)]
pub struct Work {
    pub action: ActionId,
    /// Of a device that keeps to windows of its own (`docs/devices.md` 2.1): whether it may install now.
    pub window: Option<MaintenanceWindow>,
    /// What DDI calls the chunk.
    pub part: String,
    pub product: String,
    pub version: String,
    /// Files.
    pub artifacts: Vec<ArtifactRecord>,
}

/// Action numbers begin at the seconds since then; those of changed settings (`store::is_of_setting`) as many behind their first one. Both
/// last until 2058.
const NUMBERS_BEGAN: DateTime<Utc> = match NaiveDate::from_ymd_opt(2024, 1, 1) {
    Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
    None => DateTime::UNIX_EPOCH,
};

impl Service {
    /// Has every action that is made from now on get a number that was never given, also when the database is a copy of an older day: an
    /// estate makes fewer actions than there are seconds. A device may still speak of an action that the copy does not know, and must not be
    /// heard about another one (`docs/devices.md` 2.5, G1). To be asked once at each start.
    pub async fn skip_given_action_numbers(&self) -> Result<()> {
        let seconds = (self.clock.now() - NUMBERS_BEGAN).num_seconds().max(0);
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX / 2);
        store::write!(self.store, tx => { Ok::<_, ServiceError>(tx.skip_action_numbers(seconds).await?) })
    }

    /// The device that these credentials speak for; `None`: they speak for nobody of this name.
    pub async fn device(&self, controller: &str, credentials: &Credentials) -> Result<Option<Caller>> {
        // No other name was ever given to a device.
        if crate::limits::check_controller(controller).is_err() {
            return Ok(None);
        }
        let is_gateway = |token: &str| {
            let known = self.process_config.gateway_token.as_ref();
            known.is_some_and(|known| known.is(token))
        };
        let now = self.clock.now();
        let Some(caller) = self.store.caller(controller).await? else {
            if matches!(credentials, Credentials::Gateway(token) if is_gateway(token)) {
                self.name_refused(controller, "it is in no room: add it to one", now);
            }
            return Ok(None);
        };
        let speaks = match credentials {
            Credentials::Target(token) => {
                let hash = token_hash(token);
                let known = caller.token_hash.as_deref();
                known.is_some_and(|known| bool::from(known.ct_eq(hash.as_slice())))
            }
            Credentials::Gateway(token) => is_gateway(token),
        };
        // Nothing is kept of the token that a revoked device had, so whoever uses its name counts as it.
        if caller.revoked {
            self.name_refused(controller, "it was revoked: a new token lets it in again", now);
        }
        if !speaks || caller.revoked {
            return Ok(None);
        }
        self.last_contacts.note(caller.id, now);
        if !caller.is_known {
            store::write!(self.store, tx => { Ok::<_, ServiceError>(tx.note_first_contact(caller.id, now).await?) })?;
        }
        Ok(Some(caller))
    }

    /// The log says why a device that proves who it is gets nothing.
    fn name_refused(&self, controller: &str, why: &'static str, now: DateTime<Utc>) {
        if self.refused_devices.is_news(controller, now) {
            tracing::warn!(device = controller, why, "a device was refused");
        }
    }

    /// A poll.
    pub async fn poll(&self, caller: &Caller) -> Result<PollAnswer> {
        self.activity.polled();
        let now = self.clock.now();
        let facts = self.open_of(caller).await?;
        let offer_facts = facts.as_ref().and_then(DeviceFacts::offer_facts);
        let answer = offer_facts
            .as_ref()
            .map_or_else(Answer::default, |offer_facts| offer::decide(offer_facts, now));
        let offer = answer.offer;
        if let Some(offer_facts) = offer_facts.as_ref().filter(|_| answer.shows_up) {
            let showed_up = Report::ShowedUp {
                action: offer_facts.install.action,
            };
            self.store.report(showed_up, now).await?;
        }
        let action = offer_facts
            .as_ref()
            .filter(|_| offer != Offer::Nothing)
            .map(|offer_facts| offer_facts.install.action);
        let settings = self.polling_settings().await?;
        let setting = self.open_setting_change(caller, now).await?;
        let (offer, action) = match setting {
            Some(setting) => (Offer::Install, Some(setting)),
            None => (offer, action),
        };
        Ok(PollAnswer {
            offer,
            action,
            installed: caller.installed,
            facts_wanted: setting.is_none() && answer.asks_for_facts(caller.facts_wanted),
            offer_tag: action.map_or(0, |action| offer_tag(action, offer)),
            sleep_seconds: match setting {
                Some(_) => sleep::while_busy(&settings, caller.id),
                None => {
                    let facts = offer_facts.as_ref().map(|facts| (facts, offer));
                    self.sleep(caller, &settings, facts, now).await?
                }
            },
        })
    }

    /// Seconds until the device polls again. Of one that sleeps long the room's zone is looked up, so that it comes in time (W11).
    async fn sleep(
        &self,
        caller: &Caller,
        settings: &Settings,
        facts: Option<(&OfferFacts<'_>, Offer)>,
        now: DateTime<Utc>,
    ) -> Result<u32> {
        let is_idle = facts.is_none();
        let seconds = sleep::poll_again_in(settings, caller.id, facts, now);
        if !is_idle || !sleep::may_miss_a_window(settings, seconds) {
            return Ok(seconds);
        }
        let zone = self.store.read().await?.zone_of_device(caller.id).await?;
        Ok(zone.map_or(seconds, |zone| {
            sleep::until_window(settings, caller.id, &zone, seconds, now)
        }))
    }

    /// What decides over the open action of a device. It may have ended since the device was looked up: then there is none.
    async fn open_of(&self, caller: &Caller) -> Result<Option<DeviceFacts>> {
        let Some(action) = caller.open else { return Ok(None) };
        let facts = self.store.device_facts_of_action(caller.id, action).await?;
        let is_open = |facts: &DeviceFacts| facts.open_install.as_ref().is_some_and(|open| open.install.is_open());
        Ok(facts.filter(is_open).map(|mut facts| {
            facts.device.window_aware |= caller.window_aware;
            facts
        }))
    }

    /// The settings that say how often devices poll, as the last tick saw them. Half a minute late does no harm.
    async fn polling_settings(&self) -> Result<Arc<Settings>> {
        if let Some(settings) = self.polling_settings.read().ok().and_then(|cached| cached.clone()) {
            return Ok(settings);
        }
        let mut tx = self.store.read().await?;
        let settings = Arc::new(organisation(&mut tx).await?.settings);
        self.cache_polling_settings(Arc::clone(&settings));
        Ok(settings)
    }

    pub(crate) fn cache_polling_settings(&self, settings: Arc<Settings>) {
        if let Ok(mut cached) = self.polling_settings.write() {
            *cached = Some(settings);
        }
    }

    /// What the device is to install; `None`: not its action, ended, or it may not start now (`docs/devices.md` 2.10).
    pub async fn work(&self, caller: &Caller, action: ActionId) -> Result<Option<Work>> {
        if store::is_of_setting(action) {
            return self.setting_work(caller, action).await;
        }
        let now = self.clock.now();
        let mut tx = self.store.read().await?;
        let Some(mut facts) = tx.device_facts_of_action(caller.id, action).await? else {
            return Ok(None);
        };
        facts.device.window_aware |= caller.window_aware;
        let Some(offer_facts) = facts.offer_facts() else {
            return Ok(None);
        };
        let window = match offer::decide(&offer_facts, now).offer {
            Offer::Install | Offer::Cancel => facts.device.window_aware.then_some(MaintenanceWindow::Available),
            Offer::Prefetch => Some(MaintenanceWindow::Unavailable),
            Offer::Nothing => return Ok(None),
        };
        self.describe(&mut tx, &facts, action, window).await
    }

    /// What the device installed with an action that has ended in success; `None`: nothing.
    pub async fn installed(&self, device: DeviceId, action: ActionId) -> Result<Option<Work>> {
        let mut tx = self.store.read().await?;
        let Some(facts) = tx.device_facts_of_action(device, action).await? else {
            return Ok(None);
        };
        let done = facts
            .open_install
            .as_ref()
            .is_some_and(|open| match open.install.state {
                domain::install::InstallState::Installed { .. } | domain::install::InstallState::Completed { .. } => {
                    true
                }
                domain::install::InstallState::Planned
                | domain::install::InstallState::Started { .. }
                | domain::install::InstallState::Failed { .. }
                | domain::install::InstallState::Withdrawn { .. }
                | domain::install::InstallState::Canceled { .. } => false,
            });
        if !done {
            return Ok(None);
        }
        self.describe(&mut tx, &facts, action, None).await
    }

    async fn describe(
        &self,
        tx: &mut store::Tx,
        facts: &DeviceFacts,
        action: ActionId,
        window: Option<MaintenanceWindow>,
    ) -> Result<Option<Work>> {
        let Some(open) = &facts.open_install else {
            return Ok(None);
        };
        let Some(release) = tx.release(open.install.update).await? else {
            return Ok(None);
        };
        let artifacts = tx.artifacts(open.install.update).await?;
        Ok(Some(Work {
            action,
            window,
            part: tx.chunk_part(&release.product).await?,
            product: release.product.id.0,
            version: release.release.version,
            artifacts,
        }))
    }

    /// Whether the device is asked to stop an action (`docs/devices.md` 2.9).
    pub async fn cancel_wanted(&self, device: DeviceId, action: ActionId) -> Result<bool> {
        let facts = self.store.device_facts_of_action(device, action).await?;
        let offer_facts = facts.as_ref().and_then(DeviceFacts::offer_facts);
        Ok(offer_facts.is_some_and(|offer_facts| offer::decide(&offer_facts, self.clock.now()).offer == Offer::Cancel))
    }

    /// Takes a feedback. It is durable when this returns.
    ///
    /// # Errors
    /// The database fails; nothing is stored then.
    pub async fn feedback(&self, caller: &Caller, action: ActionId, feedback: Feedback) -> Result<Outcome> {
        if store::is_of_setting(action) {
            return self.setting_feedback(caller, action, &feedback).await;
        }
        let now = self.clock.now();
        let report = Report::Feedback {
            device: caller.id,
            action,
            feedback,
            window_aware: caller.window_aware,
        };
        self.reported(report, now).await
    }

    /// Takes a device's answer to a cancel. It is durable when this returns.
    ///
    /// # Errors
    /// The database fails; nothing is stored then.
    pub async fn cancel_feedback(&self, device: DeviceId, action: ActionId, feedback: Feedback) -> Result<Outcome> {
        let now = self.clock.now();
        let report = Report::CancelFeedback {
            device,
            action,
            feedback,
        };
        self.reported(report, now).await
    }

    /// Takes a report of facts. It is durable when this returns.
    ///
    /// # Errors
    /// The database fails; nothing is stored then.
    pub async fn config(&self, device: DeviceId, report: ConfigReport) -> Result<Outcome> {
        let now = self.clock.now();
        self.reported(Report::Config { device, report }, now).await
    }

    /// An artifact of this device's open action. `starts`: the first GET starts the install (`docs/devices.md` 2.2), a look does not.
    pub async fn fetch(
        &self,
        caller: &Caller,
        module: i32,
        filename: &str,
        starts: bool,
    ) -> Result<Option<ArtifactRecord>> {
        let now = self.clock.now();
        let Some(facts) = self.open_of(caller).await? else {
            return Ok(None);
        };
        let found = self.store.read().await?.artifact(module, filename).await?;
        let (Some(artifact), Some(open), Some(offer_facts)) = (found, &facts.open_install, facts.offer_facts()) else {
            return Ok(None);
        };
        if open.install.update != artifact.artifact.update {
            return Ok(None);
        }
        match offer::decide(&offer_facts, now).offer {
            Offer::Nothing => Ok(None),
            Offer::Install if starts && !open.install.is_started() => {
                let fetched = Fetched {
                    device: caller.id,
                    action: open.install.action,
                };
                // A pause may have come in between: then it gets nothing that it could start with.
                match self.reported(Report::Fetched(fetched), now).await? {
                    Outcome::Changed | Outcome::Noted => Ok(Some(artifact)),
                    Outcome::Ended | Outcome::NotFound | Outcome::Refused(_) => Ok(None),
                }
            }
            // Fetching ahead of the window is not starting.
            Offer::Install | Offer::Prefetch | Offer::Cancel => Ok(Some(artifact)),
        }
    }

    /// The bytes of an artifact from `from` up to `until` (exclusive).
    ///
    /// # Errors
    /// The file is not there, or the folder fails.
    pub async fn open_artifact(
        &self,
        sha256: &str,
        from: u64,
        until: u64,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
        self.artifacts.read(sha256, from, until).await
    }

    async fn reported(&self, report: Report, now: DateTime<Utc>) -> Result<Outcome> {
        let outcome = self.store.report(report, now).await?;
        self.activity.reported(&outcome);
        if outcome == Outcome::Changed {
            self.wake();
        }
        Ok(outcome)
    }

    /// Hands out a token for a device (A4). It is shown this once; a token that the device had before counts no more.
    ///
    /// # Errors
    /// There is no such device, or its room is retired.
    pub async fn enrol_device(&self, actor: &Actor, controller: &str) -> Result<String> {
        actor.may(Act::ManageDevices)?;
        check_can_exist(controller)?;
        let token = new_token()?;
        let now = self.clock.now();
        store::write!(self.store, tx => {
            enrol(tx, controller, &token, now).await?;
            let summary = format!("Handed out a token for device {controller}.");
            tx.add_audit(now, &entry(actor, "device.enrolled", controller, summary)).await?;
            Ok::<_, ServiceError>(())
        })?;
        Ok(token)
    }

    /// Hands out a token for each of several devices, all or none, with one audit entry: (device, token).
    ///
    /// # Errors
    /// There is no such device, or its room is retired.
    pub async fn enrol_devices(&self, actor: &Actor, controllers: &[String]) -> Result<Vec<(String, String)>> {
        actor.may(Act::ManageDevices)?;
        let mut tokens = Vec::with_capacity(controllers.len());
        for controller in controllers {
            check_can_exist(controller)?;
            tokens.push((controller.clone(), new_token()?));
        }
        let now = self.clock.now();
        store::write!(self.store, tx => {
            for (controller, token) in &tokens {
                enrol(tx, controller, token, now).await?;
            }
            let summary = format!("Handed out tokens for {}.", counted(tokens.len(), "device"));
            tx.add_audit(now, &entry(actor, "device.enrolled", "", summary)).await?;
            Ok::<_, ServiceError>(())
        })?;
        Ok(tokens)
    }

    /// Takes a device's token away; what it says counts no more.
    ///
    /// # Errors
    /// There is no such device, or it is revoked already.
    pub async fn revoke_device(&self, actor: &Actor, controller: &str) -> Result<()> {
        actor.may(Act::ManageDevices)?;
        let now = self.clock.now();
        check_can_exist(controller)?;
        store::write!(self.store, tx => {
            let Some(facts) = tx.device_facts(controller).await? else {
                return Err(ServiceError::not_found(format!("Device {controller:?}")));
            };
            if !tx.revoke_device(controller, now).await? {
                return Err(ServiceError::conflict(format!("device {controller} is revoked already")));
            }
            tx.recheck(facts.device.room).await?;
            tx.add_audit(now, &entry(actor, "device.revoked", controller, format!("Revoked device {controller}."))).await?;
            Ok::<_, ServiceError>(())
        })?;
        self.wake();
        Ok(())
    }

    /// Writes the last contacts that are only in memory, at most once a minute. They may be lost, so nothing waits for them.
    pub(crate) async fn flush_last_contacts(&self) {
        let seen = self.last_contacts.take(self.clock.now());
        if let Err(error) = self.store.put_last_seen(&seen).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                contacts = seen.len(),
                "last contacts were not written"
            );
        }
    }
}

impl LastContacts {
    fn note(&self, device: DeviceId, at: DateTime<Utc>) {
        if let Ok(mut contacts) = self.0.lock() {
            contacts.unwritten.insert(device, at);
        }
    }

    /// Takes what is to be written: nothing within a minute after the last time.
    fn take(&self, now: DateTime<Utc>) -> BTreeMap<DeviceId, DateTime<Utc>> {
        let Ok(mut contacts) = self.0.lock() else {
            return BTreeMap::new();
        };
        if contacts.written_at.is_some_and(|at| now - at < TimeDelta::minutes(1)) {
            return BTreeMap::new();
        }
        contacts.written_at = Some(now);
        contacts.unwritten.drain().collect()
    }
}

/// Gives a device a token.
async fn enrol(tx: &mut store::Tx, controller: &str, token: &str, now: DateTime<Utc>) -> Result<()> {
    let Some((_, room)) = tx.room_of_device(controller).await? else {
        return Err(ServiceError::not_found(format!("Device {controller:?}")));
    };
    let record = tx.room_record(room).await?.ok_or(Refusal::NoSuchRoom)?;
    if record.state == RoomState::Retired {
        let room = record.name;
        return Err(ServiceError::conflict(format!(
            "{controller} is a device of {room}, which is retired: add the device to another room, or bring {room} back first"
        )));
    }
    tx.enrol_device(controller, &token_hash(token), now).await?;
    // It may have been revoked: the room has it again.
    tx.recheck(room).await.map_err(Into::into)
}

/// 256 random bits, in hex.
pub(crate) fn new_token() -> Result<String> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(ServiceError::Random)?;
    Ok(crate::artifacts::hex(&random))
}

/// What of a token is kept: its SHA-256.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// An id that no device can have is answered as not found, before the database is asked for it.
fn check_can_exist(controller: &str) -> Result<()> {
    crate::limits::check_controller(controller).map_err(|_| ServiceError::not_found(format!("Device {controller:?}")))
}

/// A number that changes with what is offered: clients send back an ETag over it.
fn offer_tag(action: ActionId, offer: Offer) -> u32 {
    let word = match offer {
        Offer::Nothing => 0,
        Offer::Install => 1,
        Offer::Prefetch => 2,
        Offer::Cancel => 3,
    };
    action.0.unsigned_abs().wrapping_mul(2_654_435_761).wrapping_add(word)
}

fn entry(actor: &Actor, action: &'static str, controller: &str, summary: String) -> AuditEntry {
    actor
        .entry(action, "device", controller, summary)
        .with_after(json!({ "device": controller }))
}
