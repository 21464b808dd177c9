//! The stream of events that open pages listen to (P9): it says that something has changed, and never what; pages ask again, with their
//! own rights.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use futures::stream;
use service::change_feed::ChangeFeed;
use service::people::Origin;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Sessions, peer};

/// How often a quiet stream asks whether its session has ended meanwhile.
const SESSION_CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// What the route works with.
#[derive(Clone)]
pub(crate) struct EventsState {
    pub(crate) sessions: Sessions,
    pub(crate) change_feed: ChangeFeed,
    pub(crate) stop: CancellationToken,
}

struct Connection {
    state: EventsState,
    jar: CookieJar,
    origin: Origin,
    changes: watch::Receiver<u64>,
}

/// `GET /events`. Behind `authenticate`, so somebody is signed in when it begins.
pub(crate) async fn events(State(state): State<EventsState>, jar: CookieJar, request: Request) -> Response {
    let origin = state.sessions.origin(peer(&request), request.headers());
    let changes = state.change_feed.listen();
    let connection = Connection {
        state,
        jar,
        origin,
        changes,
    };
    let events = stream::unfold(connection, |mut connection| async move {
        loop {
            let heard = tokio::select! {
                heard = connection.changes.changed() => heard.is_ok(),
                () = tokio::time::sleep(SESSION_CHECK_INTERVAL) => false,
                // An open page must not keep the program from its end.
                () = connection.state.stop.cancelled() => return None,
            };
            let actor = connection
                .state
                .sessions
                .actor(&connection.jar, &connection.origin)
                .await;
            // Signed out, or another role: the stream ends, and what the page asks next is refused.
            if matches!(actor, Ok(None)) {
                return None;
            }
            if heard {
                // Without data, browsers drop an event.
                let event = Event::default().event("changed").data("something");
                return Some((Ok::<_, Infallible>(event), connection));
            }
        }
    });
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(SESSION_CHECK_INTERVAL))
        .into_response()
}
