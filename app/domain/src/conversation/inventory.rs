//! What reported facts mean: attributes, people in the room, and the components and versions of a device (`docs/devices.md` 1, 4).
//!
//! An external change (I5) is a version that Nightshift did not bring: [`VersionChange::is_external`]. What it means for updates the planner
//! finds out. Whoever calls loads what is known first, and writes what is [`Taken`]. Start with [`take`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::facts::{self, FactRefusal};
use super::presence::Presence;
use crate::ids::ProductId;
use crate::readiness::facts::{Facts, check_additional_software, is_of_additional_software, names_additional_software};
use crate::room::{Component, VersionSource};
use crate::signal::{self, Signal};

/// How a report of facts changes what is known (`docs/devices.md` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigMode {
    /// Adds and overwrites; a null deletes.
    Merge,
    /// Replaces all.
    Replace,
    /// Deletes the keys.
    Remove,
}

/// A report of facts.
#[derive(Clone, Debug)]
pub struct ConfigReport {
    /// How.
    pub mode: ConfigMode,
    /// What; `None` deletes the key.
    pub data: BTreeMap<String, Option<String>>,
}

/// The limit that a report of facts breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportRefusal {
    /// A key or value is too long.
    #[error("attribute {attribute:?} is too long: keys and values have at most {MOST_CHARACTERS} characters")]
    TooLong {
        /// The key, shortened.
        attribute: String,
    },
    /// Too many keys.
    #[error("attribute {attribute:?} is one too many: a device has at most {MOST_ATTRIBUTES} attributes")]
    TooMany {
        /// The first key beyond.
        attribute: String,
    },
    /// Two keys that are one without the characters that cannot be kept.
    #[error("attribute {attribute:?} stands there twice, once with characters that cannot be kept")]
    Twice {
        /// The key without them.
        attribute: String,
    },
    /// A fact in it.
    #[error("{0}")]
    Fact(#[from] FactRefusal),
}

/// The most attributes of a device.
pub const MOST_ATTRIBUTES: usize = 100;
/// The most characters of a key or a value.
pub const MOST_CHARACTERS: usize = 128;

/// What a device says about itself.
pub type Attributes = BTreeMap<String, String>;
/// Products with their versions.
pub type Components = BTreeMap<ProductId, Option<String>>;

/// What is known of a device before it reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownDevice {
    /// What it has reported so far.
    pub attributes: Attributes,
    /// When it told each of them; one that is missing was told before times were kept.
    pub told_at: BTreeMap<String, DateTime<Utc>>,
    /// When it last said that nobody is in its room, if it has not said otherwise since.
    pub free_at: Option<DateTime<Utc>>,
    /// When it last said otherwise, if it has not said `free` since.
    pub busy_at: Option<DateTime<Utc>>,
    /// What is on it, from its reports or from an import, with the version where that is known.
    pub components: Components,
    /// Serial numbers of its components, where they are known.
    pub serials: BTreeMap<ProductId, String>,
    /// Since when each of its signals is bad.
    pub bad_since: BTreeMap<Signal, DateTime<Utc>>,
}

/// A device had told a version of a product, and now it tells another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionChange {
    pub product: ProductId,
    pub before: String,
    /// `None`: it has the product no more.
    pub after: Option<String>,
}

impl VersionChange {
    /// Whether somebody else than Nightshift has brought it about (I5). `given`: the version that Nightshift gave the device last.
    #[must_use]
    pub fn is_external(&self, given: Option<&str>) -> bool {
        self.after.is_none() || self.after.as_deref() != given
    }
}

/// A device after a report of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// All that it has reported by now.
    pub attributes: Attributes,
    /// When it told each of them last.
    pub told_at: BTreeMap<String, DateTime<Utc>>,
    /// It keeps to windows of its own (`docs/devices.md` 2.1).
    pub window_aware: bool,
    /// People in its room, as far as this device says (K5).
    pub presence: Presence,
    /// Components that are new, or that have another version than before.
    pub changed: Vec<(ProductId, Option<String>)>,
    /// Components whose version is as it was known, and which the device names for the first time: it is reported from now on.
    pub first_named: Vec<ProductId>,
    /// Components that are not there any more.
    pub gone: Vec<ProductId>,
    /// Versions that it had told and that are others now, or gone.
    pub version_changes: Vec<VersionChange>,
    /// The device's own serial number, where it tells one.
    pub serial: Option<String>,
    /// Components whose serial number is new, or another one than before.
    pub new_serials: Vec<(ProductId, String)>,
    /// Since when each of its signals is bad (I4).
    pub bad_since: BTreeMap<Signal, DateTime<Utc>>,
    /// The checks of the room are made again (C5): it is the device's first report, they go by something that was told, a component is
    /// new or gone, or a signal has become bad or well. Devices say every minute whether somebody is in the room; no check goes by that.
    pub concerns_checks: bool,
    /// It tells something else than before, people in the room aside: open pages show it (P9).
    pub is_news: bool,
    /// From now on, and not before, its `sw_version` says nothing: the log says so once (`docs/devices.md` 2.13).
    pub begins_to_leave_product_open: bool,
}

impl Taken {
    /// Leaves out products that the portfolio does not know: they stay attributes.
    pub fn keep_known(&mut self, is_known: impl Fn(&ProductId) -> bool) {
        let (changed, unknown): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changed)
            .into_iter()
            .partition(|(product, _)| is_known(product));
        self.changed = changed;
        let is_unknown = |product: &ProductId| unknown.iter().any(|(unknown, _)| unknown == product);
        self.new_serials.retain(|(product, _)| !is_unknown(product));
    }

    /// Writes the versions of components that are there, as rows have them: from now on the device has reported them.
    pub fn write_to(&self, components: &mut [Component]) {
        for component in components {
            let changed = self.changed.iter().find(|(product, _)| *product == component.product);
            if let Some((_, version)) = changed {
                component.version.clone_from(version);
            }
            if changed.is_some() || self.first_named.contains(&component.product) {
                component.source = VersionSource::Reported;
            }
        }
    }

    /// Whether the planner rechecks the room. Ask after [`Taken::keep_known`].
    #[must_use]
    pub fn rechecks_room(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }
}

/// What a report of facts makes of a device.
///
/// A report that names any component names them all, whatever numbers they had before: what it does not name is gone (`docs/devices.md` 4).
/// A report that tells the list of additional software tells it whole, in as many attributes as it needs.
/// A device that names no components and has exactly one reports that one's version as `sw_version`. What came from an import stays until
/// the device names its components.
///
/// # Errors
/// The report breaks a limit. Nothing of it counts then.
pub fn take(known: KnownDevice, report: &ConfigReport, now: DateTime<Utc>) -> Result<Taken, ReportRefusal> {
    let named_before = components_in(&known.attributes);
    let reported_before = reported_components(&known.attributes, &known.components);
    let was_open = leaves_product_open(&known.attributes, known.components.len());
    let is_first = known.attributes.is_empty();
    let attributes = merged(known.attributes.clone(), report)?;
    let mut told_at = known.told_at;
    told_at.extend(report.data.keys().map(|key| (cleaned(key), now)));
    told_at.retain(|key, _| attributes.contains_key(key));
    let known_components = known.components;
    let mut reported = reported_components(&attributes, &known_components);
    let gone: Vec<ProductId> = named_before
        .into_keys()
        .filter(|product| known_components.contains_key(product) && !reported.contains_key(product))
        .collect();
    let has_told = |product: &ProductId| reported_before.get(product).is_some_and(Option::is_some);
    let is_unknown = |product: &ProductId| known_components.get(product).is_none_or(Option::is_none);
    // A device that names a product and no version takes no version away that it has not told.
    reported.retain(|product, version| version.is_some() || has_told(product) || is_unknown(product));
    let (as_known, changed): (Vec<_>, Vec<_>) = reported
        .into_iter()
        .partition(|(product, version)| known_components.get(product) == Some(version));
    let version_changes = version_changes(&reported_before, &changed, &gone);
    let as_known = as_known.into_iter().map(|(product, _)| product);
    let first_named: Vec<ProductId> = as_known
        .filter(|product| !reported_before.contains_key(product))
        .collect();
    let (mut free_at, mut busy_at) = (known.free_at, known.busy_at);
    // A report that does not speak of the room makes an earlier one no younger (K5).
    if report.mode == ConfigMode::Replace || report.data.contains_key("room.state") {
        let is_free = says(&attributes, "room.state", "free");
        free_at = is_free.then_some(now);
        busy_at = (!is_free && attributes.contains_key("room.state")).then_some(now);
    }
    let bad_since = signal::bad_since(&attributes, &known.bad_since, now);
    let concerns_checks = report.mode == ConfigMode::Replace
        || is_first
        || bad_since != known.bad_since
        || !(changed.is_empty() && first_named.is_empty() && gone.is_empty())
        || report.data.keys().any(|key| Facts::goes_by(key));
    let new_serials = serials_in(&attributes).into_iter();
    let new_serials = new_serials.filter(|(product, serial)| known.serials.get(product) != Some(serial));
    Ok(Taken {
        bad_since,
        is_news: !without_presence(&known.attributes).eq(without_presence(&attributes)),
        serial: attributes.get("device.serial").and_then(|serial| told_text(serial)),
        new_serials: new_serials.collect(),
        concerns_checks,
        begins_to_leave_product_open: !was_open && leaves_product_open(&attributes, known_components.len()),
        window_aware: says(&attributes, "ddi.window", "aware"),
        presence: Presence {
            free_at,
            busy_at,
            busy_until: busy_until(&attributes),
        },
        attributes,
        told_at,
        changed,
        first_named,
        gone,
        version_changes,
    })
}

/// Versions that a device had told, and that are others now or gone. One that it does not tell any more is not known to have changed.
fn version_changes(
    told: &Components,
    changed: &[(ProductId, Option<String>)],
    gone: &[ProductId],
) -> Vec<VersionChange> {
    let told_before = |product: &ProductId| told.get(product).cloned().flatten();
    let other = changed.iter().filter_map(|(product, after)| {
        let (before, after) = (told_before(product)?, after.clone()?);
        Some(VersionChange {
            product: product.clone(),
            before,
            after: Some(after),
        })
    });
    let none_left = gone.iter().filter_map(|product| {
        Some(VersionChange {
            product: product.clone(),
            before: told_before(product)?,
            after: None,
        })
    });
    other.chain(none_left).collect()
}

/// The components that a device with these attributes reports. `known`: those that it has.
fn reported_components(attributes: &Attributes, known: &Components) -> Components {
    let named = components_in(attributes);
    match (attributes.get("sw_version"), known.len()) {
        (Some(version), 1) if named.is_empty() => {
            let only = known.keys().next().cloned();
            only.map(|only| (only, Some(version.clone()))).into_iter().collect()
        }
        _ => named,
    }
}

/// Whether `sw_version` says nothing, because the device has not one product and names none. `components`: how many it has.
#[must_use]
pub fn leaves_product_open(attributes: &Attributes, components: usize) -> bool {
    attributes.contains_key("sw_version") && components != 1 && components_in(attributes).is_empty()
}

/// What a device has told, without what it says of the room every minute (K5).
fn without_presence(attributes: &Attributes) -> impl Iterator<Item = (&String, &String)> {
    attributes.iter().filter(|(key, _)| !key.starts_with("room."))
}

fn says(attributes: &Attributes, key: &str, value: &str) -> bool {
    let given = attributes.get(key);
    given.is_some_and(|given| given.trim().eq_ignore_ascii_case(value))
}

fn busy_until(attributes: &Attributes) -> Option<DateTime<Utc>> {
    let until = DateTime::parse_from_rfc3339(attributes.get("room.busy_until")?.trim());
    until.ok().map(|until| until.to_utc())
}

/// The products that attributes name, each with its number (`docs/devices.md` 4).
fn numbered(attributes: &Attributes) -> impl Iterator<Item = (&str, ProductId)> {
    attributes.iter().filter_map(|(key, product)| {
        let number = key.strip_prefix("component.")?.strip_suffix(".product")?;
        Some((number, ProductId(product.clone())))
    })
}

/// Products with their versions.
fn components_in(attributes: &Attributes) -> Components {
    let version = |number: &str| {
        let version = attributes.get(&format!("component.{number}.version"));
        version.filter(|version| !version.is_empty()).cloned()
    };
    let named = numbered(attributes);
    named.map(|(number, product)| (product, version(number))).collect()
}

/// Products with their serial numbers, where they are told.
fn serials_in(attributes: &Attributes) -> BTreeMap<ProductId, String> {
    let serial = |number: &str| told_text(attributes.get(&format!("component.{number}.serial"))?);
    let named = numbered(attributes);
    named
        .filter_map(|(number, product)| Some((product, serial(number)?)))
        .collect()
}

/// A blank text tells nothing.
fn told_text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A report that names these components and nothing else.
#[must_use]
pub fn report_of(components: &Components) -> ConfigReport {
    let mut data = BTreeMap::new();
    for ((product, version), number) in components.iter().zip(1..) {
        data.insert(format!("component.{number}.product"), Some(product.0.clone()));
        data.insert(format!("component.{number}.version"), version.clone());
    }
    ConfigReport {
        mode: ConfigMode::Replace,
        data,
    }
}

/// Postgres has no way to keep a NUL in text.
fn cleaned(text: &str) -> String {
    text.replace('\0', "")
}

fn merged(mut attributes: Attributes, report: &ConfigReport) -> Result<Attributes, ReportRefusal> {
    let too_long = |text: &str| text.chars().count() > MOST_CHARACTERS;
    for (key, value) in &report.data {
        let kept = cleaned(key);
        if kept != *key && report.data.contains_key(&kept) {
            return Err(ReportRefusal::Twice { attribute: kept });
        }
        if too_long(key) || value.as_deref().is_some_and(too_long) {
            return Err(ReportRefusal::TooLong {
                attribute: key.chars().take(MOST_CHARACTERS).collect(),
            });
        }
    }
    if report.mode != ConfigMode::Remove {
        facts::check(&report.data)?;
    }
    if report.mode == ConfigMode::Replace {
        attributes.clear();
    }
    if report.mode != ConfigMode::Remove && facts::names_components(&report.data) {
        attributes.retain(|key, _| !facts::is_of_component(key));
    }
    if report.mode != ConfigMode::Remove && names_additional_software(&report.data) {
        attributes.retain(|key, _| !is_of_additional_software(key));
    }
    for (key, value) in &report.data {
        match (report.mode, value) {
            (ConfigMode::Remove, _) | (ConfigMode::Merge | ConfigMode::Replace, None) => {
                attributes.remove(&cleaned(key));
            }
            (ConfigMode::Merge | ConfigMode::Replace, Some(value)) => {
                attributes.insert(cleaned(key), cleaned(value));
            }
        }
    }
    if report.mode == ConfigMode::Merge && report.data.keys().any(|key| is_of_additional_software(key)) {
        check_additional_software(&attributes).map_err(FactRefusal::from)?;
    }
    let last = report
        .data
        .keys()
        .map(|key| cleaned(key))
        .rfind(|key| attributes.contains_key(key));
    match last {
        Some(attribute) if attributes.len() > MOST_ATTRIBUTES => Err(ReportRefusal::TooMany { attribute }),
        Some(_) | None => Ok(attributes),
    }
}

#[cfg(test)]
mod tests;
