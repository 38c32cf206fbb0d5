//! One file per subcommand.

pub(crate) mod alert;
pub(crate) mod dead;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod healthcheck;
pub(crate) mod listing;
pub(crate) mod migrate;
pub(crate) mod order;
pub(crate) mod pause;
pub(crate) mod payment;
pub(crate) mod privacy;
pub(crate) mod prune;
pub(crate) mod shop;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod stock;
pub(crate) mod top;
pub(crate) mod verify;
pub(crate) mod webhook;

mod csv_file;
