//! What operators and sweeps ask of a batch.

use super::Batch;
use crate::decide::reconsider;
use crate::ids::{EnvelopeId, OrderKey, StockKey};
use crate::policy::Policy;
use crate::stock::{Cause, Forbidden, Move, MoveKind, Stock};
use crate::time::Timestamp;
use crate::webhook::Verdict;

impl Batch {
    /// Decides a short order again, because an operator or a sweep asks.
    pub fn retry_order(
        &mut self,
        key: &OrderKey,
        policy: &Policy,
        correlation: EnvelopeId,
        reason: &str,
        now: Timestamp,
    ) -> Option<Verdict> {
        let order = self.view.orders.get(key)?;
        let decision = reconsider(order, &self.view.stock, policy);
        let cause = Cause {
            shop: Some(key.shop.clone()),
            order: Some(key.order.clone()),
            webhook: None,
            correlation,
            reason: reason.to_owned(),
        };
        Some(self.apply(key, decision, policy, &cause, now))
    }

    /// Moves one stock row because an operator says so.
    pub fn move_stock(
        &mut self,
        change: Move,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Stock, Forbidden> {
        let before = self.view.stock.get(&change.key);
        before.after(&change)?;
        let key = change.key.clone();
        self.push_move(change, cause, now);
        Ok(self.view.stock.get(&key))
    }

    /// Sets how far below zero a row's available may go. A move of no units, so that the ledger
    /// shows it and the row's version guards it.
    pub fn set_floor(
        &mut self,
        key: &StockKey,
        floor: i64,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Stock, Forbidden> {
        let before = self.view.stock.get(key);
        if floor > 0 {
            return Err(Forbidden::PositiveFloor);
        }
        if before.available() < floor {
            return Err(Forbidden::Oversold);
        }
        if before.floor == floor {
            return Ok(before);
        }
        let kind = MoveKind::Adjust;
        let change = Move { key: key.clone(), kind, on_hand_delta: 0, committed_delta: 0 };
        self.push_move(change, cause, now);
        let row = Stock { floor, ..self.view.stock.get(key) };
        self.view.stock.insert(key.clone(), row);
        if let Some(change) = self.changes.stock.get_mut(key) {
            change.stock = row;
        }
        Ok(row)
    }
}
