//! The facts that readiness goes by, read from a device's attributes (`docs/devices.md` 4).
//!
//! Reading only: what a fact means for a room stands in [`super::check`]. A fact that is absent is unknown, never good. A value that
//! cannot be read is refused, and the refusal names the attribute and what is allowed. Start with [`Facts::read`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// The first attribute of the list of additional software; the list goes on in `….2`, `….3` and so on.
const ADDITIONAL_SOFTWARE: &str = "readiness.additional_software";
/// The word of an empty list.
const NONE: &str = "none";

/// A value as a device told it: what a check follows from (C7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// For example `readiness.store_updates`.
    pub attribute: &'static str,
    /// Word by word, as the device wrote it.
    pub text: String,
    /// When the device told it; `None` where nobody knows.
    pub reported_at: Option<DateTime<Utc>>,
}

/// A fact with its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// What it means.
    pub value: T,
    /// Where it comes from.
    pub told: Told,
}

/// An attribute has a value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attribute {attribute:?} is {text:?}: it must be {allowed}")]
pub struct UnreadableFact {
    pub attribute: String,
    /// What the device wrote.
    pub text: String,
    /// In words, for people.
    pub allowed: String,
}

/// An enum whose variants have exact words in attributes.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in attributes.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The variant of exactly this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|variant| variant.as_str() == word)
            }

            fn allowed() -> String {
                let words: Vec<&str> = Self::ALL.iter().map(|variant| variant.as_str()).collect();
                words.join(", ")
            }
        }
    };
}

words! {
    /// How an edition of Windows gets its feature updates.
    Channel {
        General = "general",
        SemiAnnual = "semi_annual",
        LongTerm = "long_term",
    }
}

words! {
    /// The services of Logitech Sync.
    LogitechSync {
        Running = "running",
        /// Installed, but not all of its services run.
        Stopped = "stopped",
        Absent = "absent",
    }
}

words! {
    /// What stands in the way of Windows updates, or does not.
    OsUpdates {
        Enabled = "enabled",
        Disabled = "disabled",
        /// Redirected to a server of the organisation.
        Wsus = "wsus",
        /// The network lets nothing through.
        Blocked = "blocked",
        GroupPolicy = "gpo",
        DeviceManagement = "mdm",
        /// A policy that Nightshift itself wrote (C7).
        Nightshift = "nightshift",
    }
}

words! {
    /// Whether apps from the store update themselves.
    StoreUpdates {
        On = "on",
        Off = "off",
        /// No policy: whoever signs in decides.
        User = "user",
    }
}

words! {
    /// Whether the antivirus leaves the room app and its web view alone.
    Antivirus {
        /// There is no antivirus.
        None = "none",
        Excluded = "excluded",
        NotExcluded = "not_excluded",
        /// There is one, and the device cannot tell what it excludes.
        Unknown = "unknown",
    }
}

/// What one device has told of its readiness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `device.vendor`.
    pub vendor: Option<Fact<String>>,
    pub os_name: Option<Fact<String>>,
    /// By its id, such as `IoTEnterprise`.
    pub os_edition: Option<Fact<String>>,
    pub os_channel: Option<Fact<Channel>>,
    /// The maker that the image names, or `generic`.
    pub base_image_maker: Option<Fact<String>>,
    pub logitech_sync: Option<Fact<LogitechSync>>,
    /// At least one word.
    pub os_updates: Option<Fact<Vec<OsUpdates>>>,
    pub store_updates: Option<Fact<StoreUpdates>>,
    pub antivirus: Option<Fact<Antivirus>>,
    pub antivirus_product: Option<Fact<String>>,
    /// What is not part of the image, from all attributes of the list; empty: `none`.
    pub additional_software: Option<Fact<Vec<String>>>,
    /// Empty: `none`.
    pub change_management: Option<Fact<Vec<String>>>,
}

impl Facts {
    /// Reads a device's attributes. `reported_at` says when an attribute was told, by its name.
    ///
    /// # Errors
    /// A value cannot be read. Nothing of the report that brought it counts then.
    pub fn read(
        attributes: &BTreeMap<String, String>,
        reported_at: impl Fn(&str) -> Option<DateTime<Utc>>,
    ) -> Result<Self, UnreadableFact> {
        let told = |attribute: &'static str| {
            let text = attributes.get(attribute)?.clone();
            Some(Told {
                attribute,
                text,
                reported_at: reported_at(attribute),
            })
        };
        Ok(Self {
            vendor: told("device.vendor").and_then(free_text),
            os_name: told("os.name").and_then(free_text),
            os_edition: told("os.edition").and_then(free_text),
            os_channel: word(told("os.channel"), Channel::from_word, Channel::allowed)?,
            base_image_maker: told("readiness.base_image_oem").and_then(free_text),
            logitech_sync: word(
                told("readiness.logitech_sync"),
                LogitechSync::from_word,
                LogitechSync::allowed,
            )?,
            os_updates: told("readiness.os_updates").map(os_updates).transpose()?,
            store_updates: word(
                told("readiness.store_updates"),
                StoreUpdates::from_word,
                StoreUpdates::allowed,
            )?,
            antivirus: word(told("readiness.antivirus"), Antivirus::from_word, Antivirus::allowed)?,
            antivirus_product: told("readiness.antivirus_product").and_then(free_text),
            additional_software: additional_software(attributes, &reported_at)?,
            change_management: told("readiness.other_change_management").map(names).transpose()?,
        })
    }

    /// As [`Facts::read`], for attributes that are kept: one of an earlier day, which nobody can read, was not told.
    #[must_use]
    pub fn readable(
        mut attributes: BTreeMap<String, String>,
        reported_at: impl Fn(&str) -> Option<DateTime<Utc>>,
    ) -> Self {
        loop {
            match Self::read(&attributes, &reported_at) {
                Ok(facts) => return facts,
                Err(unreadable) => drop(attributes.remove(&unreadable.attribute)),
            }
        }
    }

    /// When each of them was told, as far as that is known.
    #[cfg(feature = "zones")]
    pub(super) fn reported_at(&self) -> impl Iterator<Item = DateTime<Utc>> {
        fn at<T>(fact: Option<&Fact<T>>) -> Option<DateTime<Utc>> {
            fact.and_then(|fact| fact.told.reported_at)
        }
        [
            at(self.vendor.as_ref()),
            at(self.os_edition.as_ref()),
            at(self.os_channel.as_ref()),
            at(self.base_image_maker.as_ref()),
            at(self.logitech_sync.as_ref()),
            at(self.os_updates.as_ref()),
            at(self.store_updates.as_ref()),
            at(self.antivirus.as_ref()),
            at(self.additional_software.as_ref()),
            at(self.change_management.as_ref()),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether readiness goes by an attribute.
    #[must_use]
    pub fn goes_by(attribute: &str) -> bool {
        ["device.vendor", "os.name", "os.edition", "os.channel", "agent.version"].contains(&attribute)
            || attribute.starts_with("readiness.")
    }

    /// Whether it calls its system Windows (C1a).
    #[must_use]
    pub fn says_windows(&self) -> bool {
        let begins = |fact: &Fact<String>| fact.value.to_lowercase().starts_with("windows");
        self.os_name.as_ref().is_some_and(begins)
    }
}

/// Text that may be anything; a blank one tells nothing.
fn free_text(told: Told) -> Option<Fact<String>> {
    let value = told.text.trim().to_owned();
    (!value.is_empty()).then_some(Fact { value, told })
}

fn word<T>(
    told: Option<Told>,
    from_word: impl Fn(&str) -> Option<T>,
    allowed: impl Fn() -> String,
) -> Result<Option<Fact<T>>, UnreadableFact> {
    let Some(told) = told else { return Ok(None) };
    match from_word(&told.text) {
        Some(value) => Ok(Some(Fact { value, told })),
        None => Err(unreadable(&told, format!("one of {}", allowed()))),
    }
}

fn unreadable(told: &Told, allowed: String) -> UnreadableFact {
    UnreadableFact {
        attribute: told.attribute.to_owned(),
        text: told.text.clone(),
        allowed,
    }
}

/// What stands between the commas, trimmed.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn os_updates(told: Told) -> Result<Fact<Vec<OsUpdates>>, UnreadableFact> {
    let words: Option<Vec<OsUpdates>> = items(&told.text).map(OsUpdates::from_word).collect();
    match words {
        Some(value) if value.contains(&OsUpdates::Enabled) && value.contains(&OsUpdates::Disabled) => {
            Err(unreadable(&told, "either enabled or disabled".to_owned()))
        }
        Some(value) if !value.is_empty() => Ok(Fact { value, told }),
        Some(_) | None => {
            let allowed = format!("a comma list of {}", OsUpdates::allowed());
            Err(unreadable(&told, allowed))
        }
    }
}

/// The names in a list; `none` stands alone.
fn names(told: Told) -> Result<Fact<Vec<String>>, UnreadableFact> {
    let value: Vec<String> = items(&told.text).map(str::to_owned).collect();
    match value.as_slice() {
        [] => Err(unreadable(&told, "a comma list of names, or none".to_owned())),
        [only] if only == NONE => Ok(Fact {
            value: Vec::new(),
            told,
        }),
        several if several.iter().any(|name| name == NONE) => {
            Err(unreadable(&told, "either names or none, not both".to_owned()))
        }
        _ => Ok(Fact { value, told }),
    }
}

/// The list over all its attributes, as old as the oldest of them. Without the first one nobody knows what stood there.
fn additional_software(
    attributes: &BTreeMap<String, String>,
    reported_at: &impl Fn(&str) -> Option<DateTime<Utc>>,
) -> Result<Option<Fact<Vec<String>>>, UnreadableFact> {
    let mut parts = BTreeMap::new();
    for (attribute, text) in attributes {
        let Some(number) = part_number(attribute) else { continue };
        let told = Told {
            attribute: ADDITIONAL_SOFTWARE,
            text: text.clone(),
            reported_at: reported_at(attribute),
        };
        let read = names(told).map_err(|refused| UnreadableFact {
            attribute: attribute.clone(),
            ..refused
        })?;
        parts.insert(number, read);
    }
    let Some(mut list) = parts.remove(&1) else {
        return Ok(None);
    };
    if list.value.is_empty() && parts.values().any(|part| !part.value.is_empty()) {
        return Err(unreadable(
            &list.told,
            format!("names, because {ADDITIONAL_SOFTWARE}.2 and the like have some"),
        ));
    }
    for part in parts.into_values() {
        list.value.extend(part.value);
        list.told.text = format!("{}, {}", list.told.text, part.told.text);
        // Unknown is less than any instant: one part without a time leaves the list without.
        list.told.reported_at = list.told.reported_at.min(part.told.reported_at);
    }
    Ok(Some(list))
}

/// Whether a report tells the list of additional software. Then it tells it whole.
#[cfg(feature = "zones")]
pub(crate) fn names_additional_software(told: &BTreeMap<String, Option<String>>) -> bool {
    matches!(told.get(ADDITIONAL_SOFTWARE), Some(Some(_)))
}

/// Whether an attribute is part of the list of additional software.
#[cfg(feature = "zones")]
pub(crate) fn is_of_additional_software(attribute: &str) -> bool {
    part_number(attribute).is_some()
}

/// Whether the list of additional software says one thing, after a report that told a part of it.
///
/// # Errors
/// It names programs, and says that there are none.
#[cfg(feature = "zones")]
pub(crate) fn check_additional_software(attributes: &BTreeMap<String, String>) -> Result<(), UnreadableFact> {
    additional_software(attributes, &|_| None).map(drop)
}

/// 1 for the first attribute of the list, 2 for `….2`.
fn part_number(attribute: &str) -> Option<u32> {
    let rest = attribute.strip_prefix(ADDITIONAL_SOFTWARE)?;
    if rest.is_empty() {
        return Some(1);
    }
    let digits = rest.strip_prefix('.')?;
    let number = digits.parse().ok().filter(|number| *number >= 2)?;
    // `.02` and `.+2` are other names.
    (u32::to_string(&number) == digits).then_some(number)
}
