//! An order's life, in order and out of it.

use domain::order::{FulfilmentStatus, OrderFlag, OrderState, Restock};
use domain::policy::CommitOn;
use domain::{Outcome, Policy, Timestamp};
use testkit::shopify::{LOCATION, PLACED_AT, ShopifyOrder};

use crate::world::{World, applied, order_key, ten_bowls};

#[test]
fn a_partial_fulfilment_ships_some_and_owes_the_rest() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    assert_eq!(world.send(&order, "orders/partially_fulfilled"), applied());
    assert_eq!(world.stock("BOWL"), (8, 1));
    assert_eq!(world.send(&order, "fulfillments/create").outcome, Outcome::Unchanged);
    order.fulfil();
    assert_eq!(world.send(&order, "orders/fulfilled"), applied());
    assert_eq!(world.stock("BOWL"), (7, 0));
    assert_eq!(world.holding(&order, "BOWL").shipped, 3);
}

#[test]
fn an_open_fulfilment_is_owed_until_it_succeeds() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    order.fulfil_at(LOCATION, FulfilmentStatus::Open, &[(0, 3)]);
    world.send(&order, "orders/create");
    assert_eq!(world.stock("BOWL"), (10, 3));
    order.fulfilment_becomes(0, FulfilmentStatus::Success);
    world.send(&order, "fulfillments/update");
    assert_eq!(world.stock("BOWL"), (7, 0));
}

#[test]
fn a_cancelled_fulfilment_takes_units_back_and_owes_them_again() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    order.fulfil();
    world.send(&order, "orders/create");
    assert_eq!(world.stock("BOWL"), (7, 0));
    order.fulfilment_becomes(0, FulfilmentStatus::Cancelled);
    assert_eq!(world.send(&order, "fulfillments/update"), applied());
    assert_eq!(world.stock("BOWL"), (10, 3));
    assert_eq!(world.send(&order, "orders/updated"), applied());
    assert_eq!(world.stock("BOWL"), (10, 3));
}

#[test]
fn each_kind_of_refund_moves_what_it_says() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 6);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 4)]);
    world.send(&order, "orders/create");
    assert_eq!(world.stock("BOWL"), (6, 2));
    order.refund(Restock::Cancel, Some(LOCATION), &[(0, 1)]);
    world.send(&order, "refunds/create");
    assert_eq!(world.stock("BOWL"), (6, 1));
    order.refund(Restock::Return, Some(LOCATION), &[(0, 1)]);
    world.send(&order, "refunds/create");
    assert_eq!(world.stock("BOWL"), (7, 1));
    order.refund(Restock::NoRestock, None, &[(0, 1)]);
    world.send(&order, "refunds/create");
    order.refund(Restock::LegacyRestock, Some(LOCATION), &[(0, 1)]);
    world.send(&order, "refunds/create");
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (7, 1));
}

#[test]
fn an_older_snapshot_is_superseded_yet_its_fulfilment_joins() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    let older = order.fact("orders/partially_fulfilled");
    order.pay();
    let mut newer = order.fact("orders/paid");
    // A subscription that leaves the fulfilments out.
    newer.known.fulfilments.clear();
    world.decide(newer);
    assert_eq!(world.stock("BOWL"), (10, 3));
    assert_eq!(world.decide(older).outcome, Outcome::Superseded);
    assert_eq!(world.stock("BOWL"), (8, 1));
    assert_eq!(world.order(&order).known.snapshot.unwrap().financial_status.unwrap(), "paid");
}

#[test]
fn edits_up_and_down_are_followed() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.edit(0, 2);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (10, 5));
    order.edit(0, -4);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (10, 1));
}

#[test]
fn a_cancelled_order_owes_nothing_and_keeps_what_was_shipped() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/create");
    order.cancel(Some(LOCATION));
    world.send(&order, "orders/cancelled");
    assert_eq!(world.stock("BOWL"), (9, 0));
    assert_eq!(world.store.orders()[&order_key("1")].state, OrderState::Cancelled);
}

#[test]
fn a_deleted_order_stays_deleted() {
    let mut world = ten_bowls();
    let order = ShopifyOrder::new(1).line("BOWL", 3);
    assert_eq!(world.send(&order, "orders/delete"), applied());
    assert_eq!(world.stock("BOWL"), (10, 0));
    world.send(&order, "orders/create");
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.store.orders()[&order_key("1")].state, OrderState::Deleted);
}

#[test]
fn parts_that_come_before_their_order_wait_for_it() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    let placed = order.fact("orders/create");
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "fulfillments/create");
    order.refund(Restock::Cancel, Some(LOCATION), &[(0, 1)]);
    world.send(&order, "refunds/create");
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.decide(placed), applied());
    assert_eq!(world.stock("BOWL"), (9, 1));
}

#[test]
fn an_edit_is_pending_until_a_snapshot_shows_it() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.edit(0, 2);
    assert_eq!(world.send(&order, "orders/edited"), applied());
    assert_eq!(world.stock("BOWL"), (10, 3), "nobody knows yet what it is now");
    assert_eq!(world.order(&order).flags(&Policy::default()), [OrderFlag::EditPending]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (10, 5));
    assert!(world.order(&order).flags(&Policy::default()).is_empty());
    let late = world.send(&order, "orders/edited");
    assert_eq!(late.outcome, Outcome::Unchanged, "the snapshot is as new");
}

#[test]
fn a_shop_may_commit_on_payment_however_old_the_body_that_tells_of_it() {
    let policy = Policy { commit_on: CommitOn::Paid, ..Policy::default() };
    let mut world = World::new(policy).with("BOWL", 10);
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.store.orders()[&order_key("1")].state, OrderState::AwaitingPayment);

    order.pay();
    let paid = order.fact("orders/paid");
    order.financial_status("pending");
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.decide(paid).outcome, Outcome::Superseded);
    assert_eq!(world.stock("BOWL"), (10, 3));
    order.financial_status("voided");
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (10, 0));
}

#[test]
fn what_happened_before_the_cut_over_never_touches_on_hand() {
    let live_from = Some(Timestamp::from_seconds(PLACED_AT + 2));
    let mut world = World::new(Policy { live_from, ..Policy::default() }).with("BOWL", 10);
    let mut order = ShopifyOrder::new(1).line("BOWL", 5);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (10, 3), "the counted stock is without the two");
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (9, 2));
    order.fulfilment_becomes(0, FulfilmentStatus::Success);
    world.send(&order, "orders/updated");
    assert_eq!(world.order(&order).flags(&world.policy), [], "its tracking went on");
    order.fulfilment_becomes(0, FulfilmentStatus::Cancelled);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (9, 4), "owed again, but on_hand was counted by people");
    assert_eq!(
        world.order(&order).flags(&world.policy),
        [domain::order::OrderFlag::CrossesCutOver]
    );
}
