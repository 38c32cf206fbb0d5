//! Every page with nothing, with one of everything, and with thousands.

use std::time::{Duration, Instant};

use domain::ShopId;
use operate::verify::Verified;
use store::Activity;
use store::activity::{ActivityNotes, Hour, ShopHour, ShopSigner};
use store::reports::Violation;
use testkit::shopify::{ShopifyOrder, SignedWebhook};

use crate::harness::{PAGES, Test, raw};

/// Far more than a page takes, and far less than one that reads everything.
const PAGE_TIME_MAX: Duration = Duration::from_secs(5);

#[tokio::test]
async fn every_page_is_there_with_nothing_to_show() {
    let test = Test::open().await;
    for path in PAGES {
        let page = test.page(path).await;
        assert!(!page.contains("older ones</a>"), "{path} goes on");
    }
    let overview = test.page("/console").await;
    assert!(overview.contains("All is well"), "{overview}");
}

#[tokio::test]
async fn the_overview_says_which_orders_are_short_and_what_was_verified() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    test.order(1_001, "BOWL", 1).await;
    test.order(1_002, "BOWL", 1).await;
    let overview = test.page("/console").await;
    assert!(overview.contains("1 order is short"), "{overview}");
    assert!(overview.contains("BOWL (1 order, none available)"), "{overview}");
    assert!(overview.contains("state=short\">Short orders</a></li>"), "{overview}");
    assert!(!overview.contains("Verified"), "{overview}");

    let violation = Violation { promise: "P7".to_owned(), detail: "BOWL <at> main".to_owned() };
    for (violations, said) in [
        (vec![], "Verified less than a minute ago: no violations"),
        (vec![violation], "Verified less than a minute ago: 1 violation"),
    ] {
        let (over, below_zero) = (None, None);
        let verified = Verified { at: operate::now(), violations, over, below_zero };
        test.checks.send_replace(verified.into());
        let overview = test.page("/console").await;
        assert!(overview.contains(said), "{overview}");
    }
    let overview = test.page("/console").await;
    assert!(overview.contains("1 violation of P7, as in: BOWL &#60;at&#62; main"), "{overview}");
}

#[tokio::test]
async fn every_page_is_a_page_with_landmarks_labels_and_headers() {
    let test = Test::keeping().await;
    let pages = test.pages_of_one_thing().await;
    for path in PAGES.map(str::to_owned).into_iter().chain(pages).filter(|it| it != "/console/live")
    {
        is_a_whole_page(&test.page(&path).await, &path, true);
    }
    let tokens = Test::with_tokens().await;
    is_a_whole_page(&tokens.page("/console/login").await, "/console/login", false);
}

/// `is_inside`: sections can be gone to from it.
fn is_a_whole_page(page: &str, path: &str, is_inside: bool) {
    for part in ["<html lang=\"en\">", "<main id=\"main\">", "<h1>", "href=\"#main\">Skip"] {
        assert_eq!(page.matches(part).count(), 1, "{path}: {part}");
    }
    assert_eq!(page.contains("<nav aria-label="), is_inside, "{path}");
    for part in ["<caption>", "<thead>"] {
        assert_eq!(page.matches("<table>").count(), page.matches(part).count(), "{path}: {part}");
    }
    for tag in ["<input ", "<select "] {
        for field in page.split(tag).skip(1).filter_map(|rest| rest.split('>').next()) {
            let id = field.split_once("id=\"").and_then(|(_, rest)| rest.split('"').next());
            let label = id.map(|id| format!("<label for=\"{id}\">"));
            let has_label = label.is_some_and(|label| page.contains(&label));
            assert!(has_label || field.contains("type=\"hidden\""), "{path}: no label for {field}");
        }
    }
    for form in page.split("<form ").skip(1).filter_map(|rest| rest.split("</form>").next()) {
        assert!(form.contains("<button"), "{path}: no button sends {form}");
        let is_bound = !form.contains("method=\"post\"") || form.contains("name=\"csrf\"");
        assert!(is_bound, "{path}: anybody could forge {form}");
    }
    for inline in ["<script>", " style=", " onclick=", "javascript:"] {
        assert!(!page.contains(inline), "{path} has {inline}, which the policy forbids");
    }
}

#[tokio::test]
async fn one_order_is_seen_from_its_webhook_to_its_moves() {
    let test = Test::open().await;
    test.stock("BOWL", 5).await;
    let order = test.order(1_001, "BOWL", 2).await;
    let id = order.id();

    let stock = test.page("/console/stock?q=BO").await;
    assert!(stock.contains(">BOWL</a>") && stock.contains("low"), "{stock}");
    assert!(test.page("/console/stock?q=bo").await.contains("No SKU begins with"));

    let item = test.page("/console/stock/item?sku=BOWL").await;
    assert!(item.contains(&format!("/console/order?shop=demo&#38;id={id}")), "{item}");
    assert!(item.contains("/console/webhook?shop=demo&#38;id="), "{item}");
    assert!(item.contains("counted"), "{item}");

    let orders = test.page("/console/orders?state=committed").await;
    assert!(orders.contains(&format!(">{id}</a>")), "{orders}");
    assert!(test.page("/console/orders?state=short").await.contains("No such order"));
    for called in [format!("{id}"), name(&order), name(&order).replace('#', "")] {
        let found = test.page(&format!("/console/orders?q={}", called.replace('#', "%23"))).await;
        assert!(found.contains(&format!(">{id}</a>")), "{called}: {found}");
    }

    let order = test.page(&format!("/console/order?shop=demo&id={id}")).await;
    assert!(order.contains("2 units are committed to it"), "{order}");
    assert!(order.contains("orders/create") && order.contains("+2"), "{order}");

    let webhooks =
        test.page("/console/webhooks?topic=orders/create&outcome=applied&shop=demo").await;
    assert!(webhooks.contains(&format!(">{id}</a>")), "{webhooks}");
    let link =
        webhooks.split("<td class=\"key\"><a href=\"").nth(1).and_then(|it| it.split('"').next());
    let link = link.expect("a link to a webhook").replace("&#38;", "&");
    assert!(test.page(&link).await.contains("applied"));

    let shops = test.page("/console/shops").await;
    assert!(shops.contains("demo.myshopify.com") && shops.contains("less than a minute ago"));
}

#[tokio::test]
async fn a_silent_shop_is_said_on_its_page_and_on_the_overview() {
    let test = Test::open().await;
    let now = Hour::of(operate::now());
    let shop = ShopId::new("demo");
    let hour = |back| ShopHour { shop: shop.clone(), hour: Hour(now.0 - back), webhooks: 100 };
    let signer = ShopSigner {
        shop: shop.clone(),
        secret: "plain, number 1".to_owned(),
        last_at: Hour(now.0 - 2).start(),
    };
    let notes = ActivityNotes { hours: (3..8 * 24).map(hour).collect(), signers: vec![signer] };
    test.store.note_activity(&notes).await.expect("notes");

    let shops = test.page("/console/shops").await;
    assert!(shops.contains("<span class=\"flag\">silent</span>"), "{shops}");
    assert!(shops.contains("<code>plain, number 1</code> <time"), "{shops}");
    let overview = test.page("/console").await;
    assert!(overview.contains("The last webhook of shop demo came 2 hours ago"), "{overview}");
    assert!(overview.contains("href=\"/console/shops\">Shops</a>"), "{overview}");
}

#[tokio::test]
async fn a_short_order_and_a_dead_letter_are_said_with_what_to_do() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    let order = test.order(1_001, "BOWL", 3).await;
    test.decide(&[raw("orders/create", "no JSON")]).await;

    let order = test.page(&format!("/console/order?shop=demo&id={}", order.id())).await;
    assert!(order.contains("<code>onhand stock adjust BOWL +2"), "{order}");
    assert!(order.contains("/console/order/retry?"), "{order}");

    for path in ["/console/stock", "/console/stock/item?sku=BOWL"] {
        let stock = test.page(path).await;
        assert!(stock.contains(">low<") && stock.contains(">in 1 short order<"), "{stock}");
    }

    let overview = test.page("/console").await;
    assert!(overview.contains("1 webhook could not be applied"), "{overview}");
    assert!(overview.contains("/console/dead?reason=malformed"), "{overview}");
    let dead = test.page("/console/dead?reason=malformed").await;
    let link = dead.split("<tr><td><a href=\"").nth(1).and_then(|it| it.split('"').next());
    let letter = test.page(link.expect("a link to a letter")).await;
    let webhook = test.page("/console/webhooks?outcome=dead").await;
    assert!(webhook.contains("<span class=\"flag\">dead</span>"), "{webhook}");
    assert!(letter.contains("malformed") && letter.contains("Replay…"), "{letter}");
    assert!(!letter.contains("no JSON</"), "a body may hold customers' names");
}

#[tokio::test]
async fn of_an_order_with_a_long_story_the_latest_is_shown_and_said_to_be() {
    /// What is shown of each.
    const SHOWN: usize = 1_000;
    let test = Test::open().await;
    test.stock("BOWL", 5_000).await;
    let mut order = ShopifyOrder::new(1_001).line("BOWL", 1);
    let mut sent = vec![order.webhook("orders/create")];
    sent.extend((0..SHOWN).map(|_| order.edit(0, 1).webhook("orders/updated")));
    let path = "/console/order?shop=demo&id=1001";
    test.decide(&sent[..SHOWN]).await;
    let all = test.page(path).await;
    assert!(!all.contains("There are more"), "{all}");
    assert!(all.contains(">orders/create</a> came"), "{all}");

    test.decide(&sent[SHOWN..]).await;
    let page = test.page(path).await;
    assert!(page.contains("There are more webhooks and moves than are shown here"), "{page}");
    assert!(!page.contains(">orders/create</a> came"), "the oldest goes: {page}");
    assert_eq!(page.matches("</a> came: <strong>applied</strong>").count(), SHOWN);
    assert_eq!(page.matches("<span>commit <a").count(), SHOWN);
    assert!(page.contains("1001 units are committed to it"), "{page}");
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let test = Test::open().await;
    for path in [
        "/console/stock/item?sku=NONE",
        "/console/order?shop=demo&id=1",
        "/console/webhook?shop=demo&id=1",
        "/console/dead/letter?id=1",
        "/console/dead/letter?id=0198c0de-0000-7000-8000-000000000000",
    ] {
        let answer = test.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(answer.body.contains("<h1>Not Found</h1>"), "{path}");
    }
    assert_eq!(test.get("/console/order?shop=demo").await.status, 400);
    assert_eq!(test.get("/console/stock?q=%00").await.status, 200);
}

#[tokio::test]
async fn thousands_are_paged_by_key_and_no_page_is_long() {
    const ORDERS: u64 = 2_000;
    let test = Test::open().await;
    test.stock("HOT", 1_500).await;
    let orders: Vec<SignedWebhook> =
        (0..ORDERS).map(|at| shopify(10_000 + at, "HOT").webhook("orders/create")).collect();
    test.decide(&orders).await;
    let bad: Vec<SignedWebhook> =
        (0..120).map(|at| raw("orders/create", &format!("no JSON {at}"))).collect();
    test.decide(&bad).await;

    for (path, rows) in [
        ("/console/stock/item?sku=HOT", 1_501),
        ("/console/orders", 2_000),
        ("/console/orders?state=short", 500),
        ("/console/orders?state=committed&shop=demo", 1_500),
        ("/console/webhooks", 2_120),
        ("/console/webhooks?outcome=dead", 120),
        ("/console/dead", 120),
        ("/console/dead?reason=malformed", 120),
    ] {
        let (mut next, mut pages, mut seen) = (Some(path.to_owned()), 0, 0);
        while let Some(path) = next.take() {
            let begun = Instant::now();
            let page = test.page(&path).await;
            assert!(begun.elapsed() < PAGE_TIME_MAX, "{path} took {:?}", begun.elapsed());
            seen += table_rows(&page);
            pages += 1;
            next = next_link(&page);
        }
        assert_eq!(seen, rows, "{path}, in {pages} pages");
        assert!(pages >= rows / 50, "{path}: {rows} rows in {pages} pages");
    }
    assert!(test.page("/console/orders?q=10007").await.contains(">10007</a>"));
}

fn shopify(id: u64, sku: &str) -> ShopifyOrder {
    ShopifyOrder::new(id).line(sku, 1)
}

/// Of the last table, its header left out.
fn table_rows(page: &str) -> usize {
    let table = page.rsplit("<table>").next().unwrap_or_default();
    if page.contains("<table>") { table.matches("<tr>").count() - 1 } else { 0 }
}

fn next_link(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<p class=\"more\"><a href=\"")?;
    rest.split('"').next().map(|link| link.replace("&#38;", "&"))
}

fn name(order: &ShopifyOrder) -> String {
    let body = order.webhook("orders/create").body;
    let body = String::from_utf8_lossy(&body).into_owned();
    let (_, rest) = body.split_once("\"name\":\"#").expect("an order has a name");
    format!("#{}", rest.split('"').next().unwrap_or_default())
}
