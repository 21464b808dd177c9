//! The programs that devices list (`docs/devices.md` 4): taken from a device, and given to people as a file.
//!
//! What a list means is `domain::conversation::programs`'s, and what it means for a room's checks `domain::readiness`'s. Start with
//! [`Service::programs`].

use chrono::SecondsFormat;
use domain::access::Act;
use domain::conversation::programs::{self, Program, ProgramList, ProgramListRefusal};
use domain::ids::DeviceId;

use crate::error::{Result, ServiceError};
use crate::spreadsheet::{self, CsvStream};
use crate::{Actor, Service};

/// What the columns of a file of programs are called.
const COLUMNS: [&str; 5] = ["name", "version", "publisher", "source", "taken_at"];

impl Service {
    /// Takes the list of programs of a device. It is durable when this returns; the room's checks are made again (C5). The inner error:
    /// the list breaks a limit, and nothing of it is kept.
    pub async fn programs(
        &self,
        device: DeviceId,
        list: ProgramList,
    ) -> Result<std::result::Result<(), ProgramListRefusal>> {
        let now = self.clock.now();
        let taken = store::write!(self.store, tx => {
            tx.lock_programs(device).await?;
            let Some((room, known)) = tx.program_list(device).await? else {
                return Ok::<_, ServiceError>(Ok(()));
            };
            let taken = match programs::take(known.as_ref(), list.clone(), now) {
                Ok(Some(taken)) => taken,
                Ok(None) => return Ok(Ok(())),
                Err(refusal) => return Ok(Err(refusal)),
            };
            tx.put_program_list(device, &taken, now).await?;
            tx.check_soon(&[room]).await?;
            Ok(Ok(()))
        })?;
        if taken.is_ok() {
            self.wake();
        }
        Ok(taken)
    }

    /// The newest list of a device's programs as a comma-separated file, by name.
    ///
    /// # Errors
    /// Whoever asks may not see rooms, or the device has sent no list.
    pub async fn export_programs(&self, actor: &Actor, device: DeviceId) -> Result<CsvStream> {
        actor.may(Act::See)?;
        let found = self.store.read().await?.program_list(device).await?;
        let Some(list) = found.and_then(|(_, list)| list) else {
            return Err(ServiceError::not_found("A list of this device's programs"));
        };
        let taken_at = list.taken_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let row = |program: Program| {
            vec![
                program.name,
                program.version,
                program.publisher,
                program.source,
                taken_at.clone(),
            ]
        };
        let rows: Vec<Vec<String>> = list.programs.into_iter().map(row).collect();
        let rows = futures::stream::once(async move { Ok(rows) });
        Ok(spreadsheet::file(&COLUMNS, Box::pin(rows)))
    }
}
