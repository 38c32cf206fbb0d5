//! Log output: to stderr, so that stdout holds only what was asked for.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};
use crate::exit::bad_config;

/// Roles tell what they do, and leave out what their libraries do: lapin calls every lost
/// connection an error, which the queue mends and reports by itself.
const ROLES: &str = "info,lapin=off,sqlx=warn";

/// Tools answer on stdout; only what is wrong is logged.
const TOOLS: &str = "warn,lapin=off";

pub(crate) fn init(settings: &Settings, is_role: bool) -> anyhow::Result<()> {
    let default = if is_role { ROLES } else { TOOLS };
    let filter = settings.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        bad_config(format!(
            "ONHAND_LOG (--log) is {filter:?}: {error}; for example `info` or `info,worker=debug`"
        ))
    })?;
    let output = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => output.json().flatten_event(true).init(),
        LogFormat::Pretty => output.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
