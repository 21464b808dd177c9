//! Transactions: one type for both engines, and the macros that write each query once.

use sqlx::{Postgres, Sqlite, Transaction};

use crate::error::{Result, StoreError};

/// A transaction on either engine. Dropping it rolls back.
pub struct Tx {
    pub(crate) inner: Inner,
}

pub(crate) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Expands a query body once per driver, so that the compiler checks it against both: `each!(self, c => query.fetch_all(c).await)`.
macro_rules! each {
    ($tx:expr, $connection:ident => $body:expr) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            $crate::tx::Inner::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}
pub(crate) use each;

impl Tx {
    /// Makes everything durable.
    ///
    /// # Errors
    /// The engine refuses, or another transaction was faster.
    pub async fn commit(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Undoes everything, and waits until it is undone. Dropping it does so in its own time.
    ///
    /// # Errors
    /// The engine does not answer; it rolls back by itself then.
    pub async fn roll_back(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.rollback().await?,
            Inner::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }

    pub(crate) async fn execute(&mut self, sql: &'static str) -> Result<()> {
        each!(self, c => sqlx::query(sql).execute(c).await.map(drop))?;
        Ok(())
    }
}

/// An error of which [`write!`](crate::write) can tell whether the work is worth doing again.
pub trait Retryable {
    /// The same work may succeed now.
    fn is_retryable(&self) -> bool;
}

impl Retryable for StoreError {
    fn is_retryable(&self) -> bool {
        Self::is_retryable(self)
    }
}

/// How often a transaction was tried.
#[derive(Debug, Default)]
pub struct Attempts(u32);

/// How a try ended.
pub enum TryResult<T> {
    /// For good, one way or the other.
    Done(T),
    /// Once more.
    Retry,
}

impl Attempts {
    const MOST: u32 = 8;

    /// Commits what succeeded, rolls back what did not, and says whether to try once more.
    ///
    /// # Errors
    /// Never; the result is inside [`TryResult::Done`].
    pub async fn end<T, E: Retryable + From<StoreError>>(
        &mut self,
        tx: Tx,
        outcome: std::result::Result<T, E>,
    ) -> TryResult<std::result::Result<T, E>> {
        self.0 += 1;
        let outcome = match outcome {
            Ok(value) => tx.commit().await.map(|()| value).map_err(E::from),
            Err(error) => {
                drop(tx);
                Err(error)
            }
        };
        match outcome {
            Err(error) if error.is_retryable() && self.0 < Self::MOST => {
                let pause = std::time::Duration::from_millis(3 << self.0.min(6));
                tokio::time::sleep(pause).await;
                TryResult::Retry
            }
            outcome => TryResult::Done(outcome),
        }
    }
}

/// Runs `body` in a writing transaction and commits it; the whole body again when another transaction was faster.
///
/// `store::write!(store, tx => { …; Ok(value) })`: `tx` is `&mut Tx`, the body a block that ends in a `Result` whose error is
/// [`Retryable`] and can be made from a [`StoreError`].
#[macro_export]
macro_rules! write {
    ($store:expr, $tx:ident => $body:block) => {{
        let mut attempts = $crate::Attempts::default();
        loop {
            let mut transaction = match $store.begin().await {
                Ok(transaction) => transaction,
                Err(error) => break Err(error.into()),
            };
            let outcome = {
                let $tx = &mut transaction;
                async { $body }.await
            };
            match attempts.end(transaction, outcome).await {
                $crate::TryResult::Done(outcome) => break outcome,
                $crate::TryResult::Retry => {}
            }
        }
    }};
}
