//! One database in a state that took some days to come to, and as many copies of it as a test wants. Postgres only.

use chrono::{DateTime, Utc};
use service::store::Store;
use service::{Clock, Service};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Estate, SERVER, serve};

/// A database to which nobody is connected any more.
pub struct Template {
    name: String,
    now: DateTime<Utc>,
    folder: tempfile::TempDir,
}

impl Template {
    /// The estate as it is now.
    pub async fn of(estate: Estate) -> Self {
        let Estate {
            service,
            clock,
            address,
            folder,
            ..
        } = estate;
        drop(service);
        let (_, name) = address.rsplit_once('/').expect("an address with a database");
        // A pool that was dropped closes its connections in its own time.
        let statement =
            format!("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'");
        run(&statement).await;
        Self {
            name: name.to_owned(),
            now: clock.now(),
            folder,
        }
    }

    /// Two services on a copy of their own.
    pub async fn copy(&self, number: usize) -> [Service; 2] {
        let (from, to) = (&self.name, format!("{}_{number}", self.name));
        run(&format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\"")).await;
        let server = server();
        let (before, _) = server.rsplit_once('/').expect("an address with a database");
        let address = format!("{before}/{to}");
        let clock = Clock::driven(self.now);
        let first = Store::open(&address, false).await.expect("the database");
        let second = Store::open(&address, false).await.expect("the database");
        [
            serve(first, &clock, self.folder.path()),
            serve(second, &clock, self.folder.path()),
        ]
    }

    /// The copies in which transactions have waited for each other in a circle: the server has ended one of them, and it ran again.
    pub async fn deadlocks(&self) -> Vec<(String, i64)> {
        let mut connection = PgConnection::connect(&server()).await.expect("the server answers");
        // What a connection has counted is known once it has ended.
        sqlx::query(
            "SELECT COUNT(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname LIKE $1 || '%'",
        )
        .bind(&self.name)
        .execute(&mut connection)
        .await
        .expect("they end");
        sqlx::query_as(
            "SELECT datname::TEXT, deadlocks FROM pg_stat_database WHERE datname LIKE $1 || '%' AND deadlocks > 0",
        )
        .bind(&self.name)
        .fetch_all(&mut connection)
        .await
        .expect("the counts")
    }
}

fn server() -> String {
    std::env::var(SERVER)
        .unwrap_or_else(|_| panic!("{SERVER} is not set: run `tools/postgres cargo nextest run -p service`"))
}

async fn run(statement: &str) {
    let mut connection = PgConnection::connect(&server()).await.expect("the server answers");
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statement runs");
}
