//! Removing personal data, in memory.

use domain::{DeadLetter, EnvelopeId, KeptBody, ShopId, Timestamp};
use store::{DeadBody, Redaction, Redactions, StoreError};

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
                && (!letter.raw.is_empty() || !matches!(&*letter.detail, "" | "redacted"))
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
    ) -> Result<Vec<DeadBody>, StoreError> {
        let contents = self.contents();
        let of_shop = |letter: &&DeadLetter| {
            letter.shop.as_ref().is_none_or(|of| of == shop)
                && Some(letter.envelope) > after
                && (!letter.raw.is_empty() || !matches!(&*letter.detail, "" | "redacted"))
        };
        let letters = first(contents.dead.values().filter(of_shop), limit);
        let body = |letter: &DeadLetter| DeadBody {
            id: letter.envelope,
            raw: letter.raw.clone(),
            detail: letter.detail.clone(),
        };
        Ok(letters.map(body).collect())
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

    async fn kept_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        _bytes_max: i64,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let contents = self.contents();
        let of_shop = |kept: &&KeptBody| kept.shop == *shop && Some(kept.envelope) > after;
        let kept = first(contents.kept.values().filter(of_shop), limit);
        Ok(kept.map(|kept| (kept.envelope, kept.raw.clone())).collect())
    }

    async fn remove_bodies(
        &self,
        shop: &ShopId,
        envelopes: &[EnvelopeId],
    ) -> Result<(), StoreError> {
        let goes = |kept: &KeptBody| kept.shop == *shop && envelopes.contains(&kept.envelope);
        self.contents().kept.retain(|_, kept| !goes(kept));
        Ok(())
    }

    async fn remove_expired_bodies(&self, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let mut contents = self.contents();
        let expired = contents.kept.values().filter(|kept| kept.until < now);
        let expired: Vec<_> = first(expired.map(|kept| kept.envelope), limit).collect();
        expired.iter().for_each(|id| drop(contents.kept.remove(id)));
        Ok(u64::try_from(expired.len()).unwrap_or(u64::MAX))
    }
}
