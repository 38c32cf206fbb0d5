//! Reading the rows that a batch decides over.

use std::collections::{BTreeSet, HashMap};

use domain::order::{Holding, Order};
use domain::view::Seen;
use domain::{
    BodyHash, EnvelopeId, Keys, ListingKey, LocationId, OrderId, OrderKey, Outcome, Payment,
    PaymentKey, ShopId, Sku, Stock, StockKey, Version, View, WebhookId, WebhookKey,
};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::columns::Columns;
use super::flight::{Step, all, fly};
use super::pool::Connection;
use crate::StoreError;
use crate::listings::gather;

/// The keys as slices, for `unnest`.
pub(super) struct KeyRows<'a> {
    pub(super) webhooks: Vec<&'a WebhookKey>,
    pub(super) orders: Vec<&'a OrderKey>,
    pub(super) skus: Vec<&'a Sku>,
    payments: Vec<&'a PaymentKey>,
    listings: Vec<&'a ListingKey>,
}

impl<'a> KeyRows<'a> {
    pub(super) fn new(keys: &'a Keys) -> Self {
        Self {
            webhooks: keys.webhooks.iter().collect(),
            orders: keys.orders.iter().collect(),
            skus: keys.skus.iter().collect(),
            payments: keys.payments.iter().collect(),
            listings: keys.listings.iter().collect(),
        }
    }

    pub(super) fn webhooks(&self) -> Columns<'_> {
        Columns::default().webhook_keys(&self.webhooks, |key| key).scopes(&self.webhooks, |key| key)
    }

    pub(super) fn items(&self) -> Columns<'_> {
        let columns = Columns::default().with(&self.skus, |sku| sku.as_str());
        self.listings(columns.order_keys(&self.orders, |key| key))
    }

    pub(super) fn names(&self) -> Columns<'_> {
        Columns::default().with(&self.skus, |sku| sku.as_str())
    }

    fn listings<'b>(&'b self, columns: Columns<'b>) -> Columns<'b> {
        columns
            .with(&self.listings, |key| key.shop.as_str())
            .with(&self.listings, |key| key.variant.as_str())
    }

    pub(super) fn payments<'b>(&'b self, columns: Columns<'b>) -> Columns<'b> {
        columns
            .with(&self.payments, |key| key.shop.as_str())
            .with(&self.payments, |key| key.payment.as_str())
    }

    /// Read before stock, so that the items of all listings that are seen are there.
    pub(super) fn read_listings(&self) -> Step<'_> {
        Step::Prepared(include_str!("sql/load_listings.sql"), self.listings(Columns::default()))
    }

    /// The reads of all that is looked up by its own key.
    pub(super) fn read_known(&self) -> [Step<'_>; 3] {
        let payments = self.payments(Columns::default());
        [
            Step::Prepared(include_str!("sql/load_payments.sql"), payments),
            Step::Prepared(include_str!("sql/load_webhooks.sql"), self.webhooks()),
            Step::Prepared(include_str!("sql/load_orders.sql"), orders(&self.orders)),
        ]
    }
}

fn orders<'a>(keys: &'a [&'a OrderKey]) -> Columns<'a> {
    Columns::default().order_keys(keys, |key| key)
}

pub(super) fn read_holdings<'a>(keys: &'a [&'a OrderKey]) -> Step<'a> {
    Step::Prepared(include_str!("sql/load_order_stock.sql"), orders(keys))
}

/// Loads without locks, all as of one moment: an order that seemed to hold more than is committed
/// could not even be decided. What changes afterwards is found by version at the commit.
///
/// In two flights. Most orders are new, so that the second has nothing to ask of them, and it knows
/// the items that the others and the listings name. Where no key can lead to an item there is none.
pub(super) async fn load(connection: Connection, keys: &Keys) -> Result<View, StoreError> {
    let rows = KeyRows::new(keys);
    let mut steps =
        vec![Step::Plain("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), rows.read_listings()];
    steps.extend(rows.read_known());
    let without_items = rows.orders.is_empty() && rows.skus.is_empty() && rows.listings.is_empty();
    // Nothing was written.
    steps.extend(without_items.then_some(Step::Plain("ROLLBACK")));
    let answers = all(fly(&connection, &steps).await?)?;
    let [_, listings, payments, webhooks, orders, ..] = &answers[..] else {
        unreachable!("one answer per statement")
    };
    let mut view = known_view(listings, [payments, webhooks, orders])?;
    if without_items {
        connection.done();
        return Ok(view);
    }

    let answers = {
        let orders: Vec<&OrderKey> = view.orders.keys().collect();
        let skus: BTreeSet<&Sku> = keys.skus.iter().chain(view.items()).collect();
        let skus: Vec<&Sku> = skus.into_iter().collect();
        let skus = Columns::default().with(&skus, |sku| sku.as_str());
        let stock = Step::Prepared(include_str!("sql/load_stock.sql"), skus);
        all(fly(&connection, &[read_holdings(&orders), stock, Step::Plain("ROLLBACK")]).await?)?
    };
    connection.done();
    let [holdings, stock, _] = &answers[..] else { unreachable!("one answer per statement") };
    complete(&mut view, holdings, stock);
    Ok(view)
}

/// What the answers to [`KeyRows::read_listings`] and [`KeyRows::read_known`] show.
pub(super) fn known_view(
    listings: &[Row],
    [payments, webhooks, orders]: [&Vec<Row>; 3],
) -> Result<View, StoreError> {
    Ok(View {
        webhooks: webhooks.iter().map(seen).collect(),
        orders: orders.iter().map(order).collect::<Result<_, _>>()?,
        payments: payments.iter().map(payment).collect::<Result<_, _>>()?,
        listings: gather(listings, |row| row.get(4)),
        ..View::default()
    })
}

/// Adds what its orders hold, and stock.
pub(super) fn complete(view: &mut View, holdings: &[Row], stock: &[Row]) {
    hold(holdings, &mut view.orders);
    for row in stock {
        view.stock.insert(stock_key(row, 0), stock_row(row));
    }
}

fn payment(row: &Row) -> Result<(PaymentKey, Payment), StoreError> {
    let key = PaymentKey {
        shop: ShopId::new(row.get::<_, &str>(0)),
        payment: row.get::<_, &str>(1).into(),
    };
    let Json(mut payment): Json<Payment> = row.try_get(3).map_err(|error| {
        StoreError::Rejected(format!("payment {key} is unreadable: {error}").into())
    })?;
    payment.version = Version(row.get(2));
    Ok((key, payment))
}

fn seen(row: &Row) -> (WebhookKey, Seen) {
    let body: &[u8] = row.get(2);
    let key = WebhookKey {
        webhook: WebhookId::new(row.get::<_, &str>(0)),
        shop: ShopId::new(row.get::<_, &str>(1)),
        body: BodyHash(body.try_into().unwrap_or_default()),
        scope: Some(row.get::<_, &str>(6)).filter(|scope| !scope.is_empty()).map(OrderId::new),
    };
    // An outcome that a newer program wrote is some outcome: what matters is that there is one.
    let outcome = row.get::<_, &str>(3).parse().unwrap_or(Outcome::Applied);
    let repeats: Vec<uuid::Uuid> = row.get(5);
    let envelopes = std::iter::once(row.get(4)).chain(repeats).map(EnvelopeId).collect();
    (key, Seen { outcome, envelopes })
}

fn order(row: &Row) -> Result<(OrderKey, Order), StoreError> {
    let key = order_key(row);
    let Json(mut order): Json<Order> = row.try_get(3).map_err(|error| {
        StoreError::Rejected(format!("order {key} is unreadable: {error}").into())
    })?;
    order.version = Version(row.get(2));
    Ok((key, order))
}

fn order_key(row: &Row) -> OrderKey {
    OrderKey {
        shop: ShopId::new(row.get::<_, &str>(0)),
        order: OrderId::new(row.get::<_, &str>(1)),
    }
}

fn hold(rows: &[Row], orders: &mut HashMap<OrderKey, Order>) {
    for row in rows {
        // A holding without its order was committed between the two reads: the order's version
        // will tell.
        if let Some(order) = orders.get_mut(&order_key(row)) {
            let holding = Holding {
                committed: row.get(4),
                shipped: row.get(5),
                returned: row.get(6),
                uncovered: row.get(7),
            };
            order.holdings.insert(stock_key(row, 2), holding);
        }
    }
}

fn stock_key(row: &Row, at: usize) -> StockKey {
    StockKey {
        sku: Sku::new(row.get::<_, &str>(at)),
        location: LocationId::new(row.get::<_, &str>(at + 1)),
    }
}

fn stock_row(row: &Row) -> Stock {
    Stock {
        on_hand: row.get(2),
        committed: row.get(3),
        floor: row.get(4),
        version: Version(row.get(5)),
    }
}
