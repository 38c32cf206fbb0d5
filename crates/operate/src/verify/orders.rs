//! Every order against its targets: what the database alone cannot check.

use std::collections::BTreeSet;

use domain::{Keys, OrderKey};
use platforms::Shops;
use store::reports::Violation;
use store::{AnyStore, Reports, Store, StoreError};

/// Orders loaded at once.
const PAGE: i64 = 500;

/// An order is read in two steps, and a commit in between makes it look wrong. One that looks wrong
/// this often in a row is wrong.
const LOOKS: usize = 5;

/// At most so many are listed: the first few tell the story.
const LISTED: usize = 20;

/// Orders of shops that the file does not name are left out: their rules are not known.
pub(super) async fn verify(
    store: &AnyStore,
    shops: &Shops,
    progress: impl Fn(u64),
) -> Result<Vec<Violation>, StoreError> {
    let (mut found, mut done) = (Vec::new(), 0);
    let mut after: Option<OrderKey> = None;
    loop {
        let page = store.order_keys(after.as_ref(), PAGE).await?;
        let Some(last) = page.last().cloned() else { break };
        done += u64::try_from(page.len()).unwrap_or(0);
        progress(done);
        let mut suspects: BTreeSet<OrderKey> = page.into_iter().collect();
        let mut details = Vec::new();
        for _ in 0..LOOKS {
            if suspects.is_empty() {
                break;
            }
            details = audit(store, shops, &suspects).await?;
            suspects = details.iter().map(|(key, _)| key.clone()).collect();
        }
        found.extend(details.into_iter().map(|(key, detail)| Violation {
            promise: "P2".to_owned(),
            detail: format!("order {key}: {detail} (under the shops file as it is now)"),
        }));
        if found.len() >= LISTED {
            break;
        }
        after = Some(last);
    }
    found.truncate(LISTED);
    Ok(found)
}

async fn audit(
    store: &AnyStore,
    shops: &Shops,
    orders: &BTreeSet<OrderKey>,
) -> Result<Vec<(OrderKey, String)>, StoreError> {
    let keys = Keys { orders: orders.clone(), ..Keys::default() };
    let view = store.load(&keys).await?;
    let mut wrong: Vec<(OrderKey, String)> = view
        .orders
        .iter()
        .filter_map(|(key, order)| {
            let shop = shops.get(&key.shop)?;
            let differences = order.audit(&shop.policy, &view.stock);
            (!differences.is_empty()).then(|| (key.clone(), differences.join("; ")))
        })
        .collect();
    wrong.sort_unstable();
    Ok(wrong)
}
