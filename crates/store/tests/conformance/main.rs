//! One contract, two stores: every check runs on both, each on a fresh database.
//!
//! Add an implementation with a module that implements [`harness::TestStore`] and calls
//! `conformance_suite!`; what only that one promises is tested beside it.

#[macro_use]
mod suite;

mod activity;
mod alerts;
mod bodies;
mod channels;
mod claims;
mod commits;
mod conflicts;
mod harness;
mod lanes;
mod letters;
mod pages;
mod pauses;
mod plans;
mod postgres;
mod redactions;
mod rollups;
mod schema;
mod sqlite;
mod tampering;
mod turns;
mod webhooks;
