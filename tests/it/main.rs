//! Onhand as a whole.

mod accepting;
mod faults;
mod harness;
mod tidy;
