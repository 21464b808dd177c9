//! Freezes as rows (W6). A small table: it is read whole where plans are laid out, by room where rooms are looked at.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::freeze::{Freeze, FreezeScope, Freezes};
use domain::ids::{FreezeId, RingId, RoomId, SiteId, StageOf};
use uuid::Uuid;

use crate::dialect;
use crate::error::{Result, StoreError};
use crate::rows::{ids_in, instant, micros, stage_id};
use crate::tx::{Inner, Tx, each};

#[derive(sqlx::FromRow)]
struct FreezeRow {
    id: Uuid,
    of: Option<Uuid>,
    first_date: NaiveDate,
    last_date: NaiveDate,
    owner: String,
    reason: String,
    made_at: i64,
}

impl FreezeRow {
    fn into_domain(self) -> Result<Freeze> {
        Ok(Freeze {
            from: self.first_date,
            until: self.last_date,
            owner: self.owner,
            reason: self.reason,
            made_at: instant("freezes", self.id, self.made_at)?,
            id: FreezeId(self.id),
        })
    }
}

impl Tx {
    /// The freezes that move plans: the organisation's and the rings'.
    pub async fn freezes(&mut self) -> Result<Freezes> {
        const SQL: &str = "SELECT id, ring_id AS of, first_date, last_date, owner, reason, made_at FROM freezes
            WHERE scope IN ('organisation', 'ring') ORDER BY first_date, id";
        let rows: Vec<FreezeRow> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        let mut freezes = Freezes::default();
        for row in rows {
            match row.of {
                None => freezes.organisation.push(row.into_domain()?),
                Some(ring) => freezes.rings.entry(RingId(ring)).or_default().push(row.into_domain()?),
            }
        }
        Ok(freezes)
    }

    /// The freezes of single sites and rooms (W6). Those of rings and of the organisation: [`Tx::freezes`].
    pub async fn freezes_of_sites_and_rooms(&mut self) -> Result<Vec<(FreezeScope, Freeze)>> {
        const SQL: &str = "SELECT id, site_id, room_id, first_date, last_date, owner, reason, made_at
            FROM freezes WHERE scope IN ('site', 'room') ORDER BY first_date, id";
        type Row = (
            Uuid,
            Option<Uuid>,
            Option<Uuid>,
            NaiveDate,
            NaiveDate,
            String,
            String,
            i64,
        );
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        let mut freezes = Vec::with_capacity(rows.len());
        for (id, site, room, from, until, owner, reason, made_at) in rows {
            let scope = match (site, room) {
                (Some(site), _) => FreezeScope::Site(SiteId(site)),
                (None, Some(room)) => FreezeScope::Room(RoomId(room)),
                (None, None) => return Err(StoreError::row("freezes", id, "it concerns no site and no room")),
            };
            freezes.push((
                scope,
                Freeze {
                    from,
                    until,
                    owner,
                    reason,
                    made_at: instant("freezes", id, made_at)?,
                    id: FreezeId(id),
                },
            ));
        }
        Ok(freezes)
    }

    /// The freezes of single rooms and of their sites.
    pub(crate) async fn freezes_on(&mut self, rooms: &[RoomId]) -> Result<BTreeMap<Uuid, Vec<Freeze>>> {
        let rows: Vec<FreezeRow> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT f.id, r.id AS of, f.first_date, f.last_date, f.owner, f.reason, f.made_at
                FROM freezes f JOIN rooms r ON r.site_id = f.site_id WHERE f.site_id IS NOT NULL AND r.id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(
                " UNION ALL SELECT f.id, f.room_id AS of, f.first_date, f.last_date, f.owner, f.reason, f.made_at
                FROM freezes f WHERE f.room_id IS NOT NULL AND f.room_id IN (",
            );
            ids_in(&mut query, rooms.iter().map(|id| id.0));
            query.push(" ORDER BY first_date, id");
            query.build_query_as().fetch_all(c).await
        })?;
        let mut by_room: BTreeMap<Uuid, Vec<Freeze>> = BTreeMap::new();
        for row in rows {
            if let Some(room) = row.of {
                by_room.entry(room).or_default().push(row.into_domain()?);
            }
        }
        Ok(by_room)
    }

    /// The freezes of single rooms of a ring and of their sites; or of all rooms.
    pub(crate) async fn freezes_in_ring(&mut self, ring: StageOf) -> Result<BTreeMap<Uuid, Vec<Freeze>>> {
        const ANY: &str = "SELECT COUNT(*) FROM freezes WHERE scope IN ('site', 'room')";
        const SQL: &str = "SELECT f.id, r.id AS of, f.first_date, f.last_date, f.owner, f.reason, f.made_at
            FROM freezes f JOIN rooms r ON r.site_id = f.site_id OR r.id = f.room_id
            WHERE f.scope IN ('site', 'room') AND (r.ring_id = $1 OR $2) ORDER BY f.first_date, f.id";
        let any: i64 = each!(self, c => sqlx::query_scalar(ANY).fetch_one(c).await)?;
        let mut by_room: BTreeMap<Uuid, Vec<Freeze>> = BTreeMap::new();
        if any == 0 {
            return Ok(by_room);
        }
        let rows: Vec<FreezeRow> = each!(self, c => sqlx::query_as(SQL).bind(stage_id(ring)).bind(ring == StageOf::AllRooms).fetch_all(c).await)?;
        for row in rows {
            if let Some(room) = row.of {
                by_room.entry(room).or_default().push(row.into_domain()?);
            }
        }
        Ok(by_room)
    }

    /// The spans of the freezes that concern rooms which a freeze of `scope` would concern too, in groups: one for each set of rooms that
    /// have the same freezes. What [`domain::commands::freeze::freeze`] is asked for each group.
    pub async fn freeze_spans_beside(&mut self, scope: FreezeScope) -> Result<Vec<Vec<(NaiveDate, NaiveDate)>>> {
        type Row = (Uuid, Uuid, Option<Uuid>);
        // Rooms without a freeze of their own stand for their ring and site.
        let groups: Vec<Row> = each!(self, c => {
            let mut query = sqlx::QueryBuilder::new(
                "SELECT DISTINCT r.ring_id, r.site_id, f.room_id FROM rooms r LEFT JOIN freezes f ON f.room_id = r.id
                WHERE r.state <> 'retired'",
            );
            match scope {
                FreezeScope::Organisation => {}
                FreezeScope::Ring(id) => {
                    query.push(" AND r.ring_id = ").push_bind(id.0);
                }
                FreezeScope::Site(id) => {
                    query.push(" AND r.site_id = ").push_bind(id.0);
                }
                FreezeScope::Room(id) => {
                    query.push(" AND r.id = ").push_bind(id.0);
                }
            }
            query.push(" ORDER BY r.ring_id, r.site_id, f.room_id");
            query.build_query_as().fetch_all(c).await
        })?;
        const ALL: &str = "SELECT scope, COALESCE(ring_id, site_id, room_id), first_date, last_date FROM freezes ORDER BY first_date, id";
        let freezes: Vec<(String, Option<Uuid>, NaiveDate, NaiveDate)> =
            each!(self, c => sqlx::query_as(ALL).fetch_all(c).await)?;
        let concern = |(ring, site, room): &Row| {
            let of = |freeze: &&(String, Option<Uuid>, NaiveDate, NaiveDate)| match (freeze.0.as_str(), freeze.1) {
                ("organisation", _) => true,
                (_, Some(id)) => id == *ring || id == *site || Some(id) == *room,
                (_, None) => false,
            };
            freezes.iter().filter(of).map(|freeze| (freeze.2, freeze.3)).collect()
        };
        let mut beside: Vec<Vec<(NaiveDate, NaiveDate)>> = groups.iter().map(concern).collect();
        if beside.is_empty() {
            // Nobody is there yet: the organisation's own freezes count all the same.
            let own = freezes.iter().filter(|freeze| freeze.0 == "organisation");
            beside.push(own.map(|freeze| (freeze.2, freeze.3)).collect());
        }
        Ok(beside)
    }

    /// Keeps whom a freeze concerns from being changed until this transaction ends. Whoever makes a freeze takes this before the locks of
    /// rollouts: people who edit rings and rooms hold those rows when they come to the rollouts.
    pub async fn lock_scope(&mut self, scope: FreezeScope) -> Result<()> {
        let (sql, id) = match scope {
            FreezeScope::Organisation => return Ok(()),
            FreezeScope::Ring(id) => (dialect::LOCK_RING_POSTGRES, id.0),
            FreezeScope::Site(id) => (dialect::LOCK_ROOMS_AT_POSTGRES, id.0),
            FreezeScope::Room(id) => (dialect::LOCK_ROOM_POSTGRES, id.0),
        };
        match &mut self.inner {
            // BEGIN IMMEDIATE holds the write lock already.
            Inner::Sqlite(_) => {}
            Inner::Postgres(transaction) => {
                sqlx::query(sql).bind(id).fetch_all(&mut **transaction).await?;
            }
        }
        Ok(())
    }

    /// Has the planner look at what waits under rollouts that are over, a retry or a force (K4, K5): `wake_deployments` reaches those of
    /// live ones. `ring`: in this ring alone.
    pub async fn wake_under_finished(&mut self, ring: Option<RingId>, now: DateTime<Utc>) -> Result<()> {
        const ALL: &str = "UPDATE deployments SET next_at = $1 WHERE progress IN ('not_started', 'in_progress')
            AND update_id IN (SELECT update_id FROM rollouts WHERE state = 'finished')";
        const OF_RING: &str = "UPDATE deployments SET next_at = $1 WHERE progress IN ('not_started', 'in_progress')
            AND update_id IN (SELECT update_id FROM rollouts WHERE state = 'finished')
            AND room_id IN (SELECT id FROM rooms WHERE ring_id = $2)";
        match ring {
            None => each!(self, c => sqlx::query(ALL).bind(micros(now)).execute(c).await.map(drop))?,
            Some(ring) => {
                each!(self, c => sqlx::query(OF_RING).bind(micros(now)).bind(ring.0).execute(c).await.map(drop))?;
            }
        }
        Ok(())
    }

    /// A freeze and whom it concerns; `None`: there is none of that id.
    pub async fn freeze_record(&mut self, id: FreezeId) -> Result<Option<(FreezeScope, Freeze)>> {
        const SCOPE: &str = "SELECT ring_id, site_id, room_id FROM freezes WHERE id = $1";
        const SQL: &str =
            "SELECT id, ring_id AS of, first_date, last_date, owner, reason, made_at FROM freezes WHERE id = $1";
        type Whose = (Option<Uuid>, Option<Uuid>, Option<Uuid>);
        let whose: Option<Whose> = each!(self, c => sqlx::query_as(SCOPE).bind(id.0).fetch_optional(c).await)?;
        let row: Option<FreezeRow> = each!(self, c => sqlx::query_as(SQL).bind(id.0).fetch_optional(c).await)?;
        let (Some(whose), Some(row)) = (whose, row) else {
            return Ok(None);
        };
        let scope = match whose {
            (Some(ring), _, _) => FreezeScope::Ring(RingId(ring)),
            (_, Some(site), _) => FreezeScope::Site(SiteId(site)),
            (_, _, Some(room)) => FreezeScope::Room(RoomId(room)),
            (None, None, None) => FreezeScope::Organisation,
        };
        Ok(Some((scope, row.into_domain()?)))
    }

    /// Ends a freeze after `last_date`; without one, it is as if it had never been.
    pub async fn shorten_freeze(&mut self, id: FreezeId, last_date: Option<NaiveDate>) -> Result<()> {
        const DELETE: &str = "DELETE FROM freezes WHERE id = $1";
        const SHORTEN: &str = "UPDATE freezes SET last_date = $2 WHERE id = $1";
        match last_date {
            None => each!(self, c => sqlx::query(DELETE).bind(id.0).execute(c).await.map(drop))?,
            Some(last) => each!(self, c => sqlx::query(SHORTEN).bind(id.0).bind(last).execute(c).await.map(drop))?,
        }
        Ok(())
    }

    /// Adds a freeze.
    ///
    /// # Errors
    /// Whom it concerns is not there.
    pub async fn add_freeze(&mut self, scope: FreezeScope, freeze: &Freeze) -> Result<()> {
        const SQL: &str = "INSERT INTO freezes
            (id, scope, ring_id, site_id, room_id, first_date, last_date, owner, reason, made_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let (ring, site, room) = match scope {
            FreezeScope::Organisation => (None, None, None),
            FreezeScope::Ring(id) => (Some(id.0), None, None),
            FreezeScope::Site(id) => (None, Some(id.0), None),
            FreezeScope::Room(id) => (None, None, Some(id.0)),
        };
        each!(self, c => sqlx::query(SQL)
            .bind(freeze.id.0)
            .bind(scope.as_str())
            .bind(ring)
            .bind(site)
            .bind(room)
            .bind(freeze.from)
            .bind(freeze.until)
            .bind(&freeze.owner)
            .bind(&freeze.reason)
            .bind(micros(freeze.made_at))
            .execute(c)
            .await
            .map(drop))?;
        Ok(())
    }
}
