//! The worker against stores: in memory with planted faults, and real ones under random histories.

mod activity;
mod again;
mod backends;
mod cards;
mod dice;
mod doctored;
mod fences;
mod harness;
mod histories;
mod lanes;
#[cfg(feature = "redis")]
mod leases;
mod logged;
mod measured;
mod meddled;
mod paused;
mod payments;
mod processor;
mod properties;
mod redactions;
mod senders;
mod sites;
mod sweep;
mod ways;
mod woocommerce;
