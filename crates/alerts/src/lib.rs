//! What Onhand looks after by itself: it verifies its promises on a schedule, and posts to a URL what
//! is wrong and what to do, for shops without a Prometheus.
//!
//! * [`verify`]: the schedule
//! * `drift`: what platforms count otherwise than we do, compared after each verification, as what
//!   is below zero is counted then
//! * [`post`]: looking, and posting
//! * [`state`]: what is posted when, pure
//! * `kept`: what was posted, kept for the process after this one
//!
//! The rules, what is wrong, are the overview's ([`operate::health`]). Nothing here holds up anything
//! else.

mod drift;
mod kept;
pub mod post;
pub mod state;
pub mod verify;
