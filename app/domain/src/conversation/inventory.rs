//! What reported facts mean: attributes, people in the room, and the components and versions of a device (`docs/devices.md` 1, 4).
//!
//! A change from outside (I5) is a version that Nightshift did not bring; here it is a version like any other, and the planner finds out
//! what it means. Whoever calls loads what is known first, and writes what is [`Taken`]. Start with [`take`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::presence::Presence;
use crate::ids::ProductId;

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
    /// When it last said that nobody is in its room, if it has not said otherwise since.
    pub free_at: Option<DateTime<Utc>>,
    /// When it last said otherwise, if it has not said `free` since.
    pub busy_at: Option<DateTime<Utc>>,
    /// What is on it, from its reports or from an import, with the version where that is known.
    pub components: Components,
}

/// A device after a report of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// All that it has reported by now.
    pub attributes: Attributes,
    /// It keeps to windows of its own (`docs/devices.md` 2.1).
    pub window_aware: bool,
    /// People in its room, as far as this device says (K5).
    pub presence: Presence,
    /// Components that are new, or that have another version than before.
    pub changed: Vec<(ProductId, Option<String>)>,
    /// Components that are not there any more.
    pub gone: Vec<ProductId>,
}

impl Taken {
    /// Leaves out products that the portfolio does not know: they stay attributes.
    pub fn keep_known(&mut self, is_known: impl Fn(&ProductId) -> bool) {
        self.changed.retain(|(product, _)| is_known(product));
    }

    /// Whether the planner rechecks the room. Ask after [`Taken::keep_known`].
    #[must_use]
    pub fn rechecks_room(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }
}

/// What a report of facts makes of a device.
///
/// A device that names no components and has exactly one reports that one's version as `sw_version`. What an earlier report
/// named and this one does not is gone; what came from an import stays until the device names its components.
///
/// # Errors
/// The report breaks a limit. Nothing of it counts then.
pub fn take(known: KnownDevice, report: &ConfigReport, now: DateTime<Utc>) -> Result<Taken, ReportRefusal> {
    let named_before = components_in(&known.attributes);
    let attributes = merged(known.attributes, report)?;
    let known_components = known.components;
    let mut reported = components_in(&attributes);
    if let (true, Some(version), 1) = (
        reported.is_empty(),
        attributes.get("sw_version"),
        known_components.len(),
    ) {
        let only = known_components.keys().next().cloned();
        reported.extend(only.map(|only| (only, Some(version.clone()))));
    }
    let gone = named_before
        .into_keys()
        .filter(|product| known_components.contains_key(product) && !reported.contains_key(product))
        .collect();
    let changed = reported
        .into_iter()
        .filter(|(product, version)| known_components.get(product) != Some(version))
        .collect();
    let (mut free_at, mut busy_at) = (known.free_at, known.busy_at);
    // A report that does not speak of the room makes an earlier one no younger (K5).
    if report.mode == ConfigMode::Replace || report.data.contains_key("room.state") {
        let is_free = says(&attributes, "room.state", "free");
        free_at = is_free.then_some(now);
        busy_at = (!is_free && attributes.contains_key("room.state")).then_some(now);
    }
    Ok(Taken {
        window_aware: says(&attributes, "ddi.window", "aware"),
        presence: Presence {
            free_at,
            busy_at,
            busy_until: busy_until(&attributes),
        },
        attributes,
        changed,
        gone,
    })
}

fn says(attributes: &Attributes, key: &str, value: &str) -> bool {
    let given = attributes.get(key);
    given.is_some_and(|given| given.eq_ignore_ascii_case(value))
}

fn busy_until(attributes: &Attributes) -> Option<DateTime<Utc>> {
    let until = DateTime::parse_from_rfc3339(attributes.get("room.busy_until")?);
    until.ok().map(|until| until.to_utc())
}

/// Products with their versions, as attributes name them (`docs/devices.md` 4).
fn components_in(attributes: &Attributes) -> Components {
    let number = |key: &str| {
        let number = key.strip_prefix("component.")?.strip_suffix(".product")?;
        Some(number.to_owned())
    };
    let named = attributes
        .iter()
        .filter_map(|(key, product)| Some((number(key)?, product)));
    let version = |number: &str| {
        let version = attributes.get(&format!("component.{number}.version"));
        version.filter(|version| !version.is_empty()).cloned()
    };
    named
        .map(|(number, product)| (ProductId(product.clone()), version(&number)))
        .collect()
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

fn merged(mut attributes: Attributes, report: &ConfigReport) -> Result<Attributes, ReportRefusal> {
    let too_long = |text: &str| text.chars().count() > MOST_CHARACTERS;
    for (key, value) in &report.data {
        if too_long(key) || value.as_deref().is_some_and(too_long) {
            return Err(ReportRefusal::TooLong {
                attribute: key.chars().take(MOST_CHARACTERS).collect(),
            });
        }
    }
    if report.mode == ConfigMode::Replace {
        attributes.clear();
    }
    for (key, value) in &report.data {
        match (report.mode, value) {
            (ConfigMode::Remove, _) | (ConfigMode::Merge | ConfigMode::Replace, None) => {
                attributes.remove(key);
            }
            (ConfigMode::Merge | ConfigMode::Replace, Some(value)) => {
                // Postgres has no way to keep a NUL in text.
                attributes.insert(key.replace('\0', ""), value.replace('\0', ""));
            }
        }
    }
    match report.data.keys().rfind(|key| attributes.contains_key(*key)) {
        Some(last) if attributes.len() > MOST_ATTRIBUTES => Err(ReportRefusal::TooMany {
            attribute: last.clone(),
        }),
        Some(_) | None => Ok(attributes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::examples::instant;

    fn product(name: &str) -> ProductId {
        ProductId(name.to_owned())
    }

    fn components(all: &[(&str, Option<&str>)]) -> Components {
        let owned = |(name, version): &(&str, Option<&str>)| (product(name), version.map(str::to_owned));
        all.iter().map(owned).collect()
    }

    fn report(mode: ConfigMode, data: &[(&str, Option<&str>)]) -> ConfigReport {
        let owned = |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
        ConfigReport {
            mode,
            data: data.iter().map(owned).collect(),
        }
    }

    /// Has named its components, and has them.
    fn known(all: &[(&str, Option<&str>)]) -> KnownDevice {
        let components = components(all);
        let named = take(KnownDevice::default(), &report_of(&components), instant("00:00"));
        KnownDevice {
            attributes: named.expect("a report").attributes,
            components,
            ..KnownDevice::default()
        }
    }

    /// Has them from an import and has reported nothing yet.
    fn imported(all: &[(&str, Option<&str>)]) -> KnownDevice {
        KnownDevice {
            components: components(all),
            ..KnownDevice::default()
        }
    }

    fn takes(known: &KnownDevice, report: &ConfigReport) -> Taken {
        take(known.clone(), report, instant("01:00")).expect("a report within the limits")
    }

    #[test]
    fn a_version_is_new_once_and_what_is_as_before_asks_for_no_recheck_s1_i5() {
        let before = known(&[("cam", Some("1")), ("app", None)]);
        let same = takes(&before, &report_of(&before.components));
        assert!(!same.rechecks_room());
        assert_eq!((same.changed, same.gone), (Vec::new(), Vec::new()));
        let after = components(&[("cam", Some("2")), ("app", None), ("bar", None)]);
        let taken = takes(&before, &report_of(&after));
        assert!(taken.rechecks_room());
        let changed = vec![(product("bar"), None), (product("cam"), Some("2".to_owned()))];
        assert_eq!(taken.changed, changed);
        assert_eq!(taken.gone, []);
    }

    #[test]
    fn a_component_that_a_device_named_and_does_not_name_any_more_is_gone_and_an_imported_one_stays() {
        let cam = report_of(&components(&[("cam", Some("1"))]));
        let taken = takes(&known(&[("cam", Some("1")), ("app", Some("1"))]), &cam);
        assert_eq!((taken.changed, taken.gone), (Vec::new(), vec![product("app")]));
        let taken = takes(&imported(&[("cam", Some("1")), ("app", Some("1"))]), &cam);
        assert!(!taken.rechecks_room());
    }

    #[test]
    fn a_device_of_one_component_that_names_none_reports_its_version_as_sw_version() {
        let says = report(ConfigMode::Merge, &[("sw_version", Some("2"))]);
        let taken = takes(&imported(&[("cam", Some("1"))]), &says);
        assert_eq!(taken.changed, [(product("cam"), Some("2".to_owned()))]);
        for of_more_or_less in [imported(&[("cam", Some("1")), ("app", Some("1"))]), imported(&[])] {
            assert!(!takes(&of_more_or_less, &says).rechecks_room());
        }
        let named = takes(&known(&[("cam", Some("1"))]), &says);
        assert!(!named.rechecks_room(), "it has named its component");
    }

    #[test]
    fn a_product_that_the_portfolio_does_not_know_stays_an_attribute() {
        let mut taken = takes(&imported(&[]), &report_of(&components(&[("toaster", Some("1"))])));
        assert!(taken.rechecks_room());
        taken.keep_known(|product| product.0 == "cam");
        assert!(!taken.rechecks_room());
        assert_eq!(taken.attributes["component.1.product"], "toaster");
    }

    #[test]
    fn a_word_about_the_room_counts_from_now_and_a_report_without_one_makes_none_younger_k5() {
        let before = KnownDevice {
            free_at: Some(instant("00:10")),
            ..KnownDevice::default()
        };
        let heard = |mode, data: &[(&str, Option<&str>)]| {
            let presence = takes(&before, &report(mode, data)).presence;
            (presence.free_at, presence.busy_at)
        };
        let (then, now) = (Some(instant("00:10")), Some(instant("01:00")));
        assert_eq!(heard(ConfigMode::Merge, &[("a", Some("1"))]), (then, None));
        assert_eq!(heard(ConfigMode::Merge, &[("room.state", Some("Free"))]), (now, None));
        assert_eq!(heard(ConfigMode::Merge, &[("room.state", Some("busy"))]), (None, now));
        assert_eq!(heard(ConfigMode::Remove, &[("room.state", None)]), (None, None));
        assert_eq!(heard(ConfigMode::Replace, &[("a", Some("1"))]), (None, None));
    }

    #[test]
    fn a_booking_is_read_with_its_offset_and_what_cannot_be_read_means_nothing_k5() {
        let until = |text| {
            let booked = report(ConfigMode::Merge, &[("room.busy_until", Some(text))]);
            takes(&KnownDevice::default(), &booked).presence.busy_until
        };
        assert_eq!(until("2025-03-05T15:30:00+01:00"), Some(instant("14:30")));
        for unreadable in ["none", "2025-03-05T15:30:00", ""] {
            assert_eq!(until(unreadable), None, "{unreadable:?}");
        }
    }

    #[test]
    fn a_report_that_breaks_a_limit_is_refused_and_names_the_attribute() {
        let long = "é".repeat(MOST_CHARACTERS + 1);
        for (key, value) in [(long.as_str(), "1"), ("a", long.as_str())] {
            let refused = take(
                KnownDevice::default(),
                &report(ConfigMode::Merge, &[(key, Some(value))]),
                instant("01:00"),
            );
            let attribute = key.chars().take(MOST_CHARACTERS).collect();
            assert_eq!(refused, Err(ReportRefusal::TooLong { attribute }));
        }
        let keys: Vec<String> = (0..=MOST_ATTRIBUTES).map(|number| format!("{number:03}")).collect();
        let data: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), Some("1"))).collect();
        let at_most = report(ConfigMode::Merge, &data[..MOST_ATTRIBUTES]);
        assert_eq!(
            takes(&KnownDevice::default(), &at_most).attributes.len(),
            MOST_ATTRIBUTES
        );
        let refused = take(
            KnownDevice::default(),
            &report(ConfigMode::Merge, &data),
            instant("01:00"),
        );
        let attribute = "100".to_owned();
        assert_eq!(refused, Err(ReportRefusal::TooMany { attribute }));
    }
}
