//! Devices that keep a ledger of every request that was answered, and repeat what was not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{action_in, address_of, client, link};
use tokio::sync::watch;

/// A request that writes, as its device knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Write {
    /// A feedback with this text among its details.
    Feedback { action: String, text: String },
    /// The first GET of an action's artifact.
    Fetch { action: String },
    /// The device's n-th report of facts.
    Facts { device: String, number: u32 },
}

/// All devices, and the ledger of what they were told.
#[derive(Default)]
pub struct Devices {
    base: String,
    http: reqwest::Client,
    devices: BTreeMap<String, tokio::sync::Mutex<Device>>,
    pub up: watch::Sender<bool>,
    pub sent: watch::Sender<usize>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    under_way: BTreeSet<Write>,
    answered: Vec<Write>,
    installed: BTreeMap<String, Vec<String>>,
}

/// A device that keeps what it knows on a disk of its own.
#[derive(Default)]
struct Device {
    id: String,
    token: String,
    version: String,
    job: Option<Job>,
    words: u32,
    facts: u32,
    attempts: BTreeMap<String, u32>,
}

struct Job {
    action: String,
    version: String,
    ends_at: DateTime<Utc>,
    /// The installing itself: done once, whatever becomes of the report.
    is_installed: bool,
}

impl Devices {
    pub fn new(port: u16, tokens: &BTreeMap<String, String>) -> Self {
        let device = |(id, token): (&String, &String)| {
            let device = Device {
                id: id.clone(),
                token: token.clone(),
                version: "1.0".to_owned(),
                ..Device::default()
            };
            (id.clone(), tokio::sync::Mutex::new(device))
        };
        Self {
            base: format!("http://127.0.0.1:{port}"),
            http: client(),
            devices: tokens.iter().map(device).collect(),
            up: watch::Sender::new(true),
            ..Self::default()
        }
    }

    pub fn writes(&self) -> usize {
        *self.sent.borrow()
    }

    pub fn under_way(&self) -> BTreeSet<Write> {
        self.ledger.lock().expect("the ledger").under_way.clone()
    }

    pub fn answered(&self) -> Vec<Write> {
        self.ledger.lock().expect("the ledger").answered.clone()
    }

    pub fn was_answered(&self, write: &Write) -> bool {
        self.ledger.lock().expect("the ledger").answered.contains(write)
    }

    pub fn installed(&self) -> BTreeMap<String, Vec<String>> {
        self.ledger.lock().expect("the ledger").installed.clone()
    }

    /// Every device's turn, all at once.
    pub async fn turns(&self, now: DateTime<Utc>) {
        let turns = self
            .devices
            .values()
            .map(|device| async move { self.turn(&mut *device.lock().await, now).await });
        futures::future::join_all(turns).await;
    }

    async fn turn(&self, device: &mut Device, now: DateTime<Utc>) {
        if device.job.as_ref().is_some_and(|job| job.ends_at <= now) {
            self.end(device).await;
        }
        let poll = self.get(device, "").await;
        if link(&poll, "configData").is_some() {
            self.report_facts(device).await;
        }
        let offered = link(&poll, "deploymentBase").map(|href| action_in(&href));
        match (&device.job, offered) {
            (Some(job), offered) => assert_eq!(offered.as_ref(), Some(&job.action), "{} keeps its link", device.id),
            (None, Some(action)) => self.begin(device, action, now).await,
            (None, None) => {}
        }
    }

    async fn begin(&self, device: &mut Device, action: String, now: DateTime<Utc>) {
        let work = self.get(device, &format!("/deploymentBase/{action}")).await;
        let chunk = &work["deployment"]["chunks"][0];
        let version = chunk["version"].as_str().expect("a version").to_owned();
        assert_ne!(version, device.version, "{} has this one", device.id);
        let fetch = chunk["artifacts"][0]["_links"]["download-http"]["href"]
            .as_str()
            .expect("a link")
            .to_owned();
        let says_first = device.id.len().is_multiple_of(2);
        if says_first {
            self.say(device, &action, "proceeding", "none").await;
        }
        self.fetch(device, &action, &fetch).await;
        self.say(device, &action, "downloaded", "none").await;
        *device.attempts.entry(version.clone()).or_default() += 1;
        // One takes so long that it is found silent before it is done (W5).
        let minutes = if device.id == "general-5" { 280 } else { 15 };
        device.job = Some(Job {
            action,
            version,
            ends_at: now + TimeDelta::minutes(minutes),
            is_installed: false,
        });
    }

    async fn end(&self, device: &mut Device) {
        let Some(mut job) = device.job.take() else { return };
        let fails = ["staging-2", "general-3", "general-9"].contains(&device.id.as_str());
        if fails && job.version == "2.0" && device.attempts[&job.version] == 1 {
            self.say(device, &job.action, "closed", "failure").await;
            return;
        }
        if !job.is_installed {
            job.is_installed = true;
            device.version.clone_from(&job.version);
            let mut ledger = self.ledger.lock().expect("the ledger");
            ledger
                .installed
                .entry(device.id.clone())
                .or_default()
                .push(job.version.clone());
        }
        self.say(device, &job.action, "closed", "success").await;
        self.report_facts(device).await;
    }

    async fn say(&self, device: &mut Device, action: &str, execution: &str, finished: &str) {
        device.words += 1;
        let text = format!("{} {}", device.id, device.words);
        let status = json!({ "execution": execution, "details": [text], "result": { "finished": finished } });
        let body = json!({ "id": action, "status": status });
        let path = format!("/deploymentBase/{action}/feedback");
        let write = Write::Feedback {
            action: action.to_owned(),
            text,
        };
        let status = self
            .write(device, Method::POST, &self.address(device, &path), Some(&body), write)
            .await;
        // 410: it had heard of it, and died before it could say so (`docs/devices.md` 2.11).
        assert!(
            status == 200 || (status == 410 && execution == "closed"),
            "{status} for {body}"
        );
    }

    async fn fetch(&self, device: &Device, action: &str, href: &str) {
        let write = Write::Fetch {
            action: action.to_owned(),
        };
        assert_eq!(self.write(device, Method::GET, href, None, write).await, 200);
    }

    async fn report_facts(&self, device: &mut Device) {
        device.facts += 1;
        let body = json!({ "data": { "sw_version": device.version, "ledger": device.facts.to_string() } });
        let write = Write::Facts {
            device: device.id.clone(),
            number: device.facts,
        };
        let address = self.address(device, "/configData");
        assert_eq!(self.write(device, Method::PUT, &address, Some(&body), write).await, 200);
    }

    /// Asks until it is answered. Only an answer with its whole body counts.
    async fn write(&self, device: &Device, method: Method, address: &str, body: Option<&Value>, write: Write) -> u16 {
        loop {
            self.is_up().await;
            self.ledger.lock().expect("the ledger").under_way.insert(write.clone());
            self.sent.send_modify(|sent| *sent += 1);
            let answer = self.ask(device, method.clone(), address, body).await;
            let mut ledger = self.ledger.lock().expect("the ledger");
            ledger.under_way.remove(&write);
            if let Some((status, _)) = answer {
                ledger.answered.push(write);
                return status;
            }
        }
    }

    async fn get(&self, device: &Device, path: &str) -> Value {
        loop {
            self.is_up().await;
            if let Some((status, body)) = self.ask(device, Method::GET, &self.address(device, path), None).await {
                assert_eq!(status, 200, "{path} of {}", device.id);
                return serde_json::from_slice(&body).expect("JSON");
            }
        }
    }

    /// `None`: no answer. Another answer than one of the protocol is none either: the device asks again.
    async fn ask(
        &self,
        device: &Device,
        method: Method,
        address: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Vec<u8>)> {
        let mut request = self.http.request(method, address);
        request = request.header("authorization", format!("TargetToken {}", device.token));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        assert_ne!(status, 500, "{address}");
        let body = response.bytes().await.ok()?;
        (status < 500).then(|| (status, body.to_vec()))
    }

    async fn is_up(&self) {
        self.up.subscribe().wait_for(|up| *up).await.expect("the run goes on");
    }

    fn address(&self, device: &Device, path: &str) -> String {
        address_of(&self.base, &device.id, path)
    }
}
