//! What the database has kept: of the devices' writes, and of the whole run.

use std::collections::{BTreeMap, BTreeSet};

use domain::fleet::Fleet;
use domain::ids::{StageOf, UpdateId};
use serde_json::Value;
use testkit::Database;

use crate::devices::Write;

/// What the database has of the devices' writes.
pub struct Kept {
    feedbacks: BTreeSet<(String, String)>,
    started: BTreeSet<String>,
    facts: BTreeMap<String, u32>,
}

impl Kept {
    pub async fn of(database: &Database) -> Self {
        let pair = |text: String| {
            let (first, second) = text.split_once('|').expect("two parts");
            (first.to_owned(), second.to_owned())
        };
        let feedbacks = database
            .texts("SELECT cast(action_id AS text) || '|' || detail FROM reports")
            .await;
        let started = database
            .texts("SELECT cast(action_id AS text) FROM installs WHERE started_at IS NOT NULL")
            .await;
        let attributes = database
            .texts("SELECT controller_id || '|' || cast(attributes AS text) FROM devices")
            .await;
        let number = |(device, attributes): (String, String)| {
            let attributes: Value = serde_json::from_str(&attributes).expect("attributes");
            Some((device, attributes["ledger"].as_str()?.parse().expect("a number")))
        };
        Self {
            feedbacks: feedbacks.into_iter().map(pair).collect(),
            started: started.into_iter().collect(),
            facts: attributes.into_iter().map(pair).filter_map(number).collect(),
        }
    }

    pub fn has(&self, write: &Write) -> bool {
        match write {
            Write::Feedback { action, text } => self.feedbacks.contains(&(action.clone(), text.clone())),
            Write::Fetch { action } => self.started.contains(action),
            Write::Facts { device, number } => self.facts.get(device).is_some_and(|kept| kept >= number),
        }
    }
}

/// What is there at the end, in the words of people: without times, and without the ids that each run makes for itself.
pub fn in_words(fleet: &Fleet) -> Vec<String> {
    let ring = |of: StageOf| {
        let ring = of.ring().and_then(|id| fleet.rings.get(id));
        ring.map_or("", |ring| ring.name.as_str())
    };
    let version = |update: &UpdateId| fleet.updates[update].version.as_str();
    let room = |id| fleet.rooms[id].name.as_str();
    let word = |state: &dyn std::fmt::Debug| {
        let text = format!("{state:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_owned()
    };
    let mut facts = Vec::new();
    for (update, rollout) in &fleet.rollouts {
        facts.push(format!(
            "{}: {} from {}",
            version(update),
            word(&rollout.state),
            rollout.starts_on
        ));
        for stage in &rollout.stages {
            facts.push(format!(
                "{} in {}: {} {} {}, {} rooms, {:?}",
                version(update),
                stage.name,
                stage.starts_on,
                stage.rollout_ends,
                stage.test_ends,
                stage.rooms,
                rollout.counts.get(&stage.ring)
            ));
        }
    }
    for deployment in fleet.deployments.values() {
        let installs: Vec<String> = fleet
            .installs
            .values()
            .filter(|install| install.deployment == deployment.id)
            .map(|install| format!("{} {}", install.attempt, word(&install.state)))
            .collect();
        facts.push(format!(
            "{} {}: {} in {} on {} ({:?}), attempt {}, missed {}, catch-up {}, {:?}, installs {installs:?}: {}",
            room(&deployment.room),
            version(&deployment.update),
            word(&deployment.state),
            ring(deployment.ring),
            deployment.night.date(),
            deployment.night.planned(),
            deployment.attempt,
            deployment.missed_windows,
            deployment.is_catch_up(),
            deployment.night.force(),
            deployment.reason.sentence(),
        ));
    }
    for ((of, update), ticket) in &fleet.tickets {
        facts.push(format!("ticket {} {}: {:?}", room(of), version(update), ticket.state));
    }
    for of in fleet.rooms.values() {
        facts.push(format!(
            "{} in {}: {:?}",
            of.name,
            ring(StageOf::Ring(of.ring)),
            of.state
        ));
    }
    facts.sort();
    facts
}
