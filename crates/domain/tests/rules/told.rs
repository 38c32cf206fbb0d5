//! Platforms that tell of shipments and returns by the order alone, and that have a bin.

use domain::order::{Known, OrderFlag, OrderState, Rank, Snapshot, SnapshotLine};
use domain::{LineClass, LineRef, LocationId, OrderFact, OrderId, Outcome, Policy, Sku, Timestamp};

use testkit::shopify::ShopifyOrder;

use crate::world::{World, applied, order_key, ten_bowls};

/// The only line of the order, at second `at` of the platform's clock.
fn told(at: i64, line: SnapshotLine) -> OrderFact {
    let shipped = line.shipped > 0;
    let moment = Timestamp::from_seconds(at);
    let snapshot = Snapshot {
        rank: Rank {
            updated_at: moment,
            progress: 0,
            triggered_at: Timestamp(0),
            digest: at.cast_unsigned(),
        },
        name: None,
        financial_status: None,
        fulfillment_status: None,
        cancelled: false,
        voided: false,
        completed_at: shipped.then_some(moment),
        lines: [("l".into(), line)].into(),
        refund_lines: [].into(),
    };
    let line = LineRef { sku: Some(Sku::new("BOWL")), variant: None, class: LineClass::Tracked };
    let known = Known { snapshot: Some(snapshot), outside_at: Some(moment), ..Known::default() };
    OrderFact { order: OrderId::new("1"), test: false, lines: [("l".into(), line)].into(), known }
}

fn kept(kept: i64) -> SnapshotLine {
    SnapshotLine { quantity: 3, kept, ..SnapshotLine::default() }
}

/// It is pending or cancelled: the platform has put all units back.
fn put_back(at: i64) -> OrderFact {
    let mut fact = told(at, kept(0));
    fact.known.put_back_at = Some(Timestamp::from_seconds(at));
    fact
}

fn completed(returned: i64) -> SnapshotLine {
    SnapshotLine { quantity: 3, kept: 3, shipped: 3, returned }
}

fn trashed(at: i64) -> OrderFact {
    let trashed_at = Some(Timestamp::from_seconds(at));
    let known = Known { trashed_at, ..Known::default() };
    OrderFact { order: OrderId::new("1"), test: false, lines: [].into(), known }
}

fn state(world: &World) -> OrderState {
    world.store.orders()[&order_key("1")].state
}

#[test]
fn held_completed_and_given_back() {
    let mut world = ten_bowls();
    assert_eq!(world.decide(told(10, kept(3))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 3), OrderState::Committed));
    assert_eq!(world.decide(told(20, completed(0))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((7, 0), OrderState::Shipped));
    assert_eq!(world.decide(told(30, completed(2))), applied());
    assert_eq!(world.stock("BOWL"), (9, 0));
    assert_eq!(world.decide(told(15, kept(3))).outcome, Outcome::Superseded);
    assert_eq!(world.stock("BOWL"), (9, 0));
    // Set back to processing by hand: the units are owed again, and there.
    assert_eq!(world.decide(told(40, kept(3))), applied());
    assert_eq!(world.stock("BOWL"), (10, 3));
}

#[test]
fn the_bin_releases_and_gives_back_in_any_order() {
    let mut world = ten_bowls();
    world.decide(told(10, kept(3)));
    assert_eq!(world.decide(trashed(20)), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::Trashed));
    assert_eq!(world.decide(trashed(20)).outcome, Outcome::Unchanged);
    assert_eq!(world.decide(told(30, kept(3))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 3), OrderState::Committed));
    assert_eq!(world.decide(trashed(25)).outcome, Outcome::Unchanged, "it was out again since");
    assert_eq!(world.decide(trashed(40)), applied());
    assert_eq!(world.stock("BOWL"), (10, 0));
}

#[test]
fn what_left_stays_away_when_the_order_is_thrown_away() {
    let mut world = ten_bowls();
    world.decide(told(10, completed(0)));
    assert_eq!(world.stock("BOWL"), (7, 0));
    assert_eq!(world.decide(trashed(20)), applied());
    assert_eq!(world.stock("BOWL"), (7, 0));
}

#[test]
fn a_bin_before_its_order_waits_for_it() {
    let mut world = ten_bowls();
    assert_eq!(world.decide(trashed(20)), applied());
    assert_eq!(world.decide(told(10, kept(3))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::Trashed));
}

#[test]
fn units_leave_from_where_they_were_committed() {
    let locations = vec![LocationId::new("main"), LocationId::new("annex")];
    let policy = Policy { locations, ..Policy::default() };
    let mut world = World::new(policy).with("BOWL", 2).with_row("BOWL", "annex", 8, 0);
    world.decide(told(10, kept(3)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (8, 3)));
    world.decide(told(20, completed(0)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (5, 0)));
    world.decide(told(30, completed(1)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (6, 0)));
    world.decide(told(40, kept(0)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (8, 0)));
}

#[test]
fn what_left_before_the_cut_over_never_counts() {
    let live_from = Some(Timestamp::from_seconds(15));
    let policy = Policy { live_from, ..Policy::default() };
    let mut world = World::new(policy.clone()).with("BOWL", 10);
    world.decide(told(10, completed(0)));
    assert_eq!(world.stock("BOWL"), (10, 0));
    let mut later = told(20, completed(1));
    let snapshot = later.known.snapshot.as_mut().expect("it has one");
    snapshot.completed_at = Some(Timestamp::from_seconds(10));
    world.decide(later);
    assert_eq!(world.stock("BOWL"), (10, 0));
    let order = &world.store.orders()[&order_key("1")].order;
    assert_eq!(order.flags(&policy), [OrderFlag::CrossesCutOver]);
}

#[test]
fn only_what_comes_back_after_the_cut_over_crosses_it() {
    let live_from = Some(Timestamp::from_seconds(15));
    let policy = Policy { live_from, ..Policy::default() };
    let flags = |facts: Vec<OrderFact>| {
        let mut world = World::new(policy.clone()).with("BOWL", 10);
        facts.into_iter().for_each(|fact| _ = world.decide(fact));
        assert_eq!(world.stock("BOWL"), (10, 0), "people counted it");
        world.store.orders()[&order_key("1")].order.flags(&policy)
    };
    // What came back before is in the count.
    assert_eq!(flags(vec![told(10, completed(0)), told(14, completed(1))]), []);
    let put_back = |at: i64, left: i64| {
        let mut fact = put_back(at);
        fact.known.had_left_at = Some(Timestamp::from_seconds(left));
        fact
    };
    assert_eq!(flags(vec![told(10, completed(0)), put_back(14, 10)]), []);
    assert_eq!(flags(vec![put_back(20, 10)]), [OrderFlag::CrossesCutOver]);
    let both = vec![put_back(20, 10), told(10, completed(0))];
    assert_eq!(flags(both), [OrderFlag::CrossesCutOver]);
}

#[test]
fn a_short_order_that_is_completed_anyway_is_uncovered() {
    let mut world = World::new(Policy::default()).with("BOWL", 2);
    assert_eq!(world.decide(told(10, kept(3))).outcome, Outcome::Short);
    assert_eq!(world.decide(told(20, completed(0))), applied());
    assert_eq!(world.stock("BOWL"), (0, 0));
    let order = &world.store.orders()[&order_key("1")].order;
    assert_eq!(order.flags(&Policy::default()), [OrderFlag::Uncovered]);
    assert!(order.audit(&Policy::default(), &world.stock_view()).is_empty());
}

/// The webhooks from before may come late, or never.
#[test]
fn an_order_that_is_first_seen_completed_left_from_where_its_units_were() {
    let safe = |safety_stock| Policy {
        locations: vec!["main".into(), "annex".into()],
        safety_stock,
        ..Policy::default()
    };
    let two = || safe(0);
    let world = |main, annex| {
        World::new(two()).with_row("BOWL", "main", main, 0).with_row("BOWL", "annex", annex, 0)
    };
    for (safety_stock, (main, annex), left) in
        [(0, (0, 8), (0, 5)), (0, (8, 8), (5, 8)), (0, (2, 3), (2, 0)), (1, (3, 8), (3, 5))]
    {
        let mut ends = Vec::new();
        for facts in [vec![kept(3), completed(0)], vec![completed(0), kept(3)]] {
            let mut world = world(main, annex);
            world.policy = safe(safety_stock);
            let moments = if facts[0].shipped == 0 { [10, 20] } else { [20, 10] };
            for (at, line) in moments.into_iter().zip(facts) {
                world.decide(told(at, line));
            }
            ends.push(["main", "annex"].map(|at| world.stock_at("BOWL", at)));
            let order = &world.store.orders()[&order_key("1")].order;
            assert!(order.audit(&two(), &world.stock_view()).is_empty());
            assert_eq!(order.flags(&two()), []);
        }
        assert_eq!(ends, [[(left.0, 0), (left.1, 0)]; 2]);
    }
    // In no one place are three of them; then, nowhere.
    for (units, left, flags) in
        [((2, 2), [(0, 0), (1, 0)], vec![]), ((2, 0), [(0, 0), (0, 0)], vec![OrderFlag::Uncovered])]
    {
        let mut world = world(units.0, units.1);
        for at in [20, 30] {
            world.decide(told(at, completed(0)));
            assert_eq!(["main", "annex"].map(|at| world.stock_at("BOWL", at)), left);
            let order = &world.store.orders()[&order_key("1")].order;
            assert!(order.audit(&two(), &world.stock_view()).is_empty());
        }
        assert_eq!(world.store.orders()[&order_key("1")].order.flags(&two()), flags);
    }
}

#[test]
fn no_more_comes_back_to_a_place_than_left_it_while_another_misses_some() {
    let four = SnapshotLine { quantity: 4, kept: 4, ..SnapshotLine::default() };
    let back = |returned| SnapshotLine { shipped: 4, returned, ..four };
    for bodies in [&[1, 3][..], &[3]] {
        let policy = Policy { locations: vec!["main".into(), "annex".into()], ..Policy::default() };
        let world = World::new(policy).with_row("BOWL", "main", 3, 0);
        let mut world = world.with_row("BOWL", "annex", 10, 0);
        world.decide(told(10, SnapshotLine { kept: 2, ..four }));
        world.decide(told(20, four));
        world.decide(told(30, back(0)));
        assert_eq!(["main", "annex"].map(|at| world.stock_at("BOWL", at)), [(1, 0), (8, 0)]);
        for (at, returned) in (40..).zip(bodies) {
            world.decide(told(at, back(*returned)));
        }
        let [(main, 0), (annex, 0)] = ["main", "annex"].map(|at| world.stock_at("BOWL", at)) else {
            panic!("nothing is owed");
        };
        assert_eq!(main + annex, 12);
        assert!(main <= 3 && annex <= 10, "{main} and {annex}, after {bodies:?}");
    }
}

#[test]
fn units_that_were_put_back_do_not_leave_again_with_an_old_date() {
    // Completed, cancelled, then refunded: the date of completion stays in the body.
    let mut refunded = told(30, SnapshotLine { kept: 0, ..completed(0) });
    let snapshot = refunded.known.snapshot.as_mut().expect("it has one");
    snapshot.completed_at = Some(Timestamp::from_seconds(10));
    let mut world = ten_bowls();
    world.decide(told(10, completed(0)));
    assert_eq!(world.stock("BOWL"), (7, 0));
    world.decide(put_back(20));
    assert_eq!(world.stock("BOWL"), (10, 0));
    world.decide(refunded.clone());
    assert_eq!(world.stock("BOWL"), (10, 0));
    // The same in another order of arrival.
    let mut other = ten_bowls();
    other.decide(refunded);
    assert_eq!(other.stock("BOWL"), (7, 0), "nobody knows better yet");
    assert_eq!(other.decide(put_back(20)).outcome, Outcome::Superseded);
    assert_eq!(other.stock("BOWL"), (10, 0));
    // Completed again, it leaves again.
    assert_eq!(other.decide(told(40, completed(0))), applied());
    assert_eq!(other.stock("BOWL"), (7, 0));
}

#[test]
fn a_return_is_taken_back_from_what_the_reversed_shipment_brings() {
    let mut world = World::new(Policy::default()).with("BOWL", 3);
    world.decide(told(10, completed(0)));
    world.decide(told(20, completed(2)));
    assert_eq!(world.stock("BOWL"), (2, 0));
    // Both that came back are sold.
    world.send(&ShopifyOrder::new(2).line("BOWL", 2), "orders/create");
    assert_eq!(world.stock("BOWL"), (2, 2));
    world.decide(put_back(30));
    assert_eq!(world.stock("BOWL"), (3, 2), "one more came back, not three");
}

#[test]
fn what_was_given_back_before_it_left_leaves_and_returns_at_one_place() {
    for (committed_at, empty) in [("annex", "main"), ("main", "annex")] {
        let locations = vec![LocationId::new(empty), LocationId::new(committed_at)];
        let policy = Policy { locations, ..Policy::default() };
        let world = World::new(policy).with_row("BOWL", empty, 0, 0);
        let mut world = world.with_row("BOWL", committed_at, 10, 0);
        world.decide(told(10, kept(3)));
        world.decide(told(20, kept(1)));
        assert_eq!(world.stock_at("BOWL", committed_at), (10, 1));
        world.decide(told(30, completed(2)));
        assert_eq!(world.stock_at("BOWL", committed_at), (9, 0), "{committed_at}");
        assert_eq!(world.stock_at("BOWL", empty), (0, 0));
        let order = &world.store.orders()[&order_key("1")].order;
        assert!(order.flags(&world.policy).is_empty());
    }
}
