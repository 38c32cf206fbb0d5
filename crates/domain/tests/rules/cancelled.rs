//! Orders that are cancelled, revived and cancelled again, seen in any order.

use domain::order::{Known, Order, OrderState, Rank, Snapshot};
use domain::payment::{LinkedPayment, PaymentState};
use domain::{Policy, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

/// The order as it was at a second of the platform's clock, cancelled or not.
fn shown(seconds: i64, cancelled: bool) -> Known {
    let at = Timestamp::from_seconds(seconds);
    let digest = seconds.cast_unsigned() * 2 + u64::from(cancelled);
    let snapshot = Snapshot {
        rank: Rank {
            updated_at: at,
            progress: i64::from(cancelled),
            triggered_at: Timestamp(0),
            digest,
        },
        name: None,
        financial_status: None,
        fulfillment_status: None,
        cancelled,
        voided: false,
        completed_at: None,
        lines: [].into(),
        refund_lines: [].into(),
    };
    let cancelled_at = cancelled.then_some(at);
    Known { snapshot: Some(snapshot), cancelled_at, ..Known::default() }
}

fn joined(facts: impl IntoIterator<Item = Known>) -> Known {
    let mut known = Known::default();
    for fact in facts {
        known.join(fact);
    }
    known
}

/// What an order of these facts is when money came in at a second.
fn paid_at(seconds: i64, facts: impl IntoIterator<Item = Known>) -> OrderState {
    let captured_at = Some(Timestamp::from_seconds(seconds));
    let payment = LinkedPayment { revision: 1, state: PaymentState::Captured, captured_at };
    let payments = [("till p1".to_owned(), payment)].into();
    let known = joined(facts.into_iter().chain([Known { payments, ..Known::default() }]));
    Order { known, ..Order::default() }.state(&Policy::default())
}

#[test]
fn money_that_revived_an_order_did_not_come_after_its_last_cancellation() {
    let mut life = [shown(1100, true), shown(1200, false), shown(1300, true)];
    for _ in 0..life.len() {
        life.rotate_left(1);
        for facts in [life.clone(), [life[1].clone(), life[0].clone(), life[2].clone()]] {
            assert_eq!(
                joined(facts.clone()).cancelled_since(),
                Some(Timestamp::from_seconds(1300))
            );
            assert_eq!(paid_at(1150, facts.clone()), OrderState::Cancelled);
            assert_eq!(paid_at(1350, facts), OrderState::PaidAfterCancel);
        }
    }
}

#[test]
fn a_cancelled_order_that_is_touched_again_was_cancelled_before() {
    let touched = [shown(1100, true), shown(1200, false), shown(1300, true), shown(1360, true)];
    assert_eq!(paid_at(1350, touched), OrderState::PaidAfterCancel);
    assert_eq!(joined([shown(1200, false)]).cancelled_since(), None);
}

#[test]
fn what_was_kept_before_revivals_were_still_counts() {
    let mut old = serde_json::to_value(joined([shown(1100, true), shown(1200, false)])).unwrap();
    let fields = old.as_object_mut().unwrap();
    assert_eq!(fields["cancelled_at"], 1_100_000_000);
    fields.retain(|name, _| ["snapshot", "cancelled_at"].contains(&name.as_str()));
    let old: Known = serde_json::from_value(old).unwrap();
    assert_eq!(joined([old.clone()]).cancelled_since(), None);
    let since = joined([old, shown(1300, true)]).cancelled_since();
    assert_eq!(since, Some(Timestamp::from_seconds(1300)));
}

/// A life of an order, a second per step: was it cancelled?
fn life() -> impl Strategy<Value = Vec<Known>> {
    let steps = vec(any::<bool>(), 1..60);
    steps.prop_map(|steps| (0..).zip(steps).map(|(at, cancelled)| shown(at, cancelled)).collect())
}

proptest! {
    #[test]
    fn joining_is_commutative_associative_and_idempotent(
        (facts, shuffled) in life().prop_flat_map(|facts| {
            (Just(facts.clone()), Just(facts).prop_shuffle())
        }),
        cuts in vec(1..8_usize, 60),
    ) {
        let straight = joined(facts.clone());
        let mut rest = &shuffled[..];
        let mut groups = Vec::new();
        for cut in cuts {
            let (group, others) = rest.split_at(cut.min(rest.len()));
            groups.push(joined(group.iter().cloned()));
            rest = others;
        }
        let grouped = joined(groups.clone());
        prop_assert_eq!(&grouped, &straight);
        prop_assert_eq!(joined(groups.into_iter().rev().chain(shuffled).chain([grouped])), straight);
    }

    #[test]
    fn the_last_cancellation_is_the_first_after_the_last_revival(
        facts in life(), touches in 0..16_i64,
    ) {
        let revived = i64::try_from(facts.len()).unwrap();
        let later = (1..=touches + 1).map(|second| shown(revived + second, true));
        let mut all: Vec<Known> = facts.into_iter().chain([shown(revived, false)]).collect();
        all.extend(later);
        let since = joined(all.into_iter().rev()).cancelled_since();
        prop_assert_eq!(since, Some(Timestamp::from_seconds(revived + 1)));
    }
}
