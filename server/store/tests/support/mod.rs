//! What every behaviour needs: a migrated database of its own on the wanted engine, and a way past the store to its tables.
//!
//! SQLite lies in a temporary folder. Postgres is the server that `tools/postgres` starts beside the tests; without it the tests
//! fail, because green means both engines.

pub mod lab;
pub mod statements;
pub mod world;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use store::{Engine, Store};
use uuid::Uuid;

/// The server for tests: a superuser's address.
pub const SERVER: &str = "NIGHTSHIFT_TEST_POSTGRES";

/// A database of its own, migrated.
pub struct Home {
    pub store: Store,
    pub engine: Engine,
    pub address: String,
    // Goes with the test.
    _folder: tempfile::TempDir,
}

impl Home {
    pub async fn new(engine: Engine) -> Self {
        let home = Self::empty(engine).await;
        home.store.migrate().await.expect("the migrations");
        home
    }

    /// Without tables.
    pub async fn empty(engine: Engine) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("nightshift-")
            .rand_bytes(12)
            .tempdir()
            .expect("a temporary folder");
        let address = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("facts.db").display()),
            Engine::Postgres => make_postgres_database(folder.path()).await,
        };
        let store = Store::open(&address, false).await.expect("the database");
        Self {
            store,
            engine,
            address,
            _folder: folder,
        }
    }

    /// Runs a statement past the store; the error is what the database says.
    pub async fn raw(&self, sql: &str) -> Result<(), String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.engine {
            Engine::Sqlite => {
                let mut connection = self.sqlite().await;
                sqlx::query("PRAGMA foreign_keys = ON")
                    .execute(&mut connection)
                    .await
                    .expect("foreign keys");
                sqlx::query(sql)
                    .execute(&mut connection)
                    .await
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.address).await.expect("a connection");
                sqlx::query(sql)
                    .execute(&mut connection)
                    .await
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
        }
    }

    /// One number past the store.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.engine {
            Engine::Sqlite => sqlx::query_scalar(sql)
                .fetch_one(&mut self.sqlite().await)
                .await
                .expect("a number"),
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.address).await.expect("a connection");
                sqlx::query_scalar(sql)
                    .fetch_one(&mut connection)
                    .await
                    .expect("a number")
            }
        }
    }

    pub async fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.address).await.expect("a connection")
    }

    /// An id as this engine writes it in SQL.
    pub fn id(&self, id: Uuid) -> String {
        match self.engine {
            Engine::Sqlite => format!("X'{}'", id.simple()),
            Engine::Postgres => format!("'{id}'"),
        }
    }

    /// `true` as this engine writes it in SQL.
    pub fn yes(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "1",
            Engine::Postgres => "TRUE",
        }
    }
}

/// A database named after the temporary folder, whose name nobody else has.
async fn make_postgres_database(folder: &std::path::Path) -> String {
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run `tools/postgres cargo nextest run -p store`, or `make test-rust`")
    });
    let name: String = folder
        .file_name()
        .and_then(std::ffi::OsStr::to_str)
        .expect("a name")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let mut connection = PgConnection::connect(&server)
        .await
        .unwrap_or_else(|error| panic!("{SERVER}: {error}"));
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
        .execute(&mut connection)
        .await
        .expect("a database");
    let (before, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{before}/{name}")
}
