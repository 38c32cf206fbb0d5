//! How long each page of the console takes over many orders, webhooks and moves: the same as over few,
//! because each reads by key. One that takes too long fails the bench.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::growth::{EARLIER_SQL, fill};
use crate::roles::{Instance, Services, connect, get};
use crate::table;

/// Orders of one item, each with its webhook and its move.
pub(crate) const ROWS: u32 = 10_000_000;

const SEED_SQL: &str = include_str!("pages/seed.sql");
const ITEMS: u32 = 100_000;
const SHORT: u32 = 5_000;
const LETTERS: u32 = 1_000_000;

/// How often each page is asked for.
const TIMES: usize = 50;

const P95_MAX: Duration = Duration::from_millis(100);

/// Each page, what it is asked for, and what must be on it: an empty one is soon made. `WEBHOOK` stands
/// for the id of one, and `DEAD` for that of the webhook of [`LETTER`].
const PAGES: [(&str, &str, &str); 39] = [
    ("overview", "", "Overview"),
    ("overview, as it changes", "/live", "Dead letters"),
    ("trends of a day", "/trends?span=day", "Trends"),
    ("stock", "/stock", "ITEM-000001"),
    ("stock, further on", "/stock?after=ITEM-050000&at=main", "ITEM-050001"),
    ("stock, searched", "/stock?q=ITEM-05", "ITEM-050000"),
    ("item", "/stock/item?sku=ITEM-000001", "orders/create"),
    ("item of all orders", "/stock/item?sku=OLD", "orders/create"),
    ("its ledger, far back", "/stock/item?sku=OLD&location=main&before=1000", "4000000000998"),
    ("its chart", "/stock/item/levels.json?sku=OLD&location=main", "on hand"),
    ("orders", "/orders", "#S5000"),
    ("orders, further on", "/orders?before_shop=demo&before=4000000500000", "4000000499999"),
    ("order by number", "/orders?q=50000", "#50000"),
    ("order by id", "/orders?q=4000000000500", "#500"),
    ("orders of an item", "/orders?sku=ITEM-000777", "#I777"),
    ("orders of the item of all", "/orders?sku=OLD", "400000"),
    ("the shipped ones of these", "/orders?sku=OLD&state=shipped", "Orders"),
    ("short orders", "/orders?state=short", "#S5000"),
    ("shipped orders, of none", "/orders?state=shipped", "Orders"),
    ("order", "/order?shop=demo&id=4000000000500", "orders/create"),
    ("webhooks", "/webhooks", "orders/create"),
    ("webhooks, before a moment", "/webhooks?until=2025-01-01T00:00", "orders/create"),
    ("webhooks of a topic, of none", "/webhooks?topic=orders/paid", "Webhooks"),
    ("dead webhooks, of none", "/webhooks?outcome=dead", "Webhooks"),
    ("webhook by id", "/webhooks?q=WEBHOOK", "WEBHOOK"),
    ("webhook", "/webhook?shop=demo&id=WEBHOOK&order=4000000000500", "WEBHOOK"),
    ("webhook of a dead letter", "/webhook?shop=demo&id=DEAD&envelope=LETTER", "unknown_sku"),
    ("webhook, by id alone", "/webhook?shop=demo&id=WEBHOOK", "WEBHOOK"),
    ("dead letters", "/dead", "unknown_sku"),
    ("dead letters, further on", "/dead?before=LETTER", "malformed"),
    ("dead letters, also closed", "/dead?all=1", "unknown_sku"),
    ("dead letters of a reason", "/dead?reason=malformed", "malformed"),
    ("the same, the oldest hundred", "/dead?reason=poison", "poison"),
    ("the same, also closed", "/dead?reason=poison&all=1", "poison"),
    ("dead letter", "/dead/letter?id=LETTER", "unknown_sku"),
    ("discarding a reason, asked", "/dead/discard?reason=unknown_sku", "Discard"),
    ("discarding the oldest, asked", "/dead/discard?reason=poison", "100 dead letters"),
    ("shops", "/shops", "demo"),
    ("actions", "/operations", "Actions"),
];

/// A dead letter that has its webhook.
const LETTER: &str = "01900000-0000-7000-9000-000000001000";

pub(crate) async fn measure(onhand: &Path, rows: u32) -> anyhow::Result<()> {
    let services = Services::start().await;
    let mut instance = Instance::fleet(onhand, &services, 0, &[]).await?;
    let earlier = EARLIER_SQL.replace("$1", &rows.to_string());
    let numbers = [("ITEMS", ITEMS), ("SHORT", SHORT), ("LETTERS", LETTERS)];
    let beside = numbers
        .into_iter()
        .fold(SEED_SQL.to_owned(), |sql, (name, number)| sql.replace(name, &number.to_string()));
    fill(&services, &[&earlier, &beside]).await?;
    let webhook =
        "SELECT webhook_id FROM webhooks WHERE shop = 'demo' AND order_id = '4000000000500'";
    let dead = format!("SELECT webhook_id FROM dead_letters WHERE id = '{LETTER}'");
    let client = connect(&services).await?;
    let webhook: String = client.query_one(webhook, &[]).await?.get(0);
    let dead: String = client.query_one(dead.as_str(), &[]).await?.get(0);
    let named = |text: &str| {
        text.replace("WEBHOOK", &webhook).replace("DEAD", &dead).replace("LETTER", LETTER)
    };
    let address = instance.console().await?;
    let (mut table, mut slow) = (Vec::new(), Vec::new());
    for (name, path, there) in PAGES {
        let times = times(&address, &format!("/console{}", named(path)), &named(there)).await?;
        let p95 = times[(TIMES * 95).div_ceil(100) - 1];
        if p95 > P95_MAX {
            slow.push(name);
        }
        let cells = [times[TIMES / 2], p95, times[TIMES - 1]].map(milliseconds);
        table.push([&[name.to_owned()], &cells[..]].concat());
    }
    table::print(&["page", "p50, ms", "p95, ms", "max, ms"], &table);
    anyhow::ensure!(slow.is_empty(), "p95 above {} ms: {slow:?}", P95_MAX.as_millis());
    Ok(())
}

/// From the question to the end of the answer, the shortest first.
async fn times(address: &str, path: &str, there: &str) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        let answer = get(address, path).await?;
        times.push(began.elapsed());
        let is_good = answer.starts_with("HTTP/1.1 200") && answer.contains(there);
        anyhow::ensure!(is_good, "{path} without {there}: {answer}");
    }
    times.sort_unstable();
    Ok(times)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1_000.0)
}
