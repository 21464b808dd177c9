//! The stream of events that open pages listen to (P9): it says that something has changed, and never what; pages ask again, with their
//! own rights.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use futures::stream;
use service::live::Pulse;
use service::people::Origin;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Doors, peer};

/// How often a quiet stream asks whether its session has ended meanwhile.
const LOOK: Duration = Duration::from_secs(15);

/// What the route works with.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) doors: Doors,
    pub(crate) pulse: Pulse,
    pub(crate) stop: CancellationToken,
}

struct Listener {
    listening: Listening,
    jar: CookieJar,
    origin: Origin,
    beats: watch::Receiver<u64>,
}

/// `GET /events`. Behind `who_is_there`, so somebody is signed in when it begins.
pub(crate) async fn events(State(listening): State<Listening>, jar: CookieJar, request: Request) -> Response {
    let origin = listening.doors.origin(peer(&request), request.headers());
    let beats = listening.pulse.listen();
    let listener = Listener {
        listening,
        jar,
        origin,
        beats,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        loop {
            let heard = tokio::select! {
                heard = listener.beats.changed() => heard.is_ok(),
                () = tokio::time::sleep(LOOK) => false,
                // An open page must not keep the program from its end.
                () = listener.listening.stop.cancelled() => return None,
            };
            let actor = listener.listening.doors.actor(&listener.jar, &listener.origin).await;
            // Signed out, or another role: the stream ends, and what the page asks next is refused.
            if matches!(actor, Ok(None)) {
                return None;
            }
            if heard {
                // Without data, browsers drop an event.
                let event = Event::default().event("changed").data("something");
                return Some((Ok::<_, Infallible>(event), listener));
            }
        }
    });
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(LOOK))
        .into_response()
}
