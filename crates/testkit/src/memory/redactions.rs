//! Removing personal data, in memory.

use domain::{DeadLetter, EnvelopeId, ShopId, Timestamp};
use store::{Redaction, Redactions, StoreError};

use super::MemoryStore;

fn first<T>(all: impl Iterator<Item = T>, limit: i64) -> impl Iterator<Item = T> {
    all.take(usize::try_from(limit).unwrap_or(usize::MAX))
}

impl Redactions for MemoryStore {
    async fn redactions(&self) -> Result<Vec<Redaction>, StoreError> {
        let contents = self.contents();
        let open = contents
            .requests
            .values()
            .filter(|kept| !kept.done && kept.request.kind.is_removal())
            .map(|kept| Redaction {
                id: kept.id,
                shop: kept.shop.clone(),
                request: kept.request.clone(),
                again_at: contents.again.get(&kept.id).copied(),
            });
        Ok(open.collect())
    }

    async fn redaction_carried_out(
        &self,
        id: EnvelopeId,
        again_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut contents = self.contents();
        match again_at {
            Some(at) => drop(contents.again.insert(id, at)),
            None => {
                contents.again.remove(&id);
                if let Some(kept) = contents.requests.get_mut(&id) {
                    kept.done = true;
                    kept.request.traces.clear();
                }
            }
        }
        Ok(())
    }

    async fn dead_ids(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        let contents = self.contents();
        let of_shop = |letter: &&DeadLetter| {
            letter.shop.as_ref() == Some(shop)
                && Some(letter.envelope) > after
                && !letter.raw.is_empty()
        };
        let letters = first(contents.dead.values().filter(of_shop), limit);
        Ok(letters.map(|letter| letter.envelope).collect())
    }

    async fn dead_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        _bytes_max: i64,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let contents = self.contents();
        let of_shop = |letter: &&DeadLetter| {
            letter.shop.as_ref().is_none_or(|of| of == shop)
                && Some(letter.envelope) > after
                && !letter.raw.is_empty()
        };
        let letters = first(contents.dead.values().filter(of_shop), limit);
        Ok(letters.map(|letter| (letter.envelope, letter.raw.clone())).collect())
    }

    async fn redact(&self, letters: &[EnvelopeId]) -> Result<(), StoreError> {
        let mut contents = self.contents();
        for id in letters {
            if let Some(letter) = contents.dead.get_mut(id) {
                letter.raw.clear();
                "redacted".clone_into(&mut letter.detail);
            }
        }
        Ok(())
    }
}
