//! Counts over a large estate, worked out behind the pages (P8).
//!
//! Some numbers on pages follow from every room: how many wait for an update in the rings ahead, how many are healthy. Up to [`LARGE`] rooms
//! they are worked out when they are asked for. Above that a page that opens gets what was worked out last. Where something has changed since, the
//! count is worked out anew behind its back, not more often than is good for everybody else, and open pages hear of it as of any other change (P9).
//! Only what nobody has asked for in [`SHOWN_FOR`] is waited for. Nobody's numbers are worked out where nobody looks.
//!
//! It must hold nothing that a decision rests on: rules ask the database.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::deployment::Progress;
use domain::ids::{ProductId, RingId, StageOf, UpdateId};
use domain::room::{HealthImpact, RoomState};
use store::{CountedRooms, RoomFilter, Store, TicketFilter, Tx, UpdateRoomFilter, WaitingRooms};
use uuid::Uuid;

use crate::Clock;
use crate::clock::Stopwatch;
use crate::error::Result;

/// From so many rooms on.
pub(crate) const LARGE: i64 = 5_000;
/// What is older is worked out anew even where nothing has changed: time alone makes rooms unmonitored.
const FRESH_FOR: TimeDelta = TimeDelta::seconds(60);
/// What is older is not shown any more.
const SHOWN_FOR: TimeDelta = TimeDelta::minutes(10);
/// A count is worked out again after this at the earliest …
const PAUSE: Duration = Duration::from_secs(1);
/// … and after so many times what it has cost.
const COST_FACTOR: u32 = 20;
/// Counts that are kept, the newest.
const MOST_CACHED: usize = 1_000;

/// Where the database stands: [`Tx::database_revision`].
pub(crate) type DatabaseRevision = (i64, i64, i64);

/// Something that follows from many rows.
pub(crate) trait EstateCount: Clone + Send + Sync + 'static {
    /// What it is.
    type Value: Clone + PartialEq + Send + Sync + 'static;

    /// What tells it from others of its kind.
    fn key(&self) -> String;

    /// Works it out.
    fn count(&self, tx: &mut Tx, now: DateTime<Utc>) -> impl Future<Output = store::Result<Self::Value>> + Send;
}

/// The counts that were asked for lately.
#[derive(Clone)]
pub(crate) struct EstateCounts {
    cache: Arc<Mutex<Cache>>,
    /// How often one was worked out behind a page and was another one than before.
    changes: Arc<AtomicU64>,
    store: Store,
    clock: Clock,
}

type Key = (TypeId, String);

#[derive(Default)]
struct Cache {
    counts: BTreeMap<Key, CachedCount>,
    under_way: BTreeSet<Key>,
}

struct CachedCount {
    made_at: DateTime<Utc>,
    revision: DatabaseRevision,
    since: Stopwatch,
    cost: Duration,
    value: Arc<dyn Any + Send + Sync>,
}

impl EstateCounts {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self {
            cache: Arc::default(),
            changes: Arc::default(),
            store,
            clock,
        }
    }

    /// Moves whenever a count has become another one behind the pages.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// A count, from what is kept where that will do. `revision`: where the database stands for whoever asks.
    pub(crate) async fn get<S: EstateCount>(
        &self,
        tx: &mut Tx,
        revision: DatabaseRevision,
        count: &S,
    ) -> Result<S::Value> {
        let now = self.clock.now();
        let key = (TypeId::of::<S>(), count.key());
        if let Some((value, is_current, wait)) = self.cached::<S>(&key, revision, now) {
            if !is_current {
                self.refresh(count.clone(), key, wait);
            }
            return Ok(value);
        }
        let watch = Stopwatch::start();
        let value = count.count(tx, now).await?;
        self.put(key, now, revision, watch.elapsed(), value.clone());
        Ok(value)
    }

    /// The value, whether it is that of now, and how long to wait before it is worked out anew.
    fn cached<S: EstateCount>(
        &self,
        key: &Key,
        revision: DatabaseRevision,
        now: DateTime<Utc>,
    ) -> Option<(S::Value, bool, Duration)> {
        let cache = self.lock();
        let known = cache.counts.get(key)?;
        let age = now - known.made_at;
        let value = known.value.downcast_ref::<S::Value>().filter(|_| age <= SHOWN_FOR)?;
        let wait = PAUSE
            .max(known.cost * COST_FACTOR)
            .saturating_sub(known.since.elapsed());
        Some((value.clone(), known.revision == revision && age <= FRESH_FOR, wait))
    }

    fn refresh<S: EstateCount>(&self, count: S, key: Key, wait: Duration) {
        if !self.lock().under_way.insert(key.clone()) {
            return;
        }
        let counts = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let (now, watch) = (counts.clock.now(), Stopwatch::start());
            let worked_out = async {
                let mut tx = counts.store.read().await?;
                let revision = tx.database_revision().await?;
                Ok::<_, store::StoreError>((revision, count.count(&mut tx, now).await?))
            };
            match worked_out.await {
                Ok((revision, value)) => {
                    if counts.put(key.clone(), now, revision, watch.elapsed(), value) {
                        counts.changes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a count could not be worked out; the old one is shown until it is"
                ),
            }
            counts.lock().under_way.remove(&key);
        });
    }

    /// Keeps a count; whether it is another one than before.
    fn put<T: PartialEq + Send + Sync + 'static>(
        &self,
        key: Key,
        now: DateTime<Utc>,
        revision: DatabaseRevision,
        cost: Duration,
        value: T,
    ) -> bool {
        let mut cache = self.lock();
        cache.counts.retain(|_, known| now - known.made_at <= SHOWN_FOR);
        if cache.counts.len() >= MOST_CACHED
            && let Some(oldest) = cache.counts.iter().min_by_key(|(_, known)| known.made_at)
        {
            let oldest = oldest.0.clone();
            cache.counts.remove(&oldest);
        }
        let is_other = cache.counts.get(&key).and_then(|known| known.value.downcast_ref::<T>()) != Some(&value);
        let known = CachedCount {
            made_at: now,
            revision,
            since: Stopwatch::start(),
            cost,
            value: Arc::new(value),
        };
        cache.counts.insert(key, known);
        is_other
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rooms that would get an update in each ring, [`Tx::waiting_by_ring`].
#[derive(Clone)]
pub(crate) struct WaitingByRing(pub(crate) UpdateId, pub(crate) NaiveDate);

impl EstateCount for WaitingByRing {
    type Value = BTreeMap<RingId, i64>;

    fn key(&self) -> String {
        format!("{} {}", self.0, self.1)
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Value> {
        let mut waiting = tx.waiting_by_ring(&[self.0], self.1).await?;
        Ok(waiting.remove(&self.0).unwrap_or_default())
    }
}

/// Rooms that have a product, [`Tx::rooms_with`].
#[derive(Clone)]
pub(crate) struct RoomsWith(pub(crate) ProductId);

impl EstateCount for RoomsWith {
    type Value = i64;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<i64> {
        let with = tx.rooms_with(std::slice::from_ref(&self.0)).await?;
        Ok(with.get(&self.0).copied().unwrap_or(0))
    }
}

/// Rooms of an update by progress, [`Tx::rooms_by_progress`].
#[derive(Clone)]
pub(crate) struct RoomsByProgress(pub(crate) UpdateId);

impl EstateCount for RoomsByProgress {
    type Value = BTreeMap<Progress, i64>;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Value> {
        tx.rooms_by_progress(self.0).await
    }
}

/// Rooms of an update by ring and night, [`Tx::rooms_by_night`].
#[derive(Clone)]
pub(crate) struct RoomsByNight(pub(crate) UpdateId);

impl EstateCount for RoomsByNight {
    type Value = Vec<(StageOf, NaiveDate, Progress, i64)>;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Value> {
        tx.rooms_by_night(self.0).await
    }
}

/// Rooms of an update that wait for a night until a date, [`Tx::waiting_rooms_of`].
#[derive(Clone)]
pub(crate) struct UpdateRoomsWaiting(pub(crate) UpdateId, pub(crate) NaiveDate);

impl EstateCount for UpdateRoomsWaiting {
    type Value = Vec<(StageOf, NaiveDate, WaitingRooms)>;

    fn key(&self) -> String {
        format!("{} {}", self.0, self.1)
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Value> {
        tx.waiting_rooms_of(self.0, self.1).await
    }
}

/// Rooms that wait for a night until a date, [`Tx::waiting_rooms`].
#[derive(Clone)]
pub(crate) struct RoomsWaiting(pub(crate) NaiveDate);

impl EstateCount for RoomsWaiting {
    type Value = Vec<WaitingRooms>;

    fn key(&self) -> String {
        self.0.to_string()
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<Self::Value> {
        tx.waiting_rooms(self.0).await
    }
}

/// Rooms by what their health follows from, [`Tx::rooms_by_health_facts`].
#[derive(Clone)]
pub(crate) struct RoomsByHealthFacts;

impl EstateCount for RoomsByHealthFacts {
    type Value = Vec<(RoomState, HealthImpact, bool, i64)>;

    fn key(&self) -> String {
        String::new()
    }

    async fn count(&self, tx: &mut Tx, now: DateTime<Utc>) -> store::Result<Self::Value> {
        let organisation = tx.organisation().await?;
        let settings = organisation
            .map(|organisation| organisation.settings)
            .unwrap_or_default();
        tx.rooms_by_health_facts(now, now - settings.unmonitored_after()).await
    }
}

/// Rooms by the version for which they count, [`Tx::rooms_by_version`].
#[derive(Clone)]
pub(crate) struct RoomsByVersion {
    /// `None`: now.
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) places: Vec<(Uuid, i64)>,
}

impl EstateCount for RoomsByVersion {
    type Value = Vec<CountedRooms>;

    fn key(&self) -> String {
        // The value speaks of places: those of other places are another value. There may be thousands.
        let mut hasher = DefaultHasher::new();
        self.places.hash(&mut hasher);
        format!("{:?} {:016x}", self.at, hasher.finish())
    }

    async fn count(&self, tx: &mut Tx, _now: DateTime<Utc>) -> store::Result<Self::Value> {
        tx.rooms_by_version(self.at, &self.places).await
    }
}

/// Rooms that match, [`Tx::rooms_found`].
#[derive(Clone)]
pub(crate) struct RoomsFound(pub(crate) RoomFilter);

impl EstateCount for RoomsFound {
    type Value = i64;

    fn key(&self) -> String {
        format!(
            "{:?} {:?} {} {} {} {:?} {:?} {:?} {}",
            self.0.ring,
            self.0.site,
            self.0.retired,
            self.0.unhealthy_at.is_some(),
            self.0.onboarding,
            self.0.checks,
            self.0.versions,
            self.0.software,
            self.0.words
        )
    }

    async fn count(&self, tx: &mut Tx, now: DateTime<Utc>) -> store::Result<i64> {
        let of_now = RoomFilter {
            unhealthy_at: self.0.unhealthy_at.map(|_| now),
            ..self.0.clone()
        };
        tx.rooms_found(&of_now).await
    }
}

/// Rooms of an update that match, [`Tx::update_rooms_found`].
#[derive(Clone)]
pub(crate) struct UpdateRoomsFound(pub(crate) UpdateRoomFilter);

impl EstateCount for UpdateRoomsFound {
    type Value = i64;

    fn key(&self) -> String {
        format!("{} {:?} {:?}", self.0.update, self.0.ring, self.0.which)
    }

    async fn count(&self, tx: &mut Tx, _: DateTime<Utc>) -> store::Result<i64> {
        let all = UpdateRoomFilter {
            few: true,
            ..self.0.clone()
        };
        tx.update_rooms_found(&all).await
    }
}

/// Tickets that match, [`Tx::tickets_found`].
#[derive(Clone)]
pub(crate) struct TicketsFound(pub(crate) TicketFilter);

impl EstateCount for TicketsFound {
    type Value = i64;

    fn key(&self) -> String {
        format!("{} {} {}", self.0.state, self.0.severity, self.0.words)
    }

    async fn count(&self, tx: &mut Tx, now: DateTime<Utc>) -> store::Result<i64> {
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

    impl EstateCount for Times {
        type Value = i64;

        fn key(&self) -> String {
            "times".to_owned()
        }

        async fn count(&self, _: &mut Tx, _: DateTime<Utc>) -> store::Result<i64> {
            Ok(self.0.fetch_add(1, Ordering::SeqCst) + 1)
        }
    }

    #[tokio::test]
    async fn a_count_is_kept_until_something_changes_and_worked_out_behind_the_page_then_p8_p9() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("sqlite:{}", folder.path().join("facts.db").display());
        let store = Store::open(&address, false).await.expect("a database");
        store.migrate().await.expect("the migrations");
        let clock = Clock::driven("2025-03-04T15:00:00Z".parse().expect("an instant"));
        let counts = EstateCounts::new(store.clone(), clock.clone());
        let times = Times(Arc::default());
        let mut tx = store.read().await.expect("a snapshot");
        let here = tx.database_revision().await.expect("a revision");
        for _ in 0..3 {
            assert_eq!(counts.get(&mut tx, here, &times).await.expect("a count"), 1);
        }
        let later = (here.0 + 1, here.1, here.2);
        for _ in 0..2 {
            assert_eq!(
                counts.get(&mut tx, later, &times).await.expect("a count"),
                1,
                "nobody waits"
            );
        }
        assert_eq!(counts.changes(), 0);
        while !counts.lock().under_way.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(counts.changes(), 1, "open pages hear of it");
        assert_eq!(counts.get(&mut tx, here, &times).await.expect("a count"), 2);
        clock.advance_to(clock.now() + SHOWN_FOR + TimeDelta::seconds(1));
        assert_eq!(
            counts.get(&mut tx, here, &times).await.expect("a count"),
            3,
            "that is too old"
        );
    }
}
