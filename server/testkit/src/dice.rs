//! Chance that can be repeated.

use std::ops::Range;

/// The same numbers for the same seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// With this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to `sides` − 1; 0 for no sides.
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides.max(1)).expect("a number");
        usize::try_from((mixed ^ (mixed >> 31)) % sides).expect("a number")
    }

    /// `from` to `until` − 1.
    pub fn number(&mut self, from: u32, until: u32) -> u32 {
        from + u32::try_from(self.below(usize::try_from(until - from).expect("a number"))).expect("a number")
    }

    /// Whether one of so many sides comes up.
    pub fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    /// At most 24 neighbours among `length` positions.
    pub fn span(&mut self, length: usize) -> Range<usize> {
        let from = self.below(length + 1);
        from..from + self.below(length - from + 1).min(24)
    }
}
