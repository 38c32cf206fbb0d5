//! The serving loop against peers that behave and peers that do not.

mod peer;
mod server;

mod requests;
mod stop;
mod timeouts;
