//! The demo's devices: DDI clients like any other, over HTTP, with plausible durations and failures.
//!
//! They know what a real device knows: their id, their token, what is installed on them. What they do next is drawn from the
//! seed, their id and the action, so that the same demo runs the same way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use domain::readiness::profile::Profile;
use futures::StreamExt;
use serde_json::{Value, json};
use service::read::devices::DeviceToken;
use service::{Actor, Service};

use super::estate;

/// At most so many devices speak at once.
const AT_ONCE: usize = 16;

/// All devices, and when each acts next.
pub(super) struct DemoDevices {
    service: Service,
    http: reqwest::Client,
    base: String,
    seed: u64,
    devices: BTreeMap<String, Device>,
    agenda: BinaryHeap<Reverse<(DateTime<Utc>, String)>>,
}

#[derive(Clone, Default)]
struct Device {
    token: String,
    components: BTreeMap<String, String>,
    /// What else it reports, by name.
    facts: BTreeMap<String, String>,
    job: Option<Job>,
}

/// An install on its way.
#[derive(Clone)]
struct Job {
    action: String,
    product: String,
    version: String,
    ends_at: DateTime<Utc>,
    ends: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Success,
    Failure(&'static str),
    Silence,
}

const FAILURES: [&str; 4] = [
    "The download stopped halfway.",
    "The device kept its old firmware after restarting.",
    "Not enough space for the update.",
    "The room lost its network during the download.",
];

impl DemoDevices {
    pub(super) fn new(service: &Service, base: String, seed: u64) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        Self {
            service: service.clone(),
            http,
            base,
            seed,
            devices: BTreeMap::new(),
            agenda: BinaryHeap::new(),
        }
    }

    /// Enrols every device that is online and puts its first poll on the agenda.
    pub(super) async fn enrol(&mut self) -> Result<()> {
        let offline: BTreeSet<String> = estate::offline()?.into_iter().collect();
        let actor = Actor::system("Demo");
        let now = self.service.clock().now();
        let mut online = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.service.devices_after(&after, 500).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.controller);
            let speaking = page
                .iter()
                .filter(|line| !offline.contains(&line.controller) && line.token != DeviceToken::Revoked);
            online.extend(speaking.map(|line| line.controller.clone()));
        }
        for (controller, token) in self.service.enrol_devices(&actor, &online).await? {
            let (components, facts) = self.known_of(&controller).await?;
            let first = now + TimeDelta::seconds(i64::try_from(self.draw(&controller, "first") % 600).unwrap_or(0));
            self.agenda.push(Reverse((first, controller.clone())));
            self.devices.insert(
                controller,
                Device {
                    token,
                    components,
                    facts,
                    job: None,
                },
            );
        }
        Ok(())
    }

    /// What is installed on it, and what else it has reported.
    async fn known_of(&self, controller: &str) -> Result<(BTreeMap<String, String>, BTreeMap<String, String>)> {
        let mut tx = self.service.store().read().await?;
        let Some(facts) = tx.device_facts(controller).await? else {
            return Ok((BTreeMap::new(), BTreeMap::new()));
        };
        let details = tx.device_details(facts.device.room).await?;
        let own = details.into_iter().find(|detail| detail.controller == controller);
        let Some(own) = own else {
            return Ok((BTreeMap::new(), BTreeMap::new()));
        };
        let components = own.components.into_iter();
        let components = components.filter_map(|component| Some((component.product.0, component.version?)));
        let facts = own.attributes.into_iter();
        let facts = facts.filter(|(name, _)| !name.starts_with("component."));
        Ok((components.collect(), facts.collect()))
    }

    /// When the next device acts.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.agenda.peek().map(|Reverse((at, _))| *at)
    }

    /// Lets every device act whose time has come, some at once, and waits for all of them.
    pub(super) async fn act(&mut self) {
        let now = self.service.clock().now();
        let mut due = Vec::new();
        while let Some(Reverse((at, _))) = self.agenda.peek() {
            if *at > now {
                break;
            }
            if let Some(Reverse((_, controller))) = self.agenda.pop() {
                due.push(controller);
            }
        }
        let fleet = &*self;
        let acted: Vec<(String, Device, DateTime<Utc>)> = futures::stream::iter(due)
            .map(|controller| async move {
                let mut device = fleet.devices.get(&controller).cloned().unwrap_or_default();
                let next = match fleet.turn(&controller, &mut device, now).await {
                    Ok(next) => next,
                    Err(error) => {
                        tracing::debug!(device = controller, error = %error, "a demo device could not speak; it tries again");
                        now + TimeDelta::minutes(10)
                    }
                };
                (controller, device, next)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (controller, device, next) in acted {
            self.devices.insert(controller.clone(), device);
            self.agenda
                .push(Reverse((slot(next.max(now + TimeDelta::seconds(5))), controller)));
        }
    }

    /// One device's turn: it ends its job, or polls and does what it is told.
    async fn turn(&self, controller: &str, device: &mut Device, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        if let Some(job) = device.job.clone() {
            if now < job.ends_at {
                return Ok(job.ends_at);
            }
            self.end(controller, device, &job).await?;
        }
        let poll = self.get(device, &self.address(controller, "")).await?;
        let links = &poll["_links"];
        if let Some(href) = links["configData"]["href"].as_str() {
            self.report_facts(device, href).await?;
            self.list_programs(controller, device, now).await?;
        }
        if let Some(href) = links["deploymentBase"]["href"].as_str() {
            let ends_at = self.begin(controller, device, href, now).await?;
            return Ok(ends_at);
        }
        let sleep = poll["config"]["polling"]["sleep"]
            .as_str()
            .and_then(seconds)
            .unwrap_or(300);
        Ok(now + TimeDelta::seconds(sleep))
    }

    async fn begin(
        &self,
        controller: &str,
        device: &mut Device,
        href: &str,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>> {
        let work = self.get(device, href).await?;
        let action = work["id"].as_str().context("an action without id")?.to_owned();
        let chunk = &work["deployment"]["chunks"][0];
        if chunk["part"] == "settings" {
            return self.change_setting(controller, device, &action, now).await;
        }
        let (product, version) = (
            chunk["name"].as_str().unwrap_or_default(),
            chunk["version"].as_str().unwrap_or_default(),
        );
        self.say(
            device,
            controller,
            &action,
            status("proceeding", "none", "Downloading."),
        )
        .await?;
        for artifact in chunk["artifacts"].as_array().into_iter().flatten() {
            let address = artifact["_links"]["download-http"]["href"]
                .as_str()
                .context("an artifact without a link")?;
            let bytes = self
                .http
                .get(address)
                .header("authorization", authorization(device))
                .send()
                .await?
                .error_for_status()?
                .bytes()
                .await?;
            let wanted = artifact["hashes"]["sha256"].as_str().unwrap_or_default();
            anyhow::ensure!(
                service::artifacts::Hashes::of(&bytes).sha256 == wanted,
                "the artifact's bytes are not what was promised"
            );
        }
        let drawn = self.draw(controller, &action);
        let ends = match drawn % 100 {
            0..=2 => Ending::Failure(FAILURES[usize::try_from(drawn / 100 % 4).unwrap_or(0)]),
            3 => Ending::Silence,
            _ => Ending::Success,
        };
        let minutes = 6 + i64::try_from(drawn / 1000 % 24).unwrap_or(0);
        let ends_at = now + TimeDelta::minutes(minutes);
        device.job = Some(Job {
            action,
            product: product.to_owned(),
            version: version.to_owned(),
            ends_at,
            ends,
        });
        Ok(ends_at)
    }

    /// Its agent turns store updates off, and reports that.
    async fn change_setting(
        &self,
        controller: &str,
        device: &mut Device,
        action: &str,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>> {
        let done = status("closed", "success", "Store updates are off.");
        self.say(device, controller, action, done).await?;
        device
            .facts
            .insert("readiness.store_updates".to_owned(), "off".to_owned());
        self.report_facts(device, &self.address(controller, "/configData"))
            .await?;
        Ok(now + TimeDelta::minutes(5))
    }

    async fn end(&self, controller: &str, device: &mut Device, job: &Job) -> Result<()> {
        device.job = None;
        match job.ends {
            Ending::Silence => Ok(()),
            Ending::Failure(why) => {
                self.say(device, controller, &job.action, status("closed", "failure", why))
                    .await
            }
            Ending::Success => {
                self.say(
                    device,
                    controller,
                    &job.action,
                    status("closed", "success", "Installed."),
                )
                .await?;
                device.components.insert(job.product.clone(), job.version.clone());
                self.report_facts(device, &self.address(controller, "/configData"))
                    .await
            }
        }
    }

    async fn report_facts(&self, device: &Device, href: &str) -> Result<()> {
        let mut data = serde_json::Map::new();
        for ((product, version), number) in device.components.iter().zip(1..) {
            data.insert(format!("component.{number}.product"), json!(product));
            data.insert(format!("component.{number}.version"), json!(version));
        }
        data.extend(device.facts.iter().map(|(name, value)| (name.clone(), json!(value))));
        let body = json!({ "mode": "merge", "data": data });
        self.http
            .put(href)
            .header("authorization", authorization(device))
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// A computer with an agent lists what its image has, and what it calls additional (`docs/devices.md` 4).
    async fn list_programs(&self, controller: &str, device: &Device, now: DateTime<Utc>) -> Result<()> {
        if !device.facts.contains_key("agent.version") {
            return Ok(());
        }
        let image = Profile::shipped().image_software;
        let additional = device.facts.get("readiness.additional_software");
        let additional = additional.filter(|names| *names != "none").into_iter();
        let additional = additional.flat_map(|names| names.split(", ")).map(str::to_owned);
        let programs: Vec<Value> = image
            .into_iter()
            .chain(additional)
            .map(|name| json!({ "name": name }))
            .collect();
        self.http
            .put(self.address(controller, "/inventory"))
            .header("authorization", authorization(device))
            .json(&json!({ "taken_at": now.to_rfc3339(), "programs": programs }))
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    async fn say(&self, device: &Device, controller: &str, action: &str, status: Value) -> Result<()> {
        let address = self.address(controller, &format!("/deploymentBase/{action}/feedback"));
        let body = json!({ "id": action, "status": status });
        self.http
            .post(address)
            .header("authorization", authorization(device))
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    async fn get(&self, device: &Device, address: &str) -> Result<Value> {
        let answer = self
            .http
            .get(address)
            .header("authorization", authorization(device))
            .send()
            .await?
            .error_for_status()?;
        Ok(answer.json().await?)
    }

    fn address(&self, controller: &str, rest: &str) -> String {
        format!("{}/DEFAULT/controller/v1/{controller}{rest}", self.base)
    }

    /// A number that follows from the seed and the words: FNV-1a, mixed.
    fn draw(&self, controller: &str, what: &str) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in controller.bytes().chain([0]).chain(what.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^ (hash >> 33)
    }
}

/// What a device says of its action (`docs/devices.md` 1).
fn status(execution: &str, finished: &str, detail: &str) -> Value {
    json!({ "execution": execution, "result": { "finished": finished }, "details": [detail] })
}

fn authorization(device: &Device) -> String {
    format!("TargetToken {}", device.token)
}

/// The half minute in which a device acts: with a fast clock, those of one slot act at once.
fn slot(at: DateTime<Utc>) -> DateTime<Utc> {
    let into = at.timestamp().rem_euclid(30);
    if into == 0 {
        at
    } else {
        at + TimeDelta::seconds(30 - into)
    }
}

/// `HH:MM:SS`.
fn seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(str::parse::<i64>);
    let (hours, minutes, seconds) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Some(hours * 3600 + minutes * 60 + seconds)
}
