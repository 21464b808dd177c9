//! Ways to an update that another version is needed for first (SPEC S8).
//!
//! A device goes to the newest release that satisfies the minimum, and on from there; that release may need a step of its own.
//! Start with [`next_step`]. Which release is meant is found anew before every step, so a recall in between leads elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::UpdateId;
use crate::room::Device;
use crate::update::{Update, VersionStanding};

/// The release that a way would need and that there is none of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingStep {
    /// The version that is needed first.
    pub minimum: String,
    /// By which version.
    pub version: String,
}

/// What to install on `device` next on its way to `update`: the update itself, or a release of the same product before it.
/// `releases`: those of the product, in any order.
///
/// # Errors
/// There is no way.
pub fn next_step<'u>(
    update: &'u Update,
    device: &Device,
    releases: impl Iterator<Item = &'u Update>,
) -> Result<&'u Update, MissingStep> {
    let installed = device
        .component(&update.product)
        .and_then(|component| component.version.as_deref());
    let Some(installed) = installed else { return Ok(update) };
    let steps: Vec<&Update> = releases
        .filter(|release| release.product == update.product && release.offerable && release.fits(&device.model))
        .collect();
    find_path(update, installed, &steps, steps.len(), &mut BTreeMap::new())
}

/// `dead_ends`: releases from which no way was found, so that each is tried once.
fn find_path<'u>(
    update: &'u Update,
    installed: &str,
    steps: &[&'u Update],
    depth: usize,
    dead_ends: &mut BTreeMap<UpdateId, MissingStep>,
) -> Result<&'u Update, MissingStep> {
    if update.standings.get(installed) != Some(&VersionStanding::NeedsFirst) {
        return Ok(update);
    }
    let missing = MissingStep {
        minimum: update.minimum_version.clone().unwrap_or_default(),
        version: update.version.clone(),
    };
    // Each step lies below the one before. Where release days make an order that is none, the depth ends it.
    if depth == 0 {
        return Err(missing);
    }
    let satisfies = |step: &&&Update| {
        let below = update.standings.get(&step.version) == Some(&VersionStanding::Below);
        below && step.is_above(installed)
    };
    let mut first_dead_end = None;
    for step in newest_first(steps.iter().filter(satisfies).copied().collect()) {
        let found = match dead_ends.get(&step.id) {
            Some(missing) => Err(missing.clone()),
            None => find_path(step, installed, steps, depth - 1, dead_ends),
        };
        match found {
            Ok(next) => return Ok(next),
            Err(missing) => {
                first_dead_end.get_or_insert(missing);
            }
        }
    }
    let missing = first_dead_end.unwrap_or(missing);
    dead_ends.insert(update.id, missing.clone());
    Err(missing)
}

/// Versions are ordered in part only: each time, one that no other left is above.
fn newest_first(mut steps: Vec<&Update>) -> Vec<&Update> {
    steps.sort_by_key(|step| (std::cmp::Reverse(step.released), step.id));
    let mut ordered = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let top = |step: &&Update| !steps.iter().any(|other| other.is_above(&step.version));
        let index = steps.iter().position(top).unwrap_or(0);
        ordered.push(steps.remove(index));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::{DeviceId, ProductId};
    use crate::room::{Component, VersionSource};
    use crate::update::{ProductKind, Severity};
    use crate::version::{Version, VersionScheme};

    /// Releases `(version, minimum)` that all know each other and the version `1`.
    fn releases(all: &[(&str, Option<&str>)]) -> Vec<Update> {
        let known: Vec<&str> = all.iter().map(|(version, _)| *version).chain(["1"]).collect();
        let release = |(index, (version, minimum)): (usize, &(&str, Option<&str>))| {
            let standing = |installed: &&str| {
                let of = VersionStanding::of(
                    &VersionScheme::default(),
                    Version::undated(installed),
                    Version::undated(version),
                    minimum.map(Version::undated),
                );
                ((*installed).to_owned(), of)
            };
            Update {
                id: UpdateId(Uuid::from_u128(index as u128)),
                product: ProductId("bar".to_owned()),
                product_name: "Bar".to_owned(),
                kind: ProductKind::Firmware,
                vendor: String::new(),
                version: (*version).to_owned(),
                released: None,
                severity: Severity::Routine,
                minimum_version: minimum.map(str::to_owned),
                expected_minutes: 10,
                models: Vec::new(),
                applies_to_unknown: false,
                offerable: true,
                standings: known.iter().map(standing).collect::<BTreeMap<_, _>>(),
            }
        };
        all.iter().enumerate().map(release).collect()
    }

    fn on(version: &str) -> Device {
        Device {
            id: DeviceId(Uuid::nil()),
            model: "M".to_owned(),
            components: vec![Component {
                product: ProductId("bar".to_owned()),
                version: Some(version.to_owned()),
                source: VersionSource::Reported,
            }],
        }
    }

    fn next(releases: &[Update], to: &str, from: &str) -> Result<String, MissingStep> {
        let update = releases
            .iter()
            .find(|release| release.version == to)
            .expect("a release");
        next_step(update, &on(from), releases.iter()).map(|step| step.version.clone())
    }

    #[test]
    fn a_room_goes_to_the_newest_release_that_satisfies_the_minimum_first_s8() {
        let all = releases(&[("2", None), ("2.5", None), ("2.9", None), ("3", Some("2"))]);
        assert_eq!(next(&all, "3", "1"), Ok("2.9".to_owned()));
        assert_eq!(
            next(&all, "3", "2"),
            Ok("3".to_owned()),
            "the minimum itself satisfies it"
        );
    }

    #[test]
    fn a_path_of_several_steps_is_followed_step_by_step_s8() {
        let all = releases(&[("2", None), ("3", Some("2")), ("4", Some("3"))]);
        assert_eq!(next(&all, "4", "1"), Ok("2".to_owned()));
        assert_eq!(next(&all, "4", "2"), Ok("3".to_owned()));
        assert_eq!(next(&all, "4", "3"), Ok("4".to_owned()));
    }

    #[test]
    fn a_recalled_step_is_no_step_and_an_older_one_takes_its_place_s8_s10() {
        let mut all = releases(&[("2", None), ("3", Some("2")), ("3.5", Some("2")), ("4", Some("3"))]);
        assert_eq!(next(&all, "4", "2"), Ok("3.5".to_owned()));
        all[2].offerable = false;
        assert_eq!(next(&all, "4", "2"), Ok("3".to_owned()));
        all[1].offerable = false;
        let missing = next(&all, "4", "2").expect_err("no way");
        assert_eq!(
            missing.sentence(),
            "4 cannot be reached: it needs 3 first, and no release from 3 on can be installed."
        );
    }

    #[test]
    fn the_missing_release_is_the_one_at_the_end_of_the_way_s8() {
        let all = releases(&[("3", Some("2")), ("4", Some("3"))]);
        let missing = next(&all, "4", "1").expect_err("there is no 2");
        assert_eq!((missing.minimum.as_str(), missing.version.as_str()), ("2", "3"));
    }

    #[test]
    fn a_step_must_fit_the_device_s8() {
        let mut all = releases(&[("2", None), ("3", Some("2"))]);
        all[0].models = vec!["another".to_owned()];
        assert!(next(&all, "3", "1").is_err());
    }
}
