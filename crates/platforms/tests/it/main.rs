//! The crate from outside: requests in, envelopes and facts out.

mod bodies;
mod events;
mod malformed;
mod orders;
mod random;
mod receive;
mod shops;
mod signature;
