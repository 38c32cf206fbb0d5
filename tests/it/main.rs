//! Onhand as a whole.

mod accepting;
mod alerting;
mod channels;
mod commands;
mod console;
mod drift;
mod explaining;
mod faults;
mod harness;
mod help;
mod lifecycle;
mod listings;
mod logging;
mod mending;
mod orders_explained;
mod paused;
mod payments_shown;
mod questions;
mod shopify_sightings;
mod simulating;
mod tidy;
mod top;
mod topics;
mod traces;
mod upgrading;
mod watching;
