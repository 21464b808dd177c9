//! The portfolio: releases with their files, and publishing them (S3, S4, S7).

use std::collections::BTreeMap;

use domain::access::Act;
use domain::changes::Applied;
use domain::clean::CleanText;
use domain::commands::publish::{self, PublishFacts, ReleaseToPublish, recall};
use domain::freeze::Freezes;
use domain::ids::{ProductId, RoomId, UpdateId};
use domain::ring::RingSequence;
use domain::rollout::Rollout;
use domain::settings::Organisation;
use domain::text::counted;
use domain::time_text;
use domain::update::{Severity, Update, titled};
use serde_json::json;
use store::{NewArtifact, ReleaseRecord, Tx};

use crate::artifacts::Hashes;
use crate::change::{change, change_records};
use crate::control::{checked_reason, entry};
use crate::error::{Result, ServiceError};
use crate::tick::organisation;
use crate::{Actor, Service};

/// A file to add to a release.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// As devices see it: 1 to 128 characters of `A-Za-z0-9._-`.
    pub filename: String,
    /// Where its bytes come from.
    pub source: Source,
    /// The SHA-256 that it must have, where the giver knows it.
    pub expected_sha256: Option<String>,
}

/// Where a file's bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Here they are.
    Bytes(Vec<u8>),
    /// They came before, through [`Service::receive_file`].
    Received(Hashes),
    /// Devices fetch it from an outside address.
    Outside {
        /// `https://…`
        url: String,
        /// What the bytes there add up to.
        hashes: Hashes,
    },
}

/// A rollout that has been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishOutcome {
    /// The update; its rollout goes by the same id.
    pub update: UpdateId,
    /// Date of the first ring's first night.
    pub starts_on: chrono::NaiveDate,
}

/// A release that has been recalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecallOutcome {
    /// The release.
    pub update: UpdateId,
    /// Rooms in which a device has it now.
    pub rooms: Vec<RoomId>,
    /// Devices that still downloaded it and are asked to stop.
    pub asked_to_stop: u64,
}

impl Service {
    /// Adds a file to a release that is not published yet. It is hashed here.
    ///
    /// # Errors
    /// Names the field and the limit; the hashes do not match.
    pub async fn add_file(&self, actor: &Actor, update: UpdateId, file: NewFile) -> Result<i32> {
        actor.may(Act::Publish)?;
        let NewFile {
            filename,
            source,
            expected_sha256,
        } = file;
        check_filename(&filename)?;
        let (hashes, bytes, url) = match source {
            Source::Bytes(bytes) => (Hashes::of(&bytes), Some(bytes), None),
            Source::Received(hashes) => (hashes, None, None),
            Source::Outside { url, hashes } => (checked_hashes(hashes)?, None, Some(checked_url(url)?)),
        };
        if let Some(expected) = expected_sha256.map(|expected| expected.trim().to_lowercase())
            && expected != hashes.sha256
        {
            let problem = format!("the file has {}, not the expected {expected}", hashes.sha256);
            return Err(ServiceError::invalid("SHA-256", problem));
        }
        if let Some(bytes) = bytes {
            self.artifacts.put(bytes).await?;
        }
        change_records!(self, actor, Act::Publish, |tx, now| {
            let release = may_have_file(tx, update, &filename).await?;
            let artifact = NewArtifact {
                update,
                filename: filename.clone(),
                size: hashes.size,
                sha256: hashes.sha256.clone(),
                sha1: hashes.sha1.clone(),
                md5: hashes.md5.clone(),
                url: url.clone(),
            };
            let module = tx.add_artifact(&artifact).await?;
            // With a file it may be a step on the way to another release (S8).
            compare_versions(tx, &release).await?;
            tx.wake_rollouts(now).await?;
            let title = titled(&release.release.title, &release.release.version);
            let summary = format!("Added {filename} to {title}.");
            let entry = actor
                .entry("release.file_added", "update", update, summary)
                .with_after(json!({ "filename": filename, "size": hashes.size, "sha256": hashes.sha256, "url": url }));
            (vec![entry], module)
        })
    }

    /// Publishes a release: its rollout is made and starts on its date (S3, S4), and what it supersedes gives way (S9).
    ///
    /// # Errors
    /// There is no such release, it is published or recalled, it has no file, or it does not fit into a window (S7).
    pub async fn publish(
        &self,
        actor: &Actor,
        product: &ProductId,
        version: &str,
        severity: Option<Severity>,
    ) -> Result<PublishOutcome> {
        self.publish_release(actor, product, version, severity, true).await
    }

    /// Publishes a release beside older ones of its product: none of them is superseded (S9).
    ///
    /// # Errors
    /// As [`Service::publish`].
    pub async fn publish_without_superseding(
        &self,
        actor: &Actor,
        product: &ProductId,
        version: &str,
        severity: Option<Severity>,
    ) -> Result<PublishOutcome> {
        self.publish_release(actor, product, version, severity, false).await
    }

    async fn publish_release(
        &self,
        actor: &Actor,
        product: &ProductId,
        version: &str,
        severity: Option<Severity>,
        supersedes: bool,
    ) -> Result<PublishOutcome> {
        change!(
            self,
            actor,
            Act::Publish,
            |tx| {
                let release = named_release(tx, product, version).await?;
                let id = release.release.id;
                let settings = organisation(tx).await?.settings;
                publish::check(&to_publish(tx, &release).await?, &settings)?;
                if let Some(severity) = severity {
                    tx.grade_release(id, severity, &release.release.title).await?;
                }
                compare_versions(tx, &release).await?;
                let older = if supersedes {
                    superseded(tx, id).await?
                } else {
                    Vec::new()
                };
                for update in &older {
                    tx.lock_rollout(*update).await?;
                }
                ReleaseFacts::of(tx, &release, &older).await?
            },
            |facts, now| {
                let published = publish::publish(&facts.release, &facts.publish(), &actor.name, now)?;
                let (update, title) = (facts.update.id, &facts.release.title);
                let mut entries = Vec::new();
                for after in &published.changes.rollouts {
                    let older = &facts.titles[&after.update];
                    let what = if after.is_live() {
                        "is being superseded"
                    } else {
                        "was superseded"
                    };
                    let summary = format!("{older} {what} by {title}.");
                    entries.push(
                        entry(actor, "update.superseded", after.update, summary)
                            .with_after(json!({ "superseded_by": title })),
                    );
                }
                let starts_on = published.rollout.starts_on;
                let summary = format!("Published {title}; it starts on {}.", time_text::dated(starts_on));
                let entry = actor
                    .entry("update.published", "update", update, summary)
                    .with_after(json!({ "starts_on": starts_on, "severity": facts.update.severity }));
                entries.push(entry);
                let outcome = PublishOutcome { update, starts_on };
                (published.changes, move |_: &Applied| Ok((entries, outcome)))
            }
        )
    }

    /// Recalls a release (S10): its rollout is deprecated at once, what has not started is withdrawn, and devices that still download it
    /// are asked to stop.
    ///
    /// # Errors
    /// There is no such release, or it was recalled before; the reason is missing or too long.
    pub async fn recall(
        &self,
        actor: &Actor,
        product: &ProductId,
        version: &str,
        reason: CleanText,
    ) -> Result<RecallOutcome> {
        change!(
            self,
            actor,
            Act::Publish,
            |tx| {
                let reason = checked_reason(reason.clone())?;
                let release = named_release(tx, product, version).await?;
                let id = release.release.id;
                let rooms = tx.rooms_running(id).await?;
                tx.lock_rollout(id).await?;
                // It may be a step of another rollout, which is not locked (S8).
                tx.lock_release(id).await?;
                (release, tx.rollout(id).await?, rooms, reason)
            },
            |(release, rollout, rooms, reason), now| {
                let update = release.release.id;
                let title = titled(&release.release.title, version);
                let changes = recall(update, &title, release.release.recalled, rollout.as_ref(), &reason, now)?;
                (changes, move |applied: &Applied| {
                    let asked_to_stop = applied.stops;
                    let summary = format!(
                        "Recalled {title}, installed in {} now: {reason}",
                        counted(rooms.len(), "room")
                    );
                    let entry = actor
                        .entry("update.recalled", "update", update, summary)
                        .with_after(json!({ "reason": reason, "rooms": rooms.len(), "asked_to_stop": asked_to_stop }));
                    let outcome = RecallOutcome {
                        update,
                        rooms,
                        asked_to_stop,
                    };
                    Ok((vec![entry], outcome))
                })
            }
        )
    }
}

/// What publishing a release follows from (S3, S4, S7, S9).
pub(crate) struct ReleaseFacts {
    pub release: ReleaseToPublish,
    pub update: Update,
    pub organisation: Organisation,
    pub rings: RingSequence,
    pub freezes: Freezes,
    /// The live rollouts that it takes the place of.
    pub older: BTreeMap<UpdateId, Rollout>,
    /// The titles of their updates.
    pub titles: BTreeMap<UpdateId, String>,
}

impl ReleaseFacts {
    /// `older`: the live rollouts that it takes the place of.
    pub async fn of(tx: &mut Tx, record: &ReleaseRecord, older: &[UpdateId]) -> Result<Self> {
        let titles = tx.updates(older).await?;
        Ok(Self {
            release: to_publish(tx, record).await?,
            organisation: organisation(tx).await?,
            rings: tx.rings().await?,
            freezes: tx.freezes().await?,
            older: tx.rollouts(older).await?,
            titles: titles.into_iter().map(|(id, older)| (id, older.title())).collect(),
            update: update_of(tx, record.release.id).await?,
        })
    }

    pub(crate) fn publish(&self) -> PublishFacts<'_> {
        PublishFacts {
            organisation: &self.organisation,
            rings: &self.rings,
            freezes: &self.freezes,
            update: &self.update,
            older: &self.older,
        }
    }
}

async fn to_publish(tx: &mut Tx, record: &ReleaseRecord) -> Result<ReleaseToPublish> {
    let release = &record.release;
    Ok(ReleaseToPublish {
        title: titled(&release.title, &release.version),
        published: tx.rollout(release.id).await?.is_some(),
        recalled: release.recalled,
        has_file: !tx.artifacts(release.id).await?.is_empty(),
        expected_minutes: release.expected_minutes,
    })
}

async fn update_of(tx: &mut Tx, release: UpdateId) -> Result<Update> {
    let update = tx.updates(&[release]).await?.remove(&release);
    update.ok_or_else(|| ServiceError::not_found("This release"))
}

async fn named_release(tx: &mut Tx, product: &ProductId, version: &str) -> Result<ReleaseRecord> {
    let release = tx.release_of(product, version).await?;
    release.ok_or_else(|| ServiceError::not_found(format!("Release {version} of {product}")))
}

/// The release, if it may have a file of this name now.
pub(crate) async fn may_have_file(tx: &mut Tx, update: UpdateId, filename: &str) -> Result<ReleaseRecord> {
    let release = tx
        .release(update)
        .await?
        .ok_or_else(|| ServiceError::not_found("This release"))?;
    if tx.rollout(update).await?.is_some() {
        let title = titled(&release.release.title, &release.release.version);
        return Err(ServiceError::conflict(format!(
            "{title} is published; its files stay as they are"
        )));
    }
    if tx
        .artifacts(update)
        .await?
        .iter()
        .any(|artifact| artifact.artifact.filename == filename)
    {
        let problem = format!("the release has a file named {filename} already");
        return Err(ServiceError::invalid("file name", problem));
    }
    Ok(release)
}

/// Works out how every known version of its product stands to a release; where it needs another one first, also to those that may
/// lead there (S8).
pub(crate) async fn compare_versions(tx: &mut Tx, release: &ReleaseRecord) -> Result<()> {
    tx.work_out_standings(release).await?;
    if release.release.minimum_version.is_none() {
        return Ok(());
    }
    for other in tx.releases_of(&release.product.id).await? {
        if other != release.release.id
            && let Some(step) = tx.release(other).await?
        {
            tx.work_out_standings(&step).await?;
        }
    }
    Ok(())
}

/// The live rollouts that a release takes the place of (S9). Releases that are certified side by side stay.
pub(crate) async fn superseded(tx: &mut Tx, newer: UpdateId) -> Result<Vec<UpdateId>> {
    let newer = update_of(tx, newer).await?;
    let live = tx.live_rollouts().await?;
    let mut superseded = Vec::new();
    for older in tx.updates(&live).await?.values() {
        if newer.supersedes(older)
            && let Some(release) = tx.release(older.id).await?
            && release.release.supersedes
        {
            superseded.push(older.id);
        }
    }
    Ok(superseded)
}

pub(crate) fn check_filename(filename: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let well_formed =
        (1..=128).contains(&filename.len()) && filename.bytes().all(allowed) && !filename.starts_with('.');
    if well_formed {
        Ok(())
    } else {
        Err(ServiceError::invalid(
            "file name",
            format!("{filename:?} must be 1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', not starting with '.'"),
        ))
    }
}

fn checked_hashes(hashes: Hashes) -> Result<Hashes> {
    let check = |name: &'static str, hash: &str, length: usize| {
        let well_formed =
            hash.len() == length && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if well_formed {
            Ok(())
        } else {
            Err(ServiceError::invalid(
                name,
                format!("{hash:?} must be {length} lower-case hex digits"),
            ))
        }
    };
    check("SHA-256", &hashes.sha256, 64)?;
    check("SHA-1", &hashes.sha1, 40)?;
    check("MD5", &hashes.md5, 32)?;
    Ok(hashes)
}

fn checked_url(url: String) -> Result<String> {
    let well_formed = (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() <= 2000
        && !url.contains(char::is_whitespace);
    if well_formed {
        Ok(url)
    } else {
        Err(ServiceError::invalid(
            "URL",
            format!("{url:?} must start with https:// or http://"),
        ))
    }
}
