//! Which lines are stock, and of which item.

use domain::order::{FulfilmentStatus, OrderState, Restock};
use domain::policy::UnknownSku;
use domain::{Outcome, Policy, Verdict};
use testkit::shopify::{LOCATION, LineKind, ShopifyOrder};

use crate::world::{World, applied, order_key, ten_bowls};

#[test]
fn a_test_order_is_ignored() {
    let mut world = ten_bowls();
    let order = ShopifyOrder::new(1).line("BOWL", 2).test();
    let verdict = world.send(&order, "orders/create");
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Ignored, Some("test_order")));
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.store.orders()[&order_key("1")].state, OrderState::NotStock);
}

#[test]
fn parts_of_a_test_order_are_no_order_whichever_comes_first() {
    let mut order = ShopifyOrder::new(1).line("BOWL", 2).test();
    let placed = order.fact("orders/create");
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    let shipped = order.fact("fulfillments/create");
    assert!(!shipped.test, "only the order's body says so");
    let mut ends = Vec::new();
    for facts in [[&placed, &shipped], [&shipped, &placed]] {
        let mut world = ten_bowls();
        facts.into_iter().for_each(|fact| _ = world.decide(fact.clone()));
        assert_eq!(world.decide(shipped.clone()), Verdict::ignored("test_order"));
        assert_eq!(world.stock("BOWL"), (10, 0));
        let row = &world.store.orders()[&order_key("1")];
        assert_eq!(row.state, OrderState::NotStock);
        ends.push((row.order.known.clone(), row.order.lines.clone()));
    }
    assert_eq!(ends[0], ends[1]);
}

/// A field that a subscription leaves out, or a payment by a test gateway.
#[test]
fn an_order_that_turns_out_to_be_a_test_gives_back_all_that_it_held() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!(world.stock("BOWL"), (9, 2));
    assert_eq!(world.send(&order.clone().test(), "orders/updated"), Verdict::ignored("test_order"));
    assert_eq!(world.stock("BOWL"), (10, 0));
    let row = &world.store.orders()[&order_key("1")];
    assert_eq!(row.state, OrderState::NotStock);
    assert!(row.order.audit(&Policy::default(), &world.stock_view()).is_empty());
    // What comes of it later may bring no lines, and so name no items.
    for topic in ["orders/updated", "fulfillments/create", "orders/delete"] {
        assert_eq!(world.send(&order, topic), Verdict::ignored("test_order"), "{topic}");
        assert_eq!(world.stock("BOWL"), (10, 0), "{topic}");
    }
}

#[test]
fn lines_of_one_sku_are_owed_line_by_line_and_committed_together() {
    let mut world = ten_bowls();
    let mut order = ShopifyOrder::new(1).line("BOWL", 2).line("BOWL", 3);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!(world.stock("BOWL"), (10, 5));
    let commits = world.store.ledger().len();
    assert_eq!(commits, 2, "the opening and one commit");

    // Two units of the first line leave: the second line is owed as before.
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 2)]);
    assert_eq!(world.send(&order, "fulfillments/create"), applied());
    assert_eq!(world.stock("BOWL"), (8, 3));
}

#[test]
fn an_unknown_sku_is_a_dead_letter_and_the_whole_order_waits_for_it() {
    let mut world = ten_bowls();
    let order = ShopifyOrder::new(1).line("BOWL", 2).line("CUP", 1);
    let verdict = world.send(&order, "orders/create");
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Dead, Some("unknown_sku")));
    assert!(verdict.detail.unwrap().contains("CUP"));
    assert_eq!(world.stock("BOWL"), (10, 0));
    assert_eq!(world.store.dead_letters().len(), 1);

    world.store.open_stock("CUP", "main", 1, 0);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!((world.stock("BOWL"), world.stock("CUP")), ((10, 2), (1, 1)));
}

#[test]
fn a_shop_may_ignore_unknown_skus() {
    let policy = Policy { unknown_sku: UnknownSku::Ignore, ..Policy::default() };
    let mut world = World::new(policy).with("BOWL", 10);
    let order = ShopifyOrder::new(1).line("BOWL", 2).line("CUP", 1);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!(world.stock("BOWL"), (10, 2));
}

#[test]
fn untracked_variants_are_stock_only_where_their_sku_is_known() {
    let mut world = ten_bowls();
    let order = ShopifyOrder::new(1)
        .line_of(LineKind::Untracked, Some("BOWL"), 2)
        .line_of(LineKind::Untracked, Some("SERVICE"), 1)
        .line_of(LineKind::Untracked, None, 1);
    assert_eq!(world.send(&order, "orders/create"), applied());
    assert_eq!(world.stock("BOWL"), (10, 2));
}

#[test]
fn tips_gift_cards_and_custom_lines_are_not_stock() {
    let mut world = ten_bowls();
    let order = ShopifyOrder::new(1)
        .line_of(LineKind::Tip, None, 1)
        .line_of(LineKind::GiftCard, Some("BOWL"), 1)
        .line_of(LineKind::Custom, None, 1);
    let verdict = world.send(&order, "orders/create");
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Ignored, Some("no_stock_lines")));
    assert_eq!(world.stock("BOWL"), (10, 0));
}

#[test]
fn an_item_renamed_later_is_still_the_item_that_was_ordered() {
    let mut world = ten_bowls().with("NEW", 10);
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    let mut renamed = ShopifyOrder::new(1).line("NEW", 2);
    renamed.pay().fulfil();
    world.send(&renamed, "orders/fulfilled");
    assert_eq!((world.stock("BOWL"), world.stock("NEW")), ((8, 0), (10, 0)));
}

#[test]
fn a_renamed_item_is_found_although_the_order_holds_none_of_it() {
    let mut world = World::new(Policy::default()).with("BOWL", 1).with("NEW", 10);
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    assert_eq!(world.send(&order, "orders/create").outcome, Outcome::Short);
    let mut renamed = ShopifyOrder::new(1).line("NEW", 2);
    renamed.refund(Restock::Cancel, Some(LOCATION), &[(0, 1)]);
    assert_eq!(world.send(&renamed, "orders/updated"), applied());
    assert_eq!((world.stock("BOWL"), world.stock("NEW")), ((1, 1), (10, 0)));
}

#[test]
fn a_shipment_of_a_short_order_finds_its_stock_although_it_names_no_item() {
    let mut world = World::new(Policy::default()).with("BOWL", 1);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    assert_eq!(world.send(&order, "orders/create").outcome, Outcome::Short);
    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    // One left, so the demand changed; the other is still more than there is.
    assert_eq!(world.send(&order, "fulfillments/create").outcome, Outcome::Short);
    assert_eq!(world.stock("BOWL"), (0, 0));
    let held = world.holding(&order, "BOWL");
    assert_eq!((held.shipped, held.uncovered), (1, 0));
}
