//! How long versions are supported (L1–L4): worked out when something has changed, and once a day.
//!
//! What ends support is `domain::lifecycle`'s; the tickets of rooms follow with their checks (`readiness.rs`). How pages read it stands in
//! `read::support`. Start with [`Service::work_out_support`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::Act;
use domain::ids::ProductId;
use domain::lifecycle::{CountingRule, Recall, Release, ReleaseHistory, Support, support_of};
use domain::settings::Organisation;
use store::{SUPPORT_WORKED_OUT, SupportedProduct, Tx};
use uuid::Uuid;

use crate::change::change_records;
use crate::error::{Result, ServiceError};
use crate::{Actor, Service};

/// How every known version of a product stands on a date.
pub(crate) fn support_on(product: &SupportedProduct, rule: CountingRule, date: NaiveDate) -> BTreeMap<Uuid, Support> {
    let releases = product.releases.iter();
    let releases: Vec<Release<'_>> = releases
        .map(|(version, released, is_recalled, recalled_on)| Release {
            version,
            released: *released,
            recall: match (is_recalled, recalled_on) {
                (false, _) => Recall::Never,
                (true, Some(day)) => Recall::On(*day),
                (true, None) => Recall::DayUnknown,
            },
        })
        .collect();
    let history = ReleaseHistory {
        releases: &releases,
        scheme: &product.scheme,
        rule,
    };
    let versions = product.versions.iter();
    versions
        .map(|(id, text, released, _)| {
            let version = Release {
                version: text,
                released: *released,
                recall: Recall::Never,
            };
            (*id, support_of(&version, &history, date))
        })
        .collect()
}

impl Service {
    /// Works out the last supported day of every version, if that was not done today or something has changed since. Rooms that have a
    /// product of which a day is another one are checked again.
    pub(crate) async fn work_out_support(&self, tx: &mut Tx, organisation: &Organisation) -> Result<()> {
        let today = organisation.zone.date(self.clock.now());
        let rule = organisation.settings.support_rule;
        let wanted = format!("{today} {}", rule.as_str());
        if tx.program_value(SUPPORT_WORKED_OUT).await?.as_deref() == Some(wanted.as_str()) {
            return Ok(());
        }
        let mut changed: Vec<ProductId> = Vec::new();
        for product in tx.support_releases().await? {
            let support = support_on(&product, rule, today);
            let mut is_changed = false;
            for (id, _, _, before) in &product.versions {
                let until = support.get(id).and_then(|support| support.last_day);
                if until != *before {
                    tx.put_supported_until(*id, until).await?;
                    is_changed = true;
                }
            }
            if is_changed {
                changed.push(product.id);
            }
        }
        let changed: Vec<&ProductId> = changed.iter().collect();
        tx.check_where_products_are(&changed).await?;
        tx.put_program_value(SUPPORT_WORKED_OUT, &wanted).await?;
        Ok(())
    }

    /// Gives a product a support policy, or takes it away (L1).
    ///
    /// # Errors
    /// The actor may not, there is no such product, or it is so already.
    pub async fn set_support_policy(&self, actor: &Actor, product: &ProductId, has_policy: bool) -> Result<()> {
        change_records!(self, actor, Act::Publish, |tx, _now| {
            let missing = || ServiceError::not_found("This product");
            let record = tx.product(product).await?.ok_or_else(missing)?;
            let before = tx.has_support_policy(product).await?;
            let words = if has_policy {
                "has a support policy"
            } else {
                "has no support policy"
            };
            if before == has_policy {
                return Err(ServiceError::conflict(format!("{} {words} already", record.name)));
            }
            tx.put_support_policy(product, has_policy).await?;
            tx.put_program_value(SUPPORT_WORKED_OUT, "").await?;
            let entry = actor
                .entry(
                    "product.support",
                    "product",
                    product,
                    format!("{} {words} now.", record.name),
                )
                .with_before(serde_json::json!({ "support policy": before }))
                .with_after(serde_json::json!({ "support policy": has_policy }));
            (vec![entry], ())
        })
    }
}
