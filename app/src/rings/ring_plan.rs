//! What a change of the rings, or of the rooms in them, means for the running updates, in exact dates (R10, K9). It is worked out here, with every
//! keystroke, by the rules that the server works with.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use domain::ids::{RingId, StageOf};
use domain::ring::RingSequence;
use domain::rollout::PlannedStage;
use domain::text::ring::plan_too_long;
use domain::time_text;
use leptos::prelude::*;

use crate::rings::model::{RingPlan, RunningRollout};
use crate::words::count;

/// The dates of a running update under other rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Consequence {
    /// The update.
    title: String,
    /// The rings that it has still to enter, in order: name and dates, and what they are today where that is something else.
    ahead: Vec<(String, String, Option<String>)>,
    /// The last date of its plan, and that of today.
    ends: (String, String),
}

impl Consequence {
    /// What is not as it is today.
    fn is_moved(&self) -> bool {
        self.ends.0 != self.ends.1 || self.ahead.iter().any(|(_, _, was)| was.is_some())
    }
}

impl RingPlan {
    /// Every running update under `rings` in place of those of today.
    pub(super) fn consequences(&self, rings: &RingSequence) -> Vec<Consequence> {
        self.running
            .iter()
            .map(|running| self.consequence(running, rings))
            .collect()
    }

    /// Why `rings` are refused for one of the running updates (R10).
    pub(super) fn refusal(&self, rings: &RingSequence) -> Option<String> {
        self.running.iter().find_map(|running| {
            let days = running.rollout.too_many_days(rings)?;
            Some(plan_too_long(&running.title, days))
        })
    }

    fn calendar(&self, running: &RunningRollout, rings: &RingSequence) -> Vec<PlannedStage> {
        running
            .rollout
            .calendar(rings, &self.freezes, running.paused_on, self.today)
    }

    fn consequence(&self, running: &RunningRollout, rings: &RingSequence) -> Consequence {
        let (before, after) = (self.calendar(running, &self.sequence), self.calendar(running, rings));
        let known: BTreeMap<StageOf, String> = before.iter().map(|stage| (stage.ring, self.dates(stage))).collect();
        let ahead = after.iter().filter(|stage| !stage.entered).map(|stage| {
            let dates = self.dates(stage);
            let was = known.get(&stage.ring).filter(|was| **was != dates).cloned();
            (stage.name.clone(), dates, was)
        });
        let ends = |calendar: &[PlannedStage]| {
            let last = calendar.last().map(|stage| self.day_before(stage.test_ends));
            last.unwrap_or_default()
        };
        Consequence {
            title: running.title.clone(),
            ahead: ahead.collect(),
            ends: (ends(&after), ends(&before)),
        }
    }

    /// `Wed 2 Dec to Fri 11 Dec, tests until Tue 15 Dec`.
    fn dates(&self, stage: &PlannedStage) -> String {
        let nights = format!(
            "{} to {}",
            self.day(stage.starts_on),
            self.day_before(stage.rollout_ends)
        );
        if stage.test_days == 0 {
            nights
        } else {
            format!("{nights}, tests until {}", self.day_before(stage.test_ends))
        }
    }

    fn day(&self, date: NaiveDate) -> String {
        time_text::date(date, self.today.year())
    }

    fn day_before(&self, date: NaiveDate) -> String {
        self.day(date.pred_opt().unwrap_or(date))
    }

    /// What comes to rooms that are put into `ring` (R14), one sentence for each running update.
    pub(super) fn arrivals(&self, ring: RingId) -> Vec<String> {
        let Some(ring) = self.sequence.get(ring) else {
            return Vec::new();
        };
        let sentence = |running: &RunningRollout| {
            let title = &running.title;
            if running.rollout.has_reached(ring) {
                return match running.paused_on {
                    Some(_) => format!(
                        "{title} has already reached {}: rooms are caught up once it is resumed.",
                        ring.name
                    ),
                    None => format!(
                        "{title} has already reached {}: rooms are caught up in their next window.",
                        ring.name
                    ),
                };
            }
            let calendar = self.calendar(running, &self.sequence);
            let starts = calendar.iter().find(|stage| stage.ring == StageOf::Ring(ring.id));
            match starts {
                Some(stage) => format!(
                    "{title} reaches {} on {} ({}){}.",
                    ring.name,
                    self.day(stage.starts_on.max(self.today)),
                    self.city,
                    match running.paused_on {
                        Some(_) if running.rollout.continues_on(self.today) == self.today => ", if it is resumed today",
                        Some(_) | None => "",
                    }
                ),
                None => format!("{title} reaches all rooms at once."),
            }
        };
        self.running.iter().map(sentence).collect()
    }
}

/// The dates of the running updates as they would be.
pub(super) fn dates(consequences: &[Consequence], city: &str) -> AnyView {
    if consequences.is_empty() {
        return view! { <p class="muted">"No update is running."</p> }.into_any();
    }
    let moved = consequences.iter().filter(|consequence| consequence.is_moved()).count();
    let summary = match (moved, consequences.len()) {
        (0, _) => "No date of a running update changes.".to_owned(),
        (moved, all) => format!(
            "Of {}, {} other dates. Dates are those of {city}.",
            count(
                i64::try_from(all).unwrap_or(i64::MAX),
                "running update",
                "running updates"
            ),
            count(i64::try_from(moved).unwrap_or(i64::MAX), "has", "have"),
        ),
    };
    let updates = consequences
        .iter()
        .filter(|consequence| consequence.is_moved())
        .map(update);
    view! {
        <p>{summary}</p>
        {updates.collect_view()}
    }
    .into_any()
}

fn update(consequence: &Consequence) -> AnyView {
    let rings = consequence.ahead.iter().map(|(name, dates, was)| {
        let was = was
            .clone()
            .map(|was| view! { <span class="sub">{format!("instead of {was}")}</span> }.into_any());
        view! {
            <li>
                <span>{name.clone()}</span>
                <span>{dates.clone()} {was}</span>
            </li>
        }
        .into_any()
    });
    let rings = rings.collect_view();
    let (ends, ended) = &consequence.ends;
    let end = if ends == ended {
        format!("ends {ends}, as planned")
    } else {
        format!("ends {ends} instead of {ended}")
    };
    view! {
        <div class="effect">
            <h4>{consequence.title.clone()} <span class="sub">{end}</span></h4>
            <ul class="effects">{rings}</ul>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::freeze::Freezes;
    use domain::ids::UpdateId;
    use domain::ring::{RingDraft, RingOrder};
    use domain::rollout::{Rollout, RolloutState};

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn plan() -> RingPlan {
        let id = |number| RingId(uuid::Uuid::from_u128(number));
        let sequence = RingSequence::preconfigured(id(1), id(2), id(3));
        let rollout = Rollout {
            update: UpdateId(uuid::Uuid::from_u128(1)),
            published_at: chrono::DateTime::UNIX_EPOCH,
            starts_on: day("2026-12-02"),
            state: RolloutState::Running,
            stages: Vec::new(),
            paused_days: 0,
            automatic_days: None,
            superseded_by: Vec::new(),
            first_test_over: false,
            halt_rule: None,
            halt: None,
            counts: BTreeMap::new(),
            next_at: None,
        };
        RingPlan {
            sequence,
            rooms: BTreeMap::new(),
            freezes: Freezes::default(),
            today: day("2026-11-26"),
            city: "Berlin".to_owned(),
            running: vec![RunningRollout {
                title: "Room app 2.0".to_owned(),
                rollout,
                paused_on: None,
            }],
        }
    }

    fn with_floors(plan: &RingPlan, rollout_days: u32) -> RingSequence {
        let draft = RingDraft {
            name: "Floors".to_owned(),
            description: String::new(),
            order: Some("1".parse::<RingOrder>().expect("an order")),
            rollout_days,
            test_days: 1,
        };
        let id = RingId(uuid::Uuid::from_u128(77));
        plan.sequence.with_added(id, draft).expect("it fits")
    }

    #[test]
    fn a_new_ring_moves_those_behind_it_by_its_days_r10_k9() {
        let plan = plan();
        let [changed] = &plan.consequences(&with_floors(&plan, 3))[..] else {
            panic!("one update is running");
        };
        assert_eq!(changed.ends, ("Sat 2 Jan 2027".to_owned(), "Tue 29 Dec".to_owned()));
        let general = changed
            .ahead
            .iter()
            .find(|(name, ..)| name == "General")
            .expect("it is ahead");
        assert_eq!(general.1, "Sun 13 Dec to Tue 22 Dec, tests until Sat 26 Dec");
        assert_eq!(
            general.2.as_deref(),
            Some("Wed 9 Dec to Fri 18 Dec, tests until Tue 22 Dec")
        );
        let staging = changed
            .ahead
            .iter()
            .find(|(name, ..)| name == "Staging")
            .expect("it is ahead");
        assert_eq!(staging.2, None, "what stands before the new ring stays");
        assert!(!plan.consequences(&plan.sequence)[0].is_moved());
    }

    #[test]
    fn a_move_says_when_each_update_comes_to_the_ring_r14_k9() {
        let plan = plan();
        let general = plan.sequence.general().id;
        assert_eq!(
            plan.arrivals(general),
            ["Room app 2.0 reaches General on Wed 9 Dec (Berlin)."]
        );
    }
}
