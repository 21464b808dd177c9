//! What can go wrong between facts and rows.

/// A store's result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why rows could not be read or written. Every function that reads or writes may say that the database is away, or that a row is no fact;
/// their own docs name only what else can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was faster; the same work may succeed now. `write!` has tried a few times already.
    #[error("the database was busy with conflicting changes; try again")]
    Conflict(#[source] sqlx::Error),
    /// A rule that the schema holds was broken.
    #[error("the database refuses: {0}")]
    Constraint(String, #[source] sqlx::Error),
    /// The database cannot be reached.
    #[error("cannot reach the database")]
    Unavailable(#[source] sqlx::Error),
    /// Rows that are no facts.
    #[error("table {table}, row {row}: {what}")]
    Row {
        /// Where.
        table: &'static str,
        /// Which.
        row: String,
        /// What is wrong.
        what: String,
    },
    /// The database was made by a newer program.
    #[error(
        "the database is newer than this program (it has migration {0}); use the program that made it, or a newer one"
    )]
    Newer(i64),
    /// Another process serves from this file.
    #[error("another nightshift serves from {0}; only one process may open an SQLite file for serving")]
    InUse(String),
    /// The address of the database is not usable.
    #[error("database {0}")]
    Address(String),
    /// Anything else that the database says.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// Migrations could not be applied.
    #[error("the database could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

impl StoreError {
    pub(crate) fn row(table: &'static str, row: impl ToString, what: impl Into<String>) -> Self {
        Self::Row {
            table,
            row: row.to_string(),
            what: what.into(),
        }
    }

    /// Whether doing the same again may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}
