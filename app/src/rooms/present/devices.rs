//! What people change about the devices of a room (A4).

use domain::ids::RoomId;
use service::rooms::DeviceDraft;

use crate::components::model::{FormSuccess, OneTimeSecret};
use crate::context::{RequestContext, Result};

impl RequestContext {
    /// Adds a device to a room; its token is shown this once (A4).
    ///
    /// # Errors
    /// As [`service::Service::add_device`].
    pub async fn add_device(&self, room: RoomId, draft: DeviceDraft) -> Result<FormSuccess> {
        let token = self.service.add_device(&self.viewer.actor, room, &draft).await?;
        Ok(self.with_token(
            format!("The device {} was added.", draft.controller.trim()),
            room,
            draft.controller.trim(),
            token,
        ))
    }

    /// Hands out a new token for a device (A4).
    ///
    /// # Errors
    /// As [`service::Service::enrol_device`].
    pub async fn renew_device(&self, room: RoomId, controller: &str) -> Result<FormSuccess> {
        let token = self.service.enrol_device(&self.viewer.actor, controller).await?;
        Ok(self.with_token(
            format!("{controller} has a new token; the old one has stopped working."),
            room,
            controller,
            token,
        ))
    }

    fn with_token(&self, text: String, room: RoomId, controller: &str, token: String) -> FormSuccess {
        let address = &self.service.process_config().public_url;
        FormSuccess {
            text,
            to: format!("/rooms/{room}"),
            one_time_secret: Some(OneTimeSecret {
                why: format!(
                    "Give this token to the agent of {controller} now; it is not shown again. The agent checks in at {address}."
                ),
                secret: token,
            }),
        }
    }

    /// Takes a device's token away.
    ///
    /// # Errors
    /// As [`service::Service::revoke_device`].
    pub async fn revoke_device(&self, room: RoomId, controller: &str) -> Result<FormSuccess> {
        self.service.revoke_device(&self.viewer.actor, controller).await?;
        Ok(FormSuccess::new(
            format!("{controller} was revoked: it may not check in any more."),
            format!("/rooms/{room}"),
        ))
    }

    /// Asks the devices of a room for their facts.
    ///
    /// # Errors
    /// As [`service::Service::refresh_facts`].
    pub async fn refresh_facts(&self, room: RoomId) -> Result<FormSuccess> {
        let devices = self.service.refresh_facts(&self.viewer.actor, room).await?;
        let text = match devices {
            1 => "The device is asked for its facts with its next poll.".to_owned(),
            devices => format!("{devices} devices are asked for their facts with their next polls."),
        };
        Ok(FormSuccess::new(text, format!("/rooms/{room}")))
    }
}
