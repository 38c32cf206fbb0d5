//! One contract, two queues: every check in [`checks`] runs on both, each on a fresh queue.
//!
//! Add an implementation with a module that implements [`harness::TestQueue`] and calls
//! `conformance_suite!`; what only that one promises is tested beside it.

#[macro_use]
mod checks;
mod depth;
mod embedded;
mod harness;
mod proxy;
mod rabbitmq;
