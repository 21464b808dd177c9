//! Home: what needs attention, tonight, and how the rings are served (P1, read side).

use domain::status::UpdateStatus;
use domain::update::titled;
use domain::when;
use service::pages::Look;

use super::{Desk, Result, failed, ring_view, told, words};
use crate::view::HomeView;

impl Desk {
    /// Home.
    ///
    /// # Errors
    /// The database fails.
    pub async fn home(&self) -> Result<HomeView> {
        let mut look = self.look().await?;
        Ok(HomeView {
            attention: attention(&mut look).await?,
            tonight: tonight(&mut look).await?,
            since: since(&mut look).await?,
            health: look.rooms_by_health().await.map_err(told)?.into_iter().collect(),
        })
    }
}

async fn attention(look: &mut Look) -> Result<Vec<(String, String, bool)>> {
    let mut attention = Vec::new();
    for summary in look.updates(false).await.map_err(told)? {
        let title = titled(&summary.record.title, &summary.record.version);
        let address = format!("/updates/{}", summary.record.id);
        let failed_rooms = words::count(summary.counts.failed, "room", "rooms");
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
    let tickets = look.tx.open_ticket_count().await.map_err(failed)?;
    if tickets > 0 {
        let sentence = format!("{} not resolved.", words::count(tickets, "ticket is", "tickets are"));
        attention.push((sentence, "/incidents".to_owned(), false));
    }
    Ok(attention)
}

async fn tonight(look: &mut Look) -> Result<Vec<(String, String, i64)>> {
    let sites = look.tonight().await.map_err(told)?;
    let rows = sites.into_iter().map(|tonight| {
        let window = when::window(&tonight.window, &tonight.zone, look.now);
        (tonight.site, window, tonight.rooms)
    });
    Ok(rows.collect())
}

async fn since(look: &mut Look) -> Result<Vec<(crate::view::RingView, Option<i64>, Option<crate::view::When>)>> {
    let zone = look.organisation.zone.clone();
    let today = zone.date(look.now);
    let mut since = Vec::new();
    for ring in look.rings.clone().iter() {
        let last = look.tx.last_completed_in(ring.id).await.map_err(failed)?;
        let days = last.map(|at| (today - zone.date(at)).num_days());
        since.push((
            ring_view(look, ring.id),
            days,
            last.map(|at| words::instant(at, &zone, look.now)),
        ));
    }
    Ok(since)
}
