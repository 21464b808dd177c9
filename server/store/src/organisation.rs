//! The organisation, its rings, and small facts of the program itself.

use domain::clean::name_key;
use domain::ids::RingId;
use domain::ring::{Ring, RingKind, RingPlace, RingSequence};
use domain::settings::{Organisation, Settings};
use domain::zone::Zone;
use sqlx::types::Json;
use uuid::Uuid;

use crate::dialect;
use crate::error::{Result, StoreError};
use crate::rows::{small, word};
use crate::tx::{Inner, Tx, each};

impl Tx {
    /// The organisation; `None` before the first start.
    ///
    /// # Errors
    /// The row is no organisation.
    pub async fn organisation(&mut self) -> Result<Option<Organisation>> {
        const SQL: &str = "SELECT name, zone, settings FROM organisation WHERE id = 1";
        let row: Option<(String, String, Json<Settings>)> =
            each!(self, c => sqlx::query_as(SQL).fetch_optional(c).await)?;
        row.map(|(name, zone, settings)| {
            let zone = Zone::parse(&zone).map_err(|error| StoreError::row("organisation", 1, error.to_string()))?;
            Ok(Organisation {
                name,
                zone,
                settings: settings.0,
            })
        })
        .transpose()
    }

    /// Writes the organisation.
    pub async fn put_organisation(&mut self, organisation: &Organisation) -> Result<()> {
        const SQL: &str = "INSERT INTO organisation (id, name, zone, settings) VALUES (1, $1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, settings = excluded.settings";
        each!(self, c => sqlx::query(SQL)
            .bind(&organisation.name)
            .bind(organisation.zone.name())
            .bind(Json(&organisation.settings))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }

    /// All rings.
    ///
    /// # Errors
    /// The rows are no ring sequence.
    pub async fn rings(&mut self) -> Result<RingSequence> {
        const SQL: &str =
            "SELECT id, kind, name, description, place, rollout_days, test_days FROM rings ORDER BY place";
        type Row = (Uuid, String, String, String, i64, i64, i64);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        let mut rings = Vec::with_capacity(rows.len());
        for (id, kind, name, description, place, rollout_days, test_days) in rows {
            rings.push(Ring {
                id: RingId(id),
                kind: word("rings", id, &kind, RingKind::from_word)?,
                name,
                description,
                place: RingPlace::from_scale(place).map_err(|error| StoreError::row("rings", id, error.to_string()))?,
                rollout_days: small("rings", id, rollout_days)?,
                test_days: small("rings", id, test_days)?,
            });
        }
        RingSequence::new(rings).map_err(|error| StoreError::row("rings", "all", error.to_string()))
    }

    /// Keeps the rings from being changed until this transaction ends: all at once and in one order, before rooms that leave one of them.
    pub(crate) async fn lock_rings(&mut self) -> Result<()> {
        if let Inner::Postgres(transaction) = &mut self.inner {
            sqlx::query(dialect::LOCK_RINGS_POSTGRES)
                .fetch_all(&mut **transaction)
                .await?;
        }
        Ok(())
    }

    /// Writes the rings that differ from what is there and deletes those that are gone.
    ///
    /// # Errors
    /// The database fails, or refuses: a ring that is gone has rooms, or is preconfigured (R1).
    pub async fn put_rings(&mut self, rings: &RingSequence) -> Result<()> {
        const DELETE: &str = "DELETE FROM rings WHERE id = $1";
        const ALL: &str = "SELECT id FROM rings ORDER BY place";
        const PUT: &str = "INSERT INTO rings (id, kind, name, name_key, description, place, rollout_days, test_days)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name,
                name_key = CASE WHEN rings.name = excluded.name THEN rings.name_key ELSE excluded.name_key END,
                description = excluded.description, place = excluded.place,
                rollout_days = excluded.rollout_days, test_days = excluded.test_days";
        self.lock_rings().await?;
        let there: Vec<Uuid> = each!(self, c => sqlx::query_scalar(ALL).fetch_all(c).await)?;
        for id in there {
            if rings.get(RingId(id)).is_none() {
                each!(self, c => sqlx::query(DELETE).bind(id).execute(c).await.map(drop))?;
            }
        }
        for ring in rings.iter() {
            each!(self, c => sqlx::query(PUT)
                .bind(ring.id.0)
                .bind(ring.kind.as_str())
                .bind(&ring.name)
                .bind(name_key(&ring.name))
                .bind(&ring.description)
                .bind(i64::from(ring.place.scale()))
                .bind(i64::from(ring.rollout_days))
                .bind(i64::from(ring.test_days))
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// A small fact of the program itself.
    pub async fn program_value(&mut self, key: &str) -> Result<Option<String>> {
        const SQL: &str = "SELECT value FROM program WHERE key = $1";
        Ok(each!(self, c => sqlx::query_scalar(SQL).bind(key).fetch_optional(c).await)?)
    }

    /// Writes a small fact of the program itself.
    pub async fn put_program_value(&mut self, key: &str, value: &str) -> Result<()> {
        const SQL: &str =
            "INSERT INTO program (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        each!(self, c => sqlx::query(SQL).bind(key).bind(value).execute(c).await.map(drop))?;
        Ok(())
    }
}
