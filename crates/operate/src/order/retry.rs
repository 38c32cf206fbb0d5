//! A short order tried again, and what would help if it stays short.

use domain::policy::WhenShort;
use domain::{Keys, OrderKey, Policy, StockKey, Verdict, Version, View};
use store::AnyStore;

use super::explain::missing;
use crate::command::{Command, Operated, operate};

/// No order has this id.
#[derive(Debug)]
pub struct NotThere;

/// Tries again to commit it. Also returns what would let it in, if it is still short.
pub async fn retry(
    store: &AnyStore,
    key: &OrderKey,
    policy: &Policy,
    command: &Command,
) -> anyhow::Result<Operated<(Verdict, Vec<String>), NotThere>> {
    let keys = Keys { orders: [key.clone()].into(), ..Keys::default() };
    operate(store, &keys, command, |batch| {
        let verdict =
            batch.retry_order(key, policy, command.correlation, &command.reason, command.now);
        let advice = advice(key, batch.view(), policy);
        Ok(verdict.map(|verdict| (verdict, advice)).ok_or(NotThere))
    })
    .await
}

/// What would let the order in, for each item that it lacks.
fn advice(key: &OrderKey, view: &View, policy: &Policy) -> Vec<String> {
    let Some(order) = view.orders.get(key) else { return Vec::new() };
    let missing = missing(order, &view.stock, policy);
    if policy.when_short != WhenShort::Backorder {
        let more = missing.iter().filter_map(|item| item.more_stock()).collect::<Vec<_>>();
        let backorder = format!("onhand order retry {} {} --backorder", key.shop, key.order);
        return more.into_iter().chain([backorder]).collect();
    }
    // One location has to serve all that is missing of an item: the one where least is lacking.
    let floors = missing.iter().filter_map(|item| {
        let at = |location| {
            let row = StockKey::new(item.sku, location);
            let stock = view.stock.get(&row);
            (row, stock)
        };
        let rows: Vec<_> = policy.locations.iter().map(at).collect();
        if rows.iter().any(|(_, stock)| stock.available() - stock.floor >= item.units) {
            return None;
        }
        let rows = rows.into_iter().filter(|(_, stock)| stock.version != Version::ABSENT);
        let (row, stock) = rows.max_by_key(|(_, stock)| stock.available())?;
        let floor = stock.available() - item.units;
        Some(format!("onhand stock floor {} {floor} --location {}", row.sku, row.location))
    });
    floors.collect()
}
