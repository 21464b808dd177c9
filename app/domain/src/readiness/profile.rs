//! The readiness profile (C6): what vendors may change their minds about, as data.
//!
//! A profile in a file names what it has otherwise; the rest is as in the shipped one. How facts are judged stands in
//! [`super::check`]. Start with [`Profile::shipped`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::verdict::{ALL_CHECKS, Check};

/// What the checks of an organisation go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Those that are made; the others are left out of every result and block nothing.
    pub checks: BTreeSet<Check>,
    /// Ids of editions that pass, letter by letter.
    pub editions: BTreeSet<String>,
    /// Other names under which a maker writes itself, by its name. Case does not count.
    pub makers: BTreeMap<String, BTreeSet<String>>,
    /// Names of software that belongs to the image. Case does not count. One that ends in `*` stands for every name that begins so:
    /// makers write versions into names.
    pub image_software: BTreeSet<String>,
    /// Days for which a remedied setting is called fixed by the service (C3): at most [`MOST_FIXED_DAYS`].
    pub fixed_by_service_days: u32,
    pub guidance: Guidance,
}

/// A remedy of a year ago is no news.
pub const MOST_FIXED_DAYS: u32 = 365;
/// Most characters of a name or a sentence in a profile.
pub const LONGEST_TEXT: usize = 300;

/// Why a profile is none (C6). The sentence names the key and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileRefusal {
    /// Too long a time.
    #[error("fixed_by_service_days is {0}: at most {MOST_FIXED_DAYS}")]
    FixedDays(u32),
    /// Nothing would be judged, or no edition of Windows would pass.
    #[error("{key} must not be empty")]
    Empty {
        /// Which list.
        key: &'static str,
    },
    /// A text that is blank or too long.
    #[error("{key} has a text that is blank or has more than {LONGEST_TEXT} characters")]
    Text {
        /// Where it stands.
        key: &'static str,
    },
    /// A name that two makers have.
    #[error("makers has {name:?} under two makers: {one} and {other}")]
    TwoMakers {
        /// The name, in lower case.
        name: String,
        /// The one maker.
        one: String,
        /// The other one.
        other: String,
    },
}

/// What makes each check pass, in one sentence (C1, C7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guidance {
    pub base_image: String,
    pub os_edition: String,
    pub logitech_sync: String,
    pub os_updates: String,
    pub store_updates: String,
    pub antivirus: String,
    pub additional_software: String,
    pub change_management: String,
}

impl Default for Profile {
    fn default() -> Self {
        Self::shipped()
    }
}

impl Default for Guidance {
    fn default() -> Self {
        Self::shipped()
    }
}

fn all(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Profile {
    /// The one that comes with Nightshift.
    #[must_use]
    pub fn shipped() -> Self {
        let makers: [(&str, &[&str]); 7] = [
            ("Crestron", &["Crestron Electronics", "Crestron Electronics, Inc."]),
            ("Dell", &["Dell Inc."]),
            ("HP", &["Hewlett-Packard", "HP Inc.", "HP Poly", "HP | Poly"]),
            ("Intel", &["Intel Corporation", "Intel(R) Client Systems"]),
            ("Lenovo", &["LENOVO", "Lenovo Group Limited"]),
            ("Logitech", &["Logitech Inc."]),
            ("Microsoft", &["Microsoft Corporation"]),
        ];
        let makers = makers.map(|(name, aliases)| (name.to_owned(), all(aliases)));
        Self {
            checks: ALL_CHECKS.into(),
            editions: all(&["Enterprise", "IoTEnterprise"]),
            makers: makers.into(),
            image_software: all(&[
                "Microsoft Edge",
                "Microsoft Edge Update",
                "Microsoft Edge WebView2 Runtime",
                "Microsoft Teams Rooms",
                "Microsoft Update Health Tools",
            ]),
            fixed_by_service_days: 30,
            guidance: Guidance::shipped(),
        }
    }

    /// Whether numbers and texts keep their limits, and each name is of one maker.
    ///
    /// # Errors
    /// The first key that does not.
    pub fn check(&self) -> Result<(), ProfileRefusal> {
        if self.fixed_by_service_days > MOST_FIXED_DAYS {
            return Err(ProfileRefusal::FixedDays(self.fixed_by_service_days));
        }
        let lists = [
            ("checks", self.checks.is_empty()),
            ("editions", self.editions.is_empty()),
        ];
        if let Some((key, _)) = lists.iter().find(|(_, is_empty)| *is_empty) {
            return Err(ProfileRefusal::Empty { key });
        }
        let makers = self.makers.iter();
        let makers: Vec<(&String, &String)> = makers
            .flat_map(|(maker, aliases)| {
                std::iter::once((maker, maker)).chain(aliases.iter().map(move |alias| (alias, maker)))
            })
            .collect();
        let is_good =
            |text: &str| !text.trim().trim_end_matches('*').is_empty() && text.chars().count() <= LONGEST_TEXT;
        let texts = [
            ("editions", self.editions.iter().all(|text| is_good(text))),
            ("image_software", self.image_software.iter().all(|text| is_good(text))),
            ("makers", makers.iter().all(|(text, _)| is_good(text))),
            (
                "guidance",
                ALL_CHECKS.iter().all(|check| is_good(self.guidance.of(*check))),
            ),
        ];
        if let Some((key, _)) = texts.iter().find(|(_, are_good)| !are_good) {
            return Err(ProfileRefusal::Text { key });
        }
        let mut known: BTreeMap<String, &String> = BTreeMap::new();
        for (name, maker) in makers {
            match known.insert(folded(name), maker) {
                Some(other) if other != maker => {
                    return Err(ProfileRefusal::TwoMakers {
                        name: folded(name),
                        one: other.clone(),
                        other: maker.clone(),
                    });
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// For how long a remedied setting is called fixed by the service (C3).
    #[must_use]
    pub fn fixed_for(&self) -> TimeDelta {
        TimeDelta::days(self.fixed_by_service_days.min(MOST_FIXED_DAYS).into())
    }

    /// The name of the maker that writes itself so, in lower case.
    #[must_use]
    pub fn maker(&self, written: &str) -> String {
        let written = folded(written);
        let is_it = |name: &str| folded(name) == written;
        let known = self
            .makers
            .iter()
            .find(|(name, aliases)| is_it(name) || aliases.iter().any(|alias| is_it(alias)));
        known.map_or(written.clone(), |(name, _)| folded(name))
    }

    /// Whether that software is part of the image.
    #[must_use]
    pub fn is_of_image(&self, software: &str) -> bool {
        let software = folded(software);
        self.image_software.iter().any(|name| match name.strip_suffix('*') {
            Some(beginning) => software.starts_with(&beginning.trim_start().to_lowercase()),
            None => folded(name) == software,
        })
    }
}

/// Names that differ in case or in blanks around them are one name.
pub(super) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Guidance {
    /// The sentences that come with Nightshift.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            base_image:
                "Install the image of the device's own maker, on site; the maker that an image names is a sign of \
                         its origin and no proof."
                    .to_owned(),
            os_edition:
                "Install Windows IoT Enterprise or Windows Enterprise with a general channel; long-term editions, \
                         whose ids end in S, do not count."
                    .to_owned(),
            logitech_sync:
                "Let Windows Update install Logitech Sync, or install its full package, and start its services."
                    .to_owned(),
            os_updates:
                "Let Windows Update reach Microsoft: enabled, without a WSUS server, and governed neither by group \
                         policy nor by device management."
                    .to_owned(),
            store_updates: "Turn automatic updates of the Microsoft Store off.".to_owned(),
            antivirus: "Exclude the room app and its web view from the antivirus.".to_owned(),
            additional_software: "Remove what does not belong to the image, or review each name.".to_owned(),
            change_management: "Stop every other program that changes the room, or review each name.".to_owned(),
        }
    }

    /// The sentence of a check.
    #[must_use]
    pub fn of(&self, check: Check) -> &str {
        match check {
            Check::BaseImage => &self.base_image,
            Check::OsEdition => &self.os_edition,
            Check::LogitechSync => &self.logitech_sync,
            Check::OsUpdates => &self.os_updates,
            Check::StoreUpdates => &self.store_updates,
            Check::Antivirus => &self.antivirus,
            Check::AdditionalSoftware => &self.additional_software,
            Check::ChangeManagement => &self.change_management,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_keeps_its_limits_and_each_name_is_of_one_maker_c6_g5() {
        let shipped = Profile::shipped();
        assert_eq!(shipped.check(), Ok(()));
        let days = Profile {
            fixed_by_service_days: u32::MAX,
            ..shipped.clone()
        };
        assert_eq!(
            days.check().map_err(|refused| refused.to_string()),
            Err("fixed_by_service_days is 4294967295: at most 365".to_owned())
        );
        assert_eq!(
            days.fixed_for(),
            TimeDelta::days(365),
            "a row of an earlier day stops nothing"
        );
        for star in ["*", " ", "**"] {
            let software = Profile {
                image_software: all(&[star]),
                ..shipped.clone()
            };
            assert_eq!(
                software.check(),
                Err(ProfileRefusal::Text { key: "image_software" }),
                "{star:?}"
            );
        }
        for (profile, key) in [
            (
                Profile {
                    checks: BTreeSet::new(),
                    ..shipped.clone()
                },
                "checks",
            ),
            (
                Profile {
                    editions: BTreeSet::new(),
                    ..shipped.clone()
                },
                "editions",
            ),
        ] {
            assert_eq!(profile.check(), Err(ProfileRefusal::Empty { key }));
        }
        let mut two = shipped.clone();
        two.makers.insert("Hewlett".to_owned(), all(&["hp inc."]));
        assert_eq!(
            two.check().map_err(|refused| refused.to_string()),
            Err("makers has \"hp inc.\" under two makers: HP and Hewlett".to_owned())
        );
        let mut blank = shipped;
        blank.guidance.antivirus = String::new();
        assert_eq!(blank.check(), Err(ProfileRefusal::Text { key: "guidance" }));
    }

    #[test]
    fn a_name_of_the_image_that_ends_in_a_star_stands_for_all_that_begin_so_c6() {
        let profile = Profile {
            image_software: all(&["Microsoft Edge", "Realtek Audio*"]),
            ..Profile::shipped()
        };
        for (name, is_of_image) in [
            ("microsoft edge ", true),
            ("Microsoft Edge Beta", false),
            ("Realtek Audio Driver 6.0", true),
            ("REALTEK AUDIO", true),
            ("My Realtek Audio", false),
        ] {
            assert_eq!(profile.is_of_image(name), is_of_image, "{name}");
        }
    }
}
