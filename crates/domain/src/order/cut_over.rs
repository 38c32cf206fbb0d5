//! What crosses a shop's cut-over: people counted the stock then, so nothing older moves it.

use crate::order::{FulfilmentStatus, Known};
use crate::policy::Policy;

impl Known {
    /// Units left before the cut-over, and something has become of them since that the counted stock
    /// does not show. A shipment that is still one counts as one from before: that its tracking goes
    /// on cannot be told from its leaving only now, and is what happens to nearly all.
    pub(super) fn crosses_cut_over(&self, policy: &Policy) -> bool {
        let before = |at| policy.before_cut_over(at);
        let changed = self.fulfilments.values().any(|fulfilment| {
            fulfilment.status != FulfilmentStatus::Success
                && before(fulfilment.created_at)
                && !before(fulfilment.updated_at)
        });
        // A snapshot does not say when units came back; one from before the cut-over says enough.
        let returned = self.snapshot.as_ref().is_some_and(|shown| {
            let returned = shown.lines.values().any(|line| line.returned > 0);
            returned && !before(shown.rank.updated_at) && self.completed_at().is_some_and(before)
        });
        let put_back =
            self.had_left_at.is_some_and(before) && self.put_back_at.is_some_and(|at| !before(at));
        changed || returned || put_back
    }
}
