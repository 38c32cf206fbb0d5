//! Moments and people, as commands name them.

use domain::Timestamp;
use platforms::span;

use crate::exit::bad_config;

/// A moment, or so long ago.
pub(crate) fn since(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(moment.as_microsecond()));
    }
    ago(text).ok_or_else(|| {
        bad_config(format!(
            "{text:?} is neither a moment, as 2026-11-21T12:00:00Z, nor a length of time, as 2h or 3d"
        ))
    })
}

/// The moment that was so long ago.
pub(crate) fn older_than(text: &str) -> anyhow::Result<Timestamp> {
    ago(text).ok_or_else(|| bad_config(format!("{text:?} is no length of time, as 90d or 12h")))
}

fn ago(text: &str) -> Option<Timestamp> {
    let length = i64::try_from(span::parse(text)?.as_micros()).ok()?;
    Some(Timestamp(operate::now().0.saturating_sub(length)))
}

/// Who gives the command, for the record.
pub(crate) fn who() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"].into_iter();
    // The machine's own word for who is there, and no setting of ours.
    let mut names = names.filter_map(|name| std::env::var_os(name)?.into_string().ok());
    let name = names.find(|name| !name.is_empty());
    format!("{} (command line)", name.as_deref().unwrap_or("somebody"))
}
