//! Where a ring stands among the others (R2).
//!
//! Places are parsed here, so that no rule meets an order outside its scale. Start with [`RingPlace`].

use serde::{Deserialize, Serialize};

use super::RingRefusal;

/// The place of a ring on the scale between Staging and Executive: 1 goes first, 9 last (R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct RingOrder(u8);

impl RingOrder {
    /// General's order from the first start on (R1).
    pub const GENERAL: Self = Self(5);

    /// The number, 1 to 9.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for RingOrder {
    type Error = RingRefusal;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        match u8::try_from(number) {
            Ok(order @ 1..=9) => Ok(Self(order)),
            Ok(_) | Err(_) => Err(RingRefusal::Order {
                given: number.to_string(),
            }),
        }
    }
}

impl From<RingOrder> for i64 {
    fn from(order: RingOrder) -> Self {
        order.0.into()
    }
}

impl std::str::FromStr for RingOrder {
    type Err = RingRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim()
            .parse::<i64>()
            .map_err(|_| RingRefusal::Order {
                given: text.trim().to_owned(),
            })
            .and_then(Self::try_from)
    }
}

/// Where a ring stands among the others; the derived order is the rollout order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "order")]
pub enum RingPlace {
    /// The first ring, pinned.
    Staging,
    /// Between Staging and Executive: General and the custom rings.
    Between(RingOrder),
    /// The last ring, pinned.
    Executive,
}

impl RingPlace {
    /// Its number, where it has one: the pinned rings have none.
    #[must_use]
    pub fn order(self) -> Option<RingOrder> {
        match self {
            Self::Between(order) => Some(order),
            Self::Staging | Self::Executive => None,
        }
    }

    /// 0 for Staging, 1 to 9, 10 for Executive: the number that rows and style classes carry.
    #[must_use]
    pub fn scale(self) -> u8 {
        match self {
            Self::Staging => 0,
            Self::Between(order) => order.number(),
            Self::Executive => 10,
        }
    }

    /// The place of a number on the scale from 0 to 10.
    ///
    /// # Errors
    /// The number is outside.
    pub fn from_scale(scale: i64) -> Result<Self, RingRefusal> {
        match scale {
            0 => Ok(Self::Staging),
            10 => Ok(Self::Executive),
            order => RingOrder::try_from(order).map(Self::Between),
        }
    }

    /// What stands in a ring's badge: S, 1 to 9, or E.
    #[must_use]
    pub fn badge(self) -> String {
        match self {
            Self::Staging => "S".to_owned(),
            Self::Between(order) => order.number().to_string(),
            Self::Executive => "E".to_owned(),
        }
    }
}
