//! Names in one Unicode form (R4, G5): the keys of those that were written before names were cleaned, and those that fall together.
//!
//! `name_key` is what makes a name unique. Of a name that is written now it is the clean key; an older row keeps what it has, and its
//! clean key stands beside it. Look-ups ask for both.

use std::collections::BTreeMap;

use domain::clean::{CleanLine, name_key};
use domain::ids::{RoomId, SiteId};
use uuid::Uuid;

use crate::database::Store;
use crate::error::Result;
use crate::rows::ids_in;
use crate::tx::{Tx, each};

/// Rows that are read and written together.
const BATCH: usize = 500;

/// A table whose rows are found by a name.
struct Named {
    /// The rows whose keys may differ: what is plain ASCII cannot.
    read: &'static str,
    write: &'static str,
}

macro_rules! named {
    ($table:literal, $name:literal, $key:literal) => {
        Named {
            read: concat!(
                "SELECT id, ",
                $name,
                ", ",
                $key,
                ", clean_key FROM ",
                $table,
                " WHERE clean_key IS NOT NULL OR octet_length(",
                $key,
                ") <> length(",
                $key,
                ") ORDER BY id"
            ),
            write: concat!("UPDATE ", $table, " SET clean_key = $2 WHERE id = $1"),
        }
    };
}

const NAMED: [Named; 3] = [
    named!("sites", "name", "name_key"),
    named!("rooms", "name", "name_key"),
    named!("people", "email", "email_key"),
];

impl Store {
    /// Gives the names their clean keys that were written without: by a program before this one, also by one that still runs beside it.
    pub(crate) async fn fill_clean_keys(&self) -> Result<()> {
        let filled: Result<usize> = crate::write!(self, tx => {
            let mut filled = 0;
            for named in NAMED {
                filled += tx.fill_clean_keys(&named).await?;
            }
            Ok(filled)
        });
        match filled? {
            0 => {}
            names => tracing::info!(
                names,
                "names that were written in another Unicode form are found in both now"
            ),
        }
        Ok(())
    }
}

impl Tx {
    async fn fill_clean_keys(&mut self, named: &Named) -> Result<usize> {
        let rows: Vec<(Uuid, String, String, Option<String>)> =
            each!(self, c => sqlx::query_as(named.read).fetch_all(c).await)?;
        let mut filled = 0;
        for (id, name, key, is) in rows {
            let wanted = Some(name_key(&name)).filter(|clean| *clean != key);
            if wanted != is {
                each!(self, c => sqlx::query(named.write).bind(id).bind(&wanted).execute(c).await.map(drop))?;
                filled += 1;
            }
        }
        Ok(filled)
    }

    /// The rooms whose names were written in another Unicode form: (clean key, site) to room. What is imported is compared with them.
    pub async fn rooms_in_other_forms(&mut self) -> Result<BTreeMap<(String, SiteId), RoomId>> {
        const SQL: &str = "SELECT clean_key, site_id, id FROM rooms WHERE clean_key IS NOT NULL ORDER BY id";
        let rows: Vec<(String, Uuid, Uuid)> = each!(self, c => sqlx::query_as(SQL).fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(key, site, id)| ((key, SiteId(site)), RoomId(id)))
            .collect())
    }

    /// Names that were taken for different ones once and are the same now, in words: somebody should rename one of each.
    pub async fn names_that_fall_together(&mut self) -> Result<Vec<String>> {
        const SITES: &str = "SELECT id, COALESCE(clean_key, name_key), name FROM sites s
            WHERE clean_key IS NOT NULL OR EXISTS (SELECT 1 FROM sites o WHERE o.clean_key = s.name_key) ORDER BY id";
        const ROOMS: &str = "SELECT r.id, COALESCE(r.clean_key, r.name_key), r.name, r.site_id FROM rooms r
            WHERE r.clean_key IS NOT NULL
                OR EXISTS (SELECT 1 FROM rooms o WHERE o.clean_key = r.name_key AND o.site_id = r.site_id) ORDER BY r.id";
        const PEOPLE: &str = "SELECT id, COALESCE(clean_key, email_key), email FROM people p
            WHERE clean_key IS NOT NULL OR EXISTS (SELECT 1 FROM people o WHERE o.clean_key = p.email_key) ORDER BY id";
        type Row = (Uuid, String, String);
        let sites: Vec<Row> = each!(self, c => sqlx::query_as(SITES).fetch_all(c).await)?;
        let rooms: Vec<(Uuid, String, String, Uuid)> = each!(self, c => sqlx::query_as(ROOMS).fetch_all(c).await)?;
        let people: Vec<Row> = each!(self, c => sqlx::query_as(PEOPLE).fetch_all(c).await)?;
        let mut by_key: BTreeMap<(&str, Option<Uuid>, String), Vec<String>> = BTreeMap::new();
        for (what, rows) in [("sites", sites), ("accounts", people)] {
            for (id, key, name) in rows {
                by_key
                    .entry((what, None, key))
                    .or_default()
                    .push(format!("{name:?} ({id})"));
            }
        }
        for (id, key, name, site) in rooms {
            by_key
                .entry(("rooms", Some(site), key))
                .or_default()
                .push(format!("{name:?} ({id})"));
        }
        // Rings and tokens are few, and compared with each other wherever they are read.
        for ring in self.rings().await?.iter() {
            let shown = format!("{:?} ({})", ring.name, ring.id);
            by_key
                .entry(("rings", None, name_key(&ring.name)))
                .or_default()
                .push(shown);
        }
        for token in self.tokens().await? {
            let shown = format!("{:?} ({})", token.name, token.id);
            by_key
                .entry(("tokens", None, CleanLine::from(token.name).into()))
                .or_default()
                .push(shown);
        }
        by_key.retain(|_, names| names.len() > 1);
        let site_names = self
            .names_of_sites(by_key.keys().filter_map(|(_, site, _)| *site))
            .await?;
        let lines = by_key.into_iter().map(|((what, site, _), names)| {
            let at = site.and_then(|site| site_names.get(&site));
            let at = at.map_or_else(String::new, |site| format!(" at {site:?}"));
            format!(
                "{} {what}{at} have names that look the same; rename all but one: {}",
                names.len(),
                names.join(", ")
            )
        });
        Ok(lines.collect())
    }

    async fn names_of_sites(&mut self, sites: impl Iterator<Item = Uuid>) -> Result<BTreeMap<Uuid, String>> {
        let sites: Vec<Uuid> = sites.collect();
        let mut names = BTreeMap::new();
        for batch in sites.chunks(BATCH) {
            let rows: Vec<(Uuid, String)> = each!(self, c => {
                let mut query = sqlx::QueryBuilder::new("SELECT id, name FROM sites WHERE id IN (");
                ids_in(&mut query, batch.iter().copied());
                query.build_query_as().fetch_all(c).await
            })?;
            names.extend(rows);
        }
        Ok(names)
    }
}
