//! What the dates of the live rollouts follow from: loaded for every change that moves or limits them.

use std::collections::BTreeMap;

use domain::commands::resume::Calendar;
use domain::freeze::Freezes;
use domain::ids::UpdateId;
use domain::ring::RingSequence;
use domain::rollout::Rollout;
use domain::settings::Organisation;
use domain::update::Update;
use store::Tx;

use crate::error::Result;
use crate::tick::organisation;

pub(crate) struct PlanFacts {
    pub organisation: Organisation,
    pub rings: RingSequence,
    pub freezes: Freezes,
    live: BTreeMap<UpdateId, Rollout>,
    /// At least those of the live rollouts.
    updates: BTreeMap<UpdateId, Update>,
}

impl PlanFacts {
    pub(crate) async fn of(tx: &mut Tx) -> Result<Self> {
        let live = tx.live_rollouts().await?;
        Ok(Self {
            organisation: organisation(tx).await?,
            rings: tx.rings().await?,
            freezes: tx.freezes().await?,
            live: tx.rollouts(&live).await?,
            updates: tx.updates(&live).await?,
        })
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &Rollout> {
        self.live.values()
    }

    /// The live rollouts with the titles of their updates.
    pub(crate) fn titled(&self) -> Vec<(&Rollout, String)> {
        let titled = |rollout: &Rollout| self.title(rollout.update);
        self.live().map(|rollout| (rollout, titled(rollout))).collect()
    }

    pub(crate) fn title(&self, update: UpdateId) -> String {
        self.updates
            .get(&update)
            .map_or_else(|| "An update".to_owned(), Update::title)
    }

    pub(crate) fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.organisation.zone,
            rings: &self.rings,
            freezes: &self.freezes,
        }
    }
}
