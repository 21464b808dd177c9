//! What people do to an update, and what its dialogs say before the click (K2–K6, T9).

use chrono::NaiveDate;
use domain::access::Act;
use domain::deployment::Force;
use domain::ids::{RoomId, UpdateId};
use domain::time_text;
use service::read::updates::controls::UpdateControl;
use service::read::{ReadSnapshot, RoomName};
use service::{Actor, ResumePlan, RoomScope};

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result};
use crate::error::AppError;
use crate::formats;
use crate::updates::model::{Control, ControlRoom, ControlView};

/// Rooms that a dialog names.
const NAMED: usize = 20;

impl RequestContext {
    /// What a dialog about an update says before the click.
    ///
    /// # Errors
    /// Whoever asks may not do it, or there is no such update.
    pub async fn control(&self, id: UpdateId, what: Control, chosen: Vec<RoomId>) -> Result<ControlView> {
        let mut snapshot = self.snapshot_for(Act::ControlUpdates).await?;
        let summary = snapshot.update(id).await?;
        let mut view = ControlView {
            id,
            title: summary.update.title(),
            sentences: Vec::new(),
            rooms_heading: String::new(),
            rooms: Vec::new(),
            more_rooms: 0,
            count: 0,
            hit: Vec::new(),
            known_issues: Vec::new(),
            resumes_on: String::new(),
            chosen,
            refused: None,
        };
        let follows = match what {
            Control::Pause => self.pause_view(&mut view).await,
            Control::Resume => self.resume_view(&snapshot, &mut view).await,
            Control::ResumeDate => self.resume_date_view(&snapshot, &mut view).await,
            Control::Retry => self.retry_view(&snapshot, &mut view).await,
            Control::Force => self.force_view(&snapshot, &mut view).await,
            Control::Acknowledge => self.acknowledge_view(&mut view).await,
            Control::Deactivate => self.deactivate_view(&mut view).await,
        };
        match follows {
            Ok(()) => {}
            Err(AppError::Conflict { problem }) => view.refused = Some(problem),
            Err(error) => return Err(error),
        }
        Ok(view)
    }

    /// What may be done to an update by whoever looks, in the order of the buttons. `possible`: what may be done with it at all.
    pub(crate) fn controls(&self, possible: &[UpdateControl]) -> Vec<Control> {
        if !self.viewer.actor.role.may(Act::ControlUpdates) {
            return Vec::new();
        }
        let possible: Vec<Control> = possible.iter().map(|what| control(*what)).collect();
        let offered = Control::ALL.into_iter();
        offered.filter(|what| possible.contains(what)).collect()
    }

    async fn pause_view(&self, view: &mut ControlView) -> Result<()> {
        let plan = self.service.pause_plan(self.actor(), view.id, as_count(NAMED)).await;
        let plan = plan?;
        view.count = plan.rollout.total_counts().in_progress;
        let finishes = match view.count {
            0 => "No install is running.".to_owned(),
            running => format!(
                "{} and is recorded.",
                formats::count(running, "running install finishes", "running installs finish")
            ),
        };
        view.sentences = vec![
            format!("No further install of it starts in any ring, not even in forced rooms. {finishes}"),
            "The days of the pause do not count: all later nights move back by the same number of days.".to_owned(),
        ];
        if view.count > 0 {
            view.rooms_heading = "Installs that are running".to_owned();
            view.more_rooms = view.count - as_count(plan.running.len());
            let running = plan.running.into_iter().map(|name| ControlRoom {
                name,
                when: String::new(),
                note: String::new(),
            });
            view.rooms = running.collect();
        }
        Ok(())
    }

    async fn resume_date_view(&self, snapshot: &ReadSnapshot, view: &mut ControlView) -> Result<()> {
        let plan = self.service.resume_plan(self.actor(), view.id).await;
        let plan = plan?;
        let resumes_on = plan.pause.resumes_on;
        let until = match resumes_on.zip(plan.by_itself.as_ref()) {
            Some((date, resumed)) => {
                let (date, days) = (
                    time_text::date(date, formats::year(snapshot)),
                    formats::count(i64::from(resumed.days_later), "day", "days"),
                );
                format!("It resumes automatically on {date}. All later dates then move by {days}.")
            }
            None => "It has no resume date. When somebody resumes it, all later dates move by the days of the pause."
                .to_owned(),
        };
        view.sentences = vec![paused(snapshot, &plan), until];
        view.resumes_on = resumes_on.map_or_else(String::new, |date| date.to_string());
        Ok(())
    }

    async fn resume_view(&self, snapshot: &ReadSnapshot, view: &mut ControlView) -> Result<()> {
        let plan = self.service.resume_plan(self.actor(), view.id).await;
        let plan = plan?;
        let moves = match plan.now.days_later {
            0 => "The pause began today, so no date moves.".to_owned(),
            days => format!(
                "All later dates move by {}.",
                formats::count(i64::from(days), "day", "days")
            ),
        };
        view.sentences = vec![paused(snapshot, &plan), moves];
        let year = formats::year(snapshot);
        view.rooms_heading = "Dates if it is resumed today".to_owned();
        let ahead = plan.now.ahead.iter().map(|stage| ControlRoom {
            name: stage.name.clone(),
            when: formats::span(stage.starts_on, stage.rollout_ends, year),
            note: if stage.test_days > 0 {
                format!(
                    "Test period until {}.",
                    time_text::date(stage.test_ends.pred_opt().unwrap_or(stage.test_ends), year)
                )
            } else {
                String::new()
            },
        });
        view.rooms = ahead.collect();
        Ok(())
    }

    async fn retry_view(&self, snapshot: &ReadSnapshot, view: &mut ControlView) -> Result<()> {
        let plan = self.service.retry_plan(self.actor(), view.id, NAMED).await;
        let plan = plan?;
        let left_out = as_count(plan.retried.left_out);
        view.count = as_count(plan.retried.rooms);
        if view.count == 0 {
            view.refused = Some(match left_out {
                0 => "No room has failed.".to_owned(),
                _ => "A newer update has superseded it in all failed rooms; none of them is retried.".to_owned(),
            });
            return Ok(());
        }
        view.sentences = vec![format!(
            "{} into the next window. Fix the cause first, or it fails again.",
            formats::count(view.count, "failed room goes back", "failed rooms go back")
        )];
        if left_out > 0 {
            view.sentences.push(format!(
                "{} left out: a newer update has superseded it there.",
                formats::count(left_out, "failed room is", "failed rooms are")
            ));
        }
        view.more_rooms = view.count - as_count(plan.rooms.len());
        let rooms = plan.rooms.into_iter().map(|retried| ControlRoom {
            name: format!("{}, {}", retried.name, retried.site),
            when: time_text::window(&retried.window, &retried.zone, snapshot.now),
            note: format!("Attempt {}. Last: {}", retried.attempt, retried.failure.sentence()),
        });
        view.rooms = rooms.collect();
        Ok(())
    }

    async fn acknowledge_view(&self, view: &mut ControlView) -> Result<()> {
        let failed = self.service.acknowledge_plan(self.actor(), view.id).await;
        view.count = failed?;
        view.sentences = vec![
            format!("{} without it.", formats::count(view.count, "room stays", "rooms stay")),
            "The update moves to the past updates. Failed rooms can still be retried there.".to_owned(),
        ];
        Ok(())
    }

    async fn deactivate_view(&self, view: &mut ControlView) -> Result<()> {
        let counts = self.service.deactivate_plan(self.actor(), view.id).await?;
        view.count = counts.scheduled;
        view.sentences = vec![
            format!(
                "It becomes deprecated at once and for good. {} for it in vain from then on; what runs now finishes.",
                formats::count(counts.scheduled, "room waits", "rooms wait")
            ),
            format!("{} it.", formats::count(counts.completed, "room has it and keeps", "rooms have it and keep")),
            "The release itself stays usable as a step to newer ones. To take it back altogether, recall it in the portfolio.".to_owned(),
        ];
        Ok(())
    }

    async fn force_view(&self, snapshot: &ReadSnapshot, view: &mut ControlView) -> Result<()> {
        let scope = scope(&view.chosen);
        let plan = self
            .service
            .force_plan(self.actor(), view.id, &scope, Force::WhenAvailable);
        let plan = plan.await?;
        view.count = as_count(plan.forced.rooms.len());
        let hit = plan.first_forced.into_iter().map(|forced| ControlRoom {
            name: named(&forced.room),
            when: forced.ring,
            note: String::new(),
        });
        view.hit = hit.collect();
        view.hit.sort_by(|a, b| a.name.cmp(&b.name));
        view.sentences = vec![match plan.in_use_at {
            Some(at) if plan.in_use > 0 => format!(
                "{} a meeting, as devices last reported on {}. With Immediately, the update interrupts the meeting.",
                formats::count(plan.in_use, "room is in", "rooms are in"),
                time_text::instant(at, &snapshot.organisation.zone, snapshot.now)
            ),
            Some(_) | None => "No device has reported a meeting in these rooms in the last two minutes.".to_owned(),
        }];
        view.known_issues = plan.known_issues.into_iter().map(|issue| issue.what).collect();
        let left_out = plan.forced.left_out.len();
        if left_out == 0 {
            return Ok(());
        }
        view.rooms_heading = format!(
            "{} left out",
            formats::count(as_count(left_out), "room is", "rooms are")
        );
        view.more_rooms = as_count(left_out - plan.first_left_out.len());
        let rooms = plan.first_left_out.iter().map(|left_out| ControlRoom {
            name: named(&left_out.room),
            when: String::new(),
            note: left_out.why.sentence(&plan.product, |date| date.to_string()),
        });
        view.rooms = rooms.collect();
        Ok(())
    }

    fn actor(&self) -> &Actor {
        &self.viewer.actor
    }

    /// Pauses an update (K2).
    ///
    /// # Errors
    /// As [`service::Service::pause`].
    pub async fn pause(&self, id: UpdateId, reason: &str, resumes_on: &str) -> Result<FormSuccess> {
        // Who may not is told that, whatever they have typed.
        self.viewer.actor.may(Act::ControlUpdates)?;
        let resumes_on = resume_on(resumes_on)?;
        let paused = self.service.pause(self.actor(), id, reason.into(), resumes_on).await;
        paused?;
        Ok(FormSuccess::new(
            match resumes_on {
                None => "The update is paused. Nothing of it starts until it is resumed.".to_owned(),
                Some(date) => {
                    let date = time_text::date(date, formats::year(&self.snapshot().await?));
                    format!("The update is paused. Nothing of it starts before {date}.")
                }
            },
            // The pause never waits for the issue (K2).
            format!("/updates/{id}?do=record&paused=on"),
        ))
    }

    /// Gives a pause another end (K3).
    ///
    /// # Errors
    /// As [`service::Service::set_resume_date`].
    pub async fn set_resume_date(&self, id: UpdateId, reason: &str, resumes_on: &str) -> Result<FormSuccess> {
        // Who may not is told that, whatever they have typed.
        self.viewer.actor.may(Act::ControlUpdates)?;
        let date = resume_on(resumes_on)?;
        let set = self
            .service
            .set_resume_date(self.actor(), id, reason.into(), date)
            .await;
        set?;
        let text = match date {
            None => {
                "The pause has no resume date any more. Nothing starts until somebody resumes the update.".to_owned()
            }
            Some(date) => {
                let date = time_text::date(date, formats::year(&self.snapshot().await?));
                format!("The update resumes automatically on {date}.")
            }
        };
        done(id, text)
    }

    /// Resumes an update (K3).
    ///
    /// # Errors
    /// As [`service::Service::resume`].
    pub async fn resume(&self, id: UpdateId, reason: &str) -> Result<FormSuccess> {
        self.service.resume(self.actor(), id, reason.into()).await?;
        done(id, "The update was resumed.".to_owned())
    }

    /// Retries all failed rooms (K4).
    ///
    /// # Errors
    /// As [`service::Service::retry_all_failed`].
    pub async fn retry_all_failed(&self, id: UpdateId) -> Result<FormSuccess> {
        let retried = self.service.retry_all_failed(self.actor(), id).await?;
        let text = match (retried.rooms, retried.left_out) {
            (0, 0) => "No failed room is left; nothing was changed.".to_owned(),
            (0, _) => "A newer update has superseded it in all failed rooms; nothing was changed.".to_owned(),
            (rooms, _) => format!(
                "{} into the next window.",
                formats::count(as_count(rooms), "room goes back", "rooms go back")
            ),
        };
        done(id, text)
    }

    /// Retries one failed room (K4, A1), and leads back to where that was asked.
    ///
    /// # Errors
    /// As [`service::Service::retry`].
    pub async fn retry_room(&self, update: UpdateId, room: RoomId, from_room: bool) -> Result<FormSuccess> {
        self.service.retry(self.actor(), update, room).await?;
        Ok(FormSuccess::new(
            "The room goes back into its next window.",
            if from_room {
                format!("/rooms/{room}/updates")
            } else {
                format!("/updates/{update}")
            },
        ))
    }

    /// Forces an update (K5); without rooms, all of it.
    ///
    /// # Errors
    /// As [`service::Service::force`].
    pub async fn force(&self, id: UpdateId, rooms: Vec<RoomId>, mode: Force, reason: &str) -> Result<FormSuccess> {
        let scope = scope(&rooms);
        let forced = self.service.force(self.actor(), id, &scope, mode, reason.into());
        let forced = forced.await?;
        let how = match mode {
            Force::Now => "starts at once",
            Force::WhenAvailable => "starts when it is free",
        };
        let text = match (forced.rooms.len(), forced.left_out.len()) {
            (0, _) => "No room was forced; all of them were left out.".to_owned(),
            (1, 0) => format!("The room {how}."),
            (1, left_out) => format!("1 room is forced; it {how}. Left out: {left_out}."),
            (rooms, 0) => format!("{rooms} rooms are forced; each {how}."),
            (rooms, left_out) => format!("{rooms} rooms are forced; each {how}. Left out: {left_out}."),
        };
        done(id, text)
    }

    /// Ends the rollout of an update by hand (S15).
    ///
    /// # Errors
    /// As [`service::Service::deactivate`].
    pub async fn deactivate(&self, id: UpdateId, reason: &str) -> Result<FormSuccess> {
        self.service.deactivate(self.actor(), id, reason.into()).await?;
        done(id, "Deactivated. Nothing more starts.".to_owned())
    }

    /// Acknowledges the failures of an update.
    ///
    /// # Errors
    /// As [`service::Service::acknowledge`].
    pub async fn acknowledge(&self, id: UpdateId, reason: &str) -> Result<FormSuccess> {
        self.service.acknowledge(self.actor(), id, reason.into()).await?;
        done(
            id,
            "The failures were acknowledged; the update is now among the past updates.".to_owned(),
        )
    }
}

fn done(id: UpdateId, text: String) -> Result<FormSuccess> {
    let to = format!("/updates/{id}");
    Ok(FormSuccess::new(text, to))
}

fn scope(chosen: &[RoomId]) -> RoomScope {
    if chosen.is_empty() {
        RoomScope::All
    } else {
        RoomScope::Rooms(chosen.to_vec())
    }
}

fn as_count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn control(what: UpdateControl) -> Control {
    match what {
        UpdateControl::Pause => Control::Pause,
        UpdateControl::Resume => Control::Resume,
        UpdateControl::SetResumeDate => Control::ResumeDate,
        UpdateControl::RetryAllFailed => Control::Retry,
        UpdateControl::Force => Control::Force,
        UpdateControl::Acknowledge => Control::Acknowledge,
        UpdateControl::Deactivate => Control::Deactivate,
    }
}

/// The date in a field; `None`: it is empty.
fn resume_on(date: &str) -> Result<Option<NaiveDate>> {
    match date.trim() {
        "" => Ok(None),
        date => formats::parsed_day("resumes_on", date).map(Some),
    }
}

/// Since when, by whom and why.
fn paused(snapshot: &ReadSnapshot, plan: &ResumePlan) -> String {
    let since = time_text::instant(plan.since, &snapshot.organisation.zone, snapshot.now);
    let (by, reason) = (&plan.pause.by, formats::sentence(&plan.pause.reason));
    format!("Paused since {since} by {by}: {reason}")
}

/// Name and site.
fn named(room: &RoomName) -> String {
    format!("{}, {}", room.name, room.site)
}
