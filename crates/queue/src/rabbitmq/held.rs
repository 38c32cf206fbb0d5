//! Which deliveries of a channel are held, and what may be acknowledged. Pure.
//!
//! One acknowledgement with `multiple` covers *every* tag up to its own, those that this process
//! has not looked at yet included. So it goes only up to the highest tag below which everything is
//! settled; what is settled beyond a gap is acknowledged alone.

use std::collections::{BTreeMap, BTreeSet};

/// A parcel that was handed out. At most 64 envelopes: one bit each.
#[derive(Debug)]
struct Parcel<T> {
    kept: T,
    /// A bit is set for each envelope that is not settled.
    open: u64,
}

/// The parcels of one channel, each with what its owner keeps for it.
#[derive(Debug)]
pub(super) struct Held<T> {
    parcels: BTreeMap<u64, Parcel<T>>,
    /// Everything up to here has been answered; tags start at 1.
    answered: u64,
    /// What beyond `answered` has been answered alone.
    answered_alone: BTreeSet<u64>,
    /// Settled and not acknowledged yet, with what was kept.
    finished: BTreeMap<u64, T>,
}

/// One acknowledgement to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ack<T> {
    pub(super) kept: T,
    pub(super) multiple: bool,
    /// How many parcels it covers.
    pub(super) parcels: u64,
}

impl<T> Held<T> {
    pub(super) fn new() -> Self {
        Self {
            parcels: BTreeMap::new(),
            answered: 0,
            answered_alone: BTreeSet::new(),
            finished: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Notes a parcel of 1 to 64 envelopes.
    pub(super) fn hold(&mut self, tag: u64, envelopes: u32, kept: T) {
        debug_assert!((1..=64).contains(&envelopes));
        self.parcels.insert(tag, Parcel { kept, open: u64::MAX >> (64 - envelopes.clamp(1, 64)) });
    }

    /// What is kept for an envelope that is held and not settled.
    pub(super) fn get(&self, tag: u64, index: u32) -> Option<&T> {
        let parcel = self.parcels.get(&tag)?;
        (parcel.open & bit(index) != 0).then_some(&parcel.kept)
    }

    /// Settles one envelope. False where it is not held (any more).
    pub(super) fn settle(&mut self, tag: u64, index: u32) -> bool {
        let Some(parcel) = self.parcels.get_mut(&tag).filter(|held| held.open & bit(index) != 0)
        else {
            return false;
        };
        parcel.open &= !bit(index);
        if parcel.open == 0
            && let Some(parcel) = self.parcels.remove(&tag)
        {
            self.finished.insert(tag, parcel.kept);
        }
        true
    }

    /// Takes a parcel out, because it is given back to the queue.
    pub(super) fn give_back(&mut self, tag: u64) -> Option<T> {
        let parcel = self.parcels.remove(&tag)?;
        self.answered_alone.insert(tag);
        self.advance();
        Some(parcel.kept)
    }

    /// The fewest acknowledgements for what is settled.
    pub(super) fn take_acks(&mut self) -> Vec<Ack<T>> {
        self.answered_alone.extend(self.finished.keys());
        self.advance();
        let alone = self.finished.split_off(&(self.answered + 1));
        let mut together = std::mem::take(&mut self.finished);
        let covered = u64::try_from(together.len()).unwrap_or(u64::MAX);

        // The tag of a `multiple` acknowledgement must itself be open on the broker.
        let highest = together.pop_last();
        let multiple =
            highest.map(|(_, kept)| Ack { kept, multiple: covered > 1, parcels: covered });
        let single = |kept| Ack { kept, multiple: false, parcels: 1 };
        multiple.into_iter().chain(alone.into_values().map(single)).collect()
    }

    fn advance(&mut self) {
        while self.answered_alone.remove(&(self.answered + 1)) {
            self.answered += 1;
        }
    }
}

fn bit(index: u32) -> u64 {
    1_u64.checked_shl(index).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn acks(held: &mut Held<u64>) -> Vec<(u64, bool)> {
        held.take_acks().into_iter().map(|ack| (ack.kept, ack.multiple)).collect()
    }

    #[test]
    fn a_parcel_is_acknowledged_when_its_last_envelope_is_settled() {
        let mut held = Held::new();
        held.hold(1, 2, 1);
        assert!(held.settle(1, 0));
        assert!(!held.settle(1, 0), "settled twice");
        assert!(!held.settle(1, 2), "no such place");
        assert!(!held.settle(2, 0), "no such parcel");
        assert_eq!(acks(&mut held), []);
        assert!(held.settle(1, 1));
        assert_eq!(acks(&mut held), [(1, false)]);
        assert!(held.is_empty());
    }

    #[test]
    fn a_full_parcel_has_a_bit_for_each_envelope() {
        let mut held = Held::new();
        held.hold(1, 64, 1);
        assert!((0..64).all(|index| held.settle(1, index)));
        assert_eq!(acks(&mut held), [(1, false)]);
    }

    #[test]
    fn multiple_stops_below_what_was_not_seen_yet() {
        let mut held = Held::new();
        for tag in [1, 2, 4] {
            held.hold(tag, 1, tag);
            held.settle(tag, 0);
        }
        assert_eq!(acks(&mut held), [(2, true), (4, false)]);
        held.hold(3, 1, 3);
        held.settle(3, 0);
        assert_eq!(acks(&mut held), [(3, false)]);
        held.hold(5, 1, 5);
        held.settle(5, 0);
        assert_eq!(acks(&mut held), [(5, false)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// A broker that knows the rule for `multiple` ends up with exactly what is not settled.
        #[test]
        fn the_broker_forgets_what_is_settled_and_nothing_else(
            order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(),
            seen in prop::collection::vec(prop::sample::select(vec!["settle", "back", "keep"]), 40),
            stops in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut held = Held::new();
            let mut broker: BTreeSet<u64> = (1..=40).collect();
            let mut expected = broker.clone();
            for ((tag, fate), stop) in order.into_iter().zip(seen).zip(stops) {
                held.hold(tag, 1, tag);
                match fate {
                    "settle" => prop_assert!(held.settle(tag, 0)),
                    "back" => {
                        prop_assert_eq!(held.give_back(tag), Some(tag));
                        broker.remove(&tag);
                    }
                    _ => {}
                }
                if fate != "keep" {
                    expected.remove(&tag);
                }
                if stop {
                    deliver(&mut held, &mut broker)?;
                    prop_assert_eq!(&broker, &expected);
                }
            }
            deliver(&mut held, &mut broker)?;
            prop_assert_eq!(broker, expected);
        }
    }

    fn deliver(held: &mut Held<u64>, broker: &mut BTreeSet<u64>) -> Result<(), TestCaseError> {
        for ack in held.take_acks() {
            prop_assert!(broker.contains(&ack.kept), "unknown delivery tag {}", ack.kept);
            let covered: Vec<u64> = if ack.multiple {
                broker.range(..=ack.kept).copied().collect()
            } else {
                vec![ack.kept]
            };
            prop_assert_eq!(u64::try_from(covered.len()).expect("few"), ack.parcels);
            covered.iter().for_each(|tag| {
                broker.remove(tag);
            });
        }
        Ok(())
    }
}
