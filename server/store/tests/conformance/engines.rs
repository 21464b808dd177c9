//! What the two engines have in common: their tables, and writers that overlap.

use std::collections::BTreeSet;

use store::{AuditFilter, Engine, Store, StoreError, Tx};
use testkit::{Home, both_engines};

use crate::Written;
use crate::lab::{self, at_night, room};

both_engines![
    overlapping_writers_that_find_none_yet_make_one_g2,
    a_row_that_is_no_fact_is_named_by_table_and_row_g5,
];

async fn overlapping_writers_that_find_none_yet_make_one_g2(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    async fn none_yet_so_insert(tx: &mut Tx, name: &str) -> Written<bool> {
        if tx.audit_of("test", "one", 10).await?.is_empty() {
            let entry = store::AuditEntry {
                actor: name.to_owned(),
                address: String::new(),
                action: "test.made",
                object_kind: "test",
                object_id: "one".to_owned(),
                summary: String::new(),
                before: None,
                after: Some(serde_json::json!({ "by": name })),
            };
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            tx.add_audit(at_night(), &entry).await?;
            return Ok(true);
        }
        Ok(false)
    }
    let writer = |name: &'static str| {
        let store = store.clone();
        tokio::spawn(async move { store::write!(store, tx => { none_yet_so_insert(tx, name).await }) })
    };
    let writers = [writer("a"), writer("b"), writer("c")];
    let mut made = 0;
    for writer in writers {
        made += usize::from(writer.await.unwrap().unwrap());
    }
    assert_eq!(made, 1);
    let audit = store
        .read()
        .await
        .unwrap()
        .audit_page(&AuditFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(audit.len(), 1);
}

async fn a_row_that_is_no_fact_is_named_by_table_and_row_g5(home: Home) {
    let store = &home.store;
    lab::fill(store, 1).await;
    home.try_execute("UPDATE rooms SET zone = 'Mars/Olympus'")
        .await
        .unwrap();
    let error = store.read().await.unwrap().fleet().await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("rooms") && said.contains(&room(0).to_string()) && said.contains("Mars/Olympus"),
        "{said}"
    );
    // Words that are none of ours do not come in at all.
    for sql in [
        "UPDATE rooms SET state = 'gone'",
        "UPDATE rollouts SET state = 'stopped'",
        "UPDATE updates SET severity = 'high'",
        "UPDATE rollouts SET state = 'paused'",
    ] {
        assert!(home.try_execute(sql).await.is_err(), "{sql}");
    }
}

/// Table, column, whether it may be empty.
type Columns = BTreeSet<(String, String, bool)>;

#[tokio::test]
async fn both_engines_have_the_same_tables_columns_and_indexes_g1() {
    const SQLITE: &str = "SELECT t.name, c.name, c.\"notnull\" = 0 AND c.pk = 0
        FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations' AND t.name NOT GLOB '*_words*' ORDER BY 1, 2";
    // Words are found in tables of their own here, and by indexes there; they have the same names.
    const SQLITE_WORDS: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '*_words' ORDER BY 1";
    const POSTGRES: &str = "SELECT table_name::text, column_name::text, is_nullable = 'YES'
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY 1, 2";
    const SQLITE_INDEXES: &str = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    // Those that constraints make by themselves have names of the engine's own.
    const POSTGRES_INDEXES: &str = "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname NOT LIKE '\\_sqlx%'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')) ORDER BY 1";
    let (sqlite, postgres) = (Home::new(Engine::Sqlite).await, Home::new(Engine::Postgres).await);
    let mut connection = postgres.postgres().await;
    let ours: Vec<(String, String, bool)> = sqlx::query_as(SQLITE)
        .fetch_all(&mut sqlite.sqlite().await)
        .await
        .unwrap();
    let theirs: Vec<(String, String, bool)> = sqlx::query_as(POSTGRES).fetch_all(&mut connection).await.unwrap();
    assert!(ours.len() > 100, "{ours:?}");
    assert_eq!(
        ours.into_iter().collect::<Columns>(),
        theirs.into_iter().collect::<Columns>()
    );
    let ours: Vec<String> = sqlx::query_scalar(SQLITE_INDEXES)
        .fetch_all(&mut sqlite.sqlite().await)
        .await
        .unwrap();
    let theirs: Vec<String> = sqlx::query_scalar(POSTGRES_INDEXES)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let words: Vec<String> = sqlx::query_scalar(SQLITE_WORDS)
        .fetch_all(&mut sqlite.sqlite().await)
        .await
        .unwrap();
    assert!(!words.is_empty());
    assert_eq!(
        ours.into_iter().chain(words).collect::<BTreeSet<_>>(),
        theirs.into_iter().collect::<BTreeSet<_>>()
    );
}

#[tokio::test]
async fn a_second_process_cannot_serve_from_the_same_file_g2() {
    let home = Home::empty(Engine::Sqlite).await;
    let first = Store::open(&home.address, true).await.unwrap();
    let second = Store::open(&home.address, true).await;
    assert!(matches!(second, Err(StoreError::InUse(_))));
    drop(first);
    Store::open("mysql://somewhere", false).await.map(drop).unwrap_err();
}
