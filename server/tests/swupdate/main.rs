//! The real swupdate (Debian package, suricatta mode) as the device of a room (docs/devices.md 2 and 5; SPEC W1, K1, K3).
//!
//! swupdate polls in real time, once a second; the server's clock is driven by the test.

mod agent;

use std::time::Duration;

use chrono::TimeDelta;
use domain::deployment::Failure;
use domain::install::InstallState;
use domain::status::RoomStatus;
use domain::ticket::TicketStatus;
use testkit::{BAR, Engine, House, actor, both_engines};

use agent::{Agent, Confirm, Workshop, missing_tools, payload};

both_engines!(
    swupdate_is_offered_nothing_before_the_window_and_installs_in_it_w1_ddi_2_1,
    the_success_after_a_restart_is_taken_although_the_window_has_closed_ddi_2_2_2_13,
    swupdate_is_withheld_a_paused_update_until_it_goes_on_k3,
    an_image_that_swupdate_refuses_ends_as_failed_with_its_ticket_k1_ddi_2_4,
);

const DEVICE: &str = "lab-1";
const ROOM: &str = "Lab";
/// What swupdate's log says for each request that was answered.
const ANSWERED: &str = "effective URL resolved";

async fn swupdate_is_offered_nothing_before_the_window_and_installs_in_it_w1_ddi_2_1(engine: Engine) {
    let (house, workshop) = ready(engine).await;
    let update = house.publish_bytes(BAR, "2.0", workshop.image(BAR, "2.0")).await;
    let (opens, _) = house.until_prepared(DEVICE).await;
    house.at(opens - TimeDelta::seconds(1)).await;
    let agent = start(&house, &workshop, "1.0", None);
    agent.poll_every(1);
    eventually("swupdate reports its attributes", async || {
        house
            .attributes(DEVICE)
            .await
            .get("sw_version")
            .is_some_and(|version| version == "1.0")
    })
    .await;
    some_polls(&agent).await;
    let install = house.open_install(DEVICE).await.expect("a planned install");
    assert_eq!(
        (install.state, install.shown_up_at),
        (InstallState::Planned, None),
        "a second before the window"
    );
    assert_eq!(agent.installed(), None);

    house.at(opens).await;
    all_chunks_installed(&house, &agent).await;
    assert_eq!(agent.installed(), Some(payload(BAR, "2.0")));
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::InProgress,
        "only the restart is left"
    );
}

async fn the_success_after_a_restart_is_taken_although_the_window_has_closed_ddi_2_2_2_13(engine: Engine) {
    let (house, workshop) = ready(engine).await;
    let update = house.publish_bytes(BAR, "2.0", workshop.image(BAR, "2.0")).await;
    let (_, closes) = house.until_planned(DEVICE).await;
    house.at(closes - TimeDelta::minutes(25)).await;
    let agent = start(&house, &workshop, "1.0", None);
    agent.poll_every(1);
    let action = all_chunks_installed(&house, &agent).await;
    agent.stop();

    house.at(closes + TimeDelta::minutes(1)).await;
    house.pause(update).await;
    // It comes back, confirms, and still says that it has the old version.
    let agent = start(&house, &workshop, "1.0", Some(Confirm::Success));
    eventually("the success is taken", async || {
        house.tick().await;
        matches!(
            house.install(&action).await.state,
            InstallState::Installed { doubtful: false, .. }
        )
    })
    .await;
    eventually("the facts are taken", async || {
        !house.poll(DEVICE).await["_links"]["configData"].is_object()
    })
    .await;
    assert_eq!(
        house.status(ROOM, update).await,
        RoomStatus::InProgress,
        "the inventory has not confirmed it"
    );
    agent.stop();

    let agent = start(&house, &workshop, "2.0", None);
    eventually("the inventory confirms it", async || {
        house.tick().await;
        house.status(ROOM, update).await == RoomStatus::Completed
    })
    .await;
    assert_eq!(house.ticket(ROOM, update).await, None);
    assert_eq!(agent.installed(), Some(payload(BAR, "2.0")));
}

async fn swupdate_is_withheld_a_paused_update_until_it_goes_on_k3(engine: Engine) {
    let (house, workshop) = ready(engine).await;
    let update = house.publish_bytes(BAR, "2.0", workshop.image(BAR, "2.0")).await;
    house.enter_window(DEVICE).await;
    house.pause(update).await;
    let agent = start(&house, &workshop, "1.0", None);
    agent.poll_every(1);
    some_polls(&agent).await;
    assert_eq!(agent.installed(), None);
    assert_eq!(house.status(ROOM, update).await, RoomStatus::Paused);

    house
        .service
        .resume(&actor(), update, "on with it".into())
        .await
        .expect("it resumes");
    house.tick().await;
    all_chunks_installed(&house, &agent).await;
    assert_eq!(agent.installed(), Some(payload(BAR, "2.0")));
}

async fn an_image_that_swupdate_refuses_ends_as_failed_with_its_ticket_k1_ddi_2_4(engine: Engine) {
    let (house, workshop) = ready(engine).await;
    let update = house.publish_bytes(BAR, "2.0", workshop.broken_image()).await;
    house.enter_window(DEVICE).await;
    let mut agent = start(&house, &workshop, "1.0", None);
    agent.poll_every(1);
    eventually("the failure is taken", async || {
        house.tick().await;
        house.status(ROOM, update).await == RoomStatus::Failed
    })
    .await;
    assert_eq!(house.ticket(ROOM, update).await, Some(TicketStatus::NeedsAction));
    let failed = house.fleet().await.installs.into_values().find(|install| {
        matches!(
            install.state,
            InstallState::Failed {
                failure: Failure::Reported,
                ..
            }
        )
    });
    assert!(
        !failed.expect("the device has said so").detail.is_empty(),
        "its words are kept"
    );
    // Without a link it does not install again, and it goes on polling.
    some_polls(&agent).await;
    assert!(agent.running());
    assert_eq!(house.fleet().await.installs.len(), 1);
}

async fn ready(engine: Engine) -> (House, Workshop) {
    let missing = missing_tools();
    assert!(
        missing.is_empty(),
        "not installed: {missing:?}. Run `apt-get install swupdate cpio openssl` (or `make setup`)"
    );
    (House::new(engine).await, Workshop::new())
}

fn start(house: &House, workshop: &Workshop, version: &str, confirm: Option<Confirm>) -> Agent {
    Agent::start(
        workshop,
        &house.base,
        DEVICE,
        &house.tokens[DEVICE],
        &[("sw_version", version)],
        confirm,
    )
}

/// Waits until swupdate has said that all is written; gives the action.
async fn all_chunks_installed(house: &House, agent: &Agent) -> String {
    eventually("All Chunks Installed.", async || {
        house.tick().await;
        let install = house.open_install(DEVICE).await;
        install.is_some_and(|install| {
            matches!(
                install.state,
                InstallState::Started {
                    installed_chunks: true,
                    ..
                }
            )
        })
    })
    .await;
    assert!(agent.log().contains(ANSWERED));
    house.action(DEVICE).await
}

/// Waits until swupdate has been answered a few times more.
async fn some_polls(agent: &Agent) {
    let answered = || agent.log().matches(ANSWERED).count();
    let before = answered();
    eventually("swupdate goes on polling", async || answered() >= before + 3).await;
}

/// Asks until it is so, for at most 40 seconds.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let limit = Duration::from_secs(40);
    assert!(
        tokio::time::timeout(limit, asking).await.is_ok(),
        "it never came to this: {what}"
    );
}
