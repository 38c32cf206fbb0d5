//! What comes of each shop, hour by hour, and which of its secrets signs: noted by workers from time
//! to time, beside the batches. A picture for people, not a book: a process that dies takes the last
//! few seconds with it.

use std::future::Future;

use domain::{ShopId, Timestamp};

use crate::StoreError;
use crate::reports::Fields;

/// The side of a store that knows how shops are doing.
pub trait Activity: Clone + Send + Sync + 'static {
    /// Adds to what is known.
    fn note_activity(
        &self,
        notes: &ActivityNotes,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets of each shop the hours that are more than so many before its last one until now: of a
    /// shop that fell silent long ago, what was usual there is still known.
    fn forget_activity(
        &self,
        now: Hour,
        hours_kept: i64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Webhooks per shop and hour, by shop and hour.
    fn shop_hours(&self) -> impl Future<Output = Result<Vec<ShopHour>, StoreError>> + Send;

    /// When each secret of each shop signed last, by shop and secret.
    fn shop_signers(&self) -> impl Future<Output = Result<Vec<ShopSigner>, StoreError>> + Send;
}

/// An hour, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i64);

impl Hour {
    pub const MICROS: i64 = 3_600 * 1_000_000;

    pub fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(Self::MICROS))
    }

    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(Self::MICROS))
    }
}

/// So many webhooks of a shop came in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopHour {
    pub shop: ShopId,
    pub hour: Hour,
    pub webhooks: i64,
}

/// A secret of a shop, and when the last webhook came that it signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopSigner {
    pub shop: ShopId,
    /// Where the shops file has it from; empty: an older program did not ask.
    pub secret: String,
    pub last_at: Timestamp,
}

/// What is to be added, each key once and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityNotes {
    pub hours: Vec<ShopHour>,
    pub signers: Vec<ShopSigner>,
}

pub(crate) fn shop_hour(row: &impl Fields) -> ShopHour {
    ShopHour { shop: ShopId::new(row.text(0)), hour: Hour(row.int(1)), webhooks: row.int(2) }
}

pub(crate) fn shop_signer(row: &impl Fields) -> ShopSigner {
    let shop = ShopId::new(row.text(0));
    ShopSigner { shop, secret: row.text(1), last_at: Timestamp(row.int(2)) }
}
