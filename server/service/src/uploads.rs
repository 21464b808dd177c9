//! Files that people have sent and not decided on yet (P0, P7): what they would become is shown first. They are forgotten after a day.

use chrono::TimeDelta;
use domain::clean::CleanLine;
use store::{Tx, UploadRecord};
use uuid::Uuid;

use crate::error::{Result, ServiceError};
use crate::limits::LONGEST_NAME;
use crate::{Actor, Service};

/// How long a file waits for somebody to decide on it.
const UPLOAD_LIFETIME: TimeDelta = TimeDelta::days(1);

impl Service {
    /// Keeps a file that is to become `kind`.
    pub(crate) async fn keep_upload(&self, actor: &Actor, kind: &str, name: &str, text: String) -> Result<Uuid> {
        let now = self.clock.now();
        let upload = UploadRecord {
            id: self.new_id()?,
            kind: kind.to_owned(),
            name: CleanLine::from(name)
                .as_str()
                .chars()
                .filter(|c| !c.is_control())
                .take(LONGEST_NAME)
                .collect(),
            // Postgres takes no NUL. Another character that cannot be shown is refused in its place, with the line and the field.
            text: text.replace('\0', "\u{1}"),
            made_by: actor.signature(),
            made_at: now,
        };
        store::write!(self.store, tx => {
            tx.forget_uploads(None, now - UPLOAD_LIFETIME).await?;
            tx.add_upload(&upload).await?;
            Ok::<_, ServiceError>(())
        })?;
        Ok(upload.id)
    }

    /// Forgets a file that was imported.
    pub(crate) async fn forget_upload(&self, id: Uuid) -> Result<()> {
        let old = self.clock.now() - UPLOAD_LIFETIME;
        store::write!(self.store, tx => { Ok::<_, ServiceError>(tx.forget_uploads(Some(id), old).await?) })
    }
}

/// The file that waits to become `kind`.
pub(crate) async fn pending_upload(tx: &mut Tx, id: Uuid, kind: &str) -> Result<UploadRecord> {
    let upload = tx.upload(id).await?.filter(|upload| upload.kind == kind);
    upload
        .ok_or_else(|| ServiceError::not_found("This file, which is imported already or was sent more than a day ago,"))
}
