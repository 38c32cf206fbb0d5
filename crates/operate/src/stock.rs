//! One stock row changed: set, adjusted, or given another floor; and all rows read.

use domain::stock::QUANTITY_MAX;
use domain::{Keys, Move, MoveKind, Stock, StockKey, Version};
use store::{AnyStore, Pages, StoreError};

use crate::command::{Command, Operated, operate};

/// Rows read at once.
const PAGE: i64 = 1_000;

/// Gives all rows to `take`, page by page, so there may be any number of them; each page is as of
/// its own moment.
pub async fn each_page<E: From<StoreError>>(
    store: &AnyStore,
    mut take: impl FnMut(&[(StockKey, Stock)]) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let page = store.stock_page("", after.as_ref(), PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        take(&page)?;
    }
}

/// What is asked of a row.
#[derive(Clone, Copy, Debug)]
pub enum What {
    Set { on_hand: i64, floor: Option<i64> },
    Adjust { units: i64 },
    Floor { floor: i64 },
}

impl What {
    /// The same change has the same words.
    pub fn describe(self, key: &StockKey) -> String {
        match self {
            Self::Set { on_hand, floor: None } => format!("set {key} to {on_hand}"),
            Self::Set { on_hand, floor: Some(floor) } => {
                format!("set {key} to {on_hand}, floor {floor}")
            }
            Self::Adjust { units } => format!("adjust {key} by {units:+}"),
            Self::Floor { floor } => format!("set the floor of {key} to {floor}"),
        }
    }
}

/// Units to add or to take.
pub fn units(text: &str) -> Result<i64, String> {
    let units = text.parse().ok().filter(|units| *units != 0);
    let units: i64 = units.ok_or("a whole number other than 0, as 12 or -3")?;
    match (-QUANTITY_MAX..=QUANTITY_MAX).contains(&units) {
        false => Err(format!("more than {QUANTITY_MAX} units are not believed")),
        true => Ok(units),
    }
}

/// Why a row cannot be changed as asked.
#[derive(Clone, Copy, Debug)]
pub enum Refused {
    /// There is no such row.
    Unknown,
    /// It would hold less than is committed to orders.
    BelowCommitted { on_hand: i64, stock: Stock },
}

/// Changes the row, and returns it as it is then.
pub async fn change(
    store: &AnyStore,
    key: &StockKey,
    what: What,
    command: &Command,
) -> anyhow::Result<Operated<Stock, Refused>> {
    let keys = Keys { skus: [key.sku.clone()].into(), ..Keys::default() };
    operate(store, &keys, command, |batch| {
        let before = batch.view().stock.get(key);
        let (change, floor) = match plan(key, before, what) {
            Ok(planned) => planned,
            Err(why) => return Ok(Err(why)),
        };
        let cause = command.cause();
        // A lower floor makes room for the move; for a higher one the move makes room.
        let (floor_before, floor_after) = match floor {
            Some(floor) if floor < before.floor && before.version != Version::ABSENT => {
                (Some(floor), None)
            }
            floor => (None, floor),
        };
        let mut after = before;
        if let Some(floor) = floor_before {
            after = batch.set_floor(key, floor, &cause, command.now)?;
        }
        if let Some(change) = change {
            after = batch.move_stock(change, &cause, command.now)?;
        }
        if let Some(floor) = floor_after {
            after = batch.set_floor(key, floor, &cause, command.now)?;
        }
        Ok(Ok(after))
    })
    .await
}

/// The move and the floor to set, if any.
pub fn plan(
    key: &StockKey,
    before: Stock,
    what: What,
) -> Result<(Option<Move>, Option<i64>), Refused> {
    let absent = before.version == Version::ABSENT;
    let (on_hand, floor) = match what {
        What::Set { on_hand, floor } => (on_hand, floor),
        What::Adjust { .. } | What::Floor { .. } if absent => return Err(Refused::Unknown),
        What::Adjust { units } => (before.on_hand + units, None),
        What::Floor { floor } => (before.on_hand, Some(floor)),
    };
    let delta = on_hand - before.on_hand;
    let lowest = before.committed + floor.unwrap_or(before.floor);
    if on_hand < lowest.max(0) && (delta < 0 || floor.is_some()) {
        return Err(Refused::BelowCommitted { on_hand, stock: before });
    }
    let kind = if absent { MoveKind::Opening } else { MoveKind::Adjust };
    let change = (absent || delta != 0).then(|| Move {
        key: key.clone(),
        kind,
        on_hand_delta: delta,
        committed_delta: 0,
    });
    Ok((change, floor))
}
