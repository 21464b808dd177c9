//! Bringing a database up to date, and saying what was done to it (G1).
//!
//! The files are in `migrations/`. Nothing else changes a schema. Start with [`Store::migrate`].

use std::fmt;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::database::{Database, Store};
use crate::dialect;
use crate::error::{Result, StoreError};

/// Where sqlx notes which migrations a database has.
const TABLE: &str = "_sqlx_migrations";
/// How often a migration begins anew that met somebody else's locks.
const MIGRATION_ATTEMPTS: u32 = 5;

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// What the migrations do to rows that are there, by number. The others only add tables, columns and indexes; their names say enough.
const SENTENCES: [(i64, &str); 12] = [
    (6, "The end of the audit's chain is noted beside the chain."),
    (
        9,
        "The names of rooms, updates and tickets are put into an index for the search.",
    ),
    (10, "The rooms of each ring and the tickets of each state are counted."),
    (
        11,
        "Each deployment gets a copy of its room's key, and the tickets that make a room unhealthy are counted.",
    ),
    (
        12,
        "Names in another Unicode form get a second key, under which they are found; no name is changed.",
    ),
    (
        13,
        "Deployments and rollouts can keep the facts of their reasons; the sentences that are there stay as they are.",
    ),
    (
        14,
        "Each deployment notes what it has come to, so that lists count by it. Rows that contradict themselves are mended; nothing else is changed.",
    ),
    (
        15,
        "Devices note when they told each attribute, installs that their device objects, and zones for which night their devices were asked \
            for their facts. Components that no device has named are known as imported.",
    ),
    (
        16,
        "Deployments count the windows in which they were offered and did not start. None of the earlier windows is counted.",
    ),
    (
        17,
        "Blocks that came with files are removed: what keeps updates away follows from readiness checks, which are made in all rooms now. \
            Every room keeps its state.",
    ),
    (
        18,
        "Apps have a support policy, and the version that each device has of each product is noted with its time.",
    ),
    (
        22,
        "In which room each device was, from when until when, is noted as the audit has it.",
    ),
];

/// A migration that this program has just applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its number.
    pub version: i64,
    /// The name of its files, in words.
    pub name: String,
}

impl AppliedMigration {
    /// What it does to rows that are there, in one sentence; `None`: nothing.
    #[must_use]
    pub fn sentence(&self) -> Option<&'static str> {
        let mut known = SENTENCES.iter();
        known.find_map(|(version, sentence)| (*version == self.version).then_some(*sentence))
    }
}

/// `Migration 0003, people.`, or with what it does: `Migration 0011, lists: Each deployment …`
impl fmt::Display for AppliedMigration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, name } = self;
        match self.sentence() {
            Some(sentence) => write!(f, "Migration {version:04}, {name}: {sentence}"),
            None => write!(f, "Migration {version:04}, {name}."),
        }
    }
}

/// The numbers of the migrations that a database has.
async fn versions<C: Migrate>(connection: &mut C) -> std::result::Result<Vec<i64>, MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// The migrations of this program without those that were there before.
fn applied_since(before: &[i64], migrator: &Migrator) -> Vec<AppliedMigration> {
    let new = migrator.iter().filter(|migration| !before.contains(&migration.version));
    let applied = new.map(|migration| AppliedMigration {
        version: migration.version,
        name: migration.description.to_string(),
    });
    applied.collect()
}

async fn migrate_sqlite(connection: &mut SqliteConnection) -> std::result::Result<Vec<AppliedMigration>, MigrateError> {
    let before = versions(connection).await?;
    SQLITE.run_direct(None, connection, false).await?;
    Ok(applied_since(&before, &SQLITE))
}

/// Takes sqlx's lock once more than sqlx does, so that another process applies nothing between the look at what is there and the run.
async fn migrate_postgres(connection: &mut PgConnection) -> std::result::Result<Vec<AppliedMigration>, MigrateError> {
    connection.lock().await?;
    let before = versions(connection).await?;
    let mut outcome = POSTGRES.run_direct(None, connection, false).await;
    for _ in 0..MIGRATION_ATTEMPTS {
        if !outcome.as_ref().is_err_and(is_deadlock) {
            break;
        }
        outcome = POSTGRES.run_direct(None, connection, false).await;
    }
    outcome.map(|()| applied_since(&before, &POSTGRES))
}

/// Whether a migration and somebody else have waited for each other.
fn is_deadlock(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "40P01")
}

impl Store {
    /// Brings the schema up to date; several processes may do so at once. Gives the migrations that this call has applied, in order.
    ///
    /// # Errors
    /// The database is newer than this program, or a migration fails.
    pub async fn migrate(&self) -> Result<Vec<AppliedMigration>> {
        let outcome = match &self.database {
            // sqlx has no lock of its own for SQLite: the write lock, held from before the first look until all is done.
            Database::Sqlite { writer, .. } => {
                let mut transaction = writer.begin_with(dialect::BEGIN_WRITE_SQLITE).await?;
                match migrate_sqlite(&mut transaction).await {
                    Ok(applied) => transaction.commit().await.map(|()| applied).map_err(MigrateError::from),
                    Err(error) => Err(error),
                }
            }
            Database::Postgres(pool) => {
                // The lock that sqlx takes stays with its connection when a migration fails.
                let mut connection = pool.acquire().await?.detach();
                let outcome = migrate_postgres(&mut connection).await;
                _ = connection.close().await;
                outcome
            }
        };
        match outcome {
            Ok(applied) => {
                self.fill_clean_keys().await?;
                Ok(applied)
            }
            Err(MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _)) => {
                Err(StoreError::Newer(version))
            }
            Err(error) => Err(StoreError::Migrate(error)),
        }
    }

    /// Whether every migration of this program, and no other, has been applied. Changes nothing.
    pub async fn is_up_to_date(&self) -> Result<bool> {
        const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
        let (migrator, applied) = match &self.database {
            Database::Sqlite { readers, .. } => (&SQLITE, sqlx::query_scalar(APPLIED).fetch_all(readers).await),
            Database::Postgres(pool) => (&POSTGRES, sqlx::query_scalar(APPLIED).fetch_all(pool).await),
        };
        let applied: Vec<i64> = match applied {
            // There is not even the table of migrations.
            Err(sqlx::Error::Database(_)) => return Ok(false),
            applied => applied?,
        };
        Ok(migrator.iter().map(|migration| migration.version).eq(applied))
    }
}
