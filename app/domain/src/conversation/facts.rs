//! The facts that have fixed values, and what may stand in each (`docs/devices.md` 4).
//!
//! A value that cannot be read is refused with the report that brings it: taken for absent it would count as good somewhere. A name that is
//! not here is kept, shown, and means nothing. Start with [`is_understood`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime};

use crate::ids::ProductId;
use crate::readiness::facts::{Facts, UnreadableFact, is_of_additional_software};
use crate::signal::{Signal, SignalLevel};

/// Whether a name of an attribute means something (`docs/devices.md` 4). One that means nothing is kept and shown.
#[must_use]
pub fn is_understood(attribute: &str) -> bool {
    const NAMES: [&str; 24] = [
        "sw_version",
        "hw_boardname",
        "hw_revision",
        "device.vendor",
        "device.model",
        "device.serial",
        "os.name",
        "os.edition",
        "os.channel",
        "os.build",
        "readiness.base_image_oem",
        "readiness.logitech_sync",
        "readiness.os_updates",
        "readiness.store_updates",
        "readiness.antivirus",
        "readiness.antivirus_product",
        "readiness.other_change_management",
        "restart.pending",
        "maintenance.window",
        "room.state",
        "room.busy_until",
        "room.next_booking",
        "agent.version",
        "ddi.window",
    ];
    NAMES.contains(&attribute)
        || Signal::of_attribute(attribute).is_some()
        || is_of_component(attribute)
        || is_of_additional_software(attribute)
}

/// What may stand in an attribute.
enum Values {
    /// One of these words, in any case.
    Words(&'static [&'static str], &'static str),
    /// A time with an offset, or `none`.
    TimeOrNone,
    /// `HH:MM-HH:MM`.
    Hours,
    /// `ok`, `warn` or `bad`, with a sentence behind a colon if it likes.
    Signal,
}

const TIME: &str = "a time with an offset, such as 2026-03-04T15:30:00+01:00, or none";
const HOURS: &str = "hours of the device's own day, such as 02:00-04:30";
const SIGNAL: &str = "ok, warn or bad, with a sentence behind a colon if there is one";

fn values_of(attribute: &str) -> Option<Values> {
    Some(match attribute {
        "room.state" => Values::Words(&["free", "busy"], "free or busy"),
        "room.busy_until" | "room.next_booking" => Values::TimeOrNone,
        "restart.pending" => Values::Words(&["yes", "no"], "yes or no"),
        "maintenance.window" => Values::Hours,
        signal if Signal::of_attribute(signal).is_some() => Values::Signal,
        _ => return None,
    })
}

/// Why a fact of a report does not count, and the report with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactRefusal {
    /// A value that cannot be read. It is unknown and never good, and the device hears of it at once.
    #[error("{0}")]
    Unreadable(#[from] UnreadableFact),
    /// A version that nobody can tell the product of.
    #[error(
        "attribute {attribute:?} comes without its product: a report that names a version names the product under the same number"
    )]
    VersionAlone {
        /// The key of the version.
        attribute: String,
    },
    /// One product has two versions.
    #[error(
        "attribute {attribute:?} contradicts {other:?}: they give {product} two versions, and a device has one version of a product"
    )]
    TwoVersions {
        /// The key of the one version.
        attribute: String,
        /// The key of the other one.
        other: String,
        /// Of which product.
        product: ProductId,
    },
}

/// Whether each value of a report can be read, each version has its product, and each product one version.
///
/// # Errors
/// The first one that cannot, in the order of their names.
pub(super) fn check(told: &BTreeMap<String, Option<String>>) -> Result<(), FactRefusal> {
    for (key, value) in told {
        let Some(value) = value else { continue };
        if let Some(allowed) = values_of(key).and_then(|values| values.problem(value.trim())) {
            return Err(FactRefusal::Unreadable(UnreadableFact {
                attribute: key.clone(),
                text: value.clone(),
                allowed: allowed.to_owned(),
            }));
        }
        let product = component(key, "version").map(|number| format!("component.{number}.product"));
        if product.is_some_and(|product| !matches!(told.get(&product), Some(Some(_)))) {
            return Err(FactRefusal::VersionAlone { attribute: key.clone() });
        }
    }
    one_version_each(told)?;
    let told = told
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
    // Those of readiness are read whole; when they were told is no matter here.
    Facts::read(&told.collect(), |_| None)?;
    Ok(())
}

fn one_version_each(told: &BTreeMap<String, Option<String>>) -> Result<(), FactRefusal> {
    let mut versions: BTreeMap<&str, (String, &str)> = BTreeMap::new();
    for (key, product) in told {
        let (Some(number), Some(product)) = (component(key, "product"), product) else {
            continue;
        };
        let attribute = format!("component.{number}.version");
        let Some(Some(version)) = told.get(&attribute) else {
            continue;
        };
        match versions.get(product.as_str()) {
            Some((other, before)) if before != version => {
                return Err(FactRefusal::TwoVersions {
                    attribute,
                    other: other.clone(),
                    product: ProductId(product.clone()),
                });
            }
            Some(_) => {}
            None => drop(versions.insert(product, (attribute, version))),
        }
    }
    Ok(())
}

impl Values {
    /// What is allowed, if `value` is not.
    fn problem(&self, value: &str) -> Option<&'static str> {
        match self {
            Self::Words(words, allowed) => {
                let is_one = words.iter().any(|word| value.eq_ignore_ascii_case(word));
                (!is_one).then_some(*allowed)
            }
            Self::TimeOrNone => {
                let is_one = value.eq_ignore_ascii_case("none") || DateTime::parse_from_rfc3339(value).is_ok();
                (!is_one).then_some(TIME)
            }
            Self::Hours => (!are_hours(value)).then_some(HOURS),
            Self::Signal => SignalLevel::of_value(value).is_none().then_some(SIGNAL),
        }
    }
}

/// Whether these are two times of a day, as in `HH:MM-HH:MM`. The second may be the earlier one: past midnight.
fn are_hours(text: &str) -> bool {
    let is_time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").is_ok();
    text.split_once('-')
        .is_some_and(|(from, until)| is_time(from) && is_time(until))
}

/// The number in an attribute like `component.<number>.version`.
pub(super) fn component<'k>(key: &'k str, what: &str) -> Option<&'k str> {
    key.strip_prefix("component.")?.strip_suffix(what)?.strip_suffix('.')
}

/// Whether a report names a component. Then it names them all.
pub(super) fn names_components(told: &BTreeMap<String, Option<String>>) -> bool {
    told.iter()
        .any(|(key, value)| value.is_some() && component(key, "product").is_some())
}

/// Whether an attribute says something of a component.
pub(super) fn is_of_component(key: &str) -> bool {
    ["product", "version", "serial"]
        .iter()
        .any(|what| component(key, what).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(told: &[(&str, Option<&str>)]) -> Result<(), String> {
        let owned = |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
        check(&told.iter().map(owned).collect()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_value_that_cannot_be_read_is_refused_with_what_is_allowed_k5_g5() {
        let time = "a time with an offset, such as 2026-03-04T15:30:00+01:00, or none";
        let table = [
            (
                "room.state",
                &["free", "busy", "Free", " busy "][..],
                &["", "occupied", "yes"][..],
                "free or busy",
            ),
            (
                "room.busy_until",
                &["none", "2025-03-04T15:30:00Z", "2025-03-04T15:30:00+01:00"],
                &["2025-03-04T15:30:00", "15:30", "", "tomorrow"],
                time,
            ),
            ("room.next_booking", &["none"], &["2025-03-04 15:30"], time),
            ("restart.pending", &["yes", "no"], &["true", "1", ""], "yes or no"),
            (
                "maintenance.window",
                &["02:00-04:30", "22:00-01:00"],
                &["2-4", "02:00", "02:00-25:00"],
                "hours of the device's own day, such as 02:00-04:30",
            ),
            (
                "signal.camera",
                &["ok", "bad: no picture", "warn : dim"],
                &["red", "", ": no word"],
                "ok, warn or bad, with a sentence behind a colon if there is one",
            ),
            (
                "readiness.store_updates",
                &["on", "off", "user"],
                &["maybe", "On", ""],
                "one of on, off, user",
            ),
        ];
        for (attribute, good, bad, allowed) in table {
            for value in good {
                assert_eq!(checked(&[(attribute, Some(value))]), Ok(()), "{attribute} {value}");
            }
            for value in bad {
                let expected = format!("attribute {attribute:?} is {value:?}: it must be {allowed}");
                assert_eq!(checked(&[(attribute, Some(value))]), Err(expected));
            }
            assert_eq!(checked(&[(attribute, None)]), Ok(()), "a null takes it away");
        }
        assert_eq!(checked(&[("room.mood", Some("good"))]), Ok(()), "it means nothing");
    }

    #[test]
    fn a_name_that_is_not_in_the_protocol_means_nothing_p12() {
        for name in [
            "room.state",
            "component.1.version",
            "readiness.additional_software.12",
            "signal.camera",
        ] {
            assert!(is_understood(name), "{name}");
        }
        for name in [
            "room.mood",
            "component.version",
            "readiness.additional_software.",
            "signal.smoke",
            "Room.state",
        ] {
            assert!(!is_understood(name), "{name}");
        }
    }

    #[test]
    fn facts_that_contradict_each_other_are_refused_g5() {
        let two = [
            ("component.1.product", Some("cam")),
            ("component.1.version", Some("2.0")),
            ("component.2.product", Some("cam")),
            ("component.2.version", Some("2.1")),
        ];
        let expected = "attribute \"component.2.version\" contradicts \"component.1.version\": they give cam two versions, and a device has \
            one version of a product";
        assert_eq!(checked(&two), Err(expected.to_owned()));
        let alike = [two[0], two[1], two[2], ("component.2.version", Some("2.0"))];
        assert_eq!(checked(&alike), Ok(()), "two of a kind");
        let software = "readiness.additional_software";
        let more = "readiness.additional_software.2";
        for (told, expected) in [
            (
                &[("readiness.os_updates", Some("enabled, disabled"))][..],
                "attribute \"readiness.os_updates\" is \"enabled, disabled\": it must be either enabled or disabled",
            ),
            (
                &[(software, Some("none, Zoom"))],
                "attribute \"readiness.additional_software\" is \"none, Zoom\": it must be either names or none, not both",
            ),
            (
                &[(software, Some("none")), (more, Some("Zoom"))],
                "attribute \"readiness.additional_software\" is \"none\": it must be names, because readiness.additional_software.2 and \
                    the like have some",
            ),
            (
                &[("readiness.other_change_management", Some("Intune, none"))],
                "attribute \"readiness.other_change_management\" is \"Intune, none\": it must be either names or none, not both",
            ),
        ] {
            assert_eq!(checked(told), Err(expected.to_owned()));
        }
        assert_eq!(checked(&[(software, Some("none")), (more, Some("none"))]), Ok(()));
        assert_eq!(
            checked(&[("readiness.os_updates", Some("enabled, gpo"))]),
            Ok(()),
            "enabled, and governed"
        );
    }

    #[test]
    fn a_version_comes_with_its_product_s1() {
        let alone = [("component.2.version", Some("2.0"))];
        let expected = "attribute \"component.2.version\" comes without its product: a report that names a version names the product under \
            the same number";
        assert_eq!(checked(&alone), Err(expected.to_owned()));
        assert_eq!(checked(&[("component.2.version", None)]), Ok(()));
        let other = [
            ("component.1.product", Some("cam")),
            ("component.2.version", Some("2.0")),
        ];
        assert_eq!(checked(&other), Err(expected.to_owned()));
        let both = [
            ("component.2.product", Some("cam")),
            ("component.2.version", Some("2.0")),
        ];
        assert_eq!(checked(&both), Ok(()));
    }
}
