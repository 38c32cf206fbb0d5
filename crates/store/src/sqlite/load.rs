//! Reading the rows that a batch decides over.

use std::collections::BTreeSet;

use domain::order::{Holding, Order};
use domain::view::Seen;
use domain::{
    BodyHash, EnvelopeId, Keys, LocationId, OrderId, OrderKey, Payment, PaymentKey, ShopId, Sku,
    Stock, StockKey, Version, View, WebhookId, WebhookKey,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::error::from_sqlx;
use super::json;
use crate::StoreError;
use crate::listings::gather;

/// All reads see one moment: they are in one transaction.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    keys: &Keys,
) -> Result<View, StoreError> {
    let mut view = View::default();

    let webhooks = json::rows(&keys.webhooks, |key| {
        (key.webhook.as_str(), key.shop.as_str(), key.body.to_string())
    })?;
    for row in fetch(connection, include_str!("sql/load_webhooks.sql"), [&webhooks]).await? {
        let (key, seen) = seen(&row)?;
        view.webhooks.insert(key, seen);
    }

    let orders = json::rows(&keys.orders, |key| (key.shop.as_str(), key.order.as_str()))?;
    for row in fetch(connection, include_str!("sql/load_orders.sql"), [&orders]).await? {
        let key = order_key(&row);
        let document: &str = row.get(3);
        let mut order: Order = serde_json::from_str(document).map_err(|error| {
            StoreError::Rejected(format!("order {key} is unreadable: {error}").into())
        })?;
        order.version = Version(row.get(2));
        view.orders.insert(key, order);
    }
    let payments = json::rows(&keys.payments, |key| (key.shop.as_str(), key.payment.as_str()))?;
    for row in fetch(connection, include_str!("sql/load_payments.sql"), [&payments]).await? {
        let (key, payment) = payment(&row)?;
        view.payments.insert(key, payment);
    }
    let listings = json::rows(&keys.listings, |key| (key.shop.as_str(), key.variant.as_str()))?;
    let rows = fetch(connection, include_str!("sql/load_listings.sql"), [&listings]).await?;
    view.listings = gather(&rows, |row| row.get(4));

    // Most orders are new: nothing is asked of what they hold.
    let found = json::rows(view.orders.keys(), |key| (key.shop.as_str(), key.order.as_str()))?;
    for row in fetch(connection, include_str!("sql/load_order_stock.sql"), [&found]).await? {
        if let Some(order) = view.orders.get_mut(&order_key(&row)) {
            let holding = Holding {
                committed: row.get(4),
                shipped: row.get(5),
                returned: row.get(6),
                uncovered: row.get(7),
            };
            order.holdings.insert(stock_key(&row, 2), holding);
        }
    }
    let skus: BTreeSet<&Sku> = keys.skus.iter().chain(view.items()).collect();
    let skus = json::rows(skus, |sku| sku.as_str())?;
    for row in fetch(connection, include_str!("sql/load_stock.sql"), [&skus]).await? {
        view.stock.insert(stock_key(&row, 0), stock_row(&row));
    }
    Ok(view)
}

async fn fetch<const N: usize>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    params: [&String; N],
) -> Result<Vec<SqliteRow>, StoreError> {
    let query = params.into_iter().fold(sqlx::query(sql), |query, param| query.bind(param));
    query.fetch_all(connection).await.map_err(from_sqlx)
}

fn seen(row: &SqliteRow) -> Result<(WebhookKey, Seen), StoreError> {
    let key = WebhookKey {
        webhook: WebhookId::new(row.get::<&str, _>(0)),
        shop: ShopId::new(row.get::<&str, _>(1)),
        body: BodyHash::from_hex(row.get(2)).unwrap_or(BodyHash([0; 16])),
        scope: None,
    };
    // An outcome that a newer program wrote is some outcome: what matters is that there is one.
    let outcome = row.get::<&str, _>(3).parse().unwrap_or(domain::Outcome::Applied);
    let repeats: Vec<Uuid> =
        serde_json::from_str(row.get(5)).map_err(|error| StoreError::Rejected(error.into()))?;
    let first = Uuid::parse_str(row.get(4)).unwrap_or_default();
    let envelopes = std::iter::once(first).chain(repeats).map(EnvelopeId).collect();
    Ok((key, Seen { outcome, envelopes }))
}

fn payment(row: &SqliteRow) -> Result<(PaymentKey, Payment), StoreError> {
    let key = PaymentKey {
        shop: ShopId::new(row.get::<&str, _>(0)),
        payment: row.get::<&str, _>(1).into(),
    };
    let mut payment: Payment = serde_json::from_str(row.get(3)).map_err(|error| {
        StoreError::Rejected(format!("payment {key} is unreadable: {error}").into())
    })?;
    payment.version = Version(row.get(2));
    Ok((key, payment))
}

fn order_key(row: &SqliteRow) -> OrderKey {
    OrderKey {
        shop: ShopId::new(row.get::<&str, _>(0)),
        order: OrderId::new(row.get::<&str, _>(1)),
    }
}

fn stock_key(row: &SqliteRow, at: usize) -> StockKey {
    StockKey {
        sku: Sku::new(row.get::<&str, _>(at)),
        location: LocationId::new(row.get::<&str, _>(at + 1)),
    }
}

fn stock_row(row: &SqliteRow) -> Stock {
    Stock {
        on_hand: row.get(2),
        committed: row.get(3),
        floor: row.get(4),
        version: Version(row.get(5)),
    }
}
