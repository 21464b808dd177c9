//! The 60-day picture: the x axis is planned days from 0 to the limit, or to their sum where that is more.

use domain::ring::MOST_TOTAL_DAYS;

use crate::components::geometry::{percent, share};

/// A ring's days, in rollout order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// 0 to 10.
    pub scale: u8,
    pub rollout: u32,
    pub test: u32,
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pub rings: Vec<Block>,
    /// Days that remain: (x, width).
    pub left: Option<(String, String)>,
    /// Days over the limit: (x, width).
    pub over: Option<(String, String)>,
    pub limit: String,
}

/// One ring; `rollout` is a share of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// 0 to 10.
    pub scale: u8,
    /// Left edge.
    pub x: String,
    pub width: String,
    /// Where the rollout ends.
    pub rollout: String,
}

/// Lays the budget out.
#[must_use]
pub fn budget(rings: &[Days]) -> Budget {
    let set: u32 = rings.iter().map(|ring| ring.rollout + ring.test).sum();
    let whole = f64::from(set.max(MOST_TOTAL_DAYS));
    let at = |days: u32| percent(share(f64::from(days), whole));
    let mut start = 0;
    let mut blocks = Vec::with_capacity(rings.len());
    for ring in rings {
        let days = ring.rollout + ring.test;
        blocks.push(Block {
            scale: ring.scale,
            x: at(start),
            width: at(days),
            rollout: percent(share(f64::from(ring.rollout), f64::from(days))),
        });
        start += days;
    }
    Budget {
        rings: blocks,
        left: (set < MOST_TOTAL_DAYS).then(|| (at(set), at(MOST_TOTAL_DAYS - set))),
        over: (set > MOST_TOTAL_DAYS).then(|| (at(MOST_TOTAL_DAYS), at(set - MOST_TOTAL_DAYS))),
        limit: at(MOST_TOTAL_DAYS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(scale: u8, rollout: u32, test: u32) -> Days {
        Days { scale, rollout, test }
    }

    #[test]
    fn the_rings_fill_the_sixty_days_from_the_left() {
        let drawn = budget(&[days(0, 2, 5), days(2, 3, 4), days(5, 10, 4), days(10, 5, 2)]);
        let starts: Vec<&str> = drawn.rings.iter().map(|block| block.x.as_str()).collect();
        assert_eq!(starts, ["0%", "11.67%", "23.33%", "46.67%"]);
        assert_eq!(drawn.rings[0].rollout, "28.57%");
        assert_eq!(drawn.left, Some(("58.33%".to_owned(), "41.67%".to_owned())));
        assert_eq!((drawn.over, drawn.limit.as_str()), (None, "100%"));
    }

    #[test]
    fn days_over_the_limit_lie_behind_it() {
        let drawn = budget(&[days(0, 40, 20), days(10, 10, 5)]);
        assert_eq!(drawn.left, None);
        assert_eq!(drawn.limit, "80%");
        assert_eq!(drawn.over, Some(("80%".to_owned(), "20%".to_owned())));
    }

    #[test]
    fn sixty_days_leave_nothing() {
        let drawn = budget(&[days(0, 30, 30)]);
        assert_eq!((drawn.left, drawn.over), (None, None));
    }
}
