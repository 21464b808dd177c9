//! The real crate `hawkbit` as fifty devices at once, through a whole rollout of three rings (docs/devices.md 5; SPEC R6, S6, T7).

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use domain::rollout::RolloutState;
use domain::status::{self, RoomStatus, UpdateStatus};
use futures::future::join_all;
use hawkbit::ddi::{Client, ClientAuthorization, Execution, Finished, Mode, Type};
use serde_json::json;
use testkit::{BAR, Engine, House, Options, both_engines, content, rooms_in};

both_engines!(fifty_hawkbit_clients_at_once_carry_a_rollout_through_three_rings_to_completed_ddi_4_t7);

/// Rooms in Staging, General and Executive.
const ROOMS: [(&str, usize); 3] = [("Staging", 8), ("General", 32), ("Executive", 10)];

async fn fifty_hawkbit_clients_at_once_carry_a_rollout_through_three_rings_to_completed_ddi_4_t7(engine: Engine) {
    let house = House::with(
        engine,
        Options {
            rooms: rooms_in(&ROOMS),
            ..Options::default()
        },
    )
    .await;
    assert_eq!(house.tokens.len(), 50);
    let mut devices: Vec<Device> = house
        .tokens
        .iter()
        .map(|(name, token)| Device::new(&house, name, token))
        .collect();
    let update = house.publish("2.0").await;

    let mut installed_on = Vec::new();
    for _ in 0..3000 {
        let fleet = house.fleet().await;
        if matches!(fleet.rollouts[&update].state, RolloutState::Finished { .. }) {
            break;
        }
        // From event to event; at ten past midnight all devices are awake and speak at the same time.
        let night = next_night(house.now());
        let due = house
            .service
            .next_due()
            .await
            .expect("what is due")
            .map(|due| due.max(house.now()));
        let next = due.map_or(night, |due| due.min(night));
        house.at(next).await;
        if next == night {
            let done = join_all(devices.iter_mut().map(Device::night)).await;
            let number = done.into_iter().filter(|installed| *installed).count();
            if number > 0 {
                installed_on.push((house.now().date_naive(), number));
            }
            house.tick().await;
            let fleet = house.fleet().await;
            assert_eq!(domain::check::check(&fleet), [], "{}", house.now());
        }
    }

    let fleet = house.fleet().await;
    let rollout = &fleet.rollouts[&update];
    assert!(
        matches!(rollout.state, RolloutState::Finished { .. }),
        "{:?}",
        rollout.state
    );
    assert_eq!(status::update(rollout, true), UpdateStatus::Completed);
    assert_eq!(rollout.stages.len(), 3, "it has entered all rings");
    for room in fleet.rooms.values() {
        let deployment = fleet.deployment_of(room.id, update).expect("a deployment");
        assert_eq!(
            status::room(deployment.progress(), &rollout.state),
            RoomStatus::Completed,
            "{}",
            room.name
        );
    }
    assert_eq!(fleet.installs.len(), 50, "one action a device, no retries");
    assert_eq!(fleet.tickets.len(), 0);
    assert_eq!(domain::check::check(&fleet), []);
    let nights: usize = installed_on.iter().map(|(_, number)| number).sum();
    assert_eq!(nights, 50);
    // 2 days of Staging, 10 of General, 5 of Executive: nobody installs while a ring is tested.
    assert!(
        installed_on.len() <= 17 && installed_on.iter().all(|(_, number)| *number <= 8),
        "{installed_on:?}"
    );
    assert!(devices.iter().all(|device| device.version == "2.0"));
}

/// Ten past the next midnight in UTC: inside London's window, in winter and in summer.
fn next_night(now: DateTime<Utc>) -> DateTime<Utc> {
    let tonight = now.date_naive().and_hms_opt(0, 10, 0).expect("a time of day").and_utc();
    if tonight > now {
        tonight
    } else {
        tonight + TimeDelta::days(1)
    }
}

struct Device {
    client: Client,
    folder: PathBuf,
    version: String,
}

impl Device {
    fn new(house: &House, name: &str, token: &str) -> Self {
        let token = ClientAuthorization::TargetToken(token.to_owned());
        let builder = reqwest::Client::builder().no_proxy();
        // The tenant in lower case, as some clients write it.
        let client = Client::new_from_client_builder(&house.base, "default", name, token, builder).expect("a client");
        let folder = house.database.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self {
            client,
            folder,
            version: "1.0".to_owned(),
        }
    }

    /// Polls until there is nothing more to do; whether it has installed something.
    async fn night(&mut self) -> bool {
        let mut installed = false;
        for _ in 0..5 {
            let poll = self.client.poll().await.expect("a poll");
            let sleep = poll.polling_sleep().expect("a sleep");
            assert!((5..86_400).contains(&sleep.as_secs()), "{sleep:?}");
            assert!(poll.cancel_action().is_none());
            match (poll.update(), poll.config_data_request()) {
                (Some(_), Some(_)) => panic!("work and facts in one poll"),
                (None, None) => return installed,
                (None, Some(facts)) => {
                    let data = json!({ "sw_version": self.version, "hw_boardname": "rally-bar" });
                    let sent = facts
                        .upload(Execution::Closed, Finished::Success, Some(Mode::Merge), data, vec![])
                        .await;
                    sent.expect("facts are taken");
                }
                (Some(work), None) => {
                    self.install(work.fetch().await.expect("work")).await;
                    installed = true;
                }
            }
        }
        panic!("the server never has enough");
    }

    async fn install(&mut self, update: hawkbit::ddi::Update) {
        assert_eq!(update.update_type(), Type::Forced, "outside a window there is no link");
        let said = update
            .send_feedback(Execution::Proceeding, Finished::None, vec!["Downloading."])
            .await;
        said.expect("a first word is taken");
        let files = update.download(&self.folder).await.expect("a download");
        let [file] = files.as_slice() else {
            panic!("one file, not {files:?}")
        };
        // The crate leaves its last write to a thread of its own and does not wait for it.
        while std::fs::metadata(file.file()).map_or(0, |file| file.len())
            < u64::try_from(content("2.0").len()).expect("a size")
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        file.check_sha256().await.expect("the right bytes");
        assert_eq!(std::fs::read(file.file()).expect("a file"), content("2.0"));
        let progress = json!({ "cnt": 1, "of": 1 });
        let said = update
            .send_feedback_with_progress(Execution::Proceeding, Finished::None, progress, vec!["Installed."])
            .await;
        said.expect("progress is taken");
        let chunk = update.chunks().next().expect("a chunk");
        assert_eq!((chunk.name(), chunk.part()), (BAR, "firmware"));
        self.version = chunk.version().to_owned();
        let said = update
            .send_feedback(Execution::Closed, Finished::Success, vec!["Done."])
            .await;
        said.expect("a success is taken");
    }
}
