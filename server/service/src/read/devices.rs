//! Devices as the command line lists them: what they call themselves, and whether they may speak (A4).

use serde::Serialize;
use store::DeviceLineRecord;

use crate::Service;
use crate::error::Result;

/// A device in the list of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceAccess {
    /// What it calls itself on the wire.
    pub controller: String,
    /// Its room's name.
    pub room: String,
    /// As its vendor calls it.
    pub model: String,
    /// Whether it has a token.
    pub token: DeviceToken,
}

/// Whether a device has a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceToken {
    /// None was made for it yet.
    None,
    /// It has one.
    Enrolled,
    /// It was taken away.
    Revoked,
}

impl From<DeviceLineRecord> for DeviceAccess {
    fn from(record: DeviceLineRecord) -> Self {
        Self {
            controller: record.controller,
            room: record.room,
            model: record.model,
            token: match record.state {
                "enrolled" => DeviceToken::Enrolled,
                "revoked" => DeviceToken::Revoked,
                _ => DeviceToken::None,
            },
        }
    }
}

impl Service {
    /// At most `limit` devices by what they call themselves, after one of them; `after` empty: from the first.
    pub async fn devices_after(&self, after: &str, limit: i64) -> Result<Vec<DeviceAccess>> {
        let devices = self.store.read().await?.devices_after(after, limit).await?;
        Ok(devices.into_iter().map(DeviceAccess::from).collect())
    }
}
