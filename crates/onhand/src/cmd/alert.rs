//! `onhand alert`: whether alerts reach somebody.

use std::process::ExitCode;
use std::time::Instant;

use alerts::post::body;
use clap::Subcommand;
use serde::Serialize;

use crate::config::Settings;
use crate::config::alert_url::AlertUrl;
use crate::exit::{NOT_FINE, bad_config};
use crate::output;

const TEXT: &str = "Onhand: this is a test. Whoever reads it will be told when something is wrong.";

/// Characters of an answer that are shown.
const ANSWER_SHOWN: usize = 300;

#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Post a test message where alerts are posted, and say what was answered
    #[command(after_help = "Examples:\n  \
        onhand alert test\n  \
        onhand alert test --alert-url file:/run/secrets/alert_url")]
    Test {
        #[command(flatten)]
        url: AlertUrl,
    },
}

#[derive(Serialize)]
struct Tested {
    ok: bool,
    host: String,
    /// `None`: nothing was answered.
    status: Option<u16>,
    /// What was answered, or why nothing was.
    answer: String,
    took_ms: u128,
}

pub(crate) async fn run(settings: &Settings, command: AlertCommand) -> anyhow::Result<ExitCode> {
    let AlertCommand::Test { url } = command;
    let Some(receiver) = url.receiver()? else {
        return Err(bad_config(
            "nothing says where alerts are posted: set ONHAND_ALERT_URL (--alert-url), for example \
             to https://hooks.slack.com/services/T0/B0/x",
        ));
    };
    let began = Instant::now();
    let posted = receiver.post_json(body(TEXT)).await;
    let tested = Tested {
        ok: posted.as_ref().is_ok_and(outbound::Answer::is_success),
        host: receiver.host().to_owned(),
        status: posted.as_ref().ok().map(|answer| answer.status),
        answer: posted.map_or_else(|error| error.to_string(), |answer| plain(&answer.text)),
        took_ms: began.elapsed().as_millis(),
    };
    if settings.json {
        output::json(&tested)?;
    } else {
        let Tested { host, answer, took_ms, .. } = &tested;
        match tested.status {
            Some(status) => outln!("{host} answered {status} after {took_ms} ms: {answer}"),
            None => outln!("{host} cannot be posted to: {answer}"),
        }
        if !tested.ok {
            eprintln!("onhand: the test message was not taken, and alerts would not be either");
        }
    }
    Ok(if tested.ok { ExitCode::SUCCESS } else { ExitCode::from(NOT_FINE) })
}

/// A stranger's text on our terminal: one line, no control characters, no longer than that.
fn plain(text: &str) -> String {
    let visible = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    visible.take(ANSWER_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cannot_write_to_the_terminal() {
        assert_eq!(plain("no\r\n\u{1b}[2Jsuch \u{9b}hook"), "no   [2Jsuch  hook");
        assert_eq!(plain(&"ä".repeat(1_000)).chars().count(), ANSWER_SHOWN);
    }
}
