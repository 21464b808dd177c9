//! Devices of an [`Estate`](crate::Estate) that speak to the service itself, through the organisation's gateway. How devices speak over HTTP
//! stands with the [`House`](crate::House).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::Outcome;
use domain::conversation::feedback::{Execution, Finished};
use domain::conversation::inventory::{ConfigMode, ConfigReport};
use domain::conversation::offer::Offer;
use domain::ids::{ActionId, RoomId};
use domain::install::Install;
use service::Service;
use service::devices::Credentials;
use store::Caller;

use crate::says;

/// The organisation's gateway token.
pub(crate) const GATEWAY: &str = "the-gateway-of-the-organisation-1";

/// What the only device of a room is called: `Staging 1` has `staging-1`.
pub fn controller(room: &str) -> String {
    room.to_lowercase().replace(' ', "-")
}

/// Devices that are driven by hand.
#[derive(Default)]
pub struct Devices {
    /// Controller id to the versions that it runs.
    installed: BTreeMap<String, BTreeMap<String, String>>,
    /// Those that fail, and how often.
    pub fails: BTreeMap<String, u32>,
    /// Those that never poll.
    pub away: Vec<String>,
    running: BTreeMap<String, (DateTime<Utc>, ActionId)>,
    wake: Option<DateTime<Utc>>,
}

impl Devices {
    /// One bar on 1.0 with the app on 10 in each of these rooms, as [`Estate::rooms`](crate::Estate::rooms) makes them.
    pub fn of(rooms: &BTreeMap<String, RoomId>) -> Self {
        let versions = || {
            BTreeMap::from([
                ("bar".to_owned(), "1.0".to_owned()),
                ("app".to_owned(), "10".to_owned()),
            ])
        };
        let installed = rooms.keys().map(|name| (controller(name), versions())).collect();
        Self {
            installed,
            ..Self::default()
        }
    }

    /// When one of them has something to say.
    pub fn next_at(&self) -> Option<DateTime<Utc>> {
        self.running.values().map(|(ends, _)| *ends).chain(self.wake).min()
    }

    /// Every device ends what it has begun, or polls and begins what it is told; an install takes 15 minutes.
    pub async fn turn(&mut self, service: &Service) {
        let now = service.clock().now();
        self.wake = None;
        let controllers: Vec<String> = self
            .installed
            .keys()
            .filter(|id| !self.away.contains(id))
            .cloned()
            .collect();
        for controller in controllers {
            if self.running.get(&controller).is_some_and(|(ends, _)| *ends <= now) {
                self.end(service, &controller).await;
            }
            if !self.running.contains_key(&controller) {
                self.poll(service, &controller, now).await;
            }
        }
    }

    async fn poll(&mut self, service: &Service, controller: &str, now: DateTime<Utc>) {
        let caller = speak(service, controller).await;
        let answer = service.poll(&caller).await.expect("an answer");
        match (answer.offer, answer.action) {
            (Offer::Install, Some(action)) => {
                let outcome = say(service, controller, action, Execution::Proceeding, Finished::None).await;
                assert_ne!(outcome, Outcome::NotFound);
                self.running
                    .insert(controller.to_owned(), (now + TimeDelta::minutes(15), action));
            }
            (Offer::Nothing | Offer::Prefetch | Offer::Cancel | Offer::Install, _) => {
                // One that waits for its window comes back when that opens.
                let install = open_install(service, &caller).await;
                let opens = install.and_then(|install| install.window).map(|window| window.opens());
                if let Some(opens) = opens.filter(|opens| *opens > now) {
                    self.wake = Some(self.wake.map_or(opens, |wake| wake.min(opens)));
                }
            }
        }
    }

    async fn end(&mut self, service: &Service, controller: &str) {
        let Some((_, action)) = self.running.remove(controller) else {
            return;
        };
        // There may be more to do in this window (S7).
        self.wake = Some(service.clock().now() + TimeDelta::minutes(1));
        if let Some(left) = self.fails.get_mut(controller).filter(|left| **left > 0) {
            *left -= 1;
            say(service, controller, action, Execution::Closed, Finished::Failure).await;
            return;
        }
        let caller = speak(service, controller).await;
        let update = open_install(service, &caller).await.expect("what it installs").update;
        let release = service
            .store()
            .read()
            .await
            .expect("a snapshot")
            .release(update)
            .await
            .expect("a query")
            .expect("a release");
        say(service, controller, action, Execution::Closed, Finished::Success).await;
        if let Some(versions) = self.installed.get_mut(controller) {
            versions.insert(release.release.product.0.clone(), release.release.version);
        }
        self.report(service, controller).await;
    }

    async fn report(&self, service: &Service, controller: &str) {
        let mut data = BTreeMap::new();
        for ((product, version), number) in self.installed[controller].iter().zip(1..) {
            data.insert(format!("component.{number}.product"), Some(product.clone()));
            data.insert(format!("component.{number}.version"), Some(version.clone()));
        }
        let device = speak(service, controller).await.id;
        let outcome = service
            .config(
                device,
                ConfigReport {
                    mode: ConfigMode::Merge,
                    data,
                },
            )
            .await
            .expect("a report");
        assert_eq!(outcome, Outcome::Changed);
    }
}

/// The device as the service knows it, through the organisation's gateway.
pub async fn speak(service: &Service, controller: &str) -> Caller {
    let caller = service
        .device(controller, &Credentials::Gateway(GATEWAY.to_owned()))
        .await
        .expect("a query");
    caller.unwrap_or_else(|| panic!("there is no device {controller}"))
}

/// What it says about an action.
pub async fn say(
    service: &Service,
    controller: &str,
    action: ActionId,
    execution: Execution,
    finished: Finished,
) -> Outcome {
    let caller = speak(service, controller).await;
    service
        .feedback(&caller, action, says(execution, finished))
        .await
        .expect("an outcome")
}

/// What the device has to install, or installs.
pub async fn open_install(service: &Service, caller: &Caller) -> Option<Install> {
    let facts = service
        .store()
        .device_facts_of_action(caller.id, caller.open?)
        .await
        .expect("a query");
    facts?.open_install.map(|open| open.install)
}
