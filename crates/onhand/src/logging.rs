//! Log output: to stderr, so that stdout holds only what was asked for.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};
use crate::exit::bad_config;

pub(crate) fn init(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| {
        bad_config(format!(
            "ONHAND_LOG (--log) is {:?}: {error}; for example `info` or `info,worker=debug`",
            settings.log
        ))
    })?;
    let output = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => output.json().flatten_event(true).init(),
        LogFormat::Pretty => output.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
