//! Onhand as a whole.

mod accepting;
mod harness;
mod tidy;
