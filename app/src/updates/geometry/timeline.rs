//! The enlarged timeline: the x axis is calendar days, one cell a night.

use domain::status::RingStatus;

use crate::components::geometry::{percent, share};
use crate::updates::model::{CalendarView, NightView, StageView};

/// A date needs this many days to the right of it, or it leaves the picture.
const DAYS_FOR_A_DATE: u32 = 4;
/// Two words above the axis need this many days between the beginnings of what they mark, or they run into each other.
const DAYS_FOR_TWO_WORDS: f64 = 10.0;

const SATURDAY: u32 = 5;
const SUNDAY: u32 = 6;

/// What lies behind the axis and every bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// Weekends: (x, width).
    pub weekends: Vec<(String, String)>,
    /// Lines, one a week.
    pub weeks: Vec<String>,
    /// Days lost in a pause: (x, width).
    pub paused: Option<(String, String)>,
}

/// The axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Dates: (x, text).
    pub dates: Vec<(String, String)>,
    pub now: Option<String>,
    /// Where the word of a pause begins, and whether that is behind the word of now.
    pub paused: Option<(String, bool)>,
}

/// One ring's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its nights.
    pub cells: Vec<Cell>,
    /// Its rollout days, where rooms have no nights yet: (x, width).
    pub ahead: Option<(String, String)>,
    /// Test days: (from, to).
    pub test: Option<(String, String)>,
    /// Where the test days that have passed end.
    pub tested: Option<String>,
}

/// One night.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Left edge.
    pub x: String,
    /// What it shows.
    pub night: Night,
}

/// What a night shows, with its number of rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Night {
    /// Installed.
    Done(i64),
    /// Installed; some failed.
    DoneSomeFailed(i64),
    /// Nothing but failures.
    Failed(i64),
    /// Still to come.
    Waiting(i64),
    /// Still to come, tonight.
    Tonight(i64),
    /// Nothing has ended yet, some run.
    Running(i64),
    /// No rooms.
    Empty,
}

/// The width of a night.
#[must_use]
pub fn cell_width(calendar: &CalendarView) -> String {
    at(calendar, 1.0)
}

/// Weekends, weeks, pauses.
#[must_use]
pub fn ground(calendar: &CalendarView) -> Ground {
    let mut weekends = Vec::new();
    for day in 0..calendar.length {
        let days = match (calendar.first_weekday + day) % 7 {
            SATURDAY => 2.min(calendar.length - day),
            SUNDAY if day == 0 => 1,
            _ => continue,
        };
        weekends.push((at(calendar, f64::from(day)), at(calendar, f64::from(days))));
    }
    Ground {
        weekends,
        weeks: (0..calendar.length)
            .step_by(7)
            .map(|day| at(calendar, f64::from(day)))
            .collect(),
        paused: calendar
            .paused
            .map(|(day, days)| (at(calendar, f64::from(day)), at(calendar, f64::from(days)))),
    }
}

/// Dates and now.
#[must_use]
pub fn axis(calendar: &CalendarView) -> Axis {
    let fits = |day: u32| day == 0 || day + DAYS_FOR_A_DATE <= calendar.length;
    let dates = calendar.labels.iter().filter(|(day, _)| fits(*day));
    let paused = calendar.paused.map(|(day, _)| {
        let from = f64::from(day);
        let close = calendar.now.filter(|now| now - from < DAYS_FOR_TWO_WORDS);
        (at(calendar, close.unwrap_or(from)), close.is_some())
    });
    Axis {
        paused,
        dates: dates
            .map(|(day, text)| (at(calendar, f64::from(*day)), text.clone()))
            .collect(),
        now: calendar.now.map(|now| at(calendar, now)),
    }
}

/// The nights and test days of one ring.
#[must_use]
pub fn bar(calendar: &CalendarView, stage: &StageView) -> Bar {
    let cells = stage.nights.iter().map(|night| Cell {
        x: at(calendar, f64::from(night.day)),
        night: what(night),
    });
    let from = f64::from(stage.first_day + stage.rollout_length);
    let to = from + f64::from(stage.test_length);
    let is_ahead = stage.status == RingStatus::NotStarted && stage.nights.iter().all(|night| night.waiting == 0);
    let rollout = f64::from(stage.rollout_length);
    let tested_to = match stage.status {
        RingStatus::Completed | RingStatus::CompletedWithFailures => to,
        RingStatus::NotStarted
        | RingStatus::RollingOut
        | RingStatus::Testing
        | RingStatus::Paused
        | RingStatus::Deprecated => calendar.clock.min(to),
    };
    Bar {
        cells: cells.collect(),
        ahead: (is_ahead && stage.rollout_length > 0)
            .then(|| (at(calendar, f64::from(stage.first_day)), at(calendar, rollout))),
        test: (stage.test_length > 0).then(|| (at(calendar, from), at(calendar, to))),
        tested: (stage.test_length > 0 && tested_to > from).then(|| at(calendar, tested_to)),
    }
}

/// The number is that of all rooms of the night, whatever has become of them.
fn what(night: &NightView) -> Night {
    let rooms = night.done + night.failed + night.running + night.waiting;
    match (night.done, night.failed, night.running, night.waiting) {
        (_, _, _, waiting) if night.tonight && waiting > 0 => Night::Tonight(rooms),
        (0, 0, 0, 0) => Night::Empty,
        (0, 0, 0, _) => Night::Waiting(rooms),
        (0, 0, _, _) => Night::Running(rooms),
        (0, _, _, _) => Night::Failed(rooms),
        (_, 0, _, _) => Night::Done(rooms),
        (_, _, _, _) => Night::DoneSomeFailed(rooms),
    }
}

fn at(calendar: &CalendarView, day: f64) -> String {
    percent(share(day, f64::from(calendar.length)))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::components::model::RingView;

    fn calendar() -> CalendarView {
        CalendarView {
            labels: [0, 7, 14, 21, 28, 35].map(|day| (day, format!("day {day}"))).to_vec(),
            length: 37,
            first_weekday: 2,
            now: Some(20.69),
            clock: 20.69,
            paused: None,
            stages: Vec::new(),
        }
    }

    fn night(day: u32, done: i64, failed: i64, waiting: i64) -> NightView {
        NightView {
            day,
            done,
            failed,
            running: 0,
            waiting,
            tonight: false,
        }
    }

    fn general(status: RingStatus) -> StageView {
        StageView {
            ring: RingView {
                name: "General".to_owned(),
                badge: "5".to_owned(),
                scale: 5,
            },
            status,
            rollout: String::new(),
            test: String::new(),
            first_day: 14,
            rollout_length: 10,
            test_length: 4,
            nights: vec![
                night(14, 6, 0, 0),
                night(15, 5, 1, 0),
                night(16, 0, 1, 0),
                NightView {
                    running: 2,
                    ..night(20, 0, 0, 1)
                },
                NightView {
                    tonight: true,
                    ..night(21, 0, 0, 6)
                },
                night(22, 0, 0, 4),
            ],
            installed: String::new(),
            failed: 2,
            running: 2,
            waiting: 11,
            withdrawn: 0,
            catch_up: 0,
            sentence: String::new(),
        }
    }

    #[test]
    fn weekends_follow_the_first_weekday() {
        let ground = ground(&calendar());
        assert_eq!(ground.weekends.len(), 5);
        assert_eq!(ground.weekends[0], ("8.11%".to_owned(), "5.41%".to_owned()));

        let from_sunday = CalendarView {
            first_weekday: 6,
            length: 7,
            ..calendar()
        };
        let weekends = super::ground(&from_sunday).weekends;
        assert_eq!(weekends[0], ("0%".to_owned(), "14.29%".to_owned()));
        assert_eq!(
            weekends[1],
            ("85.71%".to_owned(), "14.29%".to_owned()),
            "Saturday ends the picture"
        );
    }

    #[test]
    fn a_date_that_would_leave_the_picture_is_left_out() {
        let dates: Vec<String> = axis(&calendar()).dates.into_iter().map(|(_, text)| text).collect();
        assert_eq!(dates, ["day 0", "day 7", "day 14", "day 21", "day 28"]);
    }

    #[test]
    fn the_words_of_a_pause_and_of_now_do_not_run_into_each_other() {
        assert_eq!(axis(&calendar()).paused, None);
        let since = |day: u32| CalendarView {
            paused: Some((day, 6)),
            ..calendar()
        };
        let now = axis(&calendar()).now.expect("now");
        assert_eq!(axis(&since(20)).paused, Some((now.clone(), true)));
        assert_eq!(axis(&since(11)).paused, Some((now, true)));
        assert_eq!(axis(&since(10)).paused, Some(("27.03%".to_owned(), false)));
    }

    #[test]
    fn every_night_says_what_became_of_its_rooms() {
        let nights: Vec<Night> = bar(&calendar(), &general(RingStatus::RollingOut))
            .cells
            .into_iter()
            .map(|cell| cell.night)
            .collect();
        let expected = [
            Night::Done(6),
            Night::DoneSomeFailed(6),
            Night::Failed(1),
            Night::Running(3),
            Night::Tonight(6),
            Night::Waiting(4),
        ];
        assert_eq!(nights, expected);
    }

    #[test]
    fn a_ring_whose_rooms_have_no_nights_yet_shows_the_days_it_will_take() {
        let general = general(RingStatus::NotStarted);
        assert_eq!(bar(&calendar(), &general).ahead, None, "its rooms have nights");
        let forced = StageView {
            nights: vec![night(3, 1, 0, 0)],
            ..general
        };
        let days = Some(("37.84%".to_owned(), "27.03%".to_owned()));
        assert_eq!(bar(&calendar(), &forced).ahead, days, "one room was forced before");
        let rolling = StageView {
            status: RingStatus::RollingOut,
            ..forced
        };
        assert_eq!(bar(&calendar(), &rolling).ahead, None);
    }

    #[test]
    fn test_days_pass_with_the_calendar_and_stay_passed() {
        let stage = general(RingStatus::Testing);
        assert_eq!(
            bar(&calendar(), &stage).test,
            Some(("64.86%".to_owned(), "75.68%".to_owned()))
        );
        assert_eq!(bar(&calendar(), &stage).tested, None);
        let later = CalendarView {
            now: Some(25.0),
            clock: 25.0,
            ..calendar()
        };
        assert_eq!(bar(&later, &stage).tested, Some("67.57%".to_owned()));
        let paused = CalendarView {
            now: Some(27.0),
            clock: 25.0,
            ..calendar()
        };
        assert_eq!(
            bar(&paused, &general(RingStatus::Paused)).tested,
            Some("67.57%".to_owned()),
            "test days stand still in a pause"
        );
        let over = CalendarView {
            now: None,
            clock: 60.0,
            ..calendar()
        };
        assert_eq!(
            bar(&over, &general(RingStatus::Completed)).tested,
            Some("75.68%".to_owned())
        );
    }
}
