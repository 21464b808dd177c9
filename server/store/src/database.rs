//! An open database, and the transactions on it. Start with [`Store::read`].

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::conversation::{Outcome, Report};
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use crate::dialect;
use crate::error::Result;
use crate::tx::{Inner, Tx};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// One file, one serving process.
    Sqlite,
    /// A server, any number of processes.
    Postgres,
}

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Store {
    pub(crate) database: Database,
}

#[derive(Clone)]
pub(crate) enum Database {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        reports: mpsc::Sender<QueuedReport>,
        // Held for as long as the store: a second serving process finds it locked.
        _lock: Option<Arc<std::fs::File>>,
    },
    Postgres(PgPool),
}

/// A device's report, with the way back to whoever waits for its answer.
pub(crate) struct QueuedReport {
    pub(crate) report: Report,
    pub(crate) now: DateTime<Utc>,
    pub(crate) answer: oneshot::Sender<Result<Outcome>>,
}

impl Store {
    /// Writes a copy of an SQLite database as it stands at one instant, while others read and write. `false`: this is a Postgres,
    /// which has tools of its own for it.
    ///
    /// # Errors
    /// There is a file already, or the disk is full.
    pub async fn copy_to(&self, file: &Path) -> Result<bool> {
        match &self.database {
            Database::Sqlite { readers, .. } => {
                sqlx::query("VACUUM INTO $1")
                    .bind(file.display().to_string())
                    .execute(readers)
                    .await?;
                Ok(true)
            }
            Database::Postgres(_) => Ok(false),
        }
    }

    /// Which database this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.database {
            Database::Sqlite { .. } => Engine::Sqlite,
            Database::Postgres(_) => Engine::Postgres,
        }
    }

    /// A writing transaction. Use [`write!`](crate::write), which commits and tries again.
    ///
    /// # Errors
    /// The database is away or busy for too long.
    pub async fn begin(&self) -> Result<Tx> {
        match &self.database {
            Database::Sqlite { writer, .. } => {
                let inner = Inner::Sqlite(writer.begin_with(dialect::BEGIN_WRITE_SQLITE).await?);
                Ok(Tx { inner })
            }
            Database::Postgres(pool) => dialect::begin_postgres(pool, dialect::BEGIN_WRITE_POSTGRES).await,
        }
    }

    /// A short writing transaction that locks row by row what it changes: for typed commands, which guard themselves.
    pub(crate) async fn begin_command(&self) -> Result<Tx> {
        match &self.database {
            Database::Sqlite { .. } => self.begin().await,
            Database::Postgres(pool) => dialect::begin_postgres(pool, dialect::BEGIN_COMMAND_POSTGRES).await,
        }
    }

    /// A reading transaction: one snapshot for all its queries. Dropping it ends it.
    pub async fn read(&self) -> Result<Tx> {
        match &self.database {
            Database::Sqlite { readers, .. } => {
                let inner = Inner::Sqlite(readers.begin_with(dialect::BEGIN_READ_SQLITE).await?);
                Ok(Tx { inner })
            }
            Database::Postgres(pool) => dialect::begin_postgres(pool, dialect::BEGIN_READ_POSTGRES).await,
        }
    }

    /// Waits for what runs and closes all connections.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Database::Postgres(pool) => pool.close().await,
        }
    }
}
