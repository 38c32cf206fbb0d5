//! Rows of the program, turned into the array parameters of `unnest`.

use domain::{OrderKey, StockKey, Timestamp, WebhookKey};
use tokio_postgres::types::ToSql;

type Column<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// One array per column.
#[derive(Default)]
pub(super) struct Columns<'a> {
    columns: Vec<Column<'a>>,
    /// Whether one of them holds anything.
    filled: bool,
}

impl<'a> Columns<'a> {
    /// Adds a column with `value` of every row.
    pub(super) fn with<R, V>(mut self, rows: &'a [R], value: impl Fn(&'a R) -> V) -> Self
    where
        Vec<V>: ToSql + Sync + Send + 'a,
    {
        self.filled |= !rows.is_empty();
        self.columns.push(Box::new(rows.iter().map(value).collect::<Vec<V>>()));
        self
    }

    /// Adds a parameter that is one value.
    pub(super) fn value(mut self, value: impl ToSql + Sync + Send + 'a) -> Self {
        self.filled = true;
        self.columns.push(Box::new(value));
        self
    }

    /// A statement over these would read and write nothing.
    pub(super) fn are_empty(&self) -> bool {
        !self.filled && !self.columns.is_empty()
    }

    pub(super) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.columns.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect()
    }

    /// The three columns of webhook keys, in the key's order.
    pub(super) fn webhook_keys<R>(self, rows: &'a [R], key: fn(&'a R) -> &'a WebhookKey) -> Self {
        self.with(rows, move |row| key(row).webhook.as_str())
            .with(rows, move |row| key(row).shop.as_str())
            .with(rows, move |row| &key(row).body.0[..])
    }

    /// Where the rows of webhooks lie in the inbox: with their order, or with what names none.
    pub(super) fn scopes<R>(self, rows: &'a [R], key: fn(&'a R) -> &'a WebhookKey) -> Self {
        self.with(rows, move |row| key(row).scope.as_ref().map_or("", |order| order.as_str()))
    }

    pub(super) fn order_keys<R>(self, rows: &'a [R], key: fn(&'a R) -> &'a OrderKey) -> Self {
        self.with(rows, move |row| key(row).shop.as_str())
            .with(rows, move |row| key(row).order.as_str())
    }

    pub(super) fn stock_keys<R>(self, rows: &'a [R], key: fn(&'a R) -> &'a StockKey) -> Self {
        self.with(rows, move |row| key(row).sku.as_str())
            .with(rows, move |row| key(row).location.as_str())
    }
}

/// A moment as PostgreSQL keeps it; one outside its range counts as 1970.
pub(super) fn moment(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
