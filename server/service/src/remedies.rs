//! Settings that devices are asked to change (C3), as the device conversation has them: an action of its own kind, one chunk whose part is
//! `settings`, one file `settings.json`.
//!
//! When one is wanted, and when it is done, `domain::readiness::decide` says. It waits while an install is open, and in a freeze. Start with
//! [`Service::open_setting_change`].

use chrono::{DateTime, Utc};
use domain::conversation::Outcome;
use domain::conversation::feedback::{Execution, Feedback, Finished};
use domain::ids::{ActionId, UpdateId};
use store::{ArtifactRecord, Caller, NewArtifact};
use uuid::Uuid;

use crate::Service;
use crate::artifacts::Hashes;
use crate::devices::Work;
use crate::error::{Result, ServiceError};

/// What the file says.
pub const SETTINGS: &[u8] = br#"{"settings":[{"name":"store_updates","value":"off"}]}"#;
/// What it is called.
pub const SETTINGS_FILE: &str = "settings.json";
/// The software module that devices see; releases count theirs from 1.
const MODULE: i32 = i32::MAX;

/// Most characters of what a device says when it could not change a setting.
const MOST_SAID: usize = 300;

/// The file as artifacts are.
fn artifact() -> ArtifactRecord {
    let hashes = Hashes::of(SETTINGS);
    ArtifactRecord {
        module: MODULE,
        artifact: NewArtifact {
            update: UpdateId(Uuid::nil()),
            filename: SETTINGS_FILE.to_owned(),
            size: SETTINGS.len() as u64,
            sha256: hashes.sha256,
            sha1: hashes.sha1,
            md5: hashes.md5,
            url: None,
        },
    }
}

impl Service {
    /// The change that a device is asked for now; `None`: none, or it has to wait.
    pub(crate) async fn open_setting_change(&self, caller: &Caller, now: DateTime<Utc>) -> Result<Option<ActionId>> {
        if !caller.has_setting_change || caller.open.is_some() {
            return Ok(None);
        }
        let mut tx = self.store.read().await?;
        // One that the device says it has done waits for its facts.
        let Some((action, false)) = tx.open_setting_change(caller.id).await? else {
            return Ok(None);
        };
        let Some(device) = tx.device_facts(&caller.controller).await? else {
            return Ok(None);
        };
        let freezes = tx.freezes().await?;
        let room = tx.rooms(&[device.device.room]).await?.pop();
        let is_free = room.is_some_and(|room| room.freeze_on(&freezes, room.zone.date(now)).is_none());
        Ok(is_free.then_some(action))
    }

    /// What the device is asked to do with an action that changes a setting; `None`: not its action, or it has to wait.
    pub(crate) async fn setting_work(&self, caller: &Caller, action: ActionId) -> Result<Option<Work>> {
        let open = self.open_setting_change(caller, self.clock.now()).await?;
        Ok((open == Some(action)).then(|| Work {
            action,
            window: None,
            part: "settings".to_owned(),
            product: "settings".to_owned(),
            version: "1".to_owned(),
            artifacts: vec![artifact()],
        }))
    }

    /// The file of a change that the device is asked for; `None`: it is asked for none.
    pub async fn settings_file(&self, caller: &Caller, module: i32, filename: &str) -> Result<Option<ArtifactRecord>> {
        if module != MODULE || filename != SETTINGS_FILE {
            return Ok(None);
        }
        let open = self.open_setting_change(caller, self.clock.now()).await?;
        Ok(open.map(|_| artifact()))
    }

    /// What the device says of it. Success is what its facts say next.
    pub(crate) async fn setting_feedback(
        &self,
        caller: &Caller,
        action: ActionId,
        feedback: &Feedback,
    ) -> Result<Outcome> {
        let now = self.clock.now();
        let outcome = store::write!(self.store, tx => {
            if !tx.is_setting_change_of(caller.id, action).await? {
                return Ok::<_, ServiceError>(Outcome::NotFound);
            }
            let open = tx.open_setting_change(caller.id).await?;
            if open.is_none_or(|(open, _)| open != action) {
                return Ok(Outcome::Ended);
            }
            match (feedback.execution, feedback.finished) {
                (Execution::Closed, Finished::Failure) => {
                    tx.setting_has_failed(caller.id, &feedback.summary(MOST_SAID), now).await?;
                    Ok(Outcome::Changed)
                }
                (Execution::Closed, _) => {
                    tx.setting_was_told(caller.id, action, now).await?;
                    Ok(Outcome::Noted)
                }
                _ => Ok(Outcome::Noted),
            }
        })?;
        if outcome == Outcome::Changed {
            self.wake();
        }
        Ok(outcome)
    }
}
