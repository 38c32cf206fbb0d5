//! What Onhand looks after by itself: it verifies its promises on a schedule, and posts to a URL what
//! is wrong and what to do, for shops without a Prometheus.
//!
//! * [`verify`]: the schedule
//! * `drift`: what platforms count otherwise than we do, compared after each verification, as what
//!   is below zero is counted then
//! * [`post`]: looking, and posting
//! * [`state`]: what is posted when, pure
//!
//! The rules, what is wrong, are the overview's ([`operate::health`]). Nothing here is kept: a
//! process that starts anew says again what is still wrong, and verifies anew. Nothing here holds up
//! anything else.

mod drift;
pub mod post;
pub mod state;
pub mod verify;
