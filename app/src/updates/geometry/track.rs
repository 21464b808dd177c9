//! The compact track: the x axis is plan days, so the rings of all rows line up under the column head.

use crate::components::geometry::{percent, rooms, share};
use crate::updates::model::{TrackMark, TrackRing, TrackView};

/// A failure is at least this share of the whole track wide, or nobody sees it.
const NARROWEST_FAILURE: f64 = 0.018;

/// A whole track.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// The rings in order.
    pub rings: Vec<RingShape>,
    /// Failures; they are drawn last, so that they lie on top.
    pub failures: Vec<FailureShape>,
    /// Where the mark stands, if there is one.
    pub mark: Option<(Mark, String)>,
}

/// What the mark looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line with a moon.
    Now,
    /// A line with a pause disc.
    Paused,
    /// A bar.
    Stopped,
}

/// One ring; `x` and `width` are shares of the track, the rest are shares of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingShape {
    /// 0 to 10.
    pub scale: u8,
    /// Left edge.
    pub x: String,
    pub width: String,
    /// Where the rollout ends and the test days begin.
    pub rollout: String,
    /// Whether it has rooms.
    pub has_rooms: bool,
    /// Width of the installed part, as a share of the rollout.
    pub done: Option<String>,
    /// Whether it has test days.
    pub has_test: bool,
    /// Where the test days that have passed end.
    pub tested: Option<String>,
}

/// The failures of one ring; `x` and `width` are shares of the track, `from` and `length` of the ring's rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureShape {
    /// Left edge of the ring.
    pub x: String,
    /// Width of the ring's rollout.
    pub width: String,
    /// Where the failures begin.
    pub from: String,
    /// How wide they are.
    pub length: String,
}

/// Lays a track out.
#[must_use]
pub fn track(view: &TrackView) -> Track {
    let total = f64::from(
        view.rings
            .iter()
            .map(|ring| ring.rollout_days + ring.test_days)
            .sum::<u32>(),
    );
    let mut rings = Vec::with_capacity(view.rings.len());
    let mut failures = Vec::new();
    let mut start = 0.0;
    for ring in &view.rings {
        let days = f64::from(ring.rollout_days + ring.test_days);
        rings.push(ring_shape(ring, start, total));
        failures.extend(failure_shape(ring, start, total));
        start += days;
    }
    let at = |day: f64| percent(share(day, total).clamp(0.0, 1.0));
    let mark = match view.mark {
        TrackMark::None => None,
        TrackMark::Now(day) => Some((Mark::Now, at(day))),
        TrackMark::Paused(day) => Some((Mark::Paused, at(day))),
        TrackMark::Stopped(day) => Some((Mark::Stopped, at(day))),
    };
    Track { rings, failures, mark }
}

fn ring_shape(ring: &TrackRing, start: f64, total: f64) -> RingShape {
    let days = f64::from(ring.rollout_days + ring.test_days);
    let rollout = share(f64::from(ring.rollout_days), days);
    let count = all_rooms(ring);
    let tested = share(f64::from(ring.tested_days), f64::from(ring.test_days)).min(1.0);
    RingShape {
        scale: ring.scale,
        x: percent(share(start, total)),
        width: percent(share(days, total)),
        rollout: percent(rollout),
        has_rooms: count > 0,
        done: (ring.done > 0).then(|| percent(share(rooms(ring.done), rooms(count)))),
        has_test: ring.test_days > 0,
        tested: (tested > 0.0).then(|| percent(rollout + (1.0 - rollout) * tested)),
    }
}

fn failure_shape(ring: &TrackRing, start: f64, total: f64) -> Option<FailureShape> {
    let count = all_rooms(ring);
    let rollout = share(f64::from(ring.rollout_days), total);
    if ring.failed == 0 || rollout <= 0.0 {
        return None;
    }
    let length = share(rooms(ring.failed), rooms(count))
        .max(NARROWEST_FAILURE / rollout)
        .min(1.0);
    let from = share(rooms(ring.done), rooms(count)).min(1.0 - length);
    Some(FailureShape {
        x: percent(share(start, total)),
        width: percent(rollout),
        from: percent(from),
        length: percent(length),
    })
}

fn all_rooms(ring: &TrackRing) -> i64 {
    ring.done + ring.failed + ring.waiting + ring.withdrawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(scale: u8, (rollout_days, test_days): (u32, u32), (done, failed, waiting): (i64, i64, i64)) -> TrackRing {
        TrackRing {
            name: format!("Ring {scale}"),
            scale,
            rollout_days,
            test_days,
            tested_days: 0,
            entered: true,
            done,
            failed,
            waiting,
            withdrawn: 0,
        }
    }

    fn four_rings() -> TrackView {
        TrackView {
            rings: vec![
                TrackRing {
                    tested_days: 5,
                    ..ring(0, (2, 5), (4, 0, 0))
                },
                TrackRing {
                    tested_days: 4,
                    ..ring(2, (3, 4), (8, 0, 0))
                },
                ring(5, (10, 4), (36, 2, 17)),
                ring(10, (5, 2), (0, 0, 12)),
            ],
            mark: TrackMark::Now(20.69),
            sentence: String::new(),
            caption: String::new(),
        }
    }

    #[test]
    fn the_rings_follow_each_other_in_plan_days() {
        let places: Vec<(String, String)> = track(&four_rings())
            .rings
            .into_iter()
            .map(|ring| (ring.x, ring.width))
            .collect();
        let expected = [("0%", "20%"), ("20%", "20%"), ("40%", "40%"), ("80%", "20%")];
        assert_eq!(places, expected.map(|(x, width)| (x.to_owned(), width.to_owned())));
    }

    #[test]
    fn installed_rooms_fill_the_rollout_and_passed_days_the_test() {
        let drawn = track(&four_rings());
        assert_eq!(drawn.rings[0].rollout, "28.57%");
        assert_eq!(drawn.rings[0].tested.as_deref(), Some("100%"));
        assert_eq!(drawn.rings[2].done.as_deref(), Some("65.45%"));
        assert_eq!(drawn.rings[2].tested, None);
        assert_eq!(drawn.rings[3].done, None);
    }

    #[test]
    fn a_failure_is_wide_enough_to_be_seen_and_stays_inside_its_rollout() {
        let drawn = track(&four_rings());
        let expected = FailureShape {
            x: "40%".to_owned(),
            width: "28.57%".to_owned(),
            from: "65.45%".to_owned(),
            length: "6.3%".to_owned(),
        };
        assert_eq!(drawn.failures, [expected]);

        let mut last_room = four_rings();
        last_room.rings[2] = ring(5, (10, 4), (99, 1, 0));
        let last = track(&last_room).failures.remove(0);
        assert_eq!((last.from.as_str(), last.length.as_str()), ("93.7%", "6.3%"));
    }

    #[test]
    fn rooms_that_a_deprecation_withdrew_stay_open() {
        let mut view = four_rings();
        view.rings[1] = TrackRing {
            withdrawn: 4,
            ..ring(2, (3, 4), (4, 0, 0))
        };
        assert_eq!(track(&view).rings[1].done.as_deref(), Some("50%"));
    }

    #[test]
    fn a_ring_without_rooms_is_an_outline() {
        let mut view = four_rings();
        view.rings[0] = ring(0, (2, 5), (0, 0, 0));
        let drawn = track(&view);
        assert!(!drawn.rings[0].has_rooms);
        assert_eq!(drawn.rings[0].done, None);
    }

    #[test]
    fn the_mark_stays_on_the_track() {
        let mut view = four_rings();
        assert_eq!(track(&view).mark, Some((Mark::Now, "59.11%".to_owned())));
        view.mark = TrackMark::Now(35.4);
        assert_eq!(track(&view).mark, Some((Mark::Now, "100%".to_owned())));
        view.mark = TrackMark::None;
        assert_eq!(track(&view).mark, None);
    }
}
