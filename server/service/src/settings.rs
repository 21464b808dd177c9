//! What the organisation has set (S3, S12, W1, W4, W5), and changing it.

use domain::access::Act;
use domain::changes::Applied;
use domain::clean::CleanLine;
use domain::commands::edit_settings::{check_settings, edit_settings};
use domain::settings::{Organisation, Settings};
use domain::zone::Zone;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::change::change;
use crate::error::{Result, ServiceError};
use crate::limits::{LONGEST_NAME, check_text};
use crate::tick::organisation;
use crate::{Actor, Service, artifacts};

/// The organisation as a form has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationDraft {
    /// Its name, as the top bar shows it.
    pub name: CleanLine,
    /// IANA zone: a rollout's days are days in it (W7).
    pub zone: CleanLine,
    /// Numbers.
    pub settings: Settings,
}

/// Changes with whatever is set: a form says as which it was read.
#[must_use]
pub fn fingerprint(organisation: &Organisation) -> String {
    let text = serde_json::to_string(organisation).unwrap_or_default();
    artifacts::hex(&Sha256::digest(text.as_bytes()))[..16].to_owned()
}

impl Service {
    /// Changes what the organisation has set, as it was when `seen` was its [`fingerprint`]. Windows and nights ahead follow at once; what has
    /// started goes on. Which way updates go (S12) and on which day they start (S3) matters to those that are published later.
    ///
    /// # Errors
    /// Names the field and the limit; a running update would not fit into the window (S7); somebody has changed something meanwhile.
    pub async fn edit_settings(&self, actor: &Actor, seen: &str, draft: &OrganisationDraft) -> Result<()> {
        actor.may(Act::EditSettings)?;
        check_text("name", &draft.name, LONGEST_NAME)?;
        let zone =
            Zone::parse(draft.zone.as_str()).map_err(|error| ServiceError::invalid("zone", error.to_string()))?;
        check_settings(&draft.settings)?;
        let after = Organisation {
            name: draft.name.to_string(),
            zone,
            settings: draft.settings.clone(),
        };
        change!(
            self,
            actor,
            Act::EditSettings,
            |tx| {
                let live = tx.live_rollouts().await?;
                for update in &live {
                    tx.lock_rollout(*update).await?;
                }
                let before = organisation(tx).await?;
                if fingerprint(&before) != seen {
                    let problem = "the settings were changed by somebody else meanwhile; look at them again";
                    return Err(ServiceError::conflict(problem));
                }
                (before, tx.updates(&live).await?)
            },
            |(before, live), now| {
                let changes = edit_settings(&before, &after, live.values(), now)?;
                let entry = actor
                    .entry("settings.changed", "settings", "", "Changed the settings.".to_owned())
                    .with_before(json!(facts(&before)))
                    .with_after(json!(facts(&after)));
                let entries = if changes.is_empty() { Vec::new() } else { vec![entry] };
                (changes, |_: &Applied| Ok((entries, ())))
            }
        )
    }
}

/// Field by field, so that the audit names what has changed.
fn facts(organisation: &Organisation) -> serde_json::Value {
    let mut facts = serde_json::to_value(&organisation.settings).unwrap_or_default();
    facts["name"] = organisation.name.clone().into();
    facts["zone"] = organisation.zone.name().into();
    facts
}
