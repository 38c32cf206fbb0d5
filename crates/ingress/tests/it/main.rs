//! An ingress behind a real socket, with a queue whose answers the tests hold in their hands.

#[path = "../../../serve/tests/it/peer.rs"]
#[expect(dead_code, reason = "shared with crates that need more of it")]
mod peer;
mod server;
mod webhook;

mod answers;
mod limits;
mod metrics;
mod queue;
mod senders;
mod signed;
mod stop;
