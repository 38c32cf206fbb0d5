//! The crate from outside: requests in, envelopes and facts out.

mod bodies;
mod catalogue;
mod check;
mod corpus;
mod events;
mod malformed;
mod mask;
mod orders;
mod payments;
mod privacy;
mod random;
mod receive;
mod samples;
mod shops;
mod signature;
mod topics;
mod woocommerce;
