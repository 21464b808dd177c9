//! Rings of every size: 60 days are the limit, however they come together.

use domain::ids::RingId;
use domain::ring::{MOST_TOTAL_DAYS, RingDraft, RingOrder, RingRefusal, RingSequence};
use proptest::prelude::*;
use uuid::Uuid;

fn draft(order: i64, rollout_days: u32, test_days: u32) -> RingDraft {
    let order = RingOrder::try_from(order).ok();
    RingDraft {
        name: format!("Ring {order:?}"),
        description: String::new(),
        order,
        rollout_days,
        test_days,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sixty_days_are_accepted_and_sixty_one_refused_whatever_the_rings_r8_r9(
        sizes in proptest::collection::vec((1_u32..30, 0_u32..30), 1..7),
    ) {
        let ring = |number| RingId(Uuid::from_u128(number));
        let mut rings = RingSequence::preconfigured(ring(1), ring(2), ring(3));
        for (index, (rollout_days, test_days)) in (0_u32..).zip(sizes) {
            let order = [1, 2, 3, 4, 6, 7, 8, 9][index as usize];
            let wanted = rollout_days + test_days;
            let remaining = rings.remaining_days(None);
            prop_assert_eq!(remaining, MOST_TOTAL_DAYS - rings.total_days());
            match rings.with_added(ring(u128::from(10 + index)), draft(order, rollout_days, test_days)) {
                Ok(more) => {
                    prop_assert!(wanted <= remaining);
                    prop_assert!(more.total_days() <= MOST_TOTAL_DAYS);
                    rings = more;
                }
                Err(refusal) => {
                    prop_assert!(wanted > remaining);
                    prop_assert_eq!(refusal, RingRefusal::TooLong { wanted, remaining });
                }
            }
        }
        // Fill up what is left: exactly 60 is accepted, one more is refused, when editing too.
        let last = rings.iter().last().expect("Executive").clone();
        let remaining = rings.remaining_days(Some(last.id));
        let full = rings.with_edited(last.id, draft(5, remaining, 0)).expect("60 days");
        prop_assert_eq!(full.total_days(), 60);
        prop_assert!(full.with_edited(last.id, draft(5, remaining, 1)).is_err());
        // Deferment is the sum before, and the last one's with its completion time is the total (R6, R7).
        prop_assert_eq!(full.deferment_days(last.id) + remaining, 60);
        // What a file holds is what it was made from.
        let text = serde_json::to_string(&full).expect("text");
        prop_assert_eq!(serde_json::from_str::<RingSequence>(&text).expect("rings"), full);
    }
}
