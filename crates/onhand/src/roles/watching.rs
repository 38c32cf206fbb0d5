//! What a role looks after by itself, whatever else it does: it verifies, and posts alerts.

use std::time::Duration;

use alerts::post::Watch;
use alerts::verify;
use clap::Args;
use platforms::span;
use queue::Broker;
use store::AnyStore;

use super::Role;
use crate::config::alert_url::AlertUrl;

/// Between two verifications, at the least.
const VERIFY_EVERY_MIN: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
#[command(next_help_heading = "Alerts, for one process of an installation")]
pub(super) struct AlertArgs {
    #[command(flatten)]
    url: AlertUrl,
    /// What alerts call this installation
    #[arg(long, env = "ONHAND_ALERT_NAME", default_value = "Onhand", value_name = "NAME")]
    alert_name: String,
    /// How long something must be wrong before it is posted, and right again before that is, in
    /// seconds
    #[arg(long, env = "ONHAND_ALERT_AFTER_SECONDS", default_value_t = 60, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(0..=86_400))]
    alert_after_seconds: u64,
}

/// How often the promises are verified; `None`: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Every(Option<Duration>);

/// `off`, or a length of time.
pub(super) fn every(text: &str) -> Result<Every, String> {
    if text == "off" {
        return Ok(Every(None));
    }
    let every =
        span::parse(text).ok_or_else(|| format!("{text:?} is neither off nor such as 6h or 1d"))?;
    if every < VERIFY_EVERY_MIN {
        return Err("more often than every second nobody verifies".to_owned());
    }
    Ok(Every(Some(every)))
}

impl Role {
    /// Until the stop. Neither is waited for: they only read.
    pub(super) fn look_after(
        &self,
        Every(verify_every): Every,
        alerts: &AlertArgs,
        store: &AnyStore,
        broker: &Broker,
    ) -> anyhow::Result<()> {
        let receiver = alerts.url.receiver()?;
        if let Some(every) = verify_every {
            let checks = self.checks.clone();
            let work = verify::on_schedule(every, store.clone(), self.shops.clone(), checks);
            self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(work));
        }
        if let Some(receiver) = receiver {
            tracing::info!(alert.host = receiver.host(), "alerts are posted");
            let watch = Watch {
                store: store.clone(),
                broker: broker.clone(),
                shops: self.shops.clone(),
                checks: self.checks.subscribe(),
                receiver,
                name: alerts.alert_name.clone(),
                patience: Duration::from_secs(alerts.alert_after_seconds),
            };
            self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(watch.run()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_off_or_a_length_of_time() {
        let seconds = |text| every(text).map(|Every(every)| every.map(|every| every.as_secs()));
        assert_eq!(seconds("off"), Ok(None));
        assert_eq!(seconds("1d"), Ok(Some(86_400)));
        assert_eq!(seconds("90m"), Ok(Some(5_400)));
        for bad in ["", "0s", "daily", "-1d", "1", "100ms"] {
            assert!(every(bad).is_err(), "{bad}");
        }
    }
}
