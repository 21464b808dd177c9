//! Products and releases of a scenario: what is in the portfolio, and what is published.
//!
//! How versions stand to each other is [`VersionStanding`]'s to say. Start with `Script::publish`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use uuid::Uuid;

use super::Script;
use super::reader::{LineProblem, LineResult, TokenReader};
use crate::commands::publish::check_minutes;
use crate::ids::{ProductId, UpdateId};
use crate::update::{ProductKind, Severity, Update, VersionStanding};
use crate::version::{self, Version, VersionScheme};

/// A product as the scenario has it so far.
pub(super) struct Product {
    kind: ProductKind,
    vendor: String,
    scheme: VersionScheme,
    beside: bool,
    released: BTreeMap<String, NaiveDate>,
    known: BTreeSet<String>,
}

/// A release as a line describes it.
pub(super) struct Release {
    pub(super) update: Update,
    /// Published without superseding (S9).
    beside: bool,
}

impl Script {
    pub(super) fn product(&mut self, reader: &mut TokenReader) -> LineResult {
        let id = ProductId::parse(&reader.word("product")?)?;
        reader.expect("kind")?;
        let word = reader.word("kind")?;
        let kind = ProductKind::from_word(&word)
            .ok_or_else(|| LineProblem::none_of("kind", &word, "use os, service, app, driver or firmware"))?;
        let mut scheme = VersionScheme::default();
        if reader.take_if("by-date") {
            scheme.by_release_date = true;
        }
        if reader.take_if("prefix") {
            scheme.optional_prefix = Some(reader.word("prefix")?);
        }
        let beside = reader.take_if("beside");
        let vendor = if reader.take_if("vendor") {
            reader.word("vendor")?
        } else {
            String::new()
        };
        self.sim.facts.products.insert(id.clone(), (vendor.clone(), kind));
        self.products.insert(
            id,
            Product {
                kind,
                vendor,
                scheme,
                beside,
                released: BTreeMap::new(),
                known: BTreeSet::new(),
            },
        );
        Ok(())
    }

    pub(super) fn product_id(&self, reader: &mut TokenReader) -> LineResult<ProductId> {
        let id = ProductId::parse(&reader.word("product")?)?;
        if self.products.contains_key(&id) {
            Ok(id)
        } else {
            Err(LineProblem::of(
                "product",
                format_args!("there is no {id}; a line product {id} kind app creates it"),
            ))
        }
    }

    /// The day of a release, for products by date.
    pub(super) fn day_of_release(&mut self, reader: &mut TokenReader) -> LineResult {
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        let day = reader.date("day of release")?;
        self.products.entry(product).and_modify(|product| {
            product.released.insert(version, day);
        });
        Ok(())
    }

    /// A version of a product is seen for the first time: how it stands to every update of the product.
    pub(super) fn add_version(&mut self, product: &ProductId, version: &str) {
        let Some(facts) = self.products.get_mut(product) else {
            return;
        };
        facts.known.insert(version.to_owned());
        for update in self
            .sim
            .fleet
            .updates
            .values_mut()
            .filter(|update| update.product == *product)
        {
            update.standings = facts.standings(&update.version, update.minimum_version.as_deref());
        }
    }

    pub(super) fn publish(&mut self, reader: &mut TokenReader) -> LineResult {
        let release = self.release(reader)?;
        check_minutes(&self.sim.fleet.organisation.settings, release.update.expected_minutes)?;
        let key = (release.update.product.clone(), release.update.version.clone());
        // One that is in the portfolio already is published as it stands there.
        let in_portfolio = self
            .updates
            .get(&key)
            .filter(|id| !self.sim.fleet.rollouts.contains_key(*id));
        let id = match in_portfolio {
            Some(id) => *id,
            None => self.add_release(release.update)?,
        };
        let Some(update) = self.sim.fleet.updates.get(&id).cloned() else {
            return Ok(());
        };
        let severity = match update.severity {
            Severity::Critical => ", critical",
            Severity::Routine => "",
        };
        let beside = if release.beside { ", without superseding" } else { "" };
        self.sim
            .note(format!("Admin publishes {}{severity}{beside}.", update.title()));
        let supersedes = !release.beside
            && self
                .products
                .get(&update.product)
                .is_some_and(|product| !product.beside);
        Ok(self.sim.publish(update, supersedes)?)
    }

    /// A release as a line describes it.
    pub(super) fn release(&mut self, reader: &mut TokenReader) -> LineResult<Release> {
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        let (mut severity, mut expected_minutes, mut minimum_version, mut models) =
            (Severity::Routine, 15, None, Vec::new());
        let (mut released, mut beside) = (None, false);
        loop {
            if reader.take_if("critical") {
                severity = Severity::Critical;
            } else if reader.take_if("minutes") {
                expected_minutes = reader.number("minutes", 0, u32::MAX)?;
            } else if reader.take_if("minimum") {
                minimum_version = Some(reader.word("minimum")?);
            } else if reader.take_if("released") {
                released = Some(reader.date("released")?);
            } else if reader.take_if("for") {
                models.push(reader.word("for")?);
            } else if reader.take_if("beside") {
                beside = true;
            } else {
                break;
            }
        }
        let facts = self
            .products
            .get_mut(&product)
            .ok_or_else(|| LineProblem::of("product", "it is gone"))?;
        if let Some(day) = released {
            facts.released.insert(version.clone(), day);
        }
        let update = Update {
            id: UpdateId(Uuid::nil()),
            product_name: product.to_string(),
            kind: facts.kind,
            vendor: facts.vendor.clone(),
            released: facts.released.get(&version).copied(),
            severity,
            expected_minutes,
            models,
            applies_to_unknown: false,
            offerable: true,
            standings: BTreeMap::new(),
            product,
            version,
            minimum_version,
        };
        Ok(Release { update, beside })
    }

    /// Puts a release into the portfolio.
    pub(super) fn add_release(&mut self, update: Update) -> LineResult<UpdateId> {
        let id = UpdateId(self.id());
        let (product, version) = (update.product.clone(), update.version.clone());
        if self.updates.insert((product.clone(), version.clone()), id).is_some() {
            return Err(LineProblem::of(
                "version",
                format_args!("{product} {version} is published already"),
            ));
        }
        self.sim.fleet.updates.insert(id, Update { id, ..update });
        self.add_version(&product, &version);
        Ok(id)
    }

    pub(super) fn update(&self, reader: &mut TokenReader) -> LineResult<(UpdateId, String)> {
        let (product, version) = (self.product_id(reader)?, reader.word("version")?);
        let title = format!("{product} {version}");
        let id = self
            .updates
            .get(&(product, version))
            .copied()
            .ok_or_else(|| LineProblem::of("version", format_args!("{title} is not published")))?;
        Ok((id, title))
    }

    pub(super) fn title(&self, update: UpdateId) -> String {
        self.sim
            .fleet
            .updates
            .get(&update)
            .map_or_else(String::new, Update::title)
    }
}

impl Product {
    fn version<'a>(&self, text: &'a str) -> Version<'a> {
        // A device may write a release in another way than the catalogue does.
        let day = self
            .released
            .iter()
            .find(|(known, _)| version::is_same(&self.scheme, known, text))
            .map(|(_, day)| *day);
        Version { text, released: day }
    }

    fn standings(&self, update: &str, minimum: Option<&str>) -> BTreeMap<String, VersionStanding> {
        let standing = |installed: &String| {
            let of = VersionStanding::of(
                &self.scheme,
                self.version(installed),
                self.version(update),
                minimum.map(|minimum| self.version(minimum)),
            );
            (installed.clone(), of)
        };
        self.known.iter().map(standing).collect()
    }
}
