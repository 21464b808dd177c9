//! Home: what needs attention, tonight, and how the rings are served, announcements (P1).

use domain::access::Act;
use domain::ids::AnnouncementId;
use domain::status::UpdateStatus;
use domain::time_text;
use service::announcements::AnnouncementDraft;
use service::read::ReadSnapshot;

use crate::components::model::FormSuccess;
use crate::context::{RequestContext, Result, ring_view};
use crate::formats;
use crate::home::model::{AnnouncementView, HomeView};

/// Announcements that Home shows: the newest.
const MOST_ANNOUNCEMENTS: i64 = 10;

impl RequestContext {
    /// Home.
    ///
    /// # Errors
    /// The database fails.
    pub async fn home(&self) -> Result<HomeView> {
        let mut snapshot = self.snapshot().await?;
        Ok(HomeView {
            attention: attention(&mut snapshot).await?,
            tonight: tonight(&mut snapshot).await?,
            since: since(&mut snapshot).await?,
            health: snapshot.rooms_by_health().await?.into_iter().collect(),
            announcements: self.announcements(&mut snapshot).await?,
            may_announce: self.viewer.actor.role.may(Act::Announce),
            may_dismiss: self.viewer.actor.account.is_some(),
        })
    }

    async fn announcements(&self, snapshot: &mut ReadSnapshot) -> Result<Vec<AnnouncementView>> {
        let person = self.viewer.actor.account.as_ref().map(|account| account.person);
        let zone = snapshot.organisation.zone.clone();
        let found = snapshot
            .tx
            .announcements(person, zone.date(snapshot.now), MOST_ANNOUNCEMENTS)
            .await;
        let found = found?.into_iter();
        Ok(found
            .map(|announcement| AnnouncementView {
                id: announcement.id,
                at: formats::instant(announcement.made_at, &zone, snapshot.now),
                title: announcement.title,
                text: announcement.text,
                by: announcement.made_by,
            })
            .collect())
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

async fn attention(snapshot: &mut ReadSnapshot) -> Result<Vec<(String, String, bool)>> {
    let mut attention = Vec::new();
    for summary in snapshot.updates(false).await? {
        let title = summary.update.title();
        let address = format!("/updates/{}", summary.update.id);
        let failed_rooms = formats::count(summary.counts.failed, "room", "rooms");
        if summary.status == UpdateStatus::Paused {
            attention.push((format!("{title} is paused."), address, false));
        } else if summary.counts.failed > 0 {
            attention.push((
                format!("{title} failed in {failed_rooms}."),
                format!("{address}?status=failed"),
                true,
            ));
        }
    }
    let tickets = snapshot.tx.open_ticket_count().await?;
    if tickets > 0 {
        let sentence = format!("{} not resolved.", formats::count(tickets, "ticket is", "tickets are"));
        attention.push((sentence, "/incidents".to_owned(), false));
    }
    Ok(attention)
}

async fn tonight(snapshot: &mut ReadSnapshot) -> Result<Vec<(String, String, i64)>> {
    let sites = snapshot.tonight().await?;
    let rows = sites.into_iter().map(|tonight| {
        let window = time_text::window(&tonight.window, &tonight.zone, snapshot.now);
        (tonight.site, window, tonight.rooms)
    });
    Ok(rows.collect())
}

async fn since(
    snapshot: &mut ReadSnapshot,
) -> Result<
    Vec<(
        crate::components::model::RingView,
        Option<i64>,
        Option<crate::components::model::TimeText>,
    )>,
> {
    let zone = snapshot.organisation.zone.clone();
    let today = zone.date(snapshot.now);
    let mut since = Vec::new();
    for ring in snapshot.rings.clone().iter() {
        let last = snapshot.tx.last_completed_in(ring.id).await?;
        let days = last.map(|at| (today - zone.date(at)).num_days());
        since.push((
            ring_view(snapshot, ring.id),
            days,
            last.map(|at| formats::instant(at, &zone, snapshot.now)),
        ));
    }
    Ok(since)
}
