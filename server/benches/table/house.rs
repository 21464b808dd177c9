//! The server's pages, and the first admin's session.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use server::router::{ServerConfig, router};
use service::people::Origin;
use service::read::PageOf;
use service::read::rooms::RoomFilter;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::estate::Estate;

/// The server, and the first admin's session.
pub struct House {
    router: Router,
    session: String,
}

impl House {
    pub async fn new(estate: &Estate) -> Self {
        let (service, origin) = (&estate.service, Origin::default());
        let link = service
            .first_admin_link()
            .await
            .expect("a query")
            .expect("nobody is there yet");
        let made = service
            .make_first_admin(
                &link,
                "Ada".into(),
                "ada@example.com".into(),
                "a lamp that hums at night",
                &origin,
            )
            .await;
        let config = ServerConfig {
            demo_clock: None,
            stop: CancellationToken::new(),
        };
        Self {
            router: router(service.clone(), config),
            session: made.expect("the first admin").token,
        }
    }

    /// What it is called, and where it is.
    pub async fn lists(&self, estate: &Estate) -> Vec<(&'static str, String)> {
        let mut snapshot = estate.service.read_snapshot().await.expect("a snapshot");
        let live = snapshot.live_rollouts().await.expect("updates").into_iter();
        let updates: Vec<_> = live.map(|live| live.rollout.update).collect();
        let of_all = {
            let known = snapshot.updates_for_planning(&updates).await.expect("updates");
            let bar = known.into_values().find(|update| update.product.0 == "bar");
            bar.expect("the bar's update").id
        };
        let ring = snapshot.rings.general().id;
        let site = snapshot.sites().await.expect("sites")[0].id;
        let first = snapshot.room_list(&RoomFilter::default(), &PageOf::First, 50).await;
        let last = first.expect("rooms").rooms.next.expect("a second page");
        let after = format!("{}%7C{}", last.name_key.replace(' ', "%20"), last.id);
        vec![
            ("updates", "/updates".to_owned()),
            ("updates, past and sorted", "/updates?past=true&sort=-ends".to_owned()),
            ("an update", format!("/updates/{of_all}")),
            ("an update, failed rooms", format!("/updates/{of_all}?status=failed")),
            (
                "an update, scheduled rooms",
                format!("/updates/{of_all}?status=scheduled"),
            ),
            ("an update, second page", format!("/updates/{of_all}?after={after}")),
            ("updates, rooms", "/updates/rooms".to_owned()),
            ("updates, rooms, second page", format!("/updates/rooms?after={after}")),
            ("updates, rooms of a ring", format!("/updates/rooms?ring={ring}")),
            ("updates, rooms of a site", format!("/updates/rooms?site={site}")),
            ("updates, rooms by name", "/updates/rooms?q=0001".to_owned()),
            ("updates, rings", "/updates/rings".to_owned()),
            ("rooms", "/rooms".to_owned()),
            ("rooms, unhealthy", "/rooms?state=unhealthy".to_owned()),
            ("rooms, retired", "/rooms?state=retired".to_owned()),
            ("readiness", "/rooms/readiness".to_owned()),
            (
                "readiness, a rare result",
                "/rooms/readiness?check=os_updates&result=fail".to_owned(),
            ),
            (
                "readiness, a frequent result",
                "/rooms/readiness?check=os_updates&result=pass".to_owned(),
            ),
            ("readiness, any result", "/rooms/readiness?result=all".to_owned()),
            (
                "readiness, onboarding",
                "/rooms/readiness?state=onboarding&result=all".to_owned(),
            ),
            ("software", "/rooms/readiness/software".to_owned()),
            (
                "readiness, rooms with a software",
                "/rooms/readiness?result=all&software=viewer".to_owned(),
            ),
            ("support", "/rooms/support?group=all".to_owned()),
            ("support, unsupported", "/rooms/support?group=unsupported".to_owned()),
            (
                "support, a past day",
                "/rooms/support?group=all&date=2025-03-10".to_owned(),
            ),
            ("sites", "/rooms/sites".to_owned()),
            ("incidents", "/incidents".to_owned()),
            ("incidents, all", "/incidents?state=all".to_owned()),
            ("incidents, resolved", "/incidents?state=resolved".to_owned()),
            ("incidents by words", "/incidents?state=all&q=0001".to_owned()),
            ("portfolio", "/portfolio".to_owned()),
            ("audit", "/audit".to_owned()),
            ("audit of somebody", "/audit?who=Ada".to_owned()),
            ("search", "/search?q=0001".to_owned()),
            ("people", "/settings/people".to_owned()),
            ("home", "/".to_owned()),
        ]
    }

    /// The page's answer.
    pub async fn get(&self, address: &str) -> String {
        let request = Request::get(address)
            .header(header::COOKIE, format!("nightshift={}", self.session))
            .body(Body::empty())
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 16 << 20)
            .await
            .expect("a page");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, StatusCode::OK, "{address}: {text}");
        text
    }
}
