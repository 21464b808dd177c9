//! Everything that the two engines do differently: how to begin, which errors mean "again", the tick's lock.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Error, PgPool};

use crate::error::{Result, StoreError};
use crate::tx::{Inner, Tx};

/// SQLite: the write lock is taken at once, so that a transaction never has to turn from reader to writer.
pub(crate) const BEGIN_WRITE_SQLITE: &str = "BEGIN IMMEDIATE";
/// Postgres: overlapping "none yet, so insert" transactions must not both succeed.
pub(crate) const BEGIN_WRITE_POSTGRES: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// One snapshot for all queries of a page.
pub(crate) const BEGIN_READ_SQLITE: &str = "BEGIN DEFERRED";
/// One snapshot for all queries of a page.
pub(crate) const BEGIN_READ_POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Device commands are guarded row by row.
pub(crate) const BEGIN_COMMAND_POSTGRES: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Postgres: only one process plans at a time. SQLite holds its write lock already.
pub(crate) const TICK_LOCK_POSTGRES: &str = "SELECT pg_try_advisory_xact_lock(7236710233)";

/// Keeps a rollout from being paused while a device's start is written.
pub(crate) const SHARE_ROLLOUT_POSTGRES: &str = "SELECT update_id FROM rollouts WHERE update_id = $1 FOR SHARE";

/// Keeps a release from being recalled while a device's start is written.
pub(crate) const SHARE_RELEASE_POSTGRES: &str = "SELECT id FROM updates WHERE id = $1 FOR SHARE";

/// The other side of it: waits for starts that are being written, and lets no more begin until the transaction ends.
pub(crate) const LOCK_ROLLOUT_POSTGRES: &str = "SELECT update_id FROM rollouts WHERE update_id = $1 FOR NO KEY UPDATE";

/// The same for the release: a device that starts it as a step shares it, and another rollout.
pub(crate) const LOCK_RELEASE_POSTGRES: &str = "SELECT id FROM updates WHERE id = $1 FOR NO KEY UPDATE";

/// Postgres: all rings at once and in one order, before the first of them is written: two that change rings wait for each other and
/// not in a circle. Rooms that are moved meanwhile are not held up.
pub(crate) const LOCK_RINGS_POSTGRES: &str = "SELECT id FROM rings ORDER BY id FOR NO KEY UPDATE";

/// Postgres: what a new freeze will refer to, as the foreign keys lock it.
pub(crate) const LOCK_RING_POSTGRES: &str = "SELECT id FROM rings WHERE id = $1 FOR KEY SHARE";
/// Postgres: see [`LOCK_RING_POSTGRES`].
pub(crate) const LOCK_ROOM_POSTGRES: &str = "SELECT id FROM rooms WHERE id = $1 FOR KEY SHARE";
/// Postgres: see [`LOCK_RING_POSTGRES`].
pub(crate) const LOCK_ROOMS_AT_POSTGRES: &str = "SELECT id FROM rooms WHERE site_id = $1 ORDER BY id FOR KEY SHARE";

/// Begins in a task of its own: a request that is dropped while its BEGIN is under way would leave the connection inside a
/// transaction that nobody ends.
pub(crate) async fn begin_postgres(pool: &PgPool, statement: &'static str) -> Result<Tx> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    let transaction = begun.await.map_err(|_| Error::WorkerCrashed)??;
    Ok(Tx {
        inner: Inner::Postgres(transaction),
    })
}

/// SQLite: whether a connection may be used again. When the disk is full SQLite ends a transaction by itself, of which sqlx does
/// not hear: it would refuse to begin another one on this connection.
pub(crate) async fn is_outside_transaction(connection: &mut SqliteConnection) -> std::result::Result<bool, Error> {
    // The rollback of a transaction that was dropped is still on its way.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        classify(error)
    }
}

fn classify(error: Error) -> StoreError {
    match &error {
        Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            // Postgres: serialization failure, deadlock. SQLite: BUSY and LOCKED with their extended codes.
            let again = matches!(code.as_ref(), "40001" | "40P01" | "5" | "6" | "261" | "517" | "262");
            // Postgres: shutting down, connection lost, too many connections. SQLite: the disk is full, input and output fail.
            let unavailable = code.starts_with("57P")
                || code.starts_with("08")
                || code == "53300"
                || code == "13"
                || code.parse::<u32>().is_ok_and(|code| code & 0xff == 10);
            let constraint = database.is_unique_violation()
                || database.is_check_violation()
                || database.is_foreign_key_violation()
                || code == "1811";
            if again {
                StoreError::Conflict(error)
            } else if unavailable {
                StoreError::Unavailable(error)
            } else if constraint {
                StoreError::Constraint(database.message().to_owned(), error)
            } else {
                StoreError::Database(error)
            }
        }
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::Tls(_) => StoreError::Unavailable(error),
        _ => StoreError::Database(error),
    }
}

/// Postgres: one device command at a time on an install. SQLite has one writer.
pub(crate) const LOCK_INSTALL_POSTGRES: &str = "SELECT action_id FROM installs WHERE action_id = $1 FOR UPDATE";

/// SQLite: the next number of an action in the table `$1` is above `$2`. The table has a row once an action was made.
pub(crate) const SKIP_ACTION_NUMBERS_SQLITE: [&str; 2] = [
    "INSERT INTO sqlite_sequence (name, seq) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = $1)",
    "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1 AND seq < $2",
];

/// The same on Postgres, for installs. Another process may take numbers meanwhile: they are below, and stay so.
pub(crate) const SKIP_INSTALL_NUMBERS_POSTGRES: &str =
    "SELECT setval(pg_get_serial_sequence('installs', 'action_id'), $1)
    FROM installs_action_id_seq WHERE last_value < $1";

/// The same on Postgres, for changed settings.
pub(crate) const SKIP_SETTING_NUMBERS_POSTGRES: &str =
    "SELECT setval(pg_get_serial_sequence('setting_changes', 'action_id'), $1)
    FROM setting_changes_action_id_seq WHERE last_value < $1";

/// Postgres: one report of facts at a time from a device.
pub(crate) const LOCK_DEVICE_POSTGRES: &str = "SELECT id FROM devices WHERE id = $1 FOR UPDATE";

/// Postgres: whoever works out how all versions of a product stand to a release waits for new versions, and is told to do it again.
pub(crate) const LOCK_PRODUCT_POSTGRES: &str = "SELECT id FROM products WHERE id = $1 FOR UPDATE";

/// Postgres: only one process extends the audit's chain at a time.
pub(crate) const SEAL_LOCK_POSTGRES: &str = "SELECT pg_try_advisory_xact_lock(7236710234)";
