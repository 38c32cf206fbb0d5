//! Removing old bodies because an operator asks for it. The ledger, the inbox (which tells repeats) and
//! open dead letters are never touched.
//!
//! Both verbs look through one page by key and say where the next begins, so that a table of any size
//! is gone through in short transactions; a process that dies in the middle has removed what it has.

use std::future::Future;

use domain::{EnvelopeId, ShopId, Timestamp};

use crate::StoreError;

/// Rows that are looked through at once.
pub(crate) const PAGE: i64 = 1_000;

/// Where the body of a webhook is kept.
pub type BodyKey = (ShopId, EnvelopeId);

/// The side of a store that keeps bodies for people.
pub trait Bodies {
    /// The envelope of a webhook that was applied, as it travelled, where it is kept.
    fn kept_body(
        &self,
        key: &BodyKey,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// The next page of kept bodies: how many of them came before that moment. They are removed if
    /// `remove`.
    fn prune_bodies(
        &self,
        before: Timestamp,
        after: Option<&BodyKey>,
        remove: bool,
    ) -> impl Future<Output = Result<Pruned<BodyKey>, StoreError>> + Send;

    /// The next page of dead letters: how many were closed before that moment and have a body still.
    /// It is removed if `remove`.
    fn prune_letters(
        &self,
        before: Timestamp,
        after: Option<EnvelopeId>,
        remove: bool,
    ) -> impl Future<Output = Result<Pruned<EnvelopeId>, StoreError>> + Send;
}

/// What was found in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned<K> {
    pub count: i64,
    /// The page's last row. `None`: there was no more.
    pub last: Option<K>,
}

impl<K> Pruned<K> {
    pub(crate) fn new(row: Option<(i64, K)>) -> Self {
        match row {
            Some((count, last)) => Self { count, last: Some(last) },
            None => Self { count: 0, last: None },
        }
    }
}
