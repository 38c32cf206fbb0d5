//! Units that are available again, although the platform did not put them back.

use std::collections::BTreeMap;

use crate::ids::Sku;
use crate::order::Order;
use crate::order::line_moves::LineMoves;
use crate::order::targets::add_parts;
use crate::policy::Policy;

impl Order {
    /// Of each item, what was refunded without restocking and is neither sent nor to be sent. A shop
    /// does that with what it cannot find; or out of habit, with what lies there as before.
    pub fn not_restocked(&self, policy: &Policy) -> BTreeMap<&Sku, i64> {
        let mut units = BTreeMap::new();
        let (Some(snapshot), Ok(moves)) = (&self.known.snapshot, LineMoves::of_all(self, policy))
        else {
            return units;
        };
        let owing = self.is_owing(policy);
        let completed = self.known.completed_at().is_some();
        for (id, moved) in moves.iter().filter(|(_, moved)| moved.not_restocked > 0) {
            let (Some(line), Some(shown)) = (self.lines.get(id), snapshot.lines.get(id)) else {
                continue;
            };
            let owed = if owing { moved.owed(*shown, completed) } else { 0 };
            let free = shown.quantity - moved.shipped_total - moved.cancelled - owed;
            add_parts(line, moved.not_restocked.min(free), |sku, more| {
                *units.entry(sku).or_default() += more;
            });
        }
        units
    }
}
