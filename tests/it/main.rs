//! Onhand as a whole.

mod tidy;
