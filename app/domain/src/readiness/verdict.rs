//! What checks come to (C1): the checks by name, their results, why, waivers, and what they block (C2).
//!
//! Values only. Who judges stands in [`super::check`]; the sentences stand in `text::readiness`. Start with [`Verdict`].

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::facts::Told;
use crate::ids::DeviceId;
use crate::product::ProductKind;

/// A readiness check, in the order of C1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The computer runs the image of its own maker.
    BaseImage,
    /// Its edition of Windows is one that the profile allows, and not a long-term one.
    OsEdition,
    /// Logitech Sync runs, where there is Logitech equipment.
    LogitechSync,
    /// Windows updates come from Microsoft.
    OsUpdates,
    /// Apps from the store do not update themselves.
    StoreUpdates,
    /// The antivirus leaves the room app alone.
    Antivirus,
    /// Nothing is installed that nobody has reviewed.
    AdditionalSoftware,
    /// No other program changes the room.
    ChangeManagement,
}

/// Every check, in the order of C1.
pub const ALL_CHECKS: [Check; 8] = [
    Check::BaseImage,
    Check::OsEdition,
    Check::LogitechSync,
    Check::OsUpdates,
    Check::StoreUpdates,
    Check::Antivirus,
    Check::AdditionalSoftware,
    Check::ChangeManagement,
];

impl Check {
    /// The word in files and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BaseImage => "base_image",
            Self::OsEdition => "os_edition",
            Self::LogitechSync => "logitech_sync",
            Self::OsUpdates => "os_updates",
            Self::StoreUpdates => "store_updates",
            Self::Antivirus => "antivirus",
            Self::AdditionalSoftware => "additional_software",
            Self::ChangeManagement => "change_management",
        }
    }

    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BaseImage => "Base image",
            Self::OsEdition => "OS edition",
            Self::LogitechSync => "Logitech Sync",
            Self::OsUpdates => "OS updates",
            Self::StoreUpdates => "Store updates",
            Self::Antivirus => "Antivirus",
            Self::AdditionalSoftware => "Additional software",
            Self::ChangeManagement => "Change management",
        }
    }

    /// The check of a word that [`Check::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        ALL_CHECKS.into_iter().find(|check| check.as_str() == word)
    }
}

/// What a check comes to, the worst first (C1a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    Fail,
    /// A fact that it needs was not told, or too long ago.
    Unknown,
    Warning,
    /// It would be one of those above, and somebody answers for it.
    Waived,
    /// It passes since Nightshift changed a setting (C3).
    FixedByService,
    Pass,
    NotApplicable,
}

impl CheckResult {
    /// The word in files and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Waived => "waived",
            Self::FixedByService => "fixed_by_service",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// Every result, the worst first.
    pub const ALL: [Self; 7] = [
        Self::Fail,
        Self::Unknown,
        Self::Warning,
        Self::Waived,
        Self::FixedByService,
        Self::Pass,
        Self::NotApplicable,
    ];

    /// The result of a word that [`CheckResult::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == word)
    }

    /// The words on screen (C1).
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Fail => "Fail",
            Self::Unknown => "Unknown",
            Self::Warning => "Warning",
            Self::Waived => "Waived",
            Self::FixedByService => "Fixed by the service",
            Self::Pass => "Pass",
            Self::NotApplicable => "Not applicable",
        }
    }

    /// Whether a waiver has something to waive.
    #[must_use]
    pub fn can_be_waived(self) -> bool {
        match self {
            Self::Fail | Self::Unknown | Self::Warning => true,
            Self::Waived | Self::FixedByService | Self::Pass | Self::NotApplicable => false,
        }
    }
}

/// Somebody answers for a check of a room until a date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waiver {
    pub check: Check,
    /// The last date on which it counts, in the room's zone.
    pub until: NaiveDate,
    /// `None` where the source does not say, as in a file of `explain readiness`.
    pub given: Option<Given>,
}

/// Who gave a waiver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Given {
    pub by: String,
    pub why: String,
}

/// From which facts a result follows, and how (C7). `text::readiness` makes a sentence of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why {
    pub because: Because,
    /// The facts that it follows from; empty where none was told.
    pub told: Vec<Told>,
    /// What turned the result into *waived*; the rest says what is waived.
    pub waiver: Option<Waiver>,
}

/// How a result follows from the facts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    NoWindowsComputer,
    NoLogitechEquipment,
    NotTold {
        attribute: &'static str,
    },
    /// Nobody knows when the facts were told.
    NoTime,
    TooOld {
        /// How old they may be at most.
        hours: i64,
    },
    /// The facts are what the check wants, and speak for themselves.
    AsWanted,
    /// The facts are not what the check wants, and speak for themselves.
    NotAsWanted,
    OtherMaker,
    /// The image names no maker.
    GenericImage,
    LongTerm,
    EditionNotAllowed {
        allowed: Vec<String>,
    },
    /// Nightshift turned it off.
    FixedByService {
        /// When the device first said so.
        since: DateTime<Utc>,
    },
    /// Nothing is in the list.
    NothingThere,
    /// Each name is part of the image, or reviewed.
    AllReviewed,
    NotReviewed {
        /// As the device wrote them.
        names: Vec<String>,
    },
}

impl Why {
    /// Names of software that nobody has reviewed, as the device wrote them.
    #[must_use]
    pub fn not_reviewed(&self) -> &[String] {
        match &self.because {
            Because::NotReviewed { names } => names,
            Because::NoWindowsComputer
            | Because::NoLogitechEquipment
            | Because::NotTold { .. }
            | Because::NoTime
            | Because::TooOld { .. }
            | Because::AsWanted
            | Because::NotAsWanted
            | Because::OtherMaker
            | Because::GenericImage
            | Because::LongTerm
            | Because::EditionNotAllowed { .. }
            | Because::FixedByService { .. }
            | Because::NothingThere
            | Because::AllReviewed => &[],
        }
    }
}

/// What a check of a room comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub check: Check,
    pub result: CheckResult,
    pub why: Why,
    /// What makes it pass, in one sentence.
    pub guidance: String,
    /// Whose facts it follows from; `None` where it follows from the whole room, or the device has no id.
    pub device: Option<DeviceId>,
    /// The worst that the facts said when they were told, however long ago; `None`: no computer told any.
    pub last_told: Option<CheckResult>,
}

/// What readiness keeps away from a room (C2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlockScope {
    /// An onboarding room does not become Managed.
    #[serde(rename = "onboarding")]
    Onboarding,
    /// No update of kind os.
    #[serde(rename = "os")]
    Os,
    /// No firmware by Logitech.
    #[serde(rename = "firmware:Logitech")]
    LogitechFirmware,
}

impl BlockScope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Onboarding, Self::Os, Self::LogitechFirmware];

    /// The word in files and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Onboarding => "onboarding",
            Self::Os => "os",
            Self::LogitechFirmware => "firmware:Logitech",
        }
    }

    /// The scope of a word that [`BlockScope::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// The kind of product whose updates it keeps away, if it keeps any away.
    #[must_use]
    pub fn kind(self) -> Option<ProductKind> {
        match self {
            Self::Onboarding => None,
            Self::Os => Some(ProductKind::Os),
            Self::LogitechFirmware => Some(ProductKind::Firmware),
        }
    }

    /// The scope of this kind and vendor, as [`BlockScope::kind`] and [`BlockScope::vendor`] gave them.
    #[must_use]
    pub fn of(kind: ProductKind, vendor: Option<&str>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.kind() == Some(kind) && scope.vendor() == vendor)
    }

    /// The one vendor whose updates it keeps away; `None`: those of all vendors.
    #[must_use]
    pub fn vendor(self) -> Option<&'static str> {
        match self {
            Self::Onboarding | Self::Os => None,
            Self::LogitechFirmware => Some(super::LOGITECH),
        }
    }

    /// The words on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Onboarding => "Onboarding",
            Self::Os => "Operating system",
            Self::LogitechFirmware => "Logitech firmware",
        }
    }

    /// Whether a check blocks this while nothing is known of the time before (C2).
    #[must_use]
    pub fn follows_from(self, check: Check, result: CheckResult) -> bool {
        match (self, check) {
            (Self::Onboarding, Check::BaseImage | Check::OsEdition) => {
                matches!(result, CheckResult::Fail | CheckResult::Unknown)
            }
            (Self::Os, Check::OsUpdates) | (Self::LogitechFirmware, Check::LogitechSync) => result == CheckResult::Fail,
            (Self::Onboarding | Self::Os | Self::LogitechFirmware, _) => false,
        }
    }
}
