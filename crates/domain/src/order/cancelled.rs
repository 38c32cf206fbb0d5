//! Since when an order is cancelled, on platforms that revive orders, too.
//!
//! What is kept is a function of all moments at which the order was ever seen cancelled or not, so
//! it does not depend on the order in which they became known.

use std::collections::BTreeSet;

use crate::order::Known;
use crate::time::Timestamp;

/// So many moments of an order that was seen cancelled more than once are kept. The last ones of a
/// set are the last ones of its parts, so what is kept does not depend on the order of arrival.
const CANCELLED_MAX: usize = 16;

impl Known {
    /// Adds moments when it was seen cancelled: the first one, and others.
    pub(super) fn join_cancelled(&mut self, first: Option<Timestamp>, again: BTreeSet<Timestamp>) {
        let all = self.cancelled_at.into_iter().chain(first);
        self.cancelled_again_at.extend(all.clone().chain(again));
        self.cancelled_at = all.min();
        if let Some(first) = self.cancelled_at {
            self.cancelled_again_at.remove(&first);
        }
        while self.cancelled_again_at.len() > CANCELLED_MAX {
            self.cancelled_again_at.pop_first();
        }
    }

    /// When it was last seen not cancelled.
    pub(super) fn seen_uncancelled_at(&self) -> Option<Timestamp> {
        let shown = self.snapshot.as_ref().filter(|shown| !shown.cancelled);
        self.uncancelled_at.max(shown.map(|shown| shown.rank.updated_at))
    }

    /// Since when it is cancelled, if it is: the first moment after it was last seen not cancelled.
    pub fn cancelled_since(&self) -> Option<Timestamp> {
        let shown = self.snapshot.as_ref().filter(|shown| shown.cancelled)?;
        let first = self.cancelled_at?;
        let mut moments = std::iter::once(first).chain(self.cancelled_again_at.iter().copied());
        // All of them are older where a platform dates a cancellation and not its order.
        let since = moments.find(|at| Some(*at) >= self.uncancelled_at);
        since.or(Some(shown.rank.updated_at))
    }
}
