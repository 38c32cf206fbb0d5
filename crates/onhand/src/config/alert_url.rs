//! Where alerts are posted. Shared by the roles that post and the commands that check.

use clap::Args;
use outbound::Receiver;
use secrecy::{ExposeSecret, SecretString};

use crate::exit::bad_config;
use crate::shops_file;

#[derive(Clone, Debug, Args)]
pub(crate) struct AlertUrl {
    /// Where alerts are posted, as {"text": "…"}, which Slack, Mattermost and many others take: a URL,
    /// or env:NAME or file:/path that hold it. It is a secret. Without it nothing is posted
    #[arg(long, env = "ONHAND_ALERT_URL", hide_env_values = true, value_name = "URL")]
    alert_url: Option<SecretString>,
}

impl AlertUrl {
    pub(crate) fn receiver(&self) -> anyhow::Result<Option<Receiver>> {
        // Composed files hand on what is not set as nothing.
        let given = self.alert_url.as_ref().filter(|url| !url.expose_secret().is_empty());
        let Some(given) = given else { return Ok(None) };
        let bad = |why: &dyn std::fmt::Display| {
            bad_config(format!(
                "ONHAND_ALERT_URL (--alert-url): {why}; give the URL that the channel's incoming \
                 webhook has, for example https://hooks.slack.com/services/T0/B0/x, or \
                 file:/run/secrets/alert_url"
            ))
        };
        let text = given.expose_secret();
        let url = match text.split_once(':') {
            Some(("env" | "file", _)) => shops_file::secret(text).map_err(|why| bad(&why))?.into(),
            _ => given.clone(),
        };
        Receiver::new(&url).map(Some).map_err(|why| bad(&why))
    }
}
