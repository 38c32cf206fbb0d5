//! Random lives of orders at a WooCommerce site, as the bytes that it sends and we receive.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    Envelope, EnvelopeId, LocationId, OrderId, OrderKey, ShopId, Sku, StockKey, Timestamp,
};
use platforms::{Shops, woocommerce};
use testkit::request::Request;
use testkit::woocommerce::{Life, PLACED_AT, SECRET, WooOrder, life};
use uuid::Uuid;
use worker::Work;

use crate::dice::Dice;
use crate::harness::headers;

/// What lives are drawn over.
const SKUS: [&str; 3] = ["SKU-0", "SKU-1", "SKU-2"];

/// One site with everything that it sent. No two runs in one database share a row of anything.
#[derive(Clone)]
pub(crate) struct Site {
    run: u64,
    rules: String,
    locations: Vec<String>,
    lives: Vec<Life>,
    /// How much time passes between two things that happen to an order.
    pub(crate) seconds: i64,
}

/// What the site itself holds for its orders in the end: units per item, of items that it counts.
pub(crate) type HeldBySite = BTreeMap<OrderKey, BTreeMap<Sku, i64>>;

impl Site {
    /// Run number `run`, with as many places and so many orders that live until `steps` things
    /// happened to them.
    pub(crate) fn new(run: u64, places: usize, orders: u64, steps: usize, rules: &str) -> Self {
        let lives = (0..orders).map(|order| {
            let mut life = life(run * 16 + order);
            life.order = life.order.of(&name(run), SECRET);
            life.order = life.order.placed_at(PLACED_AT + i64::try_from(order).expect("a few"));
            life.steps.truncate(steps);
            life
        });
        let (locations, lives) = (locations(run, places), lives.collect());
        Self { run, rules: rules.to_owned(), locations, lives, seconds: 1 }
    }

    /// The same lives in another run.
    pub(crate) fn again(&self, run: u64) -> Self {
        let mut site = self.clone();
        (site.run, site.locations) = (run, locations(run, self.locations.len()));
        for life in &mut site.lives {
            life.order = life.order.clone().of(&name(run), SECRET);
        }
        site
    }

    /// A new order of one item.
    pub(crate) fn order(&self, id: u64, units: i64) -> WooOrder {
        WooOrder::new(id).of(&name(self.run), SECRET).line(SKUS[0], units)
    }

    pub(crate) fn shops(&self) -> Arc<Shops> {
        let text = format!(
            "[[shop]]\nname = {:?}\nplatform = \"woocommerce\"\nsecrets = [\"plain:{SECRET}\"]\n\
             locations = {:?}\n{}",
            name(self.run),
            self.locations,
            self.rules
        );
        Arc::new(Shops::parse(&text, |_| Err("no secrets here".to_owned())).expect("a good file"))
    }

    pub(crate) fn shop(&self) -> ShopId {
        ShopId::new(name(self.run))
    }

    pub(crate) fn stock_rows(&self) -> Vec<StockKey> {
        let places = self.locations.iter().map(LocationId::new);
        places.flat_map(|at| SKUS.map(|sku| StockKey::new(&Sku::new(sku), &at))).collect()
    }

    pub(crate) fn order_keys(&self) -> Vec<OrderKey> {
        self.lives.iter().map(|life| self.key(&life.order)).collect()
    }

    fn key(&self, order: &WooOrder) -> OrderKey {
        OrderKey { shop: self.shop(), order: OrderId::new(order.id().to_string()) }
    }

    /// Everything that is sent, in the order of happening, each received when it was sent first;
    /// and what the site holds then.
    pub(crate) fn live(&self) -> (Vec<Envelope>, HeldBySite) {
        let shops = self.shops();
        let (mut sent, mut held) = (Vec::new(), HeldBySite::new());
        let mut send = |order: &WooOrder, topic: &str| {
            let request = order.webhook(topic);
            sent.push(self.receive(&request, &shops, Timestamp::from_seconds(order.now())));
        };
        for Life { order, steps } in &self.lives {
            let mut order = order.clone();
            order.seconds_per_action(self.seconds);
            send(&order, "order.created");
            let (mut was_completed, mut comparable) = (false, true);
            for step in steps {
                let topic = order.step(step);
                send(&order, topic);
                // What was completed and then put back is back at the site; what came after that
                // does not show it.
                match order.status() {
                    "completed" => (was_completed, comparable) = (true, true),
                    "on-hold" | "processing" => comparable = true,
                    "pending" | "cancelled" => comparable = !was_completed,
                    _ => {}
                }
            }
            let is_plain = matches!(order.status(), "pending" | "cancelled");
            if (comparable || is_plain) && order.status() != "trash" {
                held.insert(self.key(&order), counted(&order));
            }
        }
        sent.sort_by_key(|envelope| envelope.received_at);
        (sent, held)
    }

    /// What the site sends for `topic` now.
    pub(crate) fn send(&self, order: &WooOrder, topic: &str) -> Envelope {
        let at = Timestamp::from_seconds(order.now());
        self.receive(&order.webhook(topic), &self.shops(), at)
    }

    fn receive(&self, request: &Request, shops: &Shops, at: Timestamp) -> Envelope {
        let shop = shops.get(&self.shop()).expect("named");
        let id = EnvelopeId(Uuid::now_v7());
        woocommerce::receive(&headers(request), request.body.clone(), shop, id, at)
            .expect("signed")
            .expect("no ping")
    }
}

fn name(run: u64) -> String {
    format!("site-{run}")
}

fn locations(run: u64, places: usize) -> Vec<String> {
    (0..places).map(|place| format!("place-{run}-{place}")).collect()
}

/// Units that the site holds for each line whose stock it keeps.
fn counted(order: &WooOrder) -> BTreeMap<Sku, i64> {
    let body = order.body("order.updated");
    (0..order.line_count())
        .filter_map(|line| {
            let shown = &body["line_items"][line];
            let is_counted = shown["meta_data"].as_array().is_some_and(|meta| !meta.is_empty());
            let sku = Sku::new(shown["sku"].as_str()?);
            is_counted.then(|| (sku, order.held_by_site(line)))
        })
        .collect()
}

/// Loses some of it, repeats some of it, and shuffles: what arrives at all, in the order of
/// happening, and how it arrives.
pub(crate) fn weather(sent: &[Envelope], losing: bool, dice: &mut Dice) -> [Vec<Envelope>; 2] {
    let mut told = sent.to_vec();
    if losing {
        // Not the last: where nothing arrives, nothing is at work.
        let last = told.pop();
        told.retain(|_| dice.roll(6) > 0);
        told.extend(last);
    }
    let mut arriving = told.clone();
    for envelope in &told {
        match dice.roll(6) {
            // The broker delivers it again.
            0 => arriving.push(envelope.clone()),
            // The site sends it again.
            1 => arriving.push(Envelope { id: EnvelopeId(Uuid::now_v7()), ..envelope.clone() }),
            _ => {}
        }
    }
    dice.shuffle(&mut arriving);
    [told, arriving]
}

/// In batches of a random size, at two workers.
pub(crate) fn deal(arriving: &[Envelope], dice: &mut Dice) -> [Vec<Vec<Work>>; 2] {
    let mut workers = [Vec::new(), Vec::new()];
    for (at, batch) in arriving.chunks(1 + dice.roll(6)).enumerate() {
        workers[at % 2].push(batch.iter().map(|one| Work::new(one.clone(), 0)).collect());
    }
    workers
}
