//! The readiness profile (C6): what vendors may change their minds about, as data.
//!
//! A profile in a file names what it has otherwise; the rest is as in the shipped one. How facts are judged stands in
//! [`super::check`]. Start with [`Profile::shipped`].

use std::collections::{BTreeMap, BTreeSet};

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
    /// Days for which a remedied setting is called fixed by the service (C3).
    pub fixed_by_service_days: u32,
    pub guidance: Guidance,
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
