//! The fuzz targets' seeds, and much that is like them, with a stable compiler and on every run.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

#[path = "../../../../fuzz/src/inputs.rs"]
mod inputs;

use inputs::TARGETS;

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).expect("the folder can be listed");
    entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .map(|path| path.file_stem().expect("entries have names").to_string_lossy().into_owned())
        .collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the target has seeds")
        .map(|entry| entry.expect("the seeds can be listed").path())
        .collect();
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

#[test]
fn every_target_has_seeds_and_a_program() {
    let programs = names("targets");
    assert_eq!(programs, names("seeds"));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("the manifest is there");
    for name in &programs {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no [[bin]]");
    }
    for (name, _) in TARGETS {
        assert!(programs.contains(name), "{name} has no program");
    }
}

/// One way to spoil an input.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
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
            Change::Insert(at, bytes) => {
                let at = at.index(input.len());
                input.splice(at..at, bytes.iter().copied());
            }
            Change::Remove(at, length) => {
                let at = at.index(input.len());
                input.drain(at..(at + length).min(input.len()));
            }
            Change::Cut(at) => input.truncate(at.index(input.len())),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let fragments = ["\"", "{", "}", "[", "]", ",", ":", "null", "-", "9", ".5", "e99", "\\u0000"];
    let fragment = select(fragments.map(|text| text.as_bytes().to_vec()).to_vec());
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        4 => (any::<Index>(), fragment).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => any::<Index>().prop_map(Change::Cut),
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
