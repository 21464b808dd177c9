//! `nightshift explain`: how a rule decides, in a sentence or as JSON (G6).

mod halt;

pub(crate) use halt::halt;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, Utc};
use domain::clean::CleanLine;
use domain::conversation::inventory::{self, ConfigMode, ConfigReport, KnownDevice};
use domain::freeze::check_date;
use domain::ids::RingId;
use domain::lifecycle::{CountingRule, Recall, Release, ReleaseHistory, SupportState, support_of};
use domain::readiness::facts::Facts;
use domain::readiness::profile::Profile;
use domain::readiness::{self, AsOf, Check, Decisions, Readiness, ReportingDevice, RoomFacts, STALE_AFTER, Waiver};
use domain::ring::{Ring, RingKind, RingOrder, RingPlace, RingSequence};
use domain::time_text::dated;
use domain::version::{VersionScheme, is_same};
use domain::window::{Window, WindowHours};
use domain::zone::Zone;
use serde::Deserialize;
use serde_json::json;
use service::Service;
use service::catalogue::{Catalogue, ProductLine};
use uuid::Uuid;

pub(crate) fn window(zone: &str, date: &str, as_json: bool) -> Result<()> {
    let zone = Zone::parse(zone)?;
    let date: NaiveDate = date
        .parse()
        .with_context(|| format!("date {date:?} must be YYYY-MM-DD"))?;
    check_date(date)?;
    let window = Window::on(&zone, date, WindowHours::default());
    if as_json {
        let instant = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
        let explained = json!({
            "zone": zone.name(),
            "date": date,
            "opens": window.map(|window| instant(window.opens)),
            "closes": window.map(|window| instant(window.closes)),
            "minutes": window.map(|window| window.minutes()),
        });
        println!("{explained}");
        return Ok(());
    }
    match window {
        None => println!("{date} does not exist in {zone}, so it has no window."),
        Some(window) => {
            let wall = |instant| zone.local(instant).wall.format("%H:%M:%S").to_string();
            println!(
                "In {zone} the window of {date} opens at {} and closes at {} local time ({} to {} UTC): {} minutes.",
                wall(window.opens),
                wall(window.closes),
                window.opens.format("%Y-%m-%d %H:%M:%S"),
                window.closes.format("%Y-%m-%d %H:%M:%S"),
                window.minutes()
            );
        }
    }
    Ok(())
}

pub(crate) fn version_order(
    a: &str,
    b: &str,
    product: Option<&str>,
    product_b: Option<&str>,
    catalogue: Option<&Path>,
    as_json: bool,
) -> Result<()> {
    let catalogue = catalogue.map(Catalogue::read).transpose()?.unwrap_or_default();
    let order = catalogue.version_order((product, a), (product_b.or(product), b))?;
    if as_json {
        println!("{}", json!({ "order": order.word(), "why": order.why }));
    } else {
        let relation = match order.order {
            Some(std::cmp::Ordering::Less) => "is older than",
            Some(std::cmp::Ordering::Equal) => "is the same as",
            Some(std::cmp::Ordering::Greater) => "is newer than",
            None => "cannot be compared with",
        };
        println!("{a} {relation} {b}. {}", order.why);
    }
    Ok(())
}

pub(crate) fn support(
    catalogue: &Path,
    (product, version): (&str, &str),
    as_of: &str,
    rule: &str,
    as_json: bool,
) -> Result<()> {
    let date: NaiveDate = as_of
        .parse()
        .with_context(|| format!("as-of {as_of:?} must be YYYY-MM-DD"))?;
    check_date(date)?;
    let rule = CountingRule::from_word(rule).with_context(|| format!("rule {rule:?} is not releases or lines"))?;
    let catalogue = Catalogue::read(catalogue)?;
    let scheme = scheme_of(&catalogue, product)?;
    let releases = releases_of(&catalogue, product);
    let release = release_written(&releases, &scheme, version)
        .with_context(|| format!("product {product:?} has no version {version:?} in the catalogue"))?;
    let history = ReleaseHistory {
        releases: &releases,
        scheme: &scheme,
        rule,
    };
    let support = support_of(release, &history, date);
    let why = support.why.sentence();
    if as_json {
        let supported = match support.state() {
            SupportState::Supported => Some(true),
            SupportState::Unsupported => Some(false),
            SupportState::Unknown => None,
        };
        let explained = json!({
            "supported": supported,
            "supported_until": support.last_day,
            "newer_releases": support.newer_releases,
            "why": why,
        });
        println!("{explained}");
        return Ok(());
    }
    let is = match support.state() {
        SupportState::Supported => "is supported",
        SupportState::Unsupported => "is not supported",
        SupportState::Unknown => "may or may not be supported",
    };
    println!("On {} {version} {is}. {why}", dated(date));
    Ok(())
}

/// What a product says about its versions. A releases file alone has no products: the plain rules hold.
fn scheme_of(catalogue: &Catalogue, product: &str) -> Result<VersionScheme> {
    let line = catalogue.products.iter().find(|line| line.id == product);
    if line.is_none() && catalogue.releases.iter().all(|release| release.product != product) {
        anyhow::bail!("product {product:?} is not in the catalogue");
    }
    Ok(line.map_or_else(VersionScheme::default, ProductLine::scheme))
}

/// A catalogue does not say when a release was recalled.
fn releases_of<'a>(catalogue: &'a Catalogue, product: &str) -> Vec<Release<'a>> {
    let of_product = catalogue.releases.iter().filter(|line| line.product == product);
    of_product
        .map(|line| Release {
            version: line.version.as_str(),
            released: line.released,
            recall: if line.recalled {
                Recall::DayUnknown
            } else {
                Recall::Never
            },
        })
        .collect()
}

/// The release of that text; else one of another spelling of it, with a date where there is one.
fn release_written<'r, 'a>(releases: &'r [Release<'a>], scheme: &VersionScheme, text: &str) -> Option<&'r Release<'a>> {
    let same = || releases.iter().filter(|release| is_same(scheme, release.version, text));
    same()
        .find(|release| release.version == text.trim())
        .or_else(|| same().find(|release| release.released.is_some()))
        .or_else(|| same().next())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingsFile {
    rings: Vec<RingLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingLine {
    name: String,
    order: Option<i64>,
    rollout_days: serde_json::Number,
    test_days: serde_json::Number,
}

/// Whole days, as the form takes them (R4).
fn days(ring: &str, field: &str, given: &serde_json::Number) -> Result<u32> {
    let days = given.as_u64().and_then(|days| u32::try_from(days).ok());
    days.with_context(|| format!("ring {ring:?}: {field} {given} must be a whole number of days from 0 to 60"))
}

pub(crate) fn rings(file: &Path, as_json: bool) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let file: RingsFile =
        serde_json::from_str(&text).with_context(|| format!("{} is not a file of rings", file.display()))?;
    let mut rings = Vec::with_capacity(file.rings.len());
    for (line, number) in file.rings.into_iter().zip(1..) {
        let (kind, place) = place_of(&line)?;
        rings.push(Ring {
            id: RingId(Uuid::from_u128(number)),
            kind,
            name: CleanLine::from(line.name.as_str()).into(),
            description: String::new(),
            place,
            rollout_days: days(&line.name, "rollout_days", &line.rollout_days)?,
            test_days: days(&line.name, "test_days", &line.test_days)?,
        });
    }
    let rings = RingSequence::new(rings)?;
    let remaining = rings.remaining_days(None);
    if as_json {
        let rows: Vec<_> = rings
            .iter()
            .map(|ring| json!({ "name": ring.name, "deferment": rings.deferment_days(ring.id), "completion": ring.completion_days() }))
            .collect();
        println!(
            "{}",
            json!({ "rings": rows, "total": rings.total_days(), "remaining": remaining })
        );
        return Ok(());
    }
    for ring in rings.iter() {
        println!(
            "{}: starts after {} days, takes {}.",
            ring.name,
            rings.deferment_days(ring.id),
            ring.completion_days()
        );
    }
    println!("{} days in all, {remaining} of 60 remain.", rings.total_days());
    Ok(())
}

/// Staging and Executive have no order; General is known by its name.
fn place_of(line: &RingLine) -> Result<(RingKind, RingPlace)> {
    let name = line.name.trim().to_lowercase();
    match (name.as_str(), line.order) {
        ("staging", None) => Ok((RingKind::Staging, RingPlace::Staging)),
        ("executive", None) => Ok((RingKind::Executive, RingPlace::Executive)),
        (_, None) => anyhow::bail!(
            "ring {:?}: order is missing; only Staging and Executive have none",
            line.name
        ),
        ("staging" | "executive", Some(_)) => {
            anyhow::bail!("ring {:?}: order must be null; its place is fixed", line.name)
        }
        ("general", Some(order)) => Ok((RingKind::General, RingPlace::Between(RingOrder::try_from(order)?))),
        (_, Some(order)) => Ok((RingKind::Custom, RingPlace::Between(RingOrder::try_from(order)?))),
    }
}

/// A room in a file (G6). Instants and dates are text here, so that a refusal names their keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadinessFile {
    room: RoomLine,
    attributes: BTreeMap<String, Option<String>>,
    reported_at: Option<String>,
    as_of: String,
    #[serde(default)]
    waivers: Vec<WaiverLine>,
    #[serde(default)]
    reviewed: Vec<String>,
    #[serde(default)]
    remedied: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomLine {
    windows: bool,
    logitech: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WaiverLine {
    check: String,
    until: String,
}

fn instant_of(key: &str, text: &str) -> Result<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .with_context(|| format!("{key} {text:?} must be an instant with an offset, such as 2024-10-24T09:00:00Z"))
}

fn waiver_of(line: &WaiverLine) -> Result<Waiver> {
    let checks = || readiness::ALL_CHECKS.map(Check::as_str).join(", ");
    let check = Check::from_word(&line.check)
        .with_context(|| format!("waivers: check {:?} must be one of {}", line.check, checks()))?;
    let until: Option<NaiveDate> = line.until.parse().ok();
    let until = until.with_context(|| format!("waivers: until {:?} must be YYYY-MM-DD", line.until))?;
    Ok(Waiver {
        check,
        until,
        given: None,
    })
}

impl ReadinessFile {
    fn assess(self, profile: &Profile) -> Result<Readiness> {
        let as_of = instant_of("as_of", &self.as_of)?;
        let now = as_of.to_utc();
        let reported_at = self.reported_at.as_deref().map(|text| instant_of("reported_at", text));
        let reported_at = reported_at.transpose()?.map(|instant| instant.to_utc());
        // The attributes keep to the limits of a device's report.
        let report = ConfigReport {
            mode: ConfigMode::Replace,
            data: self.attributes,
        };
        let attributes = inventory::take(KnownDevice::default(), &report, now)?.attributes;
        let facts = Facts::read(&attributes, |_| reported_at)?;
        if let Some(other) = self.remedied.iter().find(|name| *name != Check::StoreUpdates.as_str()) {
            anyhow::bail!("remedied {other:?} must be store_updates: Nightshift changes no other setting");
        }
        let computer = ReportingDevice {
            facts,
            store_updates_off_since: (!self.remedied.is_empty()).then_some(now),
            ..ReportingDevice::default()
        };
        let room = RoomFacts {
            computers: if self.room.windows { vec![computer] } else { Vec::new() },
            has_logitech: self.room.logitech,
        };
        let decisions = Decisions {
            waivers: self.waivers.iter().map(waiver_of).collect::<Result<_>>()?,
            reviewed: self.reviewed,
        };
        let as_of = AsOf {
            now,
            date: as_of.date_naive(),
            stale_after: STALE_AFTER,
        };
        Ok(readiness::assess(&room, &decisions, profile, &as_of, &BTreeSet::new()))
    }
}

pub(crate) fn readiness(file: &Path, profile: Option<&Path>, as_json: bool) -> Result<()> {
    let read = |file: &Path| std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    let profile = match profile {
        None => Profile::shipped(),
        Some(file) => serde_json::from_str(&read(file)?)
            .with_context(|| format!("{} is not a readiness profile", file.display()))?,
    };
    let room: ReadinessFile = serde_json::from_str(&read(file)?)
        .with_context(|| format!("{} is not a file of a room's readiness", file.display()))?;
    let explained = room.assess(&profile)?;
    let moment = |instant: DateTime<Utc>| instant.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let blocks: Vec<&str> = explained.blocks.iter().map(|scope| scope.as_str()).collect();
    if as_json {
        let checks: Vec<_> = explained
            .verdicts
            .iter()
            .map(|verdict| {
                json!({
                    "check": verdict.check.as_str(),
                    "result": verdict.result.as_str(),
                    "why": verdict.why.sentence(moment),
                    "guidance": verdict.guidance,
                })
            })
            .collect();
        println!("{}", json!({ "checks": checks, "blocks": blocks }));
        return Ok(());
    }
    for verdict in &explained.verdicts {
        let (check, result) = (verdict.check.as_str(), verdict.result.as_str());
        println!(
            "{check}: {result}. {} {}",
            verdict.why.sentence(moment),
            verdict.guidance
        );
    }
    if blocks.is_empty() {
        println!("Blocks nothing.");
    } else {
        println!("Blocks {}.", blocks.join(", "));
    }
    Ok(())
}

pub(crate) async fn room(service: &Service, room: &str, as_json: bool) -> Result<()> {
    let explained = service.explain_room(&room.into()).await?;
    if as_json {
        println!("{}", serde_json::to_string(&explained)?);
        return Ok(());
    }
    println!(
        "{} at {}, ring {}, zone {}:",
        explained.room, explained.site, explained.ring, explained.zone
    );
    for update in &explained.updates {
        let next = update
            .next_window
            .as_deref()
            .map(|window| format!(" Next window: {window}."))
            .unwrap_or_default();
        println!("  {}: {}. {}{next}", update.update, update.status, update.why);
    }
    Ok(())
}
