//! The turn of one process among all that share a store.

use std::fmt;

/// The turn, until this is dropped.
pub struct ProcessTurn {
    /// Other processes that had it, or waited for it, when it was asked for.
    pub others: u32,
    _held: Box<dyn Send + Sync>,
}

impl ProcessTurn {
    /// `held`: lets go when it is dropped.
    pub fn new(others: u32, held: impl Send + Sync + 'static) -> Self {
        Self { others, _held: Box::new(held) }
    }
}

impl fmt::Debug for ProcessTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessTurn").field("others", &self.others).finish_non_exhaustive()
    }
}
