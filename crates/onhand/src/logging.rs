//! Log output: to stderr, so that stdout holds only what was asked for.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{LogFormat, Settings};
use crate::exit::bad_config;

/// Roles tell what they do, and leave out what their libraries do: lapin calls every lost
/// connection an error, which the queue mends and reports by itself.
const ROLES: &str = "info,lapin=off,sqlx=warn";

/// Tools answer on stdout; only what is wrong is logged. That a statement took long is not: whoever
/// waits for it sees that.
const TOOLS: &str = "warn,lapin=off,sqlx::query=off";

pub(crate) fn init(settings: &Settings, is_role: bool) -> anyhow::Result<()> {
    let default = if is_role { ROLES } else { TOOLS };
    let filter = settings.log.as_deref().unwrap_or(default);
    let bad = |why: String| {
        bad_config(format!(
            "ONHAND_LOG (--log) is {filter:?}: {why}; for example `info` or `info,worker=debug`"
        ))
    };
    if let Some(word) = filter.split(',').map(str::trim).find(|part| is_no_level(part)) {
        return Err(bad(format!("{word} is none of off, error, warn, info, debug and trace")));
    }
    let filter = EnvFilter::try_new(filter).map_err(|error| bad(error.to_string()))?;
    let output = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => output.json().flatten_event(true).init(),
        LogFormat::Pretty => output.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}

/// A word by itself would be taken for a part of the program, and a slip of the pen for one that
/// nobody has: nothing would be logged.
fn is_no_level(part: &str) -> bool {
    let is_word = part.chars().all(|char| char.is_alphanumeric() || "_:-".contains(char));
    !part.is_empty() && is_word && part.parse::<LevelFilter>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_by_itself_is_a_level() {
        for good in ["info", "OFF", "3", "worker=debug", "worker[batch]", ""] {
            assert!(!is_no_level(good), "{good}");
        }
        for bad in ["inof", "worker", "worker::lane"] {
            assert!(is_no_level(bad), "{bad}");
        }
    }
}
