//! What operators ask and do, whichever way they ask: the command line and the console say the same
//! words about an order and make the same commits.
//!
//! * [`command`]: an operator's change, once only by its key
//! * [`order`]: an order found and explained, and a short one tried again
//! * [`stock`]: one row changed, and all rows read
//! * [`dead`]: dead letters decided again, and what would come of it
//! * [`webhook`]: one whose body is kept, explained and decided again
//! * [`prune`]: old bodies removed
//! * [`audit`]: who did what, and when
//! * [`health`]: whether all is well, and what to do if not
//! * [`verify`]: whether every promise holds
//! * [`drift`]: the platforms' own quantities beside ours
//! * [`below_zero`]: items of which more is committed than is there
//! * [`pause`]: everything or a shop paused and resumed
//! * [`shop`]: how a shop is doing
//! * [`shared`]: what many ask for at once, made once
//!
//! A change is one commit, as a worker's; a process that dies before it has changed nothing, and
//! with a key the same command may be given again.

pub mod audit;
pub mod below_zero;
pub mod command;
pub mod dead;
pub mod drift;
pub mod health;
pub mod meaning;
pub mod order;
pub mod output;
pub mod pace;
pub mod pause;
pub mod prune;
pub mod shared;
pub mod shop;
pub mod stock;
pub mod verify;
pub mod webhook;

pub use command::{Command, Operated, operate, why};
pub use worker::clock::now;
pub use worker::error_chain;
