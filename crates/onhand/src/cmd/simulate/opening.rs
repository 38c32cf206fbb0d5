//! Stock for the items of a simulated sale.

use std::convert::Infallible;

use domain::{Keys, LocationId, Move, MoveKind, Sku, StockKey};
use operate::{Command, Operated, operate};
use store::AnyStore;

/// Items per transaction.
const ROWS: usize = 500;

/// Where a shop's stock lies unless its entry in the shops file says otherwise.
const LOCATION: &str = "main";

/// Makes stock for items that have none anywhere; the others stay as they are. Returns how many
/// were made.
pub(crate) async fn open(store: &AnyStore, stock: Vec<(Sku, i64)>) -> anyhow::Result<usize> {
    let location = LocationId::new(LOCATION);
    let mut made = 0;
    for chunk in stock.chunks(ROWS) {
        let skus = chunk.iter().map(|(sku, _)| sku.clone()).collect();
        let keys = Keys { skus, ..Keys::default() };
        let command = Command::new("simulated sale", None);
        let opened = operate(store, &keys, &command, |batch| {
            let mut opened = 0;
            for (sku, units) in chunk {
                if batch.view().stock.knows(sku) {
                    continue;
                }
                let change = Move {
                    key: StockKey::new(sku, &location),
                    kind: MoveKind::Opening,
                    on_hand_delta: *units,
                    committed_delta: 0,
                };
                batch.move_stock(change, &command.cause(), command.now)?;
                opened += 1;
            }
            Ok(Ok::<_, Infallible>(opened))
        });
        if let Operated::Done(opened) = opened.await? {
            made += opened;
        }
    }
    Ok(made)
}
