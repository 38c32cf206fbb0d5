//! The rules of stock, from outside: platform orders live, their webhooks are decided in batches
//! over a store in memory, and the numbers are looked at.

mod by_hand;
mod cancelled;
mod convergence;
mod histories;
mod lines;
mod listings;
mod locations;
mod orders;
mod paper;
mod payments;
mod properties;
mod shortage;
mod told;
mod world;
