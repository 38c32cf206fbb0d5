//! The rules of stock, from outside: platform orders live, their webhooks are decided in batches
//! over a store in memory, and the numbers are looked at.

mod histories;
mod lines;
mod locations;
mod orders;
mod properties;
mod shortage;
mod world;
