//! Signatures that were refused, per shop, as ingresses count them.
//!
//! A request that is answered 401 leaves no trace in the database: only the process that refused it
//! knows. In `serve` that is this very process; in a fleet the console asks ingresses for their
//! metrics (`rollup/scrape.rs`), if it was told where they are.

use std::collections::BTreeMap;

use domain::ShopId;

use crate::series::series;

/// There from the start in every process that receives webhooks.
const RECEIVES: &str = "onhand_ingress_bytes_in_flight";

const REFUSED: &str = "onhand_shop_signatures_refused_total";

/// Since the processes started that counted them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused(BTreeMap<String, u64>);

impl Refused {
    /// From a process's metrics. `None`: it receives no webhooks.
    pub(crate) fn read(metrics: &str) -> Option<Self> {
        if !series(metrics).any(|one| one.metric == RECEIVES) {
            return None;
        }
        let mut refused = Self::default();
        for one in series(metrics).filter(|one| one.metric == REFUSED) {
            if let (Some(shop), Ok(count)) = (one.label("shop"), one.value.parse()) {
                refused.more(shop, count);
            }
        }
        Some(refused)
    }

    pub(crate) fn of(&self, shop: &ShopId) -> u64 {
        self.0.get(shop.as_str()).copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(shop, count)| self.more(shop, *count));
    }

    /// Whatever another process says, this one goes on.
    fn more(&mut self, shop: &str, count: u64) {
        let known = self.0.entry(shop.to_owned()).or_default();
        *known = known.saturating_add(count);
    }
}

/// What ingresses elsewhere told when they were last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Of all who answered together.
    pub(crate) refused: Refused,
    pub(crate) answered: usize,
    /// Asked in vain; of a name that nobody answers to, nobody knows how many it stands for.
    pub(crate) silent: usize,
}

impl Told {
    /// `None`: no answer, or not an ingress's.
    pub(crate) fn add(&mut self, refused: Option<&Refused>) {
        match refused {
            Some(refused) => {
                self.refused.add(refused);
                self.answered += 1;
            }
            None => self.silent += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "# TYPE x gauge\n\
        onhand_ingress_bytes_in_flight 0\n\
        onhand_shop_signatures_refused_total{shop=\"demo\",reason=\"bad_signature\"} 3\n\
        onhand_shop_signatures_refused_total{reason=\"stale_signature\",shop=\"demo\"} 1\n";

    #[test]
    fn refusals_are_added_up_per_shop_where_webhooks_come_in() {
        let elsewhere = METRICS.replace(RECEIVES, "another");
        assert_eq!(Refused::read(&elsewhere), None, "nobody knows");
        let read = Refused::read(METRICS).expect("it receives");
        assert_eq!((read.of(&"demo".into()), read.of(&"other".into())), (4, 0));
    }

    #[test]
    fn what_several_told_is_added_up_and_who_did_not_is_counted() {
        let (one, other) = (Refused::read(METRICS), Refused::read(RECEIVES_ONLY));
        let many = METRICS.replace("} 3\n", &format!("}} {}\n", u64::MAX));
        let mut told = Told::default();
        for refused in [one.as_ref(), None, other.as_ref()] {
            told.add(refused);
        }
        assert_eq!((told.refused.of(&"demo".into()), told.answered, told.silent), (4, 2, 1));
        told.add(Refused::read(&many).as_ref());
        assert_eq!(told.refused.of(&"demo".into()), u64::MAX, "and goes no further");
    }

    const RECEIVES_ONLY: &str = "onhand_ingress_bytes_in_flight 7\n";
}
