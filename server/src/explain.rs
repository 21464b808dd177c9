//! `nightshift explain`: how a rule decides, in a sentence or as JSON (G6).

use std::path::Path;

use anyhow::{Context, Result};
use chrono::{NaiveDate, SecondsFormat};
use domain::clean::CleanLine;
use domain::freeze::check_date;
use domain::ids::RingId;
use domain::ring::{Ring, RingKind, RingOrder, RingPlace, RingSequence};
use domain::window::{Window, WindowHours};
use domain::zone::Zone;
use serde::Deserialize;
use serde_json::json;
use service::Service;
use service::catalogue::Catalogue;
use uuid::Uuid;

pub(crate) fn window(zone: &str, date: &str, as_json: bool) -> Result<()> {
    let zone = Zone::parse(zone)?;
    let date: NaiveDate = date
        .parse()
        .with_context(|| format!("date {date:?} must be YYYY-MM-DD"))?;
    check_date(date)?;
    let window = Window::on(&zone, date, WindowHours::default());
    if as_json {
        let instant = |instant: chrono::DateTime<chrono::Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
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

#[derive(Deserialize)]
struct RingsFile {
    rings: Vec<RingLine>,
}

#[derive(Deserialize)]
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
