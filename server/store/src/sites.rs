//! Sites as rows.

use std::collections::BTreeMap;

use domain::clean::name_key;
use domain::ids::SiteId;
use domain::zone::Zone;
use uuid::Uuid;

use crate::error::Result;
use crate::rows::zone_of;
use crate::tx::{Tx, each};

/// A site to add.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Identity.
    pub id: SiteId,
    /// Name, unique without regard to case.
    pub name: String,
    pub city: String,
    pub country: String,
    /// Its rooms' zone, unless they have their own.
    pub zone: Zone,
}

/// A site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRecord {
    /// Identity.
    pub id: SiteId,
    pub name: String,
    pub city: String,
    pub country: String,
    pub zone: Zone,
}

/// A zone of the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneInUse {
    /// As its row names it; it may be none of the zone database.
    pub zone: String,
    /// The name of a site that has it, or whose room has it.
    pub site: String,
    /// The name of a room that has a zone of its own.
    pub room: Option<String>,
}

impl Tx {
    /// Every zone of sites and of rooms that are not retired, each once, with somebody who has it.
    pub async fn zones_in_use(&mut self) -> Result<Vec<ZoneInUse>> {
        const SQL: &str = "SELECT zone, MIN(site), MIN(room)
            FROM (SELECT s.zone, s.name AS site, CAST(NULL AS TEXT) AS room FROM sites s
                UNION ALL
                SELECT r.zone, s.name, r.name FROM rooms r JOIN sites s ON s.id = r.site_id WHERE r.zone_is_own AND r.state <> 'retired') AS used
            GROUP BY zone ORDER BY zone";
        let rows: Vec<(String, String, Option<String>)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(zone, site, room)| ZoneInUse { zone, site, room })
            .collect())
    }

    /// Adds sites.
    ///
    /// # Errors
    /// A name is taken.
    pub async fn add_sites(&mut self, sites: &[NewSite]) -> Result<()> {
        const SQL: &str = "INSERT INTO sites (id, name, name_key, city, country, zone) VALUES ($1, $2, $3, $4, $5, $6)";
        for site in sites {
            each!(self, c => sqlx::query(SQL)
                .bind(site.id.0)
                .bind(&site.name)
                .bind(name_key(&site.name))
                .bind(&site.city)
                .bind(&site.country)
                .bind(site.zone.name())
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok(())
    }

    /// All sites by name.
    pub async fn sites(&mut self) -> Result<Vec<SiteRecord>> {
        const SQL: &str = "SELECT id, name, city, country, zone FROM sites ORDER BY name_key";
        type Row = (Uuid, String, String, String, String);
        let rows: Vec<Row> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        rows.into_iter()
            .map(|(id, name, city, country, zone)| {
                Ok(SiteRecord {
                    id: SiteId(id),
                    name,
                    city,
                    country,
                    zone: zone_of("sites", id, &zone)?,
                })
            })
            .collect()
    }

    /// The name of a site; `None`: there is none.
    pub async fn site_name(&mut self, site: SiteId) -> Result<Option<String>> {
        const SQL: &str = "SELECT name FROM sites WHERE id = $1";
        Ok(each!(self, c => sqlx::query_scalar(SQL).bind(site.0).fetch_optional(c).await)?)
    }

    /// The site of a name, without regard to case or Unicode form, other than this one.
    pub async fn site_named(&mut self, name: &str, other_than: Option<SiteId>) -> Result<Option<SiteId>> {
        const SQL: &str =
            "SELECT id FROM sites WHERE (name_key = $1 OR clean_key = $1) AND id <> $2 ORDER BY id LIMIT 1";
        let id: Option<Uuid> = each!(self, c => sqlx::query_scalar(SQL)
            .bind(name_key(name))
            .bind(other_than.map_or(Uuid::nil(), |site| site.0))
            .fetch_optional(c)
            .await)?;
        Ok(id.map(SiteId))
    }

    /// Writes what a site is. Its zone becomes that of its rooms which have none of their own.
    ///
    /// # Errors
    /// The name is taken.
    pub async fn put_site(&mut self, site: &SiteRecord) -> Result<()> {
        const SITE: &str = "UPDATE sites SET name = $2, name_key = CASE WHEN name = $2 THEN name_key ELSE $3 END,
                clean_key = CASE WHEN name = $2 THEN clean_key END, city = $4, country = $5, zone = $6 WHERE id = $1";
        const ROOMS: &str = "UPDATE rooms SET zone = $2, revision = revision + 1
            WHERE site_id = $1 AND zone <> $2 AND NOT zone_is_own";
        each!(self, c => sqlx::query(SITE)
            .bind(site.id.0)
            .bind(&site.name)
            .bind(name_key(&site.name))
            .bind(&site.city)
            .bind(&site.country)
            .bind(site.zone.name())
            .execute(c)
            .await
            .map(drop))?;
        each!(self, c => sqlx::query(ROOMS).bind(site.id.0).bind(site.zone.name()).execute(c).await.map(drop))?;
        Ok(())
    }

    /// How many rooms each site has; retired ones do not count, sites without a room are left out.
    pub async fn rooms_by_site(&mut self) -> Result<BTreeMap<SiteId, i64>> {
        const SQL: &str = "SELECT site_id, CAST(SUM(rooms) AS BIGINT) FROM room_counts WHERE state <> 'retired' GROUP BY site_id HAVING SUM(rooms) > 0";
        let rows: Vec<(Uuid, i64)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(site, rooms)| (SiteId(site), rooms)).collect())
    }
}
