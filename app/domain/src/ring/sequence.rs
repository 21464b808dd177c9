//! All rings together: the rules that concern more than one of them, and every change of them (R1–R11).
//!
//! Nobody else holds rings. Whoever wants others asks for a changed copy. Start with [`RingSequence::new`].

use serde::{Deserialize, Serialize};

use super::{
    LONGEST_DESCRIPTION, LONGEST_NAME, MOST_TOTAL_DAYS, Ring, RingDraft, RingKind, RingOrder, RingPlace, RingRefusal,
    name_key,
};
use crate::ids::RingId;

/// Rings in rollout order; see the head of [`crate::ring`] for what always holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Ring>", into = "Vec<Ring>")]
pub struct RingSequence(Vec<Ring>);

impl TryFrom<Vec<Ring>> for RingSequence {
    type Error = RingRefusal;

    fn try_from(rings: Vec<Ring>) -> Result<Self, Self::Error> {
        Self::new(rings)
    }
}

impl From<RingSequence> for Vec<Ring> {
    fn from(rings: RingSequence) -> Self {
        rings.0
    }
}

impl RingSequence {
    /// Takes rings in any order.
    ///
    /// # Errors
    /// Names the first rule that they break.
    pub fn new(mut rings: Vec<Ring>) -> Result<Self, RingRefusal> {
        rings.sort_by_key(|ring| ring.place);
        for kind in [RingKind::Staging, RingKind::General, RingKind::Executive] {
            let number = rings.iter().filter(|ring| ring.kind == kind).count();
            if number != 1 {
                return Err(RingRefusal::NotOne { kind, number });
            }
        }
        for ring in &rings {
            let pinned_right = match ring.place {
                RingPlace::Staging => ring.kind == RingKind::Staging,
                RingPlace::Between(_) => matches!(ring.kind, RingKind::General | RingKind::Custom),
                RingPlace::Executive => ring.kind == RingKind::Executive,
            };
            if !pinned_right {
                return Err(RingRefusal::OutOfPlace {
                    name: ring.name.clone(),
                });
            }
            check_texts_and_days(&ring.name, &ring.description, ring.rollout_days)?;
        }
        for (index, ring) in rings.iter().enumerate() {
            for earlier in &rings[..index] {
                if name_key(&earlier.name) == name_key(&ring.name) {
                    return Err(RingRefusal::NameTaken {
                        holder: earlier.name.clone(),
                    });
                }
                if earlier.place == ring.place {
                    let order = ring.place.scale();
                    return Err(RingRefusal::OrderTaken {
                        order,
                        holder: earlier.name.clone(),
                    });
                }
            }
        }
        let sequence = Self(rings);
        let total = sequence.total_days();
        if total > MOST_TOTAL_DAYS {
            // Name the ring that breaks the limit when the plan is added up from the front.
            let breaking = sequence
                .0
                .iter()
                .find(|ring| sequence.deferment_days(ring.id).saturating_add(ring.completion_days()) > MOST_TOTAL_DAYS);
            let wanted = breaking.map_or(total, Ring::completion_days);
            return Err(RingRefusal::TooLong {
                wanted,
                remaining: MOST_TOTAL_DAYS.saturating_sub(total - wanted),
            });
        }
        Ok(sequence)
    }

    /// The three rings of the first start (R1, R4): Staging 2+5, General 10+4 at order 5, Executive 5+2.
    #[must_use]
    pub fn preconfigured(staging: RingId, general: RingId, executive: RingId) -> Self {
        let ring = |id, kind, name: &str, description: &str, place, rollout_days, test_days| Ring {
            id,
            kind,
            name: name.to_owned(),
            description: description.to_owned(),
            place,
            rollout_days,
            test_days,
        };
        Self(vec![
            ring(
                staging,
                RingKind::Staging,
                "Staging",
                "Test rooms: every update comes here first.",
                RingPlace::Staging,
                2,
                5,
            ),
            ring(
                general,
                RingKind::General,
                "General",
                "Every room that was not put anywhere else.",
                RingPlace::Between(RingOrder::GENERAL),
                10,
                4,
            ),
            ring(
                executive,
                RingKind::Executive,
                "Executive",
                "The rooms that an update reaches last.",
                RingPlace::Executive,
                5,
                2,
            ),
        ])
    }

    /// All rings in rollout order.
    pub fn iter(&self) -> std::slice::Iter<'_, Ring> {
        self.0.iter()
    }

    /// How many there are, 3 to 11.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The ring of this id.
    #[must_use]
    pub fn get(&self, id: RingId) -> Option<&Ring> {
        self.0.iter().find(|ring| ring.id == id)
    }

    /// The ring of this name, without regard to case.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Ring> {
        self.0.iter().find(|ring| name_key(&ring.name) == name_key(name))
    }

    /// The ring for rooms that are in no other (R3).
    #[must_use]
    pub fn general(&self) -> &Ring {
        self.of_kind(RingKind::General)
    }

    /// The first ring.
    #[must_use]
    pub fn staging(&self) -> &Ring {
        self.of_kind(RingKind::Staging)
    }

    fn of_kind(&self, kind: RingKind) -> &Ring {
        // `new` lets no sequence without the three preconfigured rings come into being.
        self.0.iter().find(|ring| ring.kind == kind).unwrap_or(&self.0[0])
    }

    /// Deferment = the sum of the completion times of the rings before it (R6); 0 for the first one.
    #[must_use]
    pub fn deferment_days(&self, id: RingId) -> u32 {
        self.0
            .iter()
            .take_while(|ring| ring.id != id)
            .map(Ring::completion_days)
            .fold(0, u32::saturating_add)
    }

    /// Total = the sum of all completion times (R7).
    #[must_use]
    pub fn total_days(&self) -> u32 {
        self.0.iter().map(Ring::completion_days).fold(0, u32::saturating_add)
    }

    /// **Days set by other rings** (R9): all rings when one is added (`None`), all but itself when one is edited.
    #[must_use]
    pub fn days_set_by_other_rings(&self, editing: Option<RingId>) -> u32 {
        self.0
            .iter()
            .filter(|ring| Some(ring.id) != editing)
            .map(Ring::completion_days)
            .fold(0, u32::saturating_add)
    }

    /// **Remaining days** = 60 − days set by other rings (R9).
    #[must_use]
    pub fn remaining_days(&self, editing: Option<RingId>) -> u32 {
        MOST_TOTAL_DAYS.saturating_sub(self.days_set_by_other_rings(editing))
    }

    /// These rings and a new custom one.
    ///
    /// # Errors
    /// Names the field and the limit (R2, R4, R8, R9).
    pub fn with_added(&self, id: RingId, draft: RingDraft) -> Result<Self, RingRefusal> {
        let order = draft.order.ok_or(RingRefusal::OrderMissing)?;
        self.with(Ring {
            id,
            kind: RingKind::Custom,
            name: draft.name.trim().to_owned(),
            description: draft.description.trim().to_owned(),
            place: RingPlace::Between(order),
            rollout_days: draft.rollout_days,
            test_days: draft.test_days,
        })
    }

    /// These rings and a new custom one that has no id yet: what a form shows before it is sent.
    ///
    /// # Errors
    /// Names the field and the limit (R2, R4, R8, R9).
    pub fn with_draft(&self, draft: RingDraft) -> Result<Self, RingRefusal> {
        // An id that nothing has. It goes no further than these rings.
        self.with_added(RingId(uuid::Uuid::max()), draft)
    }

    /// These rings with one of them changed as far as it may be: name and order of a pinned ring stay, and so does General's
    /// name (R10).
    ///
    /// # Errors
    /// Names the field and the limit (R2, R4, R8, R9).
    pub fn with_edited(&self, id: RingId, draft: RingDraft) -> Result<Self, RingRefusal> {
        let old = self.get(id).ok_or(RingRefusal::Unknown)?;
        let name = match old.kind {
            RingKind::Custom => draft.name.trim().to_owned(),
            RingKind::Staging | RingKind::General | RingKind::Executive => old.name.clone(),
        };
        let place = match old.place {
            RingPlace::Between(_) => RingPlace::Between(draft.order.ok_or(RingRefusal::OrderMissing)?),
            RingPlace::Staging | RingPlace::Executive => old.place,
        };
        self.with(Ring {
            id,
            kind: old.kind,
            name,
            description: draft.description.trim().to_owned(),
            place,
            rollout_days: draft.rollout_days,
            test_days: draft.test_days,
        })
    }

    /// These rings without a custom one (R1, R11).
    ///
    /// # Errors
    /// The ring is preconfigured or not there.
    pub fn without(&self, id: RingId) -> Result<Self, RingRefusal> {
        let ring = self.get(id).ok_or(RingRefusal::Unknown)?;
        match ring.kind {
            RingKind::Custom => Self::new(self.0.iter().filter(|ring| ring.id != id).cloned().collect()),
            RingKind::Staging | RingKind::General | RingKind::Executive => Err(RingRefusal::Preconfigured {
                name: ring.name.clone(),
            }),
        }
    }

    /// Checks `ring` against all others, in the order in which the form shows its fields.
    fn with(&self, ring: Ring) -> Result<Self, RingRefusal> {
        check_texts_and_days(&ring.name, &ring.description, ring.rollout_days)?;
        let others = || self.0.iter().filter(|other| other.id != ring.id);
        if let Some(holder) = others().find(|other| name_key(&other.name) == name_key(&ring.name)) {
            return Err(RingRefusal::NameTaken {
                holder: holder.name.clone(),
            });
        }
        if let Some(holder) = others().find(|other| other.place == ring.place) {
            return Err(RingRefusal::OrderTaken {
                order: ring.place.scale(),
                holder: holder.name.clone(),
            });
        }
        let remaining = self.remaining_days(Some(ring.id));
        // Added up wide: both fields may be as large as a form lets them be.
        if u64::from(ring.rollout_days) + u64::from(ring.test_days) > u64::from(remaining) {
            let wanted = ring.rollout_days.saturating_add(ring.test_days);
            return Err(RingRefusal::TooLong { wanted, remaining });
        }
        let mut rings: Vec<Ring> = others().cloned().collect();
        rings.push(ring);
        Self::new(rings)
    }
}

fn check_texts_and_days(name: &str, description: &str, rollout_days: u32) -> Result<(), RingRefusal> {
    if name.trim().is_empty() {
        return Err(RingRefusal::NameMissing);
    }
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return Err(RingRefusal::NameTooLong { length });
    }
    let length = description.chars().count();
    if length > LONGEST_DESCRIPTION {
        return Err(RingRefusal::DescriptionTooLong { length });
    }
    if rollout_days == 0 {
        return Err(RingRefusal::NoRolloutDays);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> RingId {
        RingId(Uuid::from_u128(number))
    }

    fn three() -> RingSequence {
        RingSequence::preconfigured(id(1), id(2), id(3))
    }

    fn draft(name: &str, order: i64, rollout_days: u32, test_days: u32) -> RingDraft {
        let order = RingOrder::try_from(order).ok();
        RingDraft {
            name: name.to_owned(),
            description: String::new(),
            order,
            rollout_days,
            test_days,
        }
    }

    #[test]
    fn the_first_start_has_three_rings_of_28_days_r1_r4_r6_r7() {
        let rings = three();
        assert_eq!(rings.total_days(), 28);
        let deferments: Vec<u32> = rings.iter().map(|ring| rings.deferment_days(ring.id)).collect();
        assert_eq!(deferments, [0, 7, 21]);
        assert!(RingSequence::new(rings.into()).is_ok());
    }

    #[test]
    fn preconfigured_rings_cannot_be_deleted_r1() {
        for ring in three().iter() {
            assert_eq!(
                three().without(ring.id),
                Err(RingRefusal::Preconfigured {
                    name: ring.name.clone()
                })
            );
        }
    }

    #[test]
    fn orders_are_whole_numbers_from_1_to_9_r2() {
        for text in ["0", "10", "-1", "2.5", "five", "", "99999999999999999999"] {
            let refusal = text.parse::<RingOrder>().expect_err("outside the scale").to_string();
            assert!(refusal.contains("from 1 to 9"), "{refusal}");
        }
        assert_eq!(" 9 ".parse::<RingOrder>().map(RingOrder::number), Ok(9));
    }

    #[test]
    fn a_taken_order_names_its_holder_r2() {
        let refusal = three()
            .with_added(id(4), draft("Pilots", 5, 1, 0))
            .expect_err("General holds 5");
        assert_eq!(
            refusal.to_string(),
            "order: 5 belongs to General; two rings never share an order"
        );
    }

    #[test]
    fn names_are_unique_without_regard_to_case_r4() {
        let refusal = three()
            .with_added(id(4), draft("  gENERAL ", 2, 1, 0))
            .expect_err("taken");
        assert_eq!(refusal.to_string(), "name: there is a ring named General already");
        let long = "W".repeat(61);
        assert_eq!(
            three().with_added(id(4), draft(&long, 2, 1, 0)),
            Err(RingRefusal::NameTooLong { length: 61 })
        );
        assert!(three().with_added(id(4), draft(&long[..60], 2, 1, 0)).is_ok());
        assert_eq!(
            three().with_added(id(4), draft("  ", 2, 1, 0)),
            Err(RingRefusal::NameMissing)
        );
    }

    #[test]
    fn sixty_days_are_accepted_and_sixty_one_refused_r8_r9() {
        assert_eq!(three().days_set_by_other_rings(None), 28);
        assert_eq!(three().remaining_days(None), 32);
        let sixty = three().with_added(id(4), draft("Pilots", 2, 30, 2)).expect("60 days");
        assert_eq!(sixty.total_days(), 60);
        let refusal = three()
            .with_added(id(4), draft("Pilots", 2, 30, 3))
            .expect_err("61 days");
        assert_eq!(
            refusal.to_string(),
            "rollout and test period need 33 days; 32 of the 60 are left"
        );
        // Editing leaves the ring's own days out.
        assert_eq!(sixty.remaining_days(Some(id(4))), 32);
        assert!(sixty.with_edited(id(4), draft("Pilots", 3, 32, 0)).is_ok());
        assert!(sixty.with_edited(id(4), draft("Pilots", 3, 32, 1)).is_err());
        assert!(
            three()
                .with_added(id(4), draft("Pilots", 2, u32::MAX, u32::MAX))
                .is_err()
        );
    }

    #[test]
    fn rings_stand_in_rollout_order_whatever_order_they_came_in_r2() {
        let rings = three()
            .with_added(id(4), draft("Late", 9, 1, 0))
            .and_then(|rings| rings.with_added(id(5), draft("Early", 1, 1, 0)))
            .expect("room for both");
        let names: Vec<&str> = rings.iter().map(|ring| ring.name.as_str()).collect();
        assert_eq!(names, ["Staging", "Early", "General", "Late", "Executive"]);
    }
}
