//! What tests of the other crates and the end-to-end tests need; never part of the program.
//!
//! * [`chaos`]: a TCP proxy that breaks connections, down to losing exactly one COMMIT's reply
//! * [`services`]: private PostgreSQL and RabbitMQ servers that may be killed, databases on the
//!   shared ones
//! * [`shopify`], [`woocommerce`]: orders that live as they do there, and the signed webhooks they
//!   send; [`payments`]: the same for payments at their providers; [`request`]: what they all send
//! * [`memory`]: a store in memory with the contract of the real ones, and its own `verify`
//! * [`model`]: a naive second opinion on what stock should be
//! * [`permutations`]: every order in which a few things may come
//!
//! Nothing here is durable, and everything cleans up after itself when it is dropped.

pub mod chaos;
pub mod memory;
pub mod model;
pub mod services;

pub use simulate::{payments, request, shopify, woocommerce};

/// All orders of `all`.
pub fn permutations<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    if all.is_empty() {
        return vec![Vec::new()];
    }
    let beginning_with = |at: usize| {
        let mut rest = all.to_vec();
        let first = rest.remove(at);
        permutations(&rest).into_iter().map(move |rest| {
            let mut one = vec![first.clone()];
            one.extend(rest);
            one
        })
    };
    (0..all.len()).flat_map(beginning_with).collect()
}
