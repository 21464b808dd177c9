//! Databases for tests, and a way past the store to their tables.
//!
//! SQLite lies in a temporary folder. Postgres is the server that `tools/postgres` starts beside the tests; without it the tests fail, because
//! green means both engines. No test may use another one's database.

use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use store::{Engine, Store};
use tempfile::TempDir;
use uuid::Uuid;

use crate::OnEngine;

/// The variable with the address of the server for tests: a superuser's.
pub const SERVER: &str = "NIGHTSHIFT_TEST_POSTGRES";

/// A connection of its own to the server for tests.
///
/// # Panics
/// [`SERVER`] is not set, or the server does not answer.
pub async fn postgres() -> PgConnection {
    PgConnection::connect(&server())
        .await
        .unwrap_or_else(|error| panic!("{SERVER}: {error}"))
}

fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run `tools/postgres cargo nextest run …` or `make test-rust`, or set it to the address of a Postgres superuser")
    })
}

/// The folder with the migrations of an engine.
pub fn migrations(engine: Engine) -> PathBuf {
    let folder = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../migrations")
        .join(folder)
}

/// A database of its own for one test.
pub struct Database {
    /// On which it lies.
    pub engine: Engine,
    /// As the program takes it: `sqlite:PATH` or `postgres://…`.
    pub address: String,
    /// A folder of its own, with the file of SQLite in it. It goes with the database.
    pub folder: TempDir,
}

/// Does the same with a connection of either engine.
macro_rules! on_connection {
    ($database:expr, $connection:ident => $does:expr) => {
        match $database.engine {
            Engine::Sqlite => {
                let mut $connection = $database.sqlite().await;
                $does
            }
            Engine::Postgres => {
                let mut $connection = $database.postgres().await;
                $does
            }
        }
    };
}

impl Database {
    /// An empty one, without tables.
    ///
    /// # Panics
    /// Postgres is wanted, and [`SERVER`] is not set or does not answer.
    pub async fn new(engine: Engine) -> Self {
        let folder = folder();
        let address = match engine {
            Engine::Sqlite => file_in(&folder),
            Engine::Postgres => make("", &folder).await,
        };
        Self {
            engine,
            address,
            folder,
        }
    }

    /// Another one with the same facts. Nobody may have it open.
    pub async fn copy(&self) -> Self {
        let folder = folder();
        let address = match self.engine {
            Engine::Sqlite => {
                let path = self.path();
                assert!(!Path::new(&format!("{path}-wal")).exists(), "somebody has it open");
                std::fs::copy(path, folder.path().join("nightshift.db")).expect("a copy");
                file_in(&folder)
            }
            Engine::Postgres => make(&format!("TEMPLATE \"{}\"", self.name()), &folder).await,
        };
        Self {
            engine: self.engine,
            address,
            folder,
        }
    }

    /// The path of SQLite's file.
    pub fn path(&self) -> &str {
        self.address.strip_prefix("sqlite:").expect("SQLite")
    }

    /// What Postgres calls it.
    pub fn name(&self) -> &str {
        let (_, name) = self.address.rsplit_once('/').expect("an address with a database");
        name
    }

    /// Opens it and brings it up to date. `serving`: as the one process that serves from a file of SQLite.
    pub async fn open(&self, serving: bool) -> Store {
        let store = Store::open(&self.address, serving).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        store
    }

    /// As the program left it of which this was the newest migration; it must be empty.
    pub async fn migrate_to(&self, number: i64) {
        let files = Migrator::new(migrations(self.engine)).await.expect("migrations");
        match self.engine {
            Engine::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(self.path())
                    .create_if_missing(true);
                let mut connection = SqliteConnection::connect_with(&options).await.expect("a file");
                files.run_to(number, &mut connection).await.expect("migrations");
            }
            Engine::Postgres => {
                let mut connection = self.postgres().await;
                files.run_to(number, &mut connection).await.expect("migrations");
            }
        }
    }

    // Behind the store's back

    /// A connection of its own to a file of SQLite.
    pub async fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(self.path()).await.expect("the file opens")
    }

    /// A connection of its own to a database of Postgres.
    pub async fn postgres(&self) -> PgConnection {
        PgConnection::connect(&self.address).await.expect("the server answers")
    }

    /// Runs one statement; gives the rows that it changed, or what the database says against it.
    ///
    /// # Errors
    /// The database refuses the statement.
    pub async fn try_execute(&self, statement: &str) -> Result<u64, String> {
        let statement = AssertSqlSafe(statement.to_owned());
        on_connection!(self, connection => sqlx::query(statement)
            .execute(&mut connection)
            .await
            .map(|done| done.rows_affected())
            .map_err(|error| error.to_string()))
    }

    /// The same for a statement that the database takes.
    pub async fn execute(&self, statement: &str) -> u64 {
        self.try_execute(statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// One number out of it.
    pub async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        on_connection!(self, connection => sqlx::query_scalar(query)
            .fetch_one(&mut connection)
            .await
            .expect("a number"))
    }

    /// One text out of it.
    pub async fn text(&self, query: &str) -> String {
        self.texts(query).await.remove(0)
    }

    /// The texts that a query gives.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        on_connection!(self, connection => sqlx::query_scalar(query)
            .fetch_all(&mut connection)
            .await
            .expect("texts"))
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

impl OnEngine for Database {
    async fn make_on(engine: Engine) -> Self {
        Self::new(engine).await
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("nightshift-")
        .rand_bytes(12)
        .tempdir()
        .expect("a temporary folder")
}

fn file_in(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("nightshift.db").display())
}

/// A database of Postgres named after the temporary folder, whose name nobody else has; its address.
async fn make(like: &str, folder: &TempDir) -> String {
    let server = server();
    let name: String = folder
        .path()
        .file_name()
        .and_then(OsStr::to_str)
        .expect("a name")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let mut connection = postgres().await;
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\" {like}")))
        .execute(&mut connection)
        .await
        .expect("the user of the server for tests makes databases");
    connection.close().await.expect("an orderly end");
    let (before, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{before}/{name}")
}

/// A database that a store has open.
pub struct Home {
    pub store: Store,
    database: Database,
}

impl Home {
    /// Migrated.
    pub async fn new(engine: Engine) -> Self {
        let home = Self::empty(engine).await;
        home.store.migrate().await.expect("the migrations");
        home
    }

    /// Without tables.
    pub async fn empty(engine: Engine) -> Self {
        let database = Database::new(engine).await;
        let store = Store::open(&database.address, false).await.expect("the database");
        Self { store, database }
    }
}

/// The tables behind the store's back.
impl Deref for Home {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl OnEngine for Home {
    async fn make_on(engine: Engine) -> Self {
        Self::new(engine).await
    }
}
