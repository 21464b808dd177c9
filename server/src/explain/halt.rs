//! `nightshift explain halt`: whether the halt rule fires on numbers of rings (K7, G6).

use std::path::Path;

use anyhow::{Context, Result, ensure};
use domain::halt::{HaltRule, RingTally};
use serde::{Deserialize, Deserializer};
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HaltFile {
    /// In rollout order.
    rings: Vec<RingLine>,
    settings: Option<RuleLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingLine {
    name: String,
    applicable: u32,
    attempted: u32,
    failed: u32,
    #[serde(default)]
    unreachable: u32,
    #[serde(default)]
    unhealthy: u32,
}

/// What is missing is the default; what is null is switched off.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RuleLine {
    failed_rooms: Option<u32>,
    failed_percent: Option<u32>,
    attempted_percent: Option<u32>,
    attempted_at_least: Option<u32>,
    #[serde(deserialize_with = "null_is_off")]
    first_ring_one: bool,
}

impl Default for RuleLine {
    fn default() -> Self {
        let rule = HaltRule::default();
        Self {
            failed_rooms: rule.failed_rooms,
            failed_percent: rule.failed_percent,
            attempted_percent: rule.attempted_percent,
            attempted_at_least: rule.attempted_at_least,
            first_ring_one: rule.first_ring_one,
        }
    }
}

fn null_is_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or(false))
}

pub(crate) fn halt(file: &Path, as_json: bool) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let HaltFile { rings, settings } =
        serde_json::from_str(&text).with_context(|| format!("{} is not a file of a halt", file.display()))?;
    let settings = settings.unwrap_or_default();
    let rule = HaltRule {
        failed_rooms: settings.failed_rooms,
        failed_percent: settings.failed_percent,
        attempted_percent: settings.attempted_percent,
        attempted_at_least: settings.attempted_at_least,
        first_ring_one: settings.first_ring_one,
    };
    rule.check()?;
    let rings: Vec<RingTally> = rings.into_iter().map(tally).collect::<Result<_>>()?;
    let halt = rule.halts(&rings);
    if as_json {
        let said = halt
            .as_ref()
            .map(|halt| (&halt.ring.name, halt.cause.as_str(), halt.sentence()));
        let (ring, cause, evidence) = match said {
            Some((ring, cause, evidence)) => (Some(ring), Some(cause), Some(evidence)),
            None => (None, None, None),
        };
        println!(
            "{}",
            json!({ "fires": halt.is_some(), "ring": ring, "rule": cause, "evidence": evidence })
        );
        return Ok(());
    }
    match halt {
        Some(halt) => println!("The rollout is paused: {}", halt.sentence()),
        None => println!("The rollout goes on."),
    }
    Ok(())
}

fn tally(line: RingLine) -> Result<RingTally> {
    ensure!(
        line.failed <= line.attempted,
        "ring {:?}: failed is {} and attempted {}; a room that has failed was attempted, and one that is unreachable counts as neither",
        line.name,
        line.failed,
        line.attempted
    );
    Ok(RingTally {
        name: line.name,
        applicable: line.applicable.into(),
        attempted: line.attempted.into(),
        failed: line.failed.into(),
        unreachable: line.unreachable.into(),
        unhealthy: line.unhealthy.into(),
    })
}
