//! What was told is kept in the store, so that a process that starts anew goes on from there: it does
//! not say the same again, and says what was over when nobody looked.

use std::time::Duration;

use domain::Timestamp;
use operate::health::Matter;
use store::{Alert, AnyStore, StoreError};
use tokio::time::timeout;

use crate::post::STORE_TIMEOUT;
use crate::state::{Alerts, Told};

/// Reads what is kept, once, and writes what was told since.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    is_read: bool,
}

impl Kept {
    /// To be asked for when the store answers. Where this fails it is tried again at the next look.
    pub(crate) async fn read(&mut self, store: &AnyStore, alerts: &mut Alerts) {
        if self.is_read {
            return;
        }
        match bounded(store::Alerts::alerts(store)).await {
            Ok(kept) => {
                alerts.go_on(&kept.iter().filter_map(told).collect::<Vec<_>>());
                self.is_read = true;
            }
            Err(error) => tracing::warn!(error, "what was told before cannot be read yet"),
        }
    }

    /// The same goes for this: what is not kept may be told again, and is not lost.
    pub(crate) async fn write(&self, store: &AnyStore, alerts: &mut Alerts) {
        let (told, over) = alerts.unkept();
        if told.is_empty() && over.is_empty() {
            return;
        }
        let told: Vec<Alert> = told.iter().map(alert).collect();
        let over: Vec<String> = over.iter().map(|matter| matter.as_str().to_owned()).collect();
        match bounded(store::Alerts::keep_alerts(store, &told, &over)).await {
            Ok(()) => alerts.kept(),
            Err(error) => tracing::warn!(error, "what was told cannot be kept yet"),
        }
    }
}

async fn bounded<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match timeout(STORE_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(|error| worker::error_chain(&error)),
        Err(_) => Err("it took too long to answer".to_owned()),
    }
}

fn told(alert: &Alert) -> Option<Told> {
    let matter = Matter::named(&alert.matter)?;
    Some(Told { matter, began: since_1970(alert.began), told: since_1970(alert.told_at) })
}

fn alert(told: &Told) -> Alert {
    let at = |moment: Duration| Timestamp(moment.as_micros().try_into().unwrap_or(i64::MAX));
    let matter = told.matter.as_str().to_owned();
    Alert { matter, began: at(told.began), told_at: at(told.told) }
}

pub(crate) fn since_1970(at: Timestamp) -> Duration {
    Duration::from_micros(at.0.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_release_told_is_left_to_it() {
        let kept = |matter: &str| {
            let (began, told_at) = (Timestamp(1), Timestamp(2_000_000));
            Alert { matter: matter.to_owned(), began, told_at }
        };
        assert_eq!(told(&kept("of_tomorrow")), None);
        let below_zero = told(&kept("below_zero")).expect("one of ours");
        assert_eq!(below_zero.matter, Matter::BelowZero);
        assert_eq!(alert(&below_zero), kept("below_zero"));
    }
}
