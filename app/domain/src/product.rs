//! Products: what a room's devices run (S7, P7).

use serde::{Deserialize, Serialize};

/// What sort of thing a product is; the order is the order of installation in a room (S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// An operating system.
    Os,
    /// Software that the room app needs.
    Service,
    /// A room app.
    App,
    Driver,
    /// A device's own software.
    Firmware,
}

impl ProductKind {
    /// Every kind, in the order of installation.
    pub const ALL: [Self; 5] = [Self::Os, Self::Service, Self::App, Self::Driver, Self::Firmware];

    /// The word in rows and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Service => "service",
            Self::App => "app",
            Self::Driver => "driver",
            Self::Firmware => "firmware",
        }
    }

    /// The kind of a word that [`ProductKind::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Os => "Operating system",
            Self::Service => "Service",
            Self::App => "App",
            Self::Driver => "Driver",
            Self::Firmware => "Firmware",
        }
    }

    /// What DDI calls a chunk of this kind (`docs/devices.md` 3).
    #[must_use]
    pub fn chunk_part(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Service => "bService",
            Self::App => "bApp",
            Self::Driver => "bDriver",
            Self::Firmware => "firmware",
        }
    }
}
