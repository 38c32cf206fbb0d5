//! What the fuzz targets run: one function per target, which panics if something is wrong.
//!
//! The functions are files of their own because the ordinary tests include them, and run them over
//! `seeds/` with a stable compiler: crates/platforms/tests/it/corpus.rs.

// The same two names at the root of the tests of `platforms`, for which `inputs` is written too.
#[path = "../../crates/platforms/tests/it/check.rs"]
mod check;
mod inputs;
mod parcels;

/// Runs one input of the target `name`.
pub fn run(name: &str, input: &[u8]) {
    let targets = inputs::TARGETS.iter().chain(&parcels::TARGETS);
    let (_, target) = targets.into_iter().find(|(of, _)| *of == name).expect("a target's name");
    target(input);
}
