//! Installs of one night that the tests of this folder share.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::conversation::OfferFacts;
use crate::conversation::presence::Presence;
use crate::ids::{ActionId, DeploymentId, DeviceId, UpdateId};
use crate::install::{Install, InstallState};
use crate::start_window::StartWindow;

pub(super) fn instant(time: &str) -> DateTime<Utc> {
    format!("2025-03-05T{time}:00Z").parse().expect("an instant")
}

pub(super) fn planned(window: Option<(&str, &str)>) -> Install {
    Install {
        action: ActionId(1),
        deployment: DeploymentId(Uuid::nil()),
        update: UpdateId(Uuid::nil()),
        device: DeviceId(Uuid::nil()),
        attempt: 1,
        window: window.and_then(|(opens, closes)| StartWindow::new(instant(opens), instant(closes))),
        state: InstallState::Planned,
        shown_up_at: None,
        started_at: None,
        detail: String::new(),
        cancel_wanted: None,
    }
}

pub(super) fn started(installed_chunks: bool) -> Install {
    let state = InstallState::Started {
        heard_at: instant("00:10"),
        silent_at: None,
        installed_chunks,
        objects: false,
    };
    Install {
        state,
        started_at: Some(instant("00:10")),
        ..planned(Some(("00:00", "05:00")))
    }
}

/// 20 minutes, of a rollout that may start, asked by an ordinary device.
pub(super) fn offer_facts(install: &Install) -> OfferFacts<'_> {
    OfferFacts {
        install,
        rollout_may_start: true,
        force: None,
        expected_minutes: 20,
        presence: Presence::default(),
        window_aware: false,
    }
}
