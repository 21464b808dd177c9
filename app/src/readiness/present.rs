//! Readiness in the words of its pages.
//!
//! Start with [`RequestContext::list_readiness`]. What a check comes to, and why, is worked out by `service::read::readiness`.

use domain::access::Act;
use domain::ids::RoomId;
use domain::readiness::{ALL_CHECKS, Check, CheckResult};
use domain::room::RoomState;
use domain::time_text;
use domain::zone::Zone;
use service::read::ReadSnapshot;
use service::read::readiness::{
    CheckItem, CheckedRoomItem, OPEN_RESULTS, ReadinessFilter, RoomReadiness, WantedResults,
};

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result};
use crate::formats;
use crate::readiness::model::{
    CheckCounts, CheckView, DemandRow, ProfileView, ReadinessQuery, ReadinessRow, ReadinessView, ReviewedRow,
    RoomReadinessView, SoftwareView, UnreviewedRow,
};
use crate::rooms::present::{cursor_text, page_of, place};

/// Names of software that are offered for a review at once.
const MOST_UNREVIEWED: i64 = 100;

impl RequestContext {
    /// A page of rooms by their checks (C8).
    pub async fn list_readiness(&self, query: ReadinessQuery) -> Result<ReadinessView> {
        let mut snapshot = self.snapshot().await?;
        let filter = readiness_filter(&query);
        let page = page_of(&query.after, &query.before);
        let list = snapshot.readiness_page(&filter, &page, formats::PAGE).await?;
        let text = formats::count(list.total, "room", "rooms");
        let pager = formats::paged(text, &list.rooms, |name, room| {
            formats::query(&[
                ("q", &query.q),
                ("check", &query.check),
                ("result", &query.result),
                ("state", &query.state),
                ("software", &query.software),
                (name, &cursor_text(room)),
            ])
        });
        let zone = snapshot.organisation.zone.clone();
        let rows = list.rooms.items.into_iter();
        let rows = rows.map(|room| row(&snapshot, &zone, room, &filter)).collect();
        let counts = ALL_CHECKS.iter().filter_map(|check| {
            let of = list.counts.get(check)?;
            let rooms = CheckResult::ALL.map(|result| of.get(&result).copied().unwrap_or(0));
            Some(CheckCounts {
                check: *check,
                rooms: rooms.to_vec(),
            })
        });
        Ok(ReadinessView {
            rows,
            pager,
            counts: counts.collect(),
            onboarding: list.onboarding,
            may_decide: self.viewer.actor.role.may(Act::DecideReadiness),
        })
    }

    /// Names of software that nobody has reviewed, and those that somebody has (C1).
    pub async fn list_software(&self) -> Result<SoftwareView> {
        let mut snapshot = self.snapshot().await?;
        let (zone, now) = (snapshot.organisation.zone.clone(), snapshot.now);
        let rows = snapshot.reviewed_software().await?.into_iter();
        let rows = rows.map(|reviewed| ReviewedRow {
            name: reviewed.name,
            by: reviewed.by,
            at: formats::instant(reviewed.at, &zone, now),
        });
        let mut unreviewed = snapshot.unreviewed_software(MOST_UNREVIEWED + 1).await?;
        let shown = usize::try_from(MOST_UNREVIEWED).unwrap_or(usize::MAX);
        let has_more = unreviewed.len() > shown;
        unreviewed.truncate(shown);
        let unreviewed = unreviewed.into_iter().map(|unreviewed| UnreviewedRow {
            href: format!(
                "/rooms/readiness?{}",
                formats::query(&[("result", "all"), ("software", &unreviewed.name)])
            ),
            name: unreviewed.name,
            rooms: unreviewed.rooms,
        });
        Ok(SoftwareView {
            unreviewed: unreviewed.collect(),
            has_more,
            rows: rows.collect(),
            may_decide: self.viewer.actor.role.may(Act::DecideReadiness),
        })
    }

    /// The profile that checks go by (C6).
    pub async fn profile(&self) -> Result<ProfileView> {
        let profile = self.snapshot().await?.profile().await?;
        Ok(ProfileView {
            is_own: profile.is_own,
            text: profile.text,
            demands: profile.demands.into_iter().map(demand).collect(),
            facts_count_hours: profile.facts_count_hours,
            may_edit: self.viewer.actor.role.may(Act::EditSettings),
        })
    }

    /// Sets the profile that checks go by.
    ///
    /// # Errors
    /// As [`service::Service::set_profile`].
    pub async fn set_profile(&self, profile: &str) -> Result<FormSuccess> {
        self.service.set_profile(&self.viewer.actor, profile).await?;
        let text = match profile.trim() {
            "" => "The shipped profile counts again. All rooms are checked again.",
            _ => "The profile is saved. All rooms are checked again.",
        };
        Ok(FormSuccess::new(text, "/rooms/readiness/profile"))
    }

    /// Waives a check of a room.
    ///
    /// # Errors
    /// As [`service::Service::waive_check`].
    pub async fn waive_check(&self, room: RoomId, check: Check, until: &str, reason: &str) -> Result<FormSuccess> {
        let until = formats::parsed_day("until", until)?;
        let waived = self
            .service
            .waive_check(&self.viewer.actor, room, check, until, reason.into());
        waived.await?;
        let text = format!(
            "The check {} is waived until {}.",
            check.label(),
            time_text::dated(until)
        );
        Ok(FormSuccess::new(text, format!("/rooms/{room}")))
    }

    /// Ends a waiver.
    ///
    /// # Errors
    /// As [`service::Service::end_waiver`].
    pub async fn end_waiver(&self, room: RoomId, check: Check) -> Result<FormSuccess> {
        self.service.end_waiver(&self.viewer.actor, room, check).await?;
        let text = format!("The waiver of {} has ended.", check.label());
        Ok(FormSuccess::new(text, format!("/rooms/{room}")))
    }

    /// Confirms rooms that are onboarding (C4).
    ///
    /// # Errors
    /// As [`service::Service::confirm_onboarding`].
    pub async fn confirm_rooms(&self, rooms: &[RoomId], back: &str) -> Result<FormSuccess> {
        let outcome = self.service.confirm_onboarding(&self.viewer.actor, rooms).await?;
        let confirmed = i64::try_from(outcome.confirmed).unwrap_or(i64::MAX);
        let mut text = match confirmed {
            1 => "1 room is confirmed. It is managed as soon as its checks let it.".to_owned(),
            rooms => format!("{rooms} rooms are confirmed. Each is managed as soon as its checks let it."),
        };
        let left_out = i64::try_from(outcome.left_out.len()).unwrap_or(i64::MAX);
        if let Some(first) = outcome.left_out.first() {
            let rooms = formats::count(left_out, "room was", "rooms were");
            text.push_str(&format!(" {rooms} left out; the first: {first}."));
        }
        let to = match (back, rooms) {
            ("room", [room]) => format!("/rooms/{room}"),
            _ => "/rooms/readiness?state=onboarding&result=all".to_owned(),
        };
        Ok(FormSuccess::new(text, to))
    }

    /// Marks a name of software as reviewed.
    ///
    /// # Errors
    /// As [`service::Service::review_software`].
    pub async fn review_software(&self, name: &str, room: Option<RoomId>) -> Result<FormSuccess> {
        self.service.review_software(&self.viewer.actor, name.into()).await?;
        let to = match room {
            Some(room) => format!("/rooms/{room}"),
            None => "/rooms/readiness/software".to_owned(),
        };
        let name = name.trim();
        Ok(FormSuccess::new(format!("{name} is reviewed, for all rooms."), to))
    }

    /// Lets a name of software count as not reviewed again.
    ///
    /// # Errors
    /// As [`service::Service::end_review`].
    pub async fn end_review(&self, name: &str) -> Result<FormSuccess> {
        self.service.end_review(&self.viewer.actor, name.into()).await?;
        Ok(FormSuccess::new(
            format!("{name} counts as not reviewed again."),
            "/rooms/readiness/software".to_owned(),
        ))
    }
}

/// The rooms that an address asks for, on all pages.
#[must_use]
pub fn readiness_filter(query: &ReadinessQuery) -> ReadinessFilter {
    ReadinessFilter {
        words: query.q.clone(),
        check: formats::wanted(&query.check, Check::from_word),
        results: match query.result.as_str() {
            "" => WantedResults::Open,
            "all" => WantedResults::All,
            word => CheckResult::from_word(word).map_or(WantedResults::Nothing, WantedResults::Only),
        },
        onboarding: query.state == "onboarding",
        software: query.software.trim().to_owned(),
    }
}

fn row(snapshot: &ReadSnapshot, zone: &Zone, room: CheckedRoomItem, filter: &ReadinessFilter) -> ReadinessRow {
    // Of rooms with any result the list says what somebody should look at; the file has all.
    let is_shown = |item: &&CheckItem| {
        filter.is_about(item) && (filter.results != WantedResults::All || OPEN_RESULTS.contains(&item.result))
    };
    let checks = room.readiness.checks.iter().filter(is_shown);
    ReadinessRow {
        id: room.id,
        place: place(&room.building, &room.floor),
        is_onboarding: room.state == RoomState::Onboarding,
        is_confirmed: room.readiness.is_confirmed,
        checks: checks.map(|item| check_view(snapshot, zone, item)).collect(),
        wants: room.readiness.wants,
        name: room.name,
        site: room.site,
    }
}

fn demand((check, passes, otherwise): (Check, String, &'static str)) -> DemandRow {
    DemandRow {
        check,
        passes,
        otherwise: otherwise.to_owned(),
    }
}

fn check_view(snapshot: &ReadSnapshot, zone: &Zone, item: &CheckItem) -> CheckView {
    CheckView {
        check: item.check,
        result: item.result,
        since: item.since.map(|at| formats::instant(at, zone, snapshot.now)),
        why: item.why.clone(),
        reported_by: item.reported_by.clone(),
        consequence: item.consequence.clone(),
        guidance: item.guidance.clone(),
        to_review: item.to_review.clone(),
        is_waived: item.result == CheckResult::Waived,
        may_be_waived: item.result.can_be_waived(),
    }
}

/// The readiness of a room, for its own page. `zone`: the room's.
pub(crate) fn room_view(
    snapshot: &ReadSnapshot,
    zone: &Zone,
    state: RoomState,
    readiness: RoomReadiness,
    may_decide: bool,
) -> RoomReadinessView {
    let checks = readiness.checks.iter();
    RoomReadinessView {
        checks: checks.map(|item| check_view(snapshot, zone, item)).collect(),
        is_onboarding: state == RoomState::Onboarding,
        is_confirmed: readiness.is_confirmed,
        wants: readiness.wants,
        may_decide,
        today: zone.date(snapshot.now).to_string(),
    }
}
