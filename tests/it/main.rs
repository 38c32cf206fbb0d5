//! Onhand as a whole.

mod accepting;
mod commands;
mod drift;
mod faults;
mod harness;
mod lifecycle;
mod tidy;
