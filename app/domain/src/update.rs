//! Updates: published releases, and which rooms one applies to (SPEC S1, S2, S7).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{ProductId, UpdateId};
use crate::readiness;
use crate::room::{Block, Device, Room, RoomState, VersionSource};
use crate::version::{self, Version, VersionScheme};

pub use crate::product::ProductKind;

/// How urgent an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Starts on the date of publishing (S4) and goes first in a room (S7).
    Critical,
    /// Starts on the organisation's weekday (S3).
    Routine,
}

impl Severity {
    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Routine => "routine",
        }
    }

    /// The severity of a word that [`Severity::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Critical, Self::Routine]
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

/// How an installed version stands to an update's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionStanding {
    /// Below it: the update applies (S1).
    Below,
    /// Below it, and below what the update needs first (S8).
    NeedsFirst,
    /// Equal or newer.
    Current,
    /// Unordered to it: the update does not apply on its own (S2).
    Unordered,
}

impl VersionStanding {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::NeedsFirst => "needs_first",
            Self::Current => "current",
            Self::Unordered => "unordered",
        }
    }

    /// The standing of a word that [`VersionStanding::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Below, Self::NeedsFirst, Self::Current, Self::Unordered]
            .into_iter()
            .find(|standing| standing.as_str() == word)
    }

    /// How `installed` stands to a release `update` that needs `minimum` first.
    #[must_use]
    pub fn of(
        scheme: &VersionScheme,
        installed: Version<'_>,
        update: Version<'_>,
        minimum: Option<Version<'_>>,
    ) -> Self {
        use std::cmp::Ordering;
        match version::compare(scheme, installed, update).order {
            None => Self::Unordered,
            Some(Ordering::Equal | Ordering::Greater) => Self::Current,
            Some(Ordering::Less) => {
                let order = minimum.map(|minimum| version::compare(scheme, installed, minimum).order);
                match order {
                    None | Some(Some(Ordering::Equal | Ordering::Greater)) => Self::Below,
                    Some(Some(Ordering::Less) | None) => Self::NeedsFirst,
                }
            }
        }
    }
}

/// A published release, as far as planning needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Identity; its rollout goes by the same id.
    pub id: UpdateId,
    /// What it replaces.
    pub product: ProductId,
    /// The product's name on screen.
    pub product_name: String,
    /// The kind of product.
    pub kind: ProductKind,
    /// Whose product it is, as the portfolio writes it.
    pub vendor: String,
    /// As the vendor writes it.
    pub version: String,
    /// Day of release, where known.
    pub released: Option<NaiveDate>,
    /// How urgent.
    pub severity: Severity,
    /// Typical minutes of an install, at least 1.
    pub expected_minutes: u32,
    /// What a device must run before (S8).
    pub minimum_version: Option<String>,
    /// Device models it is for; empty: all models of the product.
    pub models: Vec<String>,
    /// Whether it goes to devices that do not say their version (S1).
    pub applies_to_unknown: bool,
    /// It has a file and was not recalled. Otherwise it is not installed, not even as a step to another release (S8, S10).
    pub offerable: bool,
    /// How each known version of the product stands to it. A version that is missing here is unordered.
    pub standings: BTreeMap<String, VersionStanding>,
}

/// What an update is called: the product's name and the version, which some names end in already (`Windows 11 23H2`).
#[must_use]
pub fn titled(product_name: &str, version: &str) -> String {
    if product_name.ends_with(version) {
        product_name.to_owned()
    } else {
        format!("{product_name} {version}")
    }
}

/// Why an update is not for a device, or that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applicability {
    Applicable,
    /// The device has no component of the product, or another model.
    NoComponent,
    /// Equal or newer is installed.
    Current(String),
    /// What is installed has no order to the update.
    Unordered(String),
    /// The device does not say its version.
    UnknownVersion,
}

impl Update {
    /// `Teams Rooms app 5.2.115.0`.
    #[must_use]
    pub fn title(&self) -> String {
        titled(&self.product_name, &self.version)
    }

    /// Whether rooms of this update may wait for `step` on their way to it (S8).
    #[must_use]
    pub fn may_wait_for(&self, step: &Self) -> bool {
        self.id != step.id && self.product == step.product && self.minimum_version.is_some()
    }

    /// Whether the update is for `device` (S1).
    #[must_use]
    pub fn applicability(&self, device: &Device) -> Applicability {
        let Some(component) = device.component(&self.product) else {
            return Applicability::NoComponent;
        };
        if !self.fits(&device.model) {
            return Applicability::NoComponent;
        }
        let Some(installed) = &component.version else {
            return if self.applies_to_unknown {
                Applicability::Applicable
            } else {
                Applicability::UnknownVersion
            };
        };
        match self.standings.get(installed) {
            // What needs another release first gets there step by step (S8).
            Some(VersionStanding::Below | VersionStanding::NeedsFirst) => Applicability::Applicable,
            Some(VersionStanding::Current) => Applicability::Current(installed.clone()),
            Some(VersionStanding::Unordered) | None => Applicability::Unordered(installed.clone()),
        }
    }

    /// Whether it is for devices of `model`.
    #[must_use]
    pub fn fits(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|own| own == model)
    }

    /// Whether it is newer than `version` of the same product.
    #[must_use]
    pub fn is_above(&self, version: &str) -> bool {
        matches!(
            self.standings.get(version),
            Some(VersionStanding::Below | VersionStanding::NeedsFirst)
        )
    }

    /// Whether it takes the place of `older` when it is published (S9): a newer release of the same product for the same devices.
    #[must_use]
    pub fn supersedes(&self, older: &Self) -> bool {
        let same_devices =
            self.models.is_empty() || (!older.models.is_empty() && older.models.iter().all(|model| self.fits(model)));
        self.product == older.product && self.id != older.id && same_devices && self.is_above(&older.version)
    }

    /// Whether a device may need `step` before it can have this update (S8).
    #[must_use]
    pub fn may_need(&self, step: &Self) -> bool {
        step.product == self.product && self.standings.get(&step.version) == Some(&VersionStanding::Below)
    }

    /// Whether a device of `room` needs this update before it can have `other` (S7, S8).
    #[must_use]
    pub fn is_needed_for(&self, other: &Self, room: &Room) -> bool {
        other.may_need(self)
            && self.devices_in(room).any(|device| {
                let installed = device
                    .component(&self.product)
                    .and_then(|component| component.version.as_ref());
                installed.is_some_and(|installed| other.standings.get(installed) == Some(&VersionStanding::NeedsFirst))
            })
    }

    /// The devices of `room` that the update is for.
    pub fn devices_in<'r>(&self, room: &'r Room) -> impl Iterator<Item = &'r Device> {
        room.devices
            .iter()
            .filter(|device| self.applicability(device) == Applicability::Applicable)
    }

    /// Whether a room that had the update has lost it (S16): the version is lower, in another family, or gone, and no device of the room
    /// has the update. What a file says of a device is not the device's word, and an unknown version changes nothing. `None`: the room
    /// has it, or nobody knows.
    #[must_use]
    pub fn lost_in(&self, room: &Room) -> Option<Lost> {
        if room.state == RoomState::Retired {
            return None;
        }
        let mut lost = Lost { found: None };
        for device in &room.devices {
            let component = device.component(&self.product);
            if component.is_some_and(|component| component.source == VersionSource::Imported) {
                return None;
            }
            match self.applicability(device) {
                Applicability::NoComponent => {}
                Applicability::Current(_) | Applicability::UnknownVersion => return None,
                Applicability::Applicable | Applicability::Unordered(_) => {
                    // It may be for devices that do not say their version.
                    lost.found = Some(component?.version.clone()?);
                }
            }
        }
        Some(lost)
    }

    /// Why the update would not be scheduled for `room` on `date`, although it may apply; `None`: it would (S1, S6, S13).
    #[must_use]
    pub fn exclusion(&self, room: &Room, date: NaiveDate) -> Option<Exclusion> {
        match room.state {
            RoomState::Retired => return Some(Exclusion::Retired),
            RoomState::Onboarding if self.devices_in(room).next().is_some() => return Some(Exclusion::Onboarding),
            RoomState::Onboarding | RoomState::Managed => {}
        }
        if self.devices_in(room).next().is_none() {
            let mut why = Exclusion::DoesNotApply;
            for device in &room.devices {
                match self.applicability(device) {
                    Applicability::Applicable | Applicability::NoComponent => {}
                    Applicability::Current(version) => why = Exclusion::AlreadyOn { version },
                    Applicability::Unordered(version) => why = Exclusion::OtherFamily { version },
                    Applicability::UnknownVersion => why = Exclusion::VersionUnknown,
                }
            }
            return Some(why);
        }
        if let Some(hold) = room.hold_on(&self.product, date) {
            return Some(Exclusion::Held {
                owner: hold.owner.clone(),
                reason: hold.reason.clone(),
                until: hold.until,
            });
        }
        let is_kept_away = |block: &&Block| readiness::keeps_away(block.scope, self.kind, &self.vendor);
        let block = room.blocks.iter().find(is_kept_away);
        block.map(|block| Exclusion::Blocked { why: block.why.clone() })
    }
}

/// A room has lost an update (S16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What it has in its place; `None`: none of its devices has the product.
    pub found: Option<String>,
}

/// Why a room needs no deployment of an update (T5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "exclusion")]
pub enum Exclusion {
    /// Equal or newer is installed.
    AlreadyOn {
        /// What is installed.
        version: String,
    },
    /// No device of the room has the product in a fitting model.
    DoesNotApply,
    /// What is installed is of another family of versions.
    OtherFamily {
        /// What is installed.
        version: String,
    },
    /// The device does not say its version, and the update is not for such devices.
    VersionUnknown,
    /// Somebody keeps it away.
    Held {
        /// Who answers for the hold.
        owner: String,
        /// Why.
        reason: String,
        /// Its last date.
        until: NaiveDate,
    },
    /// A readiness check failed.
    Blocked {
        /// The check's sentence.
        why: String,
    },
    /// The room is new.
    Onboarding,
    /// The room is gone.
    Retired,
}
