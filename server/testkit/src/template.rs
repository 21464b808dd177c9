//! One database in a state that took some days to come to, and as many copies of it as a test wants. Postgres only: SQLite has no deadlocks to
//! look for.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use service::{Clock, Service};
use store::Store;

use crate::estate::serve;
use crate::{Database, Estate, postgres};

/// A database to which nobody is connected any more.
pub struct Template {
    database: Database,
    now: DateTime<Utc>,
    copies: Mutex<Vec<Database>>,
}

impl Template {
    /// The estate as it is now.
    pub async fn of(estate: Estate) -> Self {
        let Estate {
            service,
            clock,
            database,
        } = estate;
        drop(service);
        // A pool that was dropped closes its connections in its own time.
        sqlx::query("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1")
            .bind(database.name())
            .execute(&mut postgres().await)
            .await
            .expect("they end");
        Self {
            database,
            now: clock.now(),
            copies: Mutex::default(),
        }
    }

    /// Two services on a copy of their own.
    pub async fn copy(&self) -> [Service; 2] {
        let copy = self.database.copy().await;
        let clock = Clock::driven(self.now);
        let open = async || Store::open(&copy.address, false).await.expect("the database");
        let (first, second) = (open().await, open().await);
        self.copies.lock().expect("a lock").push(copy);
        // No test of copies needs files of its own.
        let folder = self.database.folder.path();
        [serve(first, &clock, folder), serve(second, &clock, folder)]
    }

    /// The copies in which transactions have waited for each other in a circle: the server has ended one of them, and it ran again.
    pub async fn deadlocks(&self) -> Vec<(String, i64)> {
        let copies: Vec<String> = {
            let copies = self.copies.lock().expect("a lock");
            copies.iter().map(|copy| copy.name().to_owned()).collect()
        };
        let mut connection = postgres().await;
        // What a connection has counted is known once it has ended.
        sqlx::query("SELECT COUNT(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = ANY($1)")
            .bind(&copies)
            .execute(&mut connection)
            .await
            .expect("they end");
        sqlx::query_as(
            "SELECT datname::TEXT, deadlocks FROM pg_stat_database WHERE datname = ANY($1) AND deadlocks > 0",
        )
        .bind(&copies)
        .fetch_all(&mut connection)
        .await
        .expect("the counts")
    }
}
