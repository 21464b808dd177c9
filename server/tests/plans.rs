//! What the databases do for a page, with 100,000 rooms in analysed tables: no page reads a large table from end to end (SPEC P8).
//!
//! Every list is asked for, every statement that runs for it is heard, and its plan is read, on both engines. Counts over the estate, which are
//! worked out behind the pages (`service/src/estate_counts.rs`), are not theirs.

#[allow(dead_code, reason = "the bench's file; this uses its part")]
#[path = "../benches/table/estate.rs"]
mod estate;
#[allow(dead_code, reason = "the bench's file; this uses its part")]
#[path = "../benches/table/house.rs"]
mod house;

use std::collections::{BTreeMap, BTreeSet};

use estate::Estate;
use house::House;
use sqlx::{AssertSqlSafe, Connection, Row};
use store::Engine;
use testkit::statements::Statements;

/// Tables that stay small in every organisation: to look through them is no harm.
const SMALL: [&str; 26] = [
    "announcement_dismissals",
    "announcements",
    "artifacts",
    "attempts",
    "check_counts",
    "forces",
    "freezes",
    "links",
    "organisation",
    "people",
    "products",
    "program",
    "reviewed_software",
    "ring_counts",
    "rings",
    "rollouts",
    "room_counts",
    "sessions",
    "sites",
    "stages",
    "standings",
    "supersessions",
    "ticket_counts",
    "tokens",
    "updates",
    "versions",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_reads_a_large_table_from_end_to_end_on_sqlite_p8() {
    no_page_reads_a_large_table_from_end_to_end(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_reads_a_large_table_from_end_to_end_on_postgres_p8() {
    no_page_reads_a_large_table_from_end_to_end(Engine::Postgres).await;
}

async fn no_page_reads_a_large_table_from_end_to_end(engine: Engine) {
    let heard = Statements::default();
    tracing::subscriber::set_global_default(heard.clone()).expect("this process is the test's own");
    let estate = Estate::lived_in(engine, 100_000).await;
    let house = House::new(&estate).await;
    let lists = house.lists(&estate).await;
    let mut asked_by: BTreeMap<String, &str> = BTreeMap::new();
    heard.take();
    for (name, address) in &lists {
        // Counts over the estate are worked out once, and then behind the pages.
        house.get(address).await;
        heard.take();
        house.get(address).await;
        for statement in heard
            .take()
            .into_iter()
            .filter(|sql| sql.starts_with("SELECT") || sql.starts_with("WITH"))
        {
            asked_by.entry(statement).or_insert(name);
        }
    }
    assert!(asked_by.len() > 40, "only {} statements were heard", asked_by.len());
    let mut database = Database::of(&estate).await;
    let mut wrong = Vec::new();
    for (statement, page) in asked_by {
        let scans = database.scans(&statement).await;
        if !scans.is_empty() {
            wrong.push(format!("{page}: {scans:?}\n{statement}"));
        }
    }
    assert!(wrong.is_empty(), "{} statements:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The database, for its plans.
enum Database {
    Sqlite(sqlx::SqliteConnection, BTreeSet<String>),
    Postgres(sqlx::PgConnection, BTreeSet<String>),
}

impl Database {
    async fn of(estate: &Estate) -> Self {
        let large = |names: Vec<String>| {
            let large = names.into_iter().filter(|name| !SMALL.contains(&name.as_str()));
            large.collect::<BTreeSet<String>>()
        };
        if let Some(path) = estate.address.strip_prefix("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(path).await.expect("the file opens");
            let names = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'");
            let names = names.fetch_all(&mut connection).await.expect("names");
            Self::Sqlite(connection, large(names))
        } else {
            let mut connection = sqlx::PgConnection::connect(&estate.address)
                .await
                .expect("the server answers");
            // A plan for any value, as the store's own prepared statements have it after a few turns.
            let generic = sqlx::query("SET plan_cache_mode = force_generic_plan");
            generic.execute(&mut connection).await.expect("a setting");
            let names = sqlx::query_scalar("SELECT tablename::TEXT FROM pg_tables WHERE schemaname = 'public'");
            let names = names.fetch_all(&mut connection).await.expect("names");
            Self::Postgres(connection, large(names))
        }
    }

    /// The lines of a plan that read a large table from end to end.
    async fn scans(&mut self, statement: &str) -> Vec<String> {
        let is_page = statement.contains(" LIMIT ");
        match self {
            Self::Sqlite(connection, large) => {
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
                let plan = sqlx::query(explain).fetch_all(connection).await;
                let plan = plan.unwrap_or_else(|error| panic!("{statement}: {error}"));
                let lines: Vec<String> = plan.into_iter().map(|row| row.get::<String, _>(3)).collect();
                let is_sorted = lines
                    .iter()
                    .any(|line| line.starts_with("USE TEMP B-TREE FOR ORDER BY"));
                let names = with_aliases(statement, large);
                let scans = lines.into_iter().filter(|line| {
                    let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
                    // In the order of an index, as far as the page is long; or what an index of words has found.
                    let ends_with_the_page = is_page && !is_sorted && line.contains(" INDEX ");
                    let is_found = line.contains(" VIRTUAL TABLE INDEX ") && line.contains(":M");
                    scanned.is_some_and(|name| names.contains(name)) && !ends_with_the_page && !is_found
                });
                scans.collect()
            }
            Self::Postgres(connection, large) => {
                let parameters = parameters(statement);
                let prepare = AssertSqlSafe(format!("PREPARE looked_at AS {statement}"));
                let prepared = sqlx::raw_sql(prepare).execute(&mut *connection).await;
                prepared.unwrap_or_else(|error| panic!("{statement}: {error}"));
                let values = vec!["NULL"; parameters].join(", ");
                let values = if parameters == 0 {
                    String::new()
                } else {
                    format!("({values})")
                };
                let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE looked_at{values}"));
                let plan = sqlx::raw_sql(explain)
                    .fetch_all(&mut *connection)
                    .await
                    .expect("a plan");
                let lines: Vec<String> = plan.into_iter().map(|row| row.get::<String, _>(0)).collect();
                sqlx::raw_sql("DEALLOCATE looked_at")
                    .execute(&mut *connection)
                    .await
                    .expect("it is forgotten");
                let of_large = |line: &str| {
                    let table = line.split(" on ").nth(1).and_then(|rest| rest.split(' ').next());
                    table.is_some_and(|table| large.contains(table))
                };
                let scans = lines.iter().enumerate().filter(|(place, line)| {
                    let is_whole = line.contains("Seq Scan on ");
                    let has_no_condition = !is_page
                        && line.contains(" Scan using ")
                        && !lines.get(place + 1).is_some_and(|next| next.contains("Index Cond: "));
                    (is_whole || has_no_condition) && of_large(line)
                });
                scans.map(|(_, line)| line.trim().to_owned()).collect()
            }
        }
    }
}

/// The tables' names, and what the statement calls them.
fn with_aliases(statement: &str, tables: &BTreeSet<String>) -> BTreeSet<String> {
    let words: Vec<&str> = statement
        .split(|c: char| c.is_whitespace() || c == ',' || c == '(')
        .filter(|word| !word.is_empty())
        .collect();
    let aliases = words
        .windows(2)
        .filter(|pair| tables.contains(pair[0]))
        .map(|pair| pair[1].to_owned());
    aliases.chain(tables.iter().cloned()).collect()
}

/// How many parameters it has.
fn parameters(statement: &str) -> usize {
    let numbers = statement.split('$').skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}
