//! x
pub trait Reports {}
