//! Installs: rows to values and back.

use chrono::{DateTime, Utc};
use domain::changes::NewInstall;
use domain::deployment::Failure;
use domain::ids::{ActionId, DeploymentId, DeviceId, UpdateId};
use domain::install::{Install, InstallState};
use domain::start_window::StartWindow;
use uuid::Uuid;

use crate::deployments::BATCH;
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::rows::{ids_in, instant, micros, needed, opt_instant, opt_micros, small, word};
use crate::settings_changes::FIRST_SETTING_ACTION;
use crate::tx::{Inner, Tx, each};

/// The columns that an install's state fills.
struct InstallColumns {
    state: &'static str,
    state_at: Option<DateTime<Utc>>,
    heard_at: Option<DateTime<Utc>>,
    silent_at: Option<DateTime<Utc>>,
    installed_chunks: bool,
    objects: bool,
    doubtful: bool,
    failure: Option<&'static str>,
}

fn install_columns(state: &InstallState) -> InstallColumns {
    let of = |state, state_at| InstallColumns {
        state,
        state_at,
        heard_at: None,
        silent_at: None,
        installed_chunks: false,
        objects: false,
        doubtful: false,
        failure: None,
    };
    match state {
        InstallState::Planned => of("planned", None),
        InstallState::Started {
            heard_at,
            silent_at,
            installed_chunks,
            objects,
        } => InstallColumns {
            heard_at: Some(*heard_at),
            silent_at: *silent_at,
            installed_chunks: *installed_chunks,
            objects: *objects,
            ..of("started", None)
        },
        InstallState::Installed { at, doubtful } => InstallColumns {
            doubtful: *doubtful,
            ..of("installed", Some(*at))
        },
        InstallState::Completed { at } => of("completed", Some(*at)),
        InstallState::Failed { at, failure } => InstallColumns {
            failure: Some(failure.as_str()),
            ..of("failed", Some(*at))
        },
        InstallState::Withdrawn { at } => of("withdrawn", Some(*at)),
        InstallState::Canceled { at } => of("canceled", Some(*at)),
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct InstallRow {
    pub(crate) action_id: i32,
    pub(crate) deployment_id: Uuid,
    pub(crate) update_id: Uuid,
    pub(crate) device_id: Uuid,
    pub(crate) attempt: i64,
    pub(crate) window_opens: Option<i64>,
    pub(crate) window_closes: Option<i64>,
    pub(crate) state: String,
    pub(crate) state_at: Option<i64>,
    pub(crate) heard_at: Option<i64>,
    pub(crate) silent_at: Option<i64>,
    pub(crate) installed_chunks: bool,
    pub(crate) objects: bool,
    pub(crate) doubtful: bool,
    pub(crate) failure: Option<String>,
    pub(crate) shown_up_at: Option<i64>,
    pub(crate) started_at: Option<i64>,
    pub(crate) detail: String,
    pub(crate) cancel_wanted: Option<String>,
}

pub(crate) const INSTALL_COLUMNS: &str = "action_id, deployment_id, update_id, device_id, attempt, window_opens, window_closes, \
    state, state_at, heard_at, silent_at, installed_chunks, objects, doubtful, failure, shown_up_at, started_at, detail, cancel_wanted";

impl InstallRow {
    pub(crate) fn into_domain(self) -> Result<Install> {
        let table = "installs";
        let id = self.action_id;
        let at = || needed(table, id, "the instant of its state", self.state_at);
        let state = match self.state.as_str() {
            "planned" => InstallState::Planned,
            "started" => InstallState::Started {
                heard_at: needed(table, id, "the instant of its last report", self.heard_at)?,
                silent_at: opt_instant(table, id, self.silent_at)?,
                installed_chunks: self.installed_chunks,
                objects: self.objects,
            },
            "installed" => InstallState::Installed {
                at: at()?,
                doubtful: self.doubtful,
            },
            "completed" => InstallState::Completed { at: at()? },
            "failed" => {
                let failure = word(
                    table,
                    id,
                    self.failure.as_deref().unwrap_or_default(),
                    Failure::from_word,
                )?;
                InstallState::Failed { at: at()?, failure }
            }
            "withdrawn" => InstallState::Withdrawn { at: at()? },
            "canceled" => InstallState::Canceled { at: at()? },
            other => return Err(StoreError::row(table, id, format!("{other:?} is unknown"))),
        };
        let window = match (self.window_opens, self.window_closes) {
            (Some(opens), Some(closes)) => {
                let window = StartWindow::new(instant(table, id, opens)?, instant(table, id, closes)?);
                Some(window.ok_or_else(|| StoreError::row(table, id, "has a window that closes before it opens"))?)
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(StoreError::row(table, id, "has half a window")),
        };
        Ok(Install {
            action: ActionId(id),
            deployment: DeploymentId(self.deployment_id),
            update: UpdateId(self.update_id),
            device: DeviceId(self.device_id),
            attempt: small(table, id, self.attempt)?,
            window,
            state,
            shown_up_at: opt_instant(table, id, self.shown_up_at)?,
            started_at: opt_instant(table, id, self.started_at)?,
            detail: self.detail,
            cancel_wanted: self.cancel_wanted,
        })
    }
}

impl Tx {
    /// Writes installs in their new state. Devices write them too: on Postgres a row that has changed since this transaction's
    /// snapshot has it start again, or is locked by it; SQLite has one writer.
    ///
    /// # Errors
    /// An install is not there.
    pub async fn put_installs(&mut self, installs: &[Install]) -> Result<()> {
        for batch in installs.chunks(BATCH) {
            let written = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "UPDATE installs SET state = changed.column2, state_at = changed.column3, heard_at = changed.column4, silent_at = changed.column5,
                        installed_chunks = changed.column6, doubtful = changed.column7, failure = changed.column8, shown_up_at = changed.column9,
                        started_at = changed.column10, detail = changed.column11, cancel_wanted = changed.column12, objects = changed.column13, revision = revision + 1
                    FROM (",
                );
                query.push_values(batch, |mut row, install| {
                    let columns = install_columns(&install.state);
                    row.push_bind(install.action.0)
                        .push_bind(columns.state)
                        .push_bind(opt_micros(columns.state_at))
                        .push_bind(opt_micros(columns.heard_at))
                        .push_bind(opt_micros(columns.silent_at))
                        .push_bind(columns.installed_chunks)
                        .push_bind(columns.doubtful)
                        .push_bind(columns.failure)
                        .push_bind(opt_micros(install.shown_up_at))
                        .push_bind(opt_micros(install.started_at))
                        .push_bind(install.detail.as_str())
                        .push_bind(install.cancel_wanted.as_deref())
                        .push_bind(columns.objects);
                });
                query.push(") AS changed WHERE installs.action_id = changed.column1");
                query.build().execute(c).await.map(|done| done.rows_affected())
            })?;
            if usize::try_from(written) != Ok(batch.len()) {
                let of = batch
                    .iter()
                    .map(|install| install.action.to_string())
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(StoreError::row("installs", of, "is not there to be changed"));
            }
        }
        Ok(())
    }

    /// The installs of a deployment, oldest first.
    pub async fn installs_of(&mut self, deployment: DeploymentId) -> Result<Vec<Install>> {
        let rows: Vec<InstallRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new("SELECT ");
            query.push(INSTALL_COLUMNS).push(" FROM installs WHERE deployment_id = ");
            query.push_bind(deployment.0);
            query.push(" ORDER BY action_id");
            query.build_query_as().fetch_all(c).await
        })?;
        rows.into_iter().map(InstallRow::into_domain).collect()
    }

    /// No install that is made from now on has one of the first `used` action numbers, and no changed setting one of the first `used` of
    /// theirs (`docs/devices.md` 2.5).
    pub async fn skip_action_numbers(&mut self, used: i32) -> Result<()> {
        let of_settings = FIRST_SETTING_ACTION.0.saturating_add(used);
        match &mut self.inner {
            Inner::Sqlite(transaction) => {
                for (table, most) in [("installs", used), ("setting_changes", of_settings)] {
                    for sql in dialect::SKIP_ACTION_NUMBERS_SQLITE {
                        sqlx::query(sql)
                            .bind(table)
                            .bind(most)
                            .execute(&mut **transaction)
                            .await?;
                    }
                }
            }
            Inner::Postgres(transaction) => {
                for (sql, most) in [
                    (dialect::SKIP_INSTALL_NUMBERS_POSTGRES, used),
                    (dialect::SKIP_SETTING_NUMBERS_POSTGRES, of_settings),
                ] {
                    sqlx::query(sql).bind(most).fetch_optional(&mut **transaction).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes installs; each gets its action id from the database. Their devices are asked for their facts.
    ///
    /// # Errors
    /// A device has an open install.
    pub async fn add_installs(&mut self, installs: &[NewInstall]) -> Result<()> {
        for batch in installs.chunks(BATCH) {
            each!(self, c => {
                let mut query = sqlx::QueryBuilder::new(
                    "INSERT INTO installs (deployment_id, update_id, device_id, attempt, window_opens, window_closes, state,
                    installed_chunks, doubtful, detail) ",
                );
                query.push_values(batch, |mut row, install| {
                    row.push_bind(install.deployment.0)
                        .push_bind(install.update.0)
                        .push_bind(install.device.0)
                        .push_bind(i64::from(install.attempt))
                        .push_bind(install.window.map(|window| micros(window.opens())))
                        .push_bind(install.window.map(|window| micros(window.closes())))
                        .push_bind("planned")
                        .push_bind(false)
                        .push_bind(false)
                        .push_bind("");
                });
                query.build().execute(c).await.map(drop)
            })?;
            // Facts are asked for ahead of a window; a forced device is not kept waiting for them.
            let ahead: Vec<Uuid> = batch
                .iter()
                .filter(|install| install.window.is_some())
                .map(|install| install.device.0)
                .collect();
            if !ahead.is_empty() {
                each!(self, c => {
                    let mut query = sqlx::QueryBuilder::new("UPDATE devices SET facts_wanted = ");
                    query.push_bind(true);
                    query.push(" WHERE id IN (");
                    ids_in(&mut query, ahead.iter().copied());
                    query.build().execute(c).await.map(drop)
                })?;
            }
        }
        Ok(())
    }
}
