//! The fuzz target's seeds, and much that is like them, with a stable compiler and on every run.

use std::fs;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[path = "../../../../fuzz/src/parcels.rs"]
mod parcels;

use parcels::TARGETS;

/// By name, so that a failure under a seed is the same failure on another machine.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = fs::read_dir(seeds).expect("the target has seeds");
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("the seeds can be listed").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).expect("a seed can be read")).collect()
}

#[test]
fn every_seed_is_answered() {
    for (name, run) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
        seeds.iter().for_each(|seed| run(seed));
    }
}

/// One way to spoil an input.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    /// Lengths are what a parcel is made of.
    Length(Index, u32),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
    /// Everything once more, behind itself.
    Twice,
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>) {
        if input.is_empty() {
            return;
        }
        match self {
            Change::Byte(at, byte) => {
                let at = at.index(input.len());
                input[at] = *byte;
            }
            Change::Length(at, length) => {
                let at = at.index(input.len());
                let end = (at + 4).min(input.len());
                input.splice(at..end, length.to_le_bytes());
            }
            Change::Insert(at, bytes) => {
                let at = at.index(input.len());
                input.splice(at..at, bytes.iter().copied());
            }
            Change::Remove(at, length) => {
                let at = at.index(input.len());
                input.drain(at..(at + length).min(input.len()));
            }
            Change::Cut(at) => input.truncate(at.index(input.len())),
            Change::Twice => input.extend_from_within(..),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let length = prop_oneof![0..2_000_u32, any::<u32>(), Just(u32::MAX)];
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        4 => (any::<Index>(), length).prop_map(|(at, length)| Change::Length(at, length)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => Just(Change::Twice),
    ]
}

proptest! {
    #[test]
    fn every_changed_seed_is_answered(
        seed in any::<Index>(),
        changes in vec(change(), 1..6),
    ) {
        for (name, run) in TARGETS {
            let seeds = seeds(name);
            let mut input = seeds[seed.index(seeds.len())].clone();
            changes.iter().for_each(|change| change.apply(&mut input));
            run(&input);
        }
    }
}
