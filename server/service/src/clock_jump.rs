//! A machine's clock that jumps far ahead and back again, as after a wrong answer of a time server: what is planned by it would move nights
//! for good. It must not read a clock itself. Start with [`ClockWatch::may_plan`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// What the clock may be ahead of the time that has passed. An hour more or less, or the end of a day, is no jump.
const JUMP: TimeDelta = TimeDelta::days(1);
/// A clock that has stood ahead for so long is believed: the machine slept, or its clock was wrong before.
const BELIEVED_AFTER: Duration = Duration::from_secs(600);

/// Compares the clock with the time that passes.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    /// What the clock said when it was believed last, and how long the process ran then.
    believed: Option<(DateTime<Utc>, Duration)>,
    /// How long the process ran when the clock was seen to have jumped.
    jumped: Option<Duration>,
}

/// Whether there may be planning now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planning {
    GoesOn,
    /// The clock has just jumped ahead by so much: nothing is planned for a while.
    Stops {
        by: TimeDelta,
    },
    /// It still stands there.
    Waits,
}

impl ClockWatch {
    /// What to do at `now`, when the process has run for `running`.
    pub(crate) fn may_plan(&mut self, now: DateTime<Utc>, running: Duration) -> Planning {
        let Some((then, ran)) = self.believed else {
            self.believe(now, running);
            return Planning::GoesOn;
        };
        let passed = TimeDelta::from_std(running.saturating_sub(ran)).unwrap_or(TimeDelta::MAX);
        let by = now - then - passed;
        match self.jumped {
            _ if by <= JUMP => {}
            None => {
                self.jumped = Some(running);
                return Planning::Stops { by };
            }
            Some(since) if running.saturating_sub(since) < BELIEVED_AFTER => return Planning::Waits,
            Some(_) => {}
        }
        self.believe(now, running);
        Planning::GoesOn
    }

    fn believe(&mut self, now: DateTime<Utc>, running: Duration) {
        self.believed = Some((now, running));
        self.jumped = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_clock_that_is_ahead_for_one_tick_plans_nothing_w4() {
        let mut watch = ClockWatch::default();
        assert_eq!(watch.may_plan(at("2025-03-03T12:00:00Z"), seconds(0)), Planning::GoesOn);
        assert_eq!(
            watch.may_plan(at("2025-03-03T12:00:30Z"), seconds(30)),
            Planning::GoesOn
        );
        let ahead = watch.may_plan(at("2025-04-20T12:01:00Z"), seconds(60));
        assert!(
            matches!(ahead, Planning::Stops { by } if by.num_days() == 48),
            "{ahead:?}"
        );
        assert_eq!(watch.may_plan(at("2025-04-20T12:01:30Z"), seconds(90)), Planning::Waits);
        assert_eq!(
            watch.may_plan(at("2025-03-03T12:02:00Z"), seconds(120)),
            Planning::GoesOn
        );
        // It may happen again.
        let again = watch.may_plan(at("2026-01-01T00:00:00Z"), seconds(150));
        assert!(matches!(again, Planning::Stops { .. }));
    }

    #[test]
    fn a_machine_that_slept_for_days_plans_again_after_ten_minutes() {
        let mut watch = ClockWatch::default();
        watch.may_plan(at("2025-03-03T12:00:00Z"), seconds(0));
        let woken = watch.may_plan(at("2025-03-06T08:00:00Z"), seconds(10));
        assert!(matches!(woken, Planning::Stops { .. }));
        assert_eq!(
            watch.may_plan(at("2025-03-06T08:09:59Z"), seconds(609)),
            Planning::Waits
        );
        assert_eq!(
            watch.may_plan(at("2025-03-06T08:10:00Z"), seconds(610)),
            Planning::GoesOn
        );
        assert_eq!(
            watch.may_plan(at("2025-03-06T08:10:30Z"), seconds(640)),
            Planning::GoesOn
        );
    }

    #[test]
    fn a_clock_that_goes_back_or_a_long_wait_is_no_jump() {
        let mut watch = ClockWatch::default();
        watch.may_plan(at("2025-03-03T12:00:00Z"), seconds(0));
        assert_eq!(
            watch.may_plan(at("2025-03-03T11:00:00Z"), seconds(30)),
            Planning::GoesOn
        );
        assert_eq!(
            watch.may_plan(at("2025-03-06T11:00:00Z"), seconds(3 * 86_400)),
            Planning::GoesOn
        );
        assert_eq!(
            watch.may_plan(at("2025-03-07T10:59:00Z"), seconds(3 * 86_400 + 30)),
            Planning::GoesOn
        );
    }
}
