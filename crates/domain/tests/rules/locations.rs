//! Orders over several locations.

use domain::order::{FulfilmentStatus, OrderFlag, Restock};
use domain::policy::WhenShort;
use domain::{LocationId, Outcome, PlatformLocation, Policy};
use testkit::shopify::{LineKind, ShopifyOrder};

use crate::world::{World, applied};

const NORTH: u64 = 11;
const SOUTH: u64 = 22;

fn two_locations() -> Policy {
    let (north, south) = (LocationId::new("north"), LocationId::new("south"));
    Policy {
        location_ids: [
            (PlatformLocation::new(NORTH.to_string()), north.clone()),
            (PlatformLocation::new(SOUTH.to_string()), south.clone()),
        ]
        .into(),
        locations: vec![north, south],
        ..Policy::default()
    }
}

fn world(north: i64, south: i64) -> World {
    World::new(two_locations())
        .with_row("BOWL", "north", north, 0)
        .with_row("BOWL", "south", south, 0)
}

/// Committed units in the north and in the south.
fn committed(world: &World) -> (i64, i64) {
    (world.stock_at("BOWL", "north").1, world.stock_at("BOWL", "south").1)
}

#[test]
fn an_increase_goes_to_the_first_location_that_serves_all_of_it() {
    let mut world = world(2, 5);
    assert_eq!(world.send(&ShopifyOrder::new(1).line("BOWL", 3), "orders/create"), applied());
    assert_eq!(committed(&world), (0, 3));
    assert_eq!(world.send(&ShopifyOrder::new(2).line("BOWL", 2), "orders/create"), applied());
    assert_eq!(committed(&world), (2, 3));
    // Four are there, but in no one place.
    let verdict = world.send(&ShopifyOrder::new(3).line("BOWL", 3), "orders/create");
    assert_eq!(verdict.outcome, Outcome::Short);
}

#[test]
fn an_increase_goes_where_the_order_already_is() {
    let mut world = world(2, 9);
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.edit(0, 2);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (0, 5));
}

#[test]
fn a_release_takes_the_shipping_location_first_then_the_last() {
    let mut world = world(3, 9);
    world.policy.when_short = WhenShort::Hold;
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.edit(0, 3);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (3, 3));
    order.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (2, 3));
    order.refund(Restock::Cancel, Some(NORTH), &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (2, 2));
}

#[test]
fn shipments_from_two_locations_at_once_each_find_their_own_units() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 5);
    world.send(&order, "orders/create");
    order.edit(0, 5);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (5, 5));
    order.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 3)]);
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock_at("BOWL", "north"), (2, 2));
    assert_eq!(world.stock_at("BOWL", "south"), (4, 4));
    assert!(world.order(&order).holdings.values().all(|held| held.uncovered == 0));
}

#[test]
fn shipping_from_elsewhere_releases_where_it_was_committed() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 2)]);
    world.send(&order, "fulfillments/create");
    assert_eq!(world.stock_at("BOWL", "north"), (5, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (3, 0));
}

/// Two orders for the last two units, each shipped from where the other one's unit lies.
#[test]
fn what_is_shipped_from_where_all_is_meant_for_others_takes_the_orders_own_units() {
    let mut world = world(1, 1);
    let mut first = ShopifyOrder::new(1).line("BOWL", 1);
    let mut second = ShopifyOrder::new(2).line("BOWL", 1);
    world.send(&first, "orders/create");
    world.send(&second, "orders/create");
    first.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 1)]);
    assert_eq!(world.send(&first, "fulfillments/create"), applied());
    // Nothing is free, as before: one unit is left, and the second order needs it.
    assert_eq!(world.stock_at("BOWL", "north"), (0, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (1, 1));
    assert_eq!(world.order(&first).flags(&world.policy), [OrderFlag::TakenElsewhere]);
    // Whatever else is told of it, nothing moves any more.
    world.send(&first, "orders/updated");
    assert_eq!(world.stock_at("BOWL", "north"), (0, 0));
    let third = ShopifyOrder::new(3).line("BOWL", 1);
    assert_eq!(world.send(&third, "orders/create").outcome, Outcome::Short);

    second.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&second, "fulfillments/create");
    assert_eq!(world.stock_at("BOWL", "north"), (0, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (0, 0));
    assert!(world.order(&second).holdings.values().all(|held| held.uncovered == 0));
}

#[test]
fn what_was_taken_elsewhere_goes_back_there_when_the_shipment_is_cancelled() {
    let mut world = world(3, 1);
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    // South's only unit is free, the other two are taken from where they were held.
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 3)]);
    world.send(&order, "fulfillments/create");
    assert_eq!(world.stock_at("BOWL", "north"), (1, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (0, 0));
    order.fulfilment_becomes(0, FulfilmentStatus::Cancelled);
    world.send(&order, "fulfillments/update");
    assert_eq!(world.stock_at("BOWL", "north"), (3, 3));
    assert_eq!(world.stock_at("BOWL", "south"), (1, 0));
    assert_eq!(world.order(&order).flags(&world.policy), []);
}

/// South is both where units were shipped from and where others were taken.
#[test]
fn units_taken_from_a_place_are_not_those_that_the_platform_shipped_from_it() {
    let mut policy = two_locations();
    policy.location_ids.insert(PlatformLocation::new("33"), LocationId::new("west"));
    policy.locations.push(LocationId::new("west"));
    let mut world = World::new(policy).with_row("BOWL", "north", 1, 0);
    let mut order = ShopifyOrder::new(1).line("BOWL", 1);
    world.send(&order, "orders/create");
    for (id, at) in [(2, "south"), (3, "west")] {
        world = world.with_row("BOWL", at, 1, 0);
        world.send(&ShopifyOrder::new(id).line("BOWL", 1), "orders/create");
        assert_eq!(world.stock_at("BOWL", at), (1, 1));
    }
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock_at("BOWL", "north"), (0, 0));
    world.store.receive("BOWL", "south", 1);
    order.edit(0, 1);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock_at("BOWL", "south"), (2, 2));
    order.fulfil_at(33, FulfilmentStatus::Success, &[(0, 1)]);
    for _ in 0..3 {
        world.send(&order, "orders/updated");
        let stock = ["north", "south", "west"].map(|at| world.stock_at("BOWL", at));
        assert_eq!(stock, [(0, 0), (1, 1), (1, 1)]);
        let audit = world.order(&order).audit(&world.policy, &world.stock_view());
        assert_eq!(audit, Vec::<String>::new());
    }
}

/// Whether the order or its shipment is heard of first.
#[test]
fn what_left_before_its_order_is_known_is_taken_from_where_units_are_free() {
    let mut order = ShopifyOrder::new(1).line("BOWL", 1);
    let placed = order.fact("orders/create");
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 1)]);
    let shipped = order.fact("fulfillments/create");
    for facts in [[&placed, &shipped], [&shipped, &placed]] {
        let mut world = world(0, 1);
        world.send(&ShopifyOrder::new(2).line("BOWL", 1), "orders/create");
        world.store.receive("BOWL", "north", 1);
        for fact in facts {
            world.decide(fact.clone());
        }
        assert_eq!(world.stock_at("BOWL", "north"), (0, 0));
        assert_eq!(world.stock_at("BOWL", "south"), (1, 1));
    }
}

#[test]
fn what_the_order_held_nowhere_is_uncovered() {
    let mut world = world(1, 0);
    let other = ShopifyOrder::new(1).line("BOWL", 1);
    world.send(&other, "orders/create");
    let mut order = ShopifyOrder::new(2).line("BOWL", 1);
    assert_eq!(world.send(&order, "orders/create").outcome, Outcome::Short);
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "fulfillments/create");
    assert_eq!(committed(&world), (1, 0));
    assert_eq!(world.order(&order).flags(&world.policy), [OrderFlag::Uncovered]);
}

#[test]
fn a_return_lands_where_the_platform_says() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    order.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 2)]);
    world.send(&order, "orders/create");
    order.refund(Restock::Return, Some(SOUTH), &[(0, 1)]);
    world.send(&order, "refunds/create");
    assert_eq!(world.stock_at("BOWL", "north"), (3, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (6, 0));
}

#[test]
fn an_unknown_location_is_a_dead_letter_until_it_is_mapped() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    order.fulfil_at(33, FulfilmentStatus::Success, &[(0, 2)]);
    let verdict = world.send(&order, "fulfillments/create");
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Dead, Some("unknown_location")));
    assert_eq!(committed(&world), (2, 0));
    world.policy.location_ids.insert(PlatformLocation::new("33"), LocationId::new("north"));
    assert_eq!(world.send(&order, "fulfillments/create"), applied());
    assert_eq!(world.stock_at("BOWL", "north"), (3, 0));
}

#[test]
fn an_unknown_location_is_refused_with_its_part_whichever_comes_first() {
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    let placed = order.fact("orders/create");
    order.fulfil_at(33, FulfilmentStatus::Success, &[(0, 2)]);
    let shipped = order.fact("fulfillments/create");
    order.refund(Restock::Return, Some(33), &[(0, 1)]);
    let returned = order.fact("refunds/create");
    let parts = [&shipped, &returned];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for arriving in orders {
        let mut world = world(5, 5);
        for at in arriving {
            let fact = [&placed, &shipped, &returned][at];
            let verdict = world.decide(fact.clone());
            let expected = if at == 0 { Outcome::Applied } else { Outcome::Dead };
            assert_eq!(verdict.outcome, expected, "{arriving:?}: {at}");
        }
        assert_eq!(committed(&world), (3, 0), "{arriving:?}");
        world.policy.location_ids.insert(PlatformLocation::new("33"), LocationId::new("south"));
        for at in arriving.iter().filter(|at| **at > 0) {
            assert_eq!(world.decide(parts[at - 1].clone()), applied(), "replayed");
        }
        let stock = (world.stock_at("BOWL", "north"), world.stock_at("BOWL", "south"));
        assert_eq!(stock, ((5, 1), (4, 0)), "{arriving:?}");
    }
}

#[test]
fn an_unknown_location_of_what_is_no_stock_matter_is_nothing_to_map() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 1);
    order = order.line_of(LineKind::Tip, None, 1);
    world.send(&order, "orders/create");
    order.fulfil_at(33, FulfilmentStatus::Success, &[(1, 1)]);
    assert_eq!(world.send(&order, "fulfillments/create"), applied());
    assert_eq!(committed(&world), (1, 0));
}
