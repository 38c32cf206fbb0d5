//! `onhand webhook list`: a bounded look at what came, however much that is.

use std::process::ExitCode;

use clap::Args;
use domain::{EnvelopeId, OrderId, Outcome, ShopId};
use operate::output::grouped;
use store::pages::{Page, SCAN_MAX, WebhookPage};
use store::reports::{WebhookFilter, WebhookRow};
use store::{Pages, Reports, StoreError};
use uuid::Uuid;

use super::WebhookJson;
use crate::config::Settings;
use crate::{output, shops_file};

/// Each looks through [`SCAN_MAX`] webhooks at the most: all together a million, which takes seconds.
const STEPS_MAX: i64 = 50;

#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Only of this shop
    #[arg(long)]
    shop: Option<String>,
    /// Only of this order
    #[arg(long)]
    order: Option<String>,
    /// applied, unchanged, superseded, short, ignored or dead
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Only what came before the webhook with this correlation id: to go on where a list ended
    #[arg(long, value_name = "ID", conflicts_with = "order")]
    before: Option<Uuid>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
}

pub(super) async fn run(settings: &Settings, asked: Asked) -> anyhow::Result<ExitCode> {
    let store = settings.open_store().await?;
    let shop = asked.shop.as_deref().map(ShopId::new);
    let found = match &asked.order {
        // One more than are shown tells that there are more.
        Some(order) => {
            let filter = WebhookFilter {
                shop,
                order: Some(OrderId::new(order)),
                outcome: asked.outcome,
                limit: asked.limit + 1,
                ..WebhookFilter::default()
            };
            Page { rows: store.webhooks(&filter).await?, next: None }
        }
        None => {
            let page = WebhookPage {
                shop,
                outcome: asked.outcome,
                before: asked.before.map(EnvelopeId),
                limit: asked.limit + 1,
                ..WebhookPage::default()
            };
            look(&store, page, STEPS_MAX).await?
        }
    };
    if found.rows.is_empty() {
        shops_file::check_typo(&settings.shops, asked.shop.as_deref())?;
    }
    let (rows, more) = output::cut(&found.rows, asked.limit);
    if settings.json {
        output::json(&rows.iter().map(WebhookJson::from).collect::<Vec<_>>())?;
    } else {
        table(rows);
        match rows.last().filter(|_| more && asked.order.is_none()) {
            Some(last) => eprintln!("… more: --limit N, or --before {}", last.envelope),
            None => output::tell_of(more),
        }
    }
    // Also beside JSON, which cannot say that there may be more.
    if let Some(next) = found.next.filter(|_| !more) {
        eprintln!("{}", stopped(next));
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks through what came until there are as many as are wanted, there is no more to look through,
/// or so many steps were taken: then `next` is where it stopped.
async fn look<S: Pages>(
    store: &S,
    mut page: WebhookPage,
    steps_max: i64,
) -> Result<Page<WebhookRow, EnvelopeId>, StoreError> {
    let mut rows = Vec::new();
    for _ in 0..steps_max {
        let found = store.webhook_page(&page).await?;
        page.limit -= i64::try_from(found.rows.len()).unwrap_or(i64::MAX);
        rows.extend(found.rows);
        page.before = found.next;
        if page.before.is_none() || page.limit <= 0 {
            break;
        }
    }
    Ok(Page { rows, next: page.before })
}

/// Ids of envelopes begin with the moment at which they came.
fn stopped(at: EnvelopeId) -> String {
    let came = at.0.get_timestamp().and_then(|moment| {
        let (seconds, nanoseconds) = moment.to_unix();
        let moment =
            jiff::Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?);
        Some(format!(", back to {:.0}", moment.ok()?))
    });
    format!(
        "onhand: looked through {} webhooks{}; --before {at} looks on from there",
        grouped(SCAN_MAX * STEPS_MAX),
        came.unwrap_or_default()
    )
}

fn table(rows: &[WebhookRow]) {
    output::table(
        &["webhook", "shop", "topic", "order", "outcome", "reason", ">deliveries", "received"],
        rows.iter().map(|row| {
            vec![
                row.webhook.to_string(),
                row.shop.to_string(),
                row.topic.clone(),
                output::or_dash(row.order.as_ref()),
                row.outcome.clone(),
                output::or_dash(row.reason.as_ref()),
                row.deliveries.to_string(),
                output::moment(row.received_at),
            ]
        }),
    );
}

#[cfg(test)]
mod tests;
