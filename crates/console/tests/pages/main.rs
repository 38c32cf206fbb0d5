//! The console behind a real socket, over a real store.

mod access;
mod actions;
mod escape;
mod fleet;
mod harness;
mod live;
mod mending;
mod rows;

#[path = "../../../serve/tests/it/peer.rs"]
#[expect(dead_code, reason = "shared with crates that need more of it")]
mod peer;
