//! Every order in the store against what the platform knows of it: a second opinion that shares no
//! code with the deciding, and none with `verify`.

use std::collections::BTreeMap;

use domain::{Keys, Order, OrderId, OrderKey, ShopId, Sku};
use simulate::sale::{Plan, PlannedOrder};
use store::{AnyStore, Reports, Store, StoreError};

/// Orders loaded at once.
const PAGE: usize = 500;

/// The shop's name in the shops file.
const SHOP: &str = "demo";

/// How the orders and the stock ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    /// Orders that hold exactly what they owe.
    pub(super) served: usize,
    /// Orders that asked for more than there was, and hold nothing.
    pub(super) short: usize,
    /// Cancelled orders, which hold nothing.
    pub(super) cancelled: usize,
    pub(super) opening_units: i64,
    pub(super) on_hand: i64,
    pub(super) committed: i64,
    /// Units that stock owes beyond what lies there.
    pub(super) oversold: i64,
    /// Items of which more was ordered than there was, and those units.
    pub(super) scarce: usize,
    pub(super) scarce_ordered: i64,
    pub(super) scarce_opening: i64,
    pub(super) scarce_left: i64,
    /// Orders that are not as they should be, by promise.
    pub(super) wrong: Vec<(&'static str, String)>,
}

pub(super) async fn compare(
    store: &AnyStore,
    plan: &Plan,
    opening: &[(Sku, i64)],
) -> Result<Ending, StoreError> {
    let mut ending = Ending::default();
    let mut held: BTreeMap<Sku, i64> = BTreeMap::new();
    for page in plan.orders.chunks(PAGE) {
        let keys = Keys { orders: page.iter().map(key).collect(), ..Keys::default() };
        let view = store.load(&keys).await?;
        for planned in page {
            let order = view.orders.get(&key(planned));
            if let Err((promise, what)) = ending.order(planned, order) {
                ending.wrong.push((promise, format!("order {}: {what}", planned.id)));
            }
            for (key, holding) in order.iter().flat_map(|order| &order.holdings) {
                *held.entry(key.sku.clone()).or_default() += holding.committed;
            }
        }
    }
    let rows = store.stock(&[]).await?;
    let ordered = plan.units();
    for (sku, units) in opening {
        let of_it = rows.iter().filter(|(key, _)| key.sku == *sku).map(|(_, stock)| stock);
        let (on_hand, committed) = of_it.fold((0, 0), |(on_hand, committed), stock| {
            (on_hand + stock.on_hand, committed + stock.committed)
        });
        let asked = ordered.get(sku.as_str()).copied().unwrap_or(0);
        ending.item(sku, *units, asked, (on_hand, committed), held.get(sku).copied().unwrap_or(0));
    }
    Ok(ending)
}

impl Ending {
    fn order(
        &mut self,
        planned: &PlannedOrder,
        order: Option<&Order>,
    ) -> Result<(), (&'static str, String)> {
        let order = order.ok_or(("P6", "is not in the store".to_owned()))?;
        let snapshot = order.known.snapshot.as_ref().ok_or(("P6", "has no snapshot".to_owned()))?;
        let status = snapshot.financial_status.as_deref().unwrap_or("none");
        if (status, snapshot.cancelled) != (newest_status(planned), planned.cancelled) {
            let newest = newest_status(planned);
            return Err(("P5", format!("is {status}, and its newest state is {newest}")));
        }
        let held: BTreeMap<String, i64> = order
            .holdings
            .iter()
            .filter(|(_, holding)| holding.committed != 0)
            .map(|(key, holding)| (key.sku.to_string(), holding.committed))
            .collect();
        match (planned.cancelled, held.is_empty(), order.short.is_some()) {
            (true, true, _) => self.cancelled += 1,
            (true, false, _) => return Err(("P2", format!("is cancelled and holds {held:?}"))),
            (false, true, true) => self.short += 1,
            (false, false, true) => return Err(("P4", format!("is short and holds {held:?}"))),
            (false, _, false) if held == planned.units => self.served += 1,
            (false, _, false) => {
                return Err(("P2", format!("holds {held:?} of {:?}", planned.units)));
            }
        }
        Ok(())
    }

    fn item(
        &mut self,
        sku: &Sku,
        opening: i64,
        ordered: i64,
        (on_hand, committed): (i64, i64),
        held: i64,
    ) {
        self.opening_units += opening;
        self.on_hand += on_hand;
        self.committed += committed;
        self.oversold += (committed - on_hand).max(0);
        if ordered > opening {
            self.scarce += 1;
            self.scarce_ordered += ordered;
            self.scarce_opening += opening;
            self.scarce_left += on_hand - committed;
        }
        if on_hand != opening {
            let what = format!("{sku}: {on_hand} on hand, though {opening} came and none left");
            self.wrong.push(("P7", what));
        }
        if committed != held {
            let what = format!("{sku}: {committed} committed, and orders hold {held}");
            self.wrong.push(("P7", what));
        }
    }
}

/// What the platform says of the order's money in the end.
fn newest_status(planned: &PlannedOrder) -> &'static str {
    match (planned.cancelled, planned.paid) {
        (true, true) => "refunded",
        (true, false) => "voided",
        (false, true) => "paid",
        (false, false) => "pending",
    }
}

fn key(planned: &PlannedOrder) -> OrderKey {
    OrderKey { shop: ShopId::new(SHOP), order: OrderId::new(planned.id.to_string()) }
}

#[cfg(test)]
mod tests {
    use domain::order::{Holding, Short};
    use domain::{LocationId, StockKey};
    use simulate::shopify::ShopifyOrder;

    use super::*;

    fn planned() -> PlannedOrder {
        let units = [("BOWL".to_owned(), 2), ("CUP".to_owned(), 1)].into();
        PlannedOrder { id: 7, paid: true, cancelled: false, units }
    }

    /// As the store has it: paid, and holding these units.
    fn stored(held: &[(&str, i64)], short: bool) -> Order {
        let mut platform = ShopifyOrder::new(7).line("BOWL", 2).line("CUP", 1);
        let known = platform.pay().fact("orders/paid").known;
        let holdings = held.iter().map(|(sku, committed)| {
            let key = StockKey::new(&Sku::new(sku), &LocationId::new("main"));
            (key, Holding { committed: *committed, ..Holding::default() })
        });
        let short = short.then(|| Short { demand: BTreeMap::new() });
        Order { known, holdings: holdings.collect(), short, ..Order::default() }
    }

    fn broken(planned: &PlannedOrder, order: Option<&Order>) -> &'static str {
        Ending::default().order(planned, order).map_or_else(|(promise, _)| promise, |()| "none")
    }

    #[test]
    fn an_order_holds_all_that_it_owes_or_nothing() {
        let whole = stored(&[("BOWL", 2), ("CUP", 1)], false);
        assert_eq!(broken(&planned(), Some(&whole)), "none");
        assert_eq!(broken(&planned(), Some(&stored(&[], true))), "none");
        assert_eq!(broken(&planned(), Some(&stored(&[("BOWL", 2)], true))), "P4");
        assert_eq!(broken(&planned(), Some(&stored(&[("BOWL", 2)], false))), "P2");
        let twice = stored(&[("BOWL", 4), ("CUP", 2)], false);
        assert_eq!(broken(&planned(), Some(&twice)), "P2");
        assert_eq!(broken(&planned(), None), "P6");
    }

    #[test]
    fn an_order_shows_its_newest_state() {
        let whole = stored(&[("BOWL", 2), ("CUP", 1)], false);
        let unpaid = PlannedOrder { paid: false, ..planned() };
        assert_eq!(broken(&unpaid, Some(&whole)), "P5");
        let cancelled = PlannedOrder { cancelled: true, ..planned() };
        assert_eq!(broken(&cancelled, Some(&whole)), "P5");
    }

    #[test]
    fn units_owed_beyond_what_is_there_are_oversold() {
        let mut ending = Ending::default();
        ending.item(&Sku::new("BOWL"), 5, 9, (5, 7), 7);
        assert_eq!((ending.oversold, ending.scarce), (2, 1));
        assert!(ending.wrong.is_empty());
        ending.item(&Sku::new("CUP"), 5, 1, (4, 1), 2);
        let promises: Vec<_> = ending.wrong.iter().map(|(promise, _)| *promise).collect();
        assert_eq!(promises, ["P7", "P7"], "a unit is gone, and a hold is missing");
    }
}
