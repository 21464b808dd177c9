//! Opening a database. `migrations.rs` brings it up to date; `database.rs` begins transactions on it.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::mpsc;

use crate::database::{Database, Store};
use crate::devices;
use crate::dialect;
use crate::error::{Result, StoreError};

/// Connections that read an SQLite file at once; each is a thread. More of them than there are cores wait for each other.
const READERS: u32 = 4;

impl Store {
    /// Opens `sqlite:PATH` (made when it is missing) or `postgres://…`. Does not migrate.
    ///
    /// `serving`: an SQLite file is locked against a second serving process.
    ///
    /// # Errors
    /// The address is not usable, the file is in use, or the server cannot be reached.
    pub async fn open(address: &str, serving: bool) -> Result<Self> {
        if let Some(path) = address.strip_prefix("sqlite:") {
            // Its writer and its readers would each have a database of their own, and all be gone at the end.
            if path.is_empty() || path.starts_with(':') {
                return Err(StoreError::Address(format!(
                    "{address:?} must name a file: sqlite:PATH"
                )));
            }
            Self::open_sqlite(Path::new(path), serving).await
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            Self::open_postgres(address).await
        } else {
            // Not the address itself: there may be a password in it.
            Err(StoreError::Address("must start with sqlite: or postgres://".to_owned()))
        }
    }

    async fn open_sqlite(path: &Path, serving: bool) -> Result<Self> {
        let lock = if serving {
            Some(Arc::new(lock_file(path)?))
        } else {
            None
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "memory");
        let never = None::<Duration>;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(never)
            .max_lifetime(never)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(60))
            .after_release(|connection, _| Box::pin(dialect::is_outside_transaction(connection)))
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(never)
            .max_lifetime(never)
            .test_before_acquire(false)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        let (reports, queue) = mpsc::channel(4096);
        tokio::spawn(devices::run_queue(writer.clone(), queue));
        Ok(Self {
            database: Database::Sqlite {
                writer,
                readers,
                reports,
                _lock: lock,
            },
        })
    }

    async fn open_postgres(address: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(address)?.application_name("nightshift");
        let pool = PgPoolOptions::new()
            .max_connections(20)
            // A device or a page that waits longer for a server that is away is better told so.
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        Ok(Self {
            database: Database::Postgres(pool),
        })
    }
}

/// Takes the lock beside an SQLite file; it goes with the process.
fn lock_file(path: &Path) -> Result<std::fs::File> {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let refused = |error: std::io::Error| StoreError::Address(format!("{}: {error}", lock.display()));
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock)
        .map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(refused(error)),
    }
}
