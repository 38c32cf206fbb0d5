//! What operators paused, as lanes and sweeps see it.
//!
//! The store says it; one task of the process asks from time to time and everybody looks at what it
//! heard. While everything is paused lanes take nothing. What comes of a paused shop goes back to the
//! queue to wait there, however often: deciding is a join, so it may come in any order, and nobody's
//! attempts grow. Until the store has answered once nothing is known, and nothing is taken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{Envelope, ShopId, Timestamp, retry};
use platforms::Shops;
use store::{Pause, Pauses, StoreError};
use tokio::sync::watch;

use crate::clock;
use crate::prepare::sender;

/// How often the store is asked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a webhook is held, by the age of the pause in minutes, the oldest first. Of a young one they
/// come back soon after its end; of an older one later, so that a pile of them is not moved around for
/// nothing all the time.
const HELD: [(u64, Duration); 4] =
    [(360, retry::RUNGS[4]), (60, retry::RUNGS[3]), (5, retry::RUNGS[2]), (0, retry::RUNGS[1])];

/// What is paused, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paused {
    all: bool,
    shops: BTreeMap<ShopId, Timestamp>,
}

impl Paused {
    fn new(pauses: Vec<Pause>) -> Self {
        let all = pauses.iter().any(|pause| pause.shop.is_none());
        let since = |pause: Pause| Some((pause.shop?, pause.since));
        Self { all, shops: pauses.into_iter().filter_map(since).collect() }
    }

    /// Whether nothing may be done for this shop.
    pub(crate) fn is_paused(&self, shop: &ShopId) -> bool {
        self.all || self.shops.contains_key(shop)
    }

    /// How long a webhook of a paused shop is held before it is looked at again; `None`: its shop is
    /// not paused.
    fn held_for(&self, shop: &ShopId, now: Timestamp) -> Option<Duration> {
        let since = self.shops.get(shop)?;
        let age = Duration::from_micros((now.0 - since.0).max(0).unsigned_abs());
        let minutes = age.as_secs() / 60;
        HELD.iter().find(|(from, _)| minutes >= *from).map(|(_, held)| *held)
    }
}

/// What was heard last; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Heard(watch::Receiver<Option<Arc<Paused>>>);

impl Heard {
    /// Waits until it is known that all is paused. For ever, if whoever asks has ended.
    pub(crate) async fn all_paused(&mut self) {
        self.until(|paused| paused.as_ref().is_some_and(|paused| paused.all)).await;
    }

    /// Waits until it is known that not all is paused.
    pub(crate) async fn open(&mut self) {
        self.until(|paused| paused.as_ref().is_some_and(|paused| !paused.all)).await;
    }

    async fn until(&mut self, is: impl FnMut(&Option<Arc<Paused>>) -> bool) {
        if self.0.wait_for(is).await.is_err() {
            std::future::pending().await
        }
    }

    pub(crate) fn is_all_paused(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|paused| paused.all)
    }

    /// `None`: nobody knows yet.
    pub(crate) fn now(&self) -> Option<Arc<Paused>> {
        self.0.borrow().clone()
    }

    /// How long the envelope has to wait because of its shop.
    pub(crate) fn held_for(&self, envelope: &Envelope, shops: &Shops) -> Option<Duration> {
        let paused = self.now().filter(|paused| !paused.shops.is_empty())?;
        let shop = sender(envelope, shops).map_or(&envelope.shop, |shop| &shop.name);
        paused.held_for(shop, clock::now())
    }
}

/// What hears it, and what asks for ever.
pub(crate) fn listen<S: Pauses>(store: S) -> (Heard, impl Future<Output = ()>) {
    let (say, heard) = watch::channel(None);
    (Heard(heard), ask(store, say))
}

async fn ask<S: Pauses>(store: S, say: watch::Sender<Option<Arc<Paused>>>) {
    let mut warned = false;
    loop {
        match store.pauses().await {
            Ok(pauses) => {
                warned = false;
                let paused = Paused::new(pauses);
                measure(&paused);
                say.send_if_modified(|known| tell(known, paused));
            }
            // What was heard last holds. A store that is away shows in readiness; any other failure
            // may last, and keeps a worker that has heard nothing yet from taking anything.
            Err(error) => {
                let may_last = !matches!(error, StoreError::Unavailable(_));
                let error = crate::error_chain(&error);
                if may_last && !warned {
                    warned = true;
                    tracing::warn!(error, "cannot ask what is paused");
                } else {
                    tracing::debug!(error, "cannot ask what is paused");
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether it is news.
fn tell(known: &mut Option<Arc<Paused>>, paused: Paused) -> bool {
    if known.as_deref() == Some(&paused) {
        return false;
    }
    let before = known.as_deref().cloned().unwrap_or_default();
    if before != paused {
        let shops: Vec<&str> = paused.shops.keys().map(|shop| shop.as_str()).collect();
        tracing::info!(all = paused.all, shops = shops.join(" "), "what is paused has changed");
    }
    *known = Some(Arc::new(paused));
    true
}

fn measure(paused: &Paused) {
    metrics::gauge!("onhand_paused", "scope" => "all").set(f64::from(u8::from(paused.all)));
    metrics::gauge!("onhand_paused", "scope" => "shops").set(crate::as_f64(paused.shops.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(shop: Option<&str>, since: i64) -> Pause {
        Pause {
            shop: shop.map(ShopId::new),
            since: Timestamp(since),
            by: String::new(),
            reason: String::new(),
        }
    }

    #[test]
    fn a_paused_shop_waits_and_others_do_not() {
        let paused = Paused::new(vec![pause(Some("demo"), 0)]);
        let (demo, other) = (ShopId::new("demo"), ShopId::new("other"));
        assert!(paused.is_paused(&demo) && !paused.is_paused(&other));
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        let held = |seconds| paused.held_for(&demo, at(seconds)).map(|held| held.as_secs());
        assert_eq!(held(-1), Some(5), "clocks differ");
        assert_eq!([299, 300, 3_599].map(held), [5, 30, 30].map(Some));
        assert_eq!(
            [3_600, 21_599, 21_600, i64::MAX / 1_000_000].map(held),
            [120, 120, 600, 600].map(Some)
        );
        assert_eq!(paused.held_for(&other, at(300)), None);
        assert!(Paused::new(vec![pause(None, 0)]).is_paused(&other));
    }
}
