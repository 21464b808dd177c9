//! Home in the words of its page: what needs attention, tonight, and how the rings are served, announcements (P1).

use domain::access::Act;
use domain::ids::AnnouncementId;
use domain::time_text;
use domain::zone::Zone;
use service::announcements::AnnouncementDraft;
use service::read::ReadSnapshot;
use service::read::home::{AnnouncementItem, Attention, LastInRing, TonightWindow};

use crate::components::model::{FormSuccess, RingView, TimeText};
use crate::context::{RequestContext, Result, ring_view};
use crate::formats;
use crate::home::model::{AnnouncementView, HomeView};

impl RequestContext {
    /// Home.
    pub async fn home(&self) -> Result<HomeView> {
        let mut snapshot = self.snapshot().await?;
        let actor = &self.viewer.actor;
        let home = snapshot
            .home(actor.account.as_ref().map(|account| account.person))
            .await?;
        let zone = snapshot.organisation.zone.clone();
        let tonight = home.tonight.into_iter().map(|tonight| tonight_at(&snapshot, tonight));
        let rings = home.rings.into_iter().map(|ring| since(&snapshot, &zone, ring));
        let announcements = home.announcements.into_iter();
        let announcements = announcements.map(|announcement| announcement_view(&snapshot, &zone, announcement));
        Ok(HomeView {
            attention: home.attention.into_iter().map(attention).collect(),
            tonight: tonight.collect(),
            since: rings.collect(),
            health: home.rooms_by_health.into_iter().collect(),
            announcements: announcements.collect(),
            may_announce: actor.role.may(Act::Announce),
            may_dismiss: actor.account.is_some(),
        })
    }

    /// Announces something to everybody (P1).
    ///
    /// # Errors
    /// As [`service::Service::announce`].
    pub async fn announce(&self, title: String, text: String, until: &str) -> Result<FormSuccess> {
        // Who may not is told that, whatever they have typed.
        self.viewer.actor.may(Act::Announce)?;
        let until = match until.trim() {
            "" => None,
            date => Some(formats::parsed_day("until", date)?),
        };
        let (title, text) = (title.into(), text.into());
        let draft = AnnouncementDraft { title, text, until };
        self.service.announce(&self.viewer.actor, &draft).await?;
        Ok(FormSuccess::new("The announcement is now on everybody’s Home.", "/"))
    }

    /// Takes an announcement down.
    ///
    /// # Errors
    /// As [`service::Service::take_down_announcement`].
    pub async fn take_down(&self, id: AnnouncementId) -> Result<FormSuccess> {
        let taken = self.service.take_down_announcement(&self.viewer.actor, id).await;
        taken?;
        Ok(FormSuccess::new("The announcement was taken down for everybody.", "/"))
    }

    /// Dismisses an announcement.
    ///
    /// # Errors
    /// As [`service::Service::dismiss_announcement`].
    pub async fn dismiss(&self, id: AnnouncementId) -> Result<FormSuccess> {
        self.service.dismiss_announcement(&self.viewer.actor, id).await?;
        Ok(FormSuccess::new("The announcement was dismissed for you only.", "/"))
    }
}

/// In one sentence, with where more of it stands, and whether it is bad.
fn attention(attention: Attention) -> (String, String, bool) {
    match attention {
        Attention::Paused { update, title } => (format!("{title} is paused."), format!("/updates/{update}"), false),
        Attention::Halted { update, title, why } => (
            format!("{title} was halted by rule. {why}"),
            format!("/updates/{update}"),
            true,
        ),
        Attention::Failed { update, title, rooms } => {
            let rooms = formats::count(rooms, "room", "rooms");
            let address = format!("/updates/{update}?status=failed");
            (format!("{title} failed in {rooms}."), address, true)
        }
        Attention::FailingChecks { rooms } => {
            let sentence = format!(
                "{} a readiness check.",
                formats::count(rooms, "room fails", "rooms fail")
            );
            (sentence, "/rooms/readiness?result=fail".to_owned(), true)
        }
        Attention::Onboarding { rooms } => {
            let rooms = formats::count(rooms, "room is", "rooms are");
            let address = "/rooms/readiness?state=onboarding&result=all".to_owned();
            (
                format!("{rooms} onboarding: no updates are planned there."),
                address,
                false,
            )
        }
        Attention::OpenTickets { tickets } => {
            let sentence = format!("{} not resolved.", formats::count(tickets, "ticket is", "tickets are"));
            (sentence, "/incidents".to_owned(), false)
        }
    }
}

/// Site, window, rooms.
fn tonight_at(snapshot: &ReadSnapshot, tonight: TonightWindow) -> (String, String, i64) {
    let window = time_text::window(&tonight.window, &tonight.zone, snapshot.now);
    (tonight.site, window, tonight.rooms)
}

/// The ring, days since it last received an update, the date.
fn since(snapshot: &ReadSnapshot, zone: &Zone, ring: LastInRing) -> (RingView, Option<i64>, Option<TimeText>) {
    let at = ring.at.map(|at| formats::instant(at, zone, snapshot.now));
    (ring_view(snapshot, ring.ring), ring.days, at)
}

fn announcement_view(snapshot: &ReadSnapshot, zone: &Zone, announcement: AnnouncementItem) -> AnnouncementView {
    AnnouncementView {
        id: announcement.id,
        at: formats::instant(announcement.made_at, zone, snapshot.now),
        title: announcement.title,
        text: announcement.text,
        by: announcement.made_by,
    }
}
