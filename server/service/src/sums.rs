//! Sums over a large estate, worked out behind the pages (P8).
//!
//! Some numbers on pages follow from every room: how many wait for an update in the rings ahead, how many are healthy. Up to [`LARGE`] rooms
//! they are worked out when they are asked for. Above that a page that opens gets what was worked out last. Where something has changed since, the
//! sum is worked out anew behind its back, not more often than is good for everybody else, and open pages hear of it as of any other change (P9).
//! Only what nobody has asked for in [`STALE`] is waited for. Nobody's numbers are worked out where nobody looks.
//!
//! It must hold nothing that a decision rests on: rules ask the database.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::ids::{ProductId, RingId, UpdateId};
use domain::room::{RoomState, Trouble, UNMONITORED_AFTER};
use store::{RoomFilter, Store, TicketFilter, Tx, UpdateRoomFilter, WaitingRooms};

use crate::Clock;
use crate::clock::Stopwatch;
use crate::error::Result;

/// From so many rooms on.
pub(crate) const LARGE: i64 = 5_000;
/// What is older is worked out anew even where nothing has changed: time alone makes rooms unmonitored.
const FRESH: TimeDelta = TimeDelta::seconds(60);
/// What is older is not shown any more.
const STALE: TimeDelta = TimeDelta::minutes(10);
/// A sum is worked out again after this at the earliest …
const PAUSE: Duration = Duration::from_secs(1);
/// … and after so many times what it has cost.
const SHARE: u32 = 20;
/// Sums that are kept, the newest.
const MOST: usize = 1_000;

/// Where the database stands: [`Tx::change_mark`].
pub(crate) type Mark = (i64, i64, i64);

/// Something that follows from many rows.
pub(crate) trait Sum: Clone + Send + Sync + 'static {
    /// What it is.
    type Of: Clone + PartialEq + Send + Sync + 'static;

    /// What tells it from others of its kind.
    fn key(&self) -> String;

    /// Works it out.
    fn work_out(&self, tx: &mut Tx, now: DateTime<Utc>) -> impl Future<Output = store::Result<Self::Of>> + Send;
}

/// The sums that were asked for lately.
#[derive(Clone)]
pub(crate) struct Sums {
    kept: Arc<Mutex<Kept>>,
    /// How often one was worked out behind a page and was another one than before.
    changes: Arc<AtomicU64>,
    store: Store,
    clock: Clock,
}

type Key = (TypeId, String);

#[derive(Default)]
struct Kept {
    known: BTreeMap<Key, Known>,
    under_way: BTreeSet<Key>,
}

struct Known {
    made_at: DateTime<Utc>,
    mark: Mark,
    since: Stopwatch,
    cost: Duration,
    value: Arc<dyn Any + Send + Sync>,
}

impl Sums {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self {
            kept: Arc::default(),
            changes: Arc::default(),
            store,
            clock,
        }
    }

    /// Moves whenever a sum has become another one behind the pages.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// A sum, from what is kept where that will do. `mark`: where the database stands for whoever asks.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn get<S: Sum>(&self, tx: &mut Tx, mark: Mark, sum: &S) -> Result<S::Of> {
        let now = self.clock.now();
        let key = (TypeId::of::<S>(), sum.key());
        if let Some((value, is_current, wait)) = self.known::<S>(&key, mark, now) {
            if !is_current {
                self.work_out_behind(sum.clone(), key, wait);
            }
            return Ok(value);
        }
        let watch = Stopwatch::start();
        let value = sum.work_out(tx, now).await?;
        self.keep(key, now, mark, watch.elapsed(), value.clone());
        Ok(value)
    }

    /// The value, whether it is that of now, and how long to wait before it is worked out anew.
    fn known<S: Sum>(&self, key: &Key, mark: Mark, now: DateTime<Utc>) -> Option<(S::Of, bool, Duration)> {
        let kept = self.lock();
        let known = kept.known.get(key)?;
        let age = now - known.made_at;
        let value = known.value.downcast_ref::<S::Of>().filter(|_| age <= STALE)?;
        let wait = PAUSE.max(known.cost * SHARE).saturating_sub(known.since.elapsed());
        Some((value.clone(), known.mark == mark && age <= FRESH, wait))
    }

    fn work_out_behind<S: Sum>(&self, sum: S, key: Key, wait: Duration) {
        if !self.lock().under_way.insert(key.clone()) {
            return;
        }
        let sums = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let (now, watch) = (sums.clock.now(), Stopwatch::start());
            let worked_out = async {
                let mut tx = sums.store.read().await?;
                let mark = tx.change_mark().await?;
                Ok::<_, store::StoreError>((mark, sum.work_out(&mut tx, now).await?))
            };
            match worked_out.await {
                Ok((mark, value)) => {
                    if sums.keep(key.clone(), now, mark, watch.elapsed(), value) {
                        sums.changes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a sum could not be worked out; the old one is shown until it is"
                ),
            }
            sums.lock().under_way.remove(&key);
        });
    }

    /// Keeps a sum; whether it is another one than before.
    fn keep<T: PartialEq + Send + Sync + 'static>(
        &self,
        key: Key,
        now: DateTime<Utc>,
        mark: Mark,
        cost: Duration,
        value: T,
    ) -> bool {
        let mut kept = self.lock();
        kept.known.retain(|_, known| now - known.made_at <= STALE);
        if kept.known.len() >= MOST
            && let Some(oldest) = kept.known.iter().min_by_key(|(_, known)| known.made_at)
        {
            let oldest = oldest.0.clone();
            kept.known.remove(&oldest);
        }
        let is_other = kept.known.get(&key).and_then(|known| known.value.downcast_ref::<T>()) != Some(&value);
        let known = Known {
            made_at: now,
            mark,
            since: Stopwatch::start(),
            cost,
            value: Arc::new(value),
        };
        kept.known.insert(key, known);
        is_other
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rooms that would get an update in each ring, [`Tx::waiting_by_ring`].
#[derive(Clone)]
pub(crate) struct Ahead(pub(crate) UpdateId, pub(crate) NaiveDate);

impl Sum for Ahead {
    type Of = BTreeMap<RingId, i64>;

    fn key(&self) -> String {
        format!("{} {}", self.0, self.1)
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Of> {
        let mut waiting = tx.waiting_by_ring(&[self.0], self.1).await?;
        Ok(waiting.remove(&self.0).unwrap_or_default())
    }
}

/// Rooms that have a product, [`Tx::rooms_with`].
#[derive(Clone)]
pub(crate) struct Having(pub(crate) ProductId);

impl Sum for Having {
    type Of = i64;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<i64> {
        let with = tx.rooms_with(std::slice::from_ref(&self.0)).await?;
        Ok(with.get(&self.0).copied().unwrap_or(0))
    }
}

/// Rooms of an update by status, [`Tx::rooms_by_status`].
#[derive(Clone)]
pub(crate) struct ByStatus(pub(crate) UpdateId);

impl Sum for ByStatus {
    type Of = BTreeMap<String, i64>;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Of> {
        tx.rooms_by_status(self.0).await
    }
}

/// Rooms of an update by ring and night, [`Tx::rooms_by_night`].
#[derive(Clone)]
pub(crate) struct ByNight(pub(crate) UpdateId);

impl Sum for ByNight {
    type Of = Vec<(RingId, NaiveDate, String, i64)>;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Of> {
        tx.rooms_by_night(self.0).await
    }
}

/// Rooms of an update that wait for a night until a date, [`Tx::waiting_rooms_of`].
#[derive(Clone)]
pub(crate) struct WaitingOf(pub(crate) UpdateId, pub(crate) NaiveDate);

impl Sum for WaitingOf {
    type Of = Vec<(RingId, NaiveDate, WaitingRooms)>;

    fn key(&self) -> String {
        format!("{} {}", self.0, self.1)
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Of> {
        tx.waiting_rooms_of(self.0, self.1).await
    }
}

/// Rooms that wait for a night until a date, [`Tx::waiting_rooms`].
#[derive(Clone)]
pub(crate) struct Waiting(pub(crate) NaiveDate);

impl Sum for Waiting {
    type Of = Vec<WaitingRooms>;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Of> {
        tx.waiting_rooms(self.0).await
    }
}

/// Rooms by what their health follows from, [`Tx::rooms_by_condition`].
#[derive(Clone)]
pub(crate) struct ByCondition;

impl Sum for ByCondition {
    type Of = Vec<(RoomState, Trouble, bool, i64)>;

    fn key(&self) -> String {
        String::new()
    }

    async fn work_out(&self, tx: &mut Tx, now: DateTime<Utc>) -> store::Result<Self::Of> {
        tx.rooms_by_condition(now, now - UNMONITORED_AFTER).await
    }
}

/// Rooms that match, [`Tx::rooms_found`].
#[derive(Clone)]
pub(crate) struct Found(pub(crate) RoomFilter);

impl Sum for Found {
    type Of = i64;

    fn key(&self) -> String {
        format!(
            "{:?} {:?} {} {} {}",
            self.0.ring,
            self.0.site,
            self.0.retired,
            self.0.unhealthy_at.is_some(),
            self.0.words
        )
    }

    async fn work_out(&self, tx: &mut Tx, now: DateTime<Utc>) -> store::Result<i64> {
        let of_now = RoomFilter {
            unhealthy_at: self.0.unhealthy_at.map(|_| now),
            ..self.0.clone()
        };
        tx.rooms_found(&of_now).await
    }
}

/// Rooms of an update that match, [`Tx::update_rooms_found`].
#[derive(Clone)]
pub(crate) struct FoundOf(pub(crate) UpdateRoomFilter);

impl Sum for FoundOf {
    type Of = i64;

    fn key(&self) -> String {
        format!("{} {:?} {:?}", self.0.update, self.0.ring, self.0.which)
    }

    async fn work_out(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<i64> {
        let all = UpdateRoomFilter {
            few: true,
            ..self.0.clone()
        };
        tx.update_rooms_found(&all).await
    }
}

/// Tickets that match, [`Tx::tickets_found`].
#[derive(Clone)]
pub(crate) struct FoundTickets(pub(crate) TicketFilter);

impl Sum for FoundTickets {
    type Of = i64;

    fn key(&self) -> String {
        format!("{} {} {}", self.0.state, self.0.severity, self.0.words)
    }

    async fn work_out(&self, tx: &mut Tx, now: DateTime<Utc>) -> store::Result<i64> {
        tx.tickets_found(&TicketFilter { now, ..self.0.clone() }).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;

    /// Counts how often it is worked out.
    #[derive(Clone)]
    struct Times(Arc<AtomicI64>);

    impl Sum for Times {
        type Of = i64;

        fn key(&self) -> String {
            "times".to_owned()
        }

        async fn work_out(&self, _: &mut Tx, _: DateTime<Utc>) -> store::Result<i64> {
            Ok(self.0.fetch_add(1, Ordering::SeqCst) + 1)
        }
    }

    #[tokio::test]
    async fn a_sum_is_kept_until_something_changes_and_worked_out_behind_the_page_then_p8_p9() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("sqlite:{}", folder.path().join("facts.db").display());
        let store = Store::open(&address, false).await.expect("a database");
        store.migrate().await.expect("the migrations");
        let clock = Clock::driven("2025-03-04T15:00:00Z".parse().expect("an instant"));
        let sums = Sums::new(store.clone(), clock.clone());
        let times = Times(Arc::default());
        let mut tx = store.read().await.expect("a snapshot");
        let here = tx.change_mark().await.expect("a mark");
        for _ in 0..3 {
            assert_eq!(sums.get(&mut tx, here, &times).await.expect("a sum"), 1);
        }
        let later = (here.0 + 1, here.1, here.2);
        for _ in 0..2 {
            assert_eq!(
                sums.get(&mut tx, later, &times).await.expect("a sum"),
                1,
                "nobody waits"
            );
        }
        assert_eq!(sums.changes(), 0);
        while !sums.lock().under_way.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(sums.changes(), 1, "open pages hear of it");
        assert_eq!(sums.get(&mut tx, here, &times).await.expect("a sum"), 2);
        clock.advance_to(clock.now() + STALE + TimeDelta::seconds(1));
        assert_eq!(
            sums.get(&mut tx, here, &times).await.expect("a sum"),
            3,
            "that is too old"
        );
    }
}
