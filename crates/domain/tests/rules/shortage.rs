//! What happens when there is not enough.

use domain::order::{FulfilmentStatus, OrderFlag, OrderState, Restock};
use domain::policy::WhenShort;
use domain::stock::{Cause, Forbidden};
use domain::{Batch, EnvelopeId, Keys, LocationId, Outcome, Policy, Sku, StockKey, Timestamp};
use testkit::memory::{Commit, ConflictKey};
use testkit::shopify::{LOCATION, ShopifyOrder};

use crate::world::{World, applied, order_key, ten_bowls};

fn when_short(when_short: WhenShort) -> Policy {
    Policy { when_short, ..Policy::default() }
}

#[test]
fn an_order_that_does_not_fit_commits_nothing_of_anything() {
    let mut world = ten_bowls().with("CUP", 1);
    let order = ShopifyOrder::new(1).line("BOWL", 2).line("CUP", 2);
    let verdict = world.send(&order, "orders/create");
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Short, Some("not_enough_stock")));
    assert_eq!((world.stock("BOWL"), world.stock("CUP")), ((10, 0), (1, 0)));
    assert_eq!(world.store.orders()[&order_key("1")].state, OrderState::Short);
}

#[test]
fn short_is_a_latch_until_somebody_retries() {
    let mut world = World::new(Policy::default()).with("BOWL", 3);
    let first = ShopifyOrder::new(1).line("BOWL", 3);
    let mut second = ShopifyOrder::new(2).line("BOWL", 2);
    world.send(&first, "orders/create");
    assert_eq!(world.send(&second, "orders/create").outcome, Outcome::Short);
    let mut first = first;
    first.cancel(Some(LOCATION));
    world.send(&first, "orders/cancelled");
    assert_eq!(world.stock("BOWL"), (3, 0));
    // More is heard of the order, but it asks for the same.
    second.pay();
    assert_eq!(world.send(&second, "orders/paid"), applied());
    assert_eq!(world.stock("BOWL"), (3, 0));
    assert_eq!(world.retry(&second), applied());
    assert_eq!(world.stock("BOWL"), (3, 2));
    assert_eq!(world.retry(&second).outcome, Outcome::Unchanged);
}

#[test]
fn an_answer_of_short_rests_on_the_stock_that_was_read() {
    let mut world = World::new(Policy::default()).with("BOWL", 3);
    let mut first = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&first, "orders/create");
    let second = ShopifyOrder::new(2).line("BOWL", 2).fact("orders/create");
    let (batch, verdict) = world.decide_only(second);
    assert_eq!(verdict.outcome, Outcome::Short);
    first.cancel(Some(LOCATION));
    world.send(&first, "orders/cancelled");
    let answer = world.store.commit_now(&batch.into_changes()).unwrap();
    let key = StockKey::new(&Sku::new("BOWL"), &LocationId::new("main"));
    assert_eq!(answer, Commit::Conflict(vec![ConflictKey::Stock(key)]));
}

#[test]
fn a_changed_demand_is_decided_again() {
    let mut world = World::new(Policy::default()).with("BOWL", 3);
    let mut order = ShopifyOrder::new(1).line("BOWL", 4);
    assert_eq!(world.send(&order, "orders/create").outcome, Outcome::Short);
    order.edit(0, -1);
    assert_eq!(world.send(&order, "orders/updated"), applied());
    assert_eq!(world.stock("BOWL"), (3, 3));
    assert_eq!(world.order(&order).short, None);
}

#[test]
fn hold_commits_what_fits_and_flags_it() {
    let mut world = World::new(when_short(WhenShort::Hold)).with("BOWL", 3).with("CUP", 5);
    let order = ShopifyOrder::new(1).line("BOWL", 4).line("CUP", 2);
    assert_eq!(world.send(&order, "orders/create").outcome, Outcome::Short);
    assert_eq!((world.stock("BOWL"), world.stock("CUP")), ((3, 3), (5, 2)));
    assert_eq!(world.order(&order).flags(&world.policy), [OrderFlag::Held]);
}

#[test]
fn backorder_goes_down_to_the_floor_and_no_further() {
    let mut world = World::new(when_short(WhenShort::Backorder)).with_row("BOWL", "main", 3, -2);
    assert_eq!(world.send(&ShopifyOrder::new(1).line("BOWL", 5), "orders/create"), applied());
    assert_eq!(world.stock("BOWL"), (3, 5));
    let verdict = world.send(&ShopifyOrder::new(2).line("BOWL", 1), "orders/create");
    assert_eq!(verdict.outcome, Outcome::Short);
    assert_eq!(world.stock("BOWL"), (3, 5));
}

#[test]
fn what_is_there_leaves_although_others_are_backordered() {
    let mut world = World::new(when_short(WhenShort::Backorder)).with_row("BOWL", "main", 3, -5);
    let mut first = ShopifyOrder::new(1).line("BOWL", 3);
    let mut second = ShopifyOrder::new(2).line("BOWL", 3);
    world.send(&first, "orders/create");
    world.send(&second, "orders/create");
    assert_eq!(world.stock("BOWL"), (3, 6));
    first.fulfil();
    world.send(&first, "orders/fulfilled");
    assert_eq!(world.stock("BOWL"), (0, 3));
    assert_eq!(world.holding(&first, "BOWL").uncovered, 0);
    world.adjust("BOWL", 3);
    second.fulfil();
    world.send(&second, "orders/fulfilled");
    assert_eq!(world.stock("BOWL"), (0, 0), "six came in and six left");
    assert_eq!(world.holding(&second, "BOWL").uncovered, 0);
}

#[test]
fn what_leaves_never_takes_a_backordered_row_below_its_floor() {
    let mut world = World::new(when_short(WhenShort::Backorder)).with_row("BOWL", "main", 3, -2);
    world.send(&ShopifyOrder::new(1).line("BOWL", 4), "orders/create");
    // Nothing is committed for it, and it leaves: one unit is left that the floor lets go.
    let mut second = ShopifyOrder::new(2).line("BOWL", 2);
    second.fulfil();
    world.send(&second, "orders/create");
    assert_eq!(world.stock("BOWL"), (2, 4));
    let held = world.holding(&second, "BOWL");
    assert_eq!((held.shipped, held.uncovered), (1, 1));
    second.fulfilment_becomes(0, FulfilmentStatus::Cancelled);
    world.send(&second, "orders/updated");
    assert_eq!(world.stock("BOWL"), (3, 4));
}

#[test]
fn a_floor_is_for_shops_that_backorder_only() {
    let mut world = World::new(Policy::default()).with_row("BOWL", "main", 3, -2);
    let verdict = world.send(&ShopifyOrder::new(1).line("BOWL", 4), "orders/create");
    assert_eq!(verdict.outcome, Outcome::Short);
}

#[test]
fn safety_stock_stays_available() {
    let policy = Policy { safety_stock: 4, ..Policy::default() };
    let mut world = World::new(policy).with("BOWL", 10);
    assert_eq!(world.send(&ShopifyOrder::new(1).line("BOWL", 6), "orders/create"), applied());
    let verdict = world.send(&ShopifyOrder::new(2).line("BOWL", 1), "orders/create");
    assert_eq!(verdict.outcome, Outcome::Short);
    assert_eq!(world.stock("BOWL"), (10, 6));
}

#[test]
fn shipped_more_than_there_was_is_uncovered_and_a_reversal_lowers_that_first() {
    let mut world = World::new(Policy::default()).with("BOWL", 3);
    let mut order = ShopifyOrder::new(1).line("BOWL", 5);
    assert_eq!(world.send(&order, "orders/create").outcome, Outcome::Short);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 4)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock("BOWL"), (0, 0));
    let held = world.holding(&order, "BOWL");
    assert_eq!((held.shipped, held.uncovered), (3, 1));
    assert!(world.order(&order).flags(&world.policy).contains(&OrderFlag::Uncovered));

    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.holding(&order, "BOWL").uncovered, 2);
    order.fulfilment_becomes(1, FulfilmentStatus::Cancelled);
    world.send(&order, "orders/updated");
    let held = world.holding(&order, "BOWL");
    assert_eq!((held.shipped, held.uncovered), (3, 1));
    assert_eq!(world.stock("BOWL"), (0, 0));
    order.fulfilment_becomes(0, FulfilmentStatus::Cancelled);
    world.send(&order, "orders/updated");
    let held = world.holding(&order, "BOWL");
    assert_eq!((held.shipped, held.uncovered), (0, 0));
    assert_eq!(world.stock("BOWL"), (3, 0), "and five are still owed, which do not fit");
}

#[test]
fn units_that_a_decision_frees_serve_the_same_decision() {
    let mut world = World::new(Policy::default()).with("BOWL", 3);
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    order.fulfil();
    world.send(&order, "orders/create");
    assert_eq!(world.stock("BOWL"), (0, 0));
    order.refund(Restock::Return, Some(LOCATION), &[(0, 2)]).add_line("BOWL", 2);
    assert_eq!(world.send(&order, "orders/updated"), applied());
    assert_eq!(world.stock("BOWL"), (2, 2));
}

#[test]
fn a_floor_is_a_move_that_the_ledger_shows_and_never_above_what_is_available() {
    let mut world = World::new(when_short(WhenShort::Backorder)).with("BOWL", 3);
    let key = StockKey::new(&Sku::new("BOWL"), &LocationId::new("main"));
    let set_floor = |world: &World, floor: i64| {
        let keys = Keys { skus: [key.sku.clone()].into(), ..Keys::default() };
        let mut batch = Batch::new(world.store.load_now(&keys));
        let cause = Cause {
            shop: None,
            order: None,
            webhook: None,
            correlation: EnvelopeId(uuid::Uuid::nil()),
            reason: "floor".to_owned(),
        };
        batch.set_floor(&key, floor, &cause, Timestamp(0))?;
        world.store.commit_now(&batch.into_changes()).expect("no constraint is broken");
        world.store.assert_sound();
        Ok(world.store.stock_of("BOWL", "main"))
    };
    let row = set_floor(&world, -2).unwrap();
    assert_eq!((row.floor, row.version.0), (-2, 2));
    assert_eq!(set_floor(&world, -2).unwrap().version.0, 2, "nothing to do");
    assert_eq!(set_floor(&world, 1), Err(Forbidden::PositiveFloor));
    assert_eq!(world.send(&ShopifyOrder::new(1).line("BOWL", 5), "orders/create"), applied());
    assert_eq!(set_floor(&world, 0), Err(Forbidden::Oversold));
}
