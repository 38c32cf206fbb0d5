//! Payments: early, late, repeated and after the end.

use domain::order::{FulfilmentStatus, OrderFlag, OrderState};
use domain::payment::{Money, PaymentEvent, PaymentEventKind as Kind, PaymentFact, PaymentKnown};
use domain::policy::CommitOn;
use domain::{
    LocationId, OrderFact, Outcome, PlatformLocation, Policy, Timestamp, Verdict,
    change::EffectKind,
};
use testkit::permutations;
use testkit::shopify::{PLACED_AT, ShopifyOrder};

use crate::world::{World, applied, order_key};

/// `kind` happened to a payment for order 1, so many seconds after that was placed.
fn said(payment: &str, event: &str, kind: Kind, seconds: i64) -> PaymentFact {
    let money = Some(Money { minor: 5_000, currency: "EUR".to_owned() });
    let at = Timestamp::from_seconds(PLACED_AT + seconds);
    let known = PaymentKnown {
        references: ["1".into()].into(),
        events: [(event.into(), PaymentEvent { at, kind, money })].into(),
    };
    PaymentFact { payment: payment.into(), test: false, known }
}

fn captured() -> PaymentFact {
    said("pi_1", "evt_captured", Kind::Captured, 60)
}

/// What happened, told without saying for which order.
fn unreferenced(mut fact: PaymentFact) -> PaymentFact {
    fact.known.references.clear();
    fact
}

fn paid_first() -> World {
    World::new(Policy { commit_on: CommitOn::Paid, ..Policy::default() }).with("BOWL", 10)
}

fn state(world: &World) -> OrderState {
    world.store.orders()[&order_key("1")].state
}

#[test]
fn a_captured_payment_commits_once_however_often_and_whoever_tells() {
    let mut world = paid_first();
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::AwaitingPayment));
    assert_eq!(world.hear(said("pi_1", "evt_0", Kind::Authorised, 30)), applied());
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.hear(captured()), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 2), OrderState::Committed));

    assert_eq!(world.hear(captured()).outcome, Outcome::Unchanged);
    assert_eq!(world.hear(said("pi_1", "evt_again", Kind::Captured, 61)), applied());
    assert_eq!(world.hear(said("pi_2", "evt_other", Kind::Captured, 62)), applied());
    assert_eq!(world.send(order.pay(), "orders/paid"), applied());
    assert_eq!(world.stock("BOWL"), (10, 2));
    let paid = world.store.effects().into_iter().filter(|e| e.kind == EffectKind::OrderPaid);
    assert_eq!(paid.count(), 1, "paid happens once per order");
}

#[test]
fn a_payment_before_its_order_waits_for_it() {
    let mut world = paid_first();
    assert_eq!(world.hear(captured()), applied());
    assert_eq!(state(&world), OrderState::Partial);
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 2), OrderState::Committed));
}

#[test]
fn what_does_not_name_its_order_finds_it_through_its_payment() {
    for named_first in [true, false] {
        let mut world = paid_first();
        world.send(&ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
        let capture = unreferenced(captured());
        let authorisation = said("pi_1", "evt_0", Kind::Authorised, 30);
        let both = if named_first { [authorisation, capture] } else { [capture, authorisation] };
        for fact in both {
            assert_eq!(world.hear(fact), applied());
        }
        assert_eq!((world.stock("BOWL"), state(&world)), ((10, 2), OrderState::Committed));
    }
}

/// What is heard of an order and of a payment for it.
#[derive(Clone, Debug)]
enum Heard {
    Order(Box<OrderFact>),
    Payment(PaymentFact),
}

impl World {
    fn take(&mut self, heard: Heard) -> Verdict {
        match heard {
            Heard::Order(fact) => self.decide(*fact),
            Heard::Payment(fact) => self.hear(fact),
        }
    }
}

#[test]
fn money_after_the_cancellation_is_seen_and_the_platform_alone_revives_the_order() {
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    let placed = order.fact("orders/create");
    let mut edited = order.clone();
    let older = edited.edit(0, 1).fact("orders/updated");
    // As the platform would show it, had somebody taken the cancellation back.
    let mut revived = order.clone();
    revived.seconds_per_action(100_000).pay();
    order.seconds_per_action(10).cancel(None);
    let cancelled = order.fact("orders/cancelled");
    let capture = said("pi_1", "evt_1", Kind::Captured, 86_400);
    let of_order = |fact: OrderFact| Heard::Order(Box::new(fact));
    let all = [of_order(placed), of_order(cancelled), Heard::Payment(capture)];
    for arriving in permutations(&all) {
        let mut world = paid_first();
        for heard in arriving.clone() {
            world.take(heard);
        }
        let end = ((10, 0), OrderState::PaidAfterCancel);
        assert_eq!((world.stock("BOWL"), state(&world)), end, "{arriving:?}");
        assert_eq!(world.order(&order).flags(&world.policy), [OrderFlag::HoldsMoney]);

        // Not an older body, nor more money, nor an edit that shows nothing, nor an operator.
        let second = said("pi_2", "evt_2", Kind::Captured, 90_000);
        for heard in [of_order(older.clone()), Heard::Payment(second)] {
            world.take(heard);
            assert_eq!((world.stock("BOWL"), state(&world)), end, "{arriving:?}");
        }
        world.decide(edited.fact("orders/edited"));
        world.retry(&order);
        assert_eq!((world.stock("BOWL"), state(&world)), end, "{arriving:?}");

        assert_eq!(world.send(&revived, "orders/updated"), applied());
        let end = ((10, 2), OrderState::Committed);
        assert_eq!((world.stock("BOWL"), state(&world)), end, "{arriving:?}");
    }
}

#[test]
fn money_after_the_cancellation_that_goes_back_leaves_an_ordinary_cancellation() {
    let mut world = paid_first();
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(order.cancel(None), "orders/cancelled");
    world.hear(said("pi_1", "evt_1", Kind::Captured, 86_400));
    assert_eq!(state(&world), OrderState::PaidAfterCancel);
    world.hear(said("pi_1", "evt_2", Kind::Refunded, 90_000));
    assert_eq!(state(&world), OrderState::Cancelled, "the money went back");
}

#[test]
fn money_before_the_cancellation_is_an_ordinary_cancellation() {
    let mut world = paid_first();
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    world.hear(said("pi_1", "evt_1", Kind::Captured, -1));
    assert_eq!(world.stock("BOWL"), (10, 2));
    order.cancel(None);
    world.send(&order, "orders/cancelled");
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::Cancelled));
}

#[test]
fn paid_but_short_and_contested_payments_are_flagged() {
    let policy = Policy { commit_on: CommitOn::Paid, ..Policy::default() };
    let mut world = World::new(policy.clone()).with("BOWL", 1);
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    assert_eq!(world.hear(captured()).outcome, Outcome::Short);
    assert_eq!(state(&world), OrderState::Short);
    let flags = |world: &World| world.order(&order).flags(&policy);
    assert_eq!(flags(&world), [OrderFlag::PaidButShort]);
    world.hear(unreferenced(said("pi_1", "evt_2", Kind::Disputed, 90)));
    assert_eq!(flags(&world), [OrderFlag::PaidButShort, OrderFlag::PaymentContested]);
    world.hear(unreferenced(said("pi_1", "evt_3", Kind::DisputeWon, 120)));
    assert_eq!(flags(&world), [OrderFlag::PaidButShort]);
}

#[test]
fn an_account_that_captures_at_once_tells_of_the_authorisation_alone() {
    let mut world = paid_first();
    world.send(&ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    let authorised = said("pi_1", "evt_1", Kind::Authorised, 30);
    assert_eq!(world.hear(authorised.captured_at_once()), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 2), OrderState::Committed));
}

#[test]
fn a_payment_that_nobody_made_is_no_capture_that_failed() {
    let mut world = paid_first();
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    let given_up = said("pi_1", "evt_1", Kind::Cancelled, 30).captured_at_once();
    world.hear(given_up);
    let paid = said("pi_2", "evt_2", Kind::Authorised, 60).captured_at_once();
    assert_eq!(world.hear(paid), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 2), OrderState::Committed));
    assert_eq!(world.order(&order).flags(&world.policy), []);
}

#[test]
fn a_payment_said_to_be_for_two_orders_pays_both_in_either_order() {
    let mut other = captured();
    other.known.references = ["2".into()].into();
    other.known.events = said("pi_1", "evt_other", Kind::Disputed, 90).known.events;
    for facts in [[captured(), other.clone()], [other.clone(), captured()]] {
        let mut world = paid_first();
        for id in [1, 2] {
            world.send(&ShopifyOrder::new(id).line("BOWL", 2), "orders/create");
        }
        for fact in facts {
            world.hear(fact);
        }
        assert_eq!(world.stock("BOWL"), (10, 4));
        for id in ["1", "2"] {
            let known = &world.store.orders()[&order_key(id)].order.known;
            let states: Vec<_> = known.payments.values().map(|payment| payment.state).collect();
            assert_eq!(states, [domain::payment::PaymentState::Disputed], "order {id}");
        }
    }
}

#[test]
fn a_payment_that_one_of_its_orders_cannot_take_leaves_nothing_behind() {
    let mut world = paid_first();
    let main = PlatformLocation::new("11");
    world.policy.location_ids = [(main.clone(), LocationId::new("main"))].into();
    world.send(&ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    let mut shipped = ShopifyOrder::new(2).line("BOWL", 3);
    shipped.fulfil_at(11, FulfilmentStatus::Success, &[(0, 3)]);
    world.send(&shipped, "orders/create");
    let before = (world.stock("BOWL"), world.store.orders());
    // By now the shops file has lost the location.
    let unmapped = [(PlatformLocation::new("22"), LocationId::new("main"))].into();
    let mapped = std::mem::replace(&mut world.policy.location_ids, unmapped);
    let mut of_both = captured();
    of_both.known.references.insert("2".into());
    let verdict = world.hear(of_both.clone());
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Dead, Some("unknown_location")));
    assert_eq!((world.stock("BOWL"), world.store.orders()), before);
    assert!(world.store.payments().is_empty());
    world.policy.location_ids = mapped;
    assert_eq!(world.hear(of_both), applied());
    assert_eq!(world.stock("BOWL"), (7, 2));
}

#[test]
fn payments_of_two_accounts_with_one_id_are_two() {
    let mut world = paid_first();
    world.send(&ShopifyOrder::new(1).line("BOWL", 2), "orders/create");
    world.hear(said("pi_1", "evt_1", Kind::Captured, 30));
    world.hear_from("till", said("pi_1", "evt_1", Kind::Failed, 40));
    let order = &world.store.orders()[&order_key("1")].order;
    assert_eq!(order.known.payments.len(), 2);
    assert_eq!(state(&world), OrderState::Committed);
}

#[test]
fn money_for_an_order_that_asks_for_nothing_is_flagged() {
    let mut world = paid_first();
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(order.financial_status("voided"), "orders/updated");
    let flags = |world: &World| world.order(&order).flags(&world.policy);
    assert_eq!(flags(&world), []);
    world.hear(captured());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::Released));
    assert_eq!(flags(&world), [OrderFlag::PaidNotOwed]);
    world.hear(said("pi_1", "evt_disputed", Kind::Disputed, 90));
    assert_eq!(flags(&world), [OrderFlag::PaymentContested], "the bank decides about it");
    world.hear(said("pi_1", "evt_won", Kind::DisputeWon, 120));
    world.hear(said("pi_1", "evt_refunded", Kind::Refunded, 150));
    assert_eq!(flags(&world), [], "the money went back");
}

#[test]
fn a_payments_shop_that_pays_for_nobody_has_no_orders_of_its_own() {
    let mut world = paid_first();
    assert_eq!(world.hear_from("demo", captured()), applied());
    assert!(world.store.orders().is_empty(), "it takes money, not orders");
    let payments = world.store.payments();
    let [payment] = &payments.values().collect::<Vec<_>>()[..] else { panic!("{payments:?}") };
    assert_eq!(payment.order, None);
    assert!(payment.payment.known.was_captured(), "but the payment is kept");
}
