//! Orders: found by number, id, shop and state, and one of them from its webhooks to its moves.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use domain::order::OrderState;
use domain::{OrderId, OrderKey, Payment, PaymentKey, Policy, ShopId, Sku};
use operate::order::explain::{self, Explained};
use operate::order::find::Found;
use operate::order::lines::lines;
use operate::order::timeline::{Entry, What, timeline};
use operate::output::money;
use serde::Deserialize;
use store::Pages;
use store::pages::{MOVES_MAX, OrderPage, OrderRow};

use super::stock::Move;
use super::webhooks::Row as WebhookRow;
use super::{
    Answer, Asked, Asker, Choice, Frame, ROWS, Trouble, asked, choices, render, shop_choices,
};
use crate::Console;
use crate::view::{self, Moment, grouped, link};

const STATES: [OrderState; 12] = [
    OrderState::Short,
    OrderState::Committed,
    OrderState::PartiallyShipped,
    OrderState::Shipped,
    OrderState::AwaitingPayment,
    OrderState::PaidAfterCancel,
    OrderState::Cancelled,
    OrderState::Released,
    OrderState::Partial,
    OrderState::NotStock,
    OrderState::Trashed,
    OrderState::Deleted,
];

#[derive(Deserialize)]
pub(super) struct Search {
    /// A name (#1001) or an id.
    #[serde(default)]
    q: String,
    /// An item.
    #[serde(default)]
    sku: String,
    #[serde(default)]
    shop: String,
    #[serde(default)]
    state: String,
    /// The order after which the page goes on.
    #[serde(default)]
    before_shop: String,
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    frame: Frame,
    q: String,
    sku: String,
    shops: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    shop: String,
    id: String,
    link: String,
    name: String,
    state: String,
    financial: String,
    fulfilment: String,
    first_seen: Moment,
}

impl Row {
    fn new(row: &OrderRow) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            shop: row.key.shop.to_string(),
            id: row.key.order.to_string(),
            link: view::order(&row.key),
            name: text(&row.name),
            state: row.state.replace('_', " "),
            financial: text(&row.financial_status),
            fulfilment: text(&row.fulfillment_status),
            first_seen: Moment::new(row.first_seen_at),
        }
    }
}

pub(super) async fn list(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(search): Asked<Search>,
) -> Answer {
    let (q, shop, state) = (asked(&search.q), asked(&search.shop), asked(&search.state));
    let sku = asked(&search.sku);
    let found = match (&q, &sku) {
        (Some(q), _) => {
            let shops = console.shops.borrow().clone();
            let shops: Vec<ShopId> = shops.iter().map(|shop| shop.name.clone()).collect();
            Some(console.store.orders_called(q, &shops, ROWS).await?)
        }
        (None, Some(sku)) => {
            // To be narrowed, it takes more than a page shows.
            let limit = if shop.is_some() || state.is_some() { MOVES_MAX } else { ROWS };
            Some(console.store.orders_of(&Sku::new(sku), limit).await?)
        }
        (None, None) => None,
    };
    let (rows, next) = match found {
        Some(rows) => (narrowed(rows, shop.as_deref(), state.as_deref()), None),
        None => page(&console, &search, shop.as_deref(), state.as_deref()).await?,
    };
    Ok(render(&OrdersPage {
        frame: Frame::new(&console, &session, "orders", "Orders"),
        q: q.unwrap_or_default(),
        sku: sku.unwrap_or_default(),
        shops: shop_choices(&console, shop.as_deref()),
        states: choices(STATES.map(OrderState::as_str), state.as_deref()),
        rows: rows.iter().map(Row::new).collect(),
        next,
    }))
}

/// Whatever else is asked narrows what was found.
fn narrowed(mut rows: Vec<OrderRow>, shop: Option<&str>, state: Option<&str>) -> Vec<OrderRow> {
    rows.retain(|row| {
        shop.is_none_or(|shop| row.key.shop.as_str() == shop)
            && state.is_none_or(|state| row.state == state)
    });
    rows.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    rows
}

async fn page(
    console: &Console,
    search: &Search,
    shop: Option<&str>,
    state: Option<&str>,
) -> Result<(Vec<OrderRow>, Option<String>), Trouble> {
    let before = asked(&search.before_shop).zip(asked(&search.before));
    let page = OrderPage {
        shop: shop.map(ShopId::new),
        state: state.map(str::to_owned),
        before: before
            .map(|(shop, order)| OrderKey { shop: ShopId::new(shop), order: OrderId::new(order) }),
        limit: ROWS,
    };
    let found = console.store.order_page(&page).await?;
    let next = found.next.map(|key| {
        let at = [
            ("shop", shop.unwrap_or_default()),
            ("state", state.unwrap_or_default()),
            ("before_shop", key.shop.as_str()),
            ("before", key.order.as_str()),
        ];
        link("/console/orders", &at)
    });
    Ok((found.rows, next))
}

#[derive(Deserialize)]
pub(super) struct One {
    shop: String,
    id: String,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderView {
    frame: Frame,
    shop: String,
    id: String,
    name: String,
    state: &'static str,
    is_short: bool,
    financial: String,
    fulfilment: String,
    why: Vec<(bool, String)>,
    flags: Vec<Vec<(bool, String)>>,
    lines: Vec<(String, String, [String; 5])>,
    payments: Vec<(String, String)>,
    timeline: Vec<Event>,
    /// What of the timeline is not here.
    missing: Option<String>,
    retry: String,
}

/// Something that happened to the order.
struct Event {
    at: Moment,
    what: EventKind,
}

enum EventKind {
    Webhook(Box<WebhookRow>),
    Move(Box<Move>),
    /// The payment, what happened to it, and the money.
    Payment(String, String, String),
}

impl Event {
    fn new(entry: &Entry<'_>) -> Self {
        let what = match entry.what {
            What::Webhook(row) => EventKind::Webhook(Box::new(WebhookRow::new(row))),
            What::Move(row) => EventKind::Move(Box::new(Move::new(row))),
            What::Payment(key, event) => EventKind::Payment(
                key.to_string(),
                event.kind.as_str().replace('_', " "),
                event.money.as_ref().map(money).unwrap_or_default(),
            ),
        };
        Self { at: Moment::new(entry.at), what }
    }
}

/// An order as it is, and the rules of its shop; without the shop in the file, the default ones.
pub(crate) async fn find(console: &Console, key: &OrderKey) -> Result<(Found, Policy), Trouble> {
    let shops = console.shops.borrow().clone();
    let found = Found::read(&console.store, key, shops.payers(&key.shop)).await?;
    let policy = shops.get(&key.shop).map(|shop| shop.policy.clone());
    Ok((found, policy.unwrap_or_default()))
}

pub(super) async fn order(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(one): Asked<One>,
) -> Answer {
    let (shop, id) = (asked(&one.shop).unwrap_or_default(), asked(&one.id).unwrap_or_default());
    let key = OrderKey { shop: ShopId::new(shop), order: OrderId::new(id) };
    let (found, policy) = find(&console, &key).await?;
    let Some(order) = found.view.orders.get(&key) else {
        return Err(Trouble::not_found(format!(
            "Nothing is known of order {key}. Its webhooks may be dead letters; and the id is the \
             platform's long one, not the short name that people see."
        )));
    };
    let explained = Explained {
        key: &key,
        order,
        policy: &policy,
        stock: &found.view.stock,
        payments: &found.payments,
    };
    let state = order.state(&policy);
    let snapshot = order.known.snapshot.as_ref();
    let text = |text: Option<&String>, none: &str| text.map_or(none, String::as_str).to_owned();
    let line = |line: operate::order::lines::Line| {
        let units = [line.ordered, line.committed, line.shipped, line.returned, line.uncovered];
        (line.sku.to_string(), view::item(&line.sku), units.map(grouped))
    };
    let payment = |(key, payment): &(PaymentKey, Payment)| {
        (key.to_string(), payment.known.state().to_string().replace('_', " "))
    };
    let name = snapshot.and_then(|snapshot| snapshot.name.clone()).unwrap_or_default();
    Ok(render(&OrderView {
        frame: Frame::new(&console, &session, "orders", format!("Order {} {name}", key.order)),
        shop: key.shop.to_string(),
        id: key.order.to_string(),
        name,
        state: explain::state(state),
        is_short: state == OrderState::Short,
        financial: text(snapshot.and_then(|it| it.financial_status.as_ref()), "not known"),
        fulfilment: text(snapshot.and_then(|it| it.fulfillment_status.as_ref()), "not fulfilled"),
        why: view::prose(&explain::why(&explained)),
        flags: explain::flags(&explained).iter().map(|flag| view::prose(flag)).collect(),
        lines: lines(order).into_iter().map(line).collect(),
        payments: found.payments.iter().map(payment).collect(),
        timeline: timeline(&found).iter().map(Event::new).collect(),
        missing: found.missing(),
        retry: link(
            "/console/order/retry",
            &[("shop", key.shop.as_str()), ("id", key.order.as_str())],
        ),
    }))
}
