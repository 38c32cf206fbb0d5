//! Bodies kept for people, in whichever store.

use domain::{EnvelopeId, Timestamp};

use super::{Answer, AnyStore};
use crate::prune::{BodyKey, Pruned};
use crate::{Bodies, StoreError};

impl Bodies for AnyStore {
    async fn kept_body(&self, key: &BodyKey) -> Result<Option<Vec<u8>>, StoreError> {
        whichever!(self, store => store.kept_body(key))
    }

    async fn prune_bodies(
        &self,
        before: Timestamp,
        after: Option<&BodyKey>,
        remove: bool,
    ) -> Result<Pruned<BodyKey>, StoreError> {
        whichever!(self, store => store.prune_bodies(before, after, remove))
    }

    async fn prune_letters(
        &self,
        before: Timestamp,
        after: Option<EnvelopeId>,
        remove: bool,
    ) -> Result<Pruned<EnvelopeId>, StoreError> {
        whichever!(self, store => store.prune_letters(before, after, remove))
    }
}
