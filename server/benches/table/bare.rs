//! The bare handlers: what the same answers cost with the same database and the same web server, and nothing of Nightshift.
//!
//! A poll reads the device's token and answers with a body of the same words. A report reads the token and goes to one writer, which
//! takes what is waiting, up to 64 at once, writes its rows and answers after the common commit.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde_json::{Value, json};
use service::devices::token_hash;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};

#[derive(Clone)]
struct Bare {
    readers: SqlitePool,
    queue: mpsc::Sender<Queued>,
}

enum Write {
    Feedback {
        action: i32,
        execution: String,
        detail: String,
    },
    Config {
        device: Vec<u8>,
        attributes: String,
    },
}

struct Queued {
    write: Write,
    answer: oneshot::Sender<()>,
}

pub async fn serve(file: &str, port: u16) {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory");
    let pool = |most, options| {
        SqlitePoolOptions::new()
            .max_connections(most)
            .test_before_acquire(false)
            .connect_with(options)
    };
    let writer = pool(1, options.clone()).await.expect("the file opens");
    let readers = pool(4, options.read_only(true)).await.expect("the file opens");
    let (queue, waiting) = mpsc::channel(4096);
    tokio::spawn(write(writer, waiting));
    let base = "/{tenant}/controller/v1/{controller}";
    let router = Router::new()
        .route(base, get(poll))
        .route(&format!("{base}/deploymentBase/{{action}}/feedback"), post(feedback))
        .route(&format!("{base}/configData"), put(config))
        .with_state(Arc::new(Bare { readers, queue }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("the port is free");
    println!("bare");
    axum::serve(listener, router).await.expect("it serves");
}

async fn device(bare: &Bare, controller: &str, headers: &HeaderMap) -> Result<Vec<u8>, StatusCode> {
    let row: Option<(Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT id, token_hash FROM devices WHERE controller_id = $1")
            .bind(controller)
            .fetch_optional(&bare.readers)
            .await
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let (id, known) = row.ok_or(StatusCode::UNAUTHORIZED)?;
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("TargetToken "));
    let speaks = token
        .zip(known)
        .is_some_and(|(token, known)| token_hash(token).ct_eq(&known).into());
    if speaks { Ok(id) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn poll(
    State(bare): State<Arc<Bare>>,
    Path((_, controller)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    device(&bare, &controller, &headers).await?;
    let body = json!({ "config": { "polling": { "sleep": "00:05:00" } }, "_links": {} });
    Ok(([(header::CONTENT_TYPE, "application/hal+json")], body.to_string()).into_response())
}

async fn feedback(
    State(bare): State<Arc<Bare>>,
    Path((_, controller, action)): Path<(String, String, i32)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    device(&bare, &controller, &headers).await?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let execution = body["status"]["execution"].as_str().unwrap_or_default().to_owned();
    let detail = body["status"]["details"][0].as_str().unwrap_or_default().to_owned();
    written(
        &bare,
        Write::Feedback {
            action,
            execution,
            detail,
        },
    )
    .await
}

async fn config(
    State(bare): State<Arc<Bare>>,
    Path((_, controller)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let device = device(&bare, &controller, &headers).await?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    written(
        &bare,
        Write::Config {
            device,
            attributes: body["data"].to_string(),
        },
    )
    .await
}

async fn written(bare: &Bare, write: Write) -> Result<StatusCode, StatusCode> {
    let (answer, answered) = oneshot::channel();
    bare.queue
        .send(Queued { write, answer })
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    answered.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::OK)
}

async fn write(writer: SqlitePool, mut waiting: mpsc::Receiver<Queued>) {
    let mut batch = Vec::with_capacity(64);
    while waiting.recv_many(&mut batch, 64).await > 0 {
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
        for queued in &batch {
            match &queued.write {
                Write::Feedback {
                    action,
                    execution,
                    detail,
                } => {
                    sqlx::query(
                        "UPDATE installs SET heard_at = heard_at + 1, revision = revision + 1 WHERE action_id = $1",
                    )
                    .bind(action)
                    .execute(&mut *transaction)
                    .await
                    .expect("an update");
                    sqlx::query("INSERT INTO reports (action_id, at, execution, finished, detail, counted) VALUES ($1, 0, $2, 'none', $3, true)")
                        .bind(action)
                        .bind(execution)
                        .bind(detail)
                        .execute(&mut *transaction)
                        .await
                        .expect("an insert");
                }
                Write::Config { device, attributes } => {
                    sqlx::query(
                        "UPDATE devices SET attributes = $2, last_seen_at = 0, revision = revision + 1 WHERE id = $1",
                    )
                    .bind(device)
                    .bind(attributes)
                    .execute(&mut *transaction)
                    .await
                    .expect("an update");
                }
            }
        }
        transaction.commit().await.expect("a commit");
        for queued in batch.drain(..) {
            let _ = queued.answer.send(());
        }
    }
}
