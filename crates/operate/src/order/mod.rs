//! An order: what is known of it, in words, and one more try for a short one.

pub mod explain;
pub mod find;
pub mod lines;
pub mod retry;
pub mod timeline;
