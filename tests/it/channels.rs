//! Every kind of sender, over HTTP and for one pool of stock, the same in both profiles.

use bytes::Bytes;
use domain::{BodyHash, Provider, Timestamp};
use serde_json::{Value, json};
use testkit::payments::PaymentLife;
use testkit::request::Request;
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};
use testkit::woocommerce::{self, WooOrder};

use crate::harness::{Fleet, Profile, eventually, in_both_profiles, shops};

in_both_profiles!(
    a_woocommerce_order_lives_and_gives_back,
    a_woocommerce_order_goes_into_the_bin_and_comes_back_and_goes_again,
    woocommerce_says_what_is_no_order,
    a_payment_of_any_provider_pays_its_order_once,
    a_payment_after_the_cancellation_is_shown,
    three_shops_sell_the_last_units_of_one_pool,
    two_shops_that_prefer_each_others_last_place_sell_all_of_both,
    a_kit_sold_by_one_shop_takes_the_parts_of_another,
    personal_data_goes_when_it_is_asked_for,
);

/// With all that HTML would write otherwise.
const SITE_SECRET: &str = "s3cr3t&\"'<>";

/// A Shopify shop, a WooCommerce site and an account at every payment provider.
fn all_shops(more: &str) -> String {
    let mut text = shops(more);
    text += "[[shop]]\nname = \"site\"\nplatform = \"woocommerce\"\n";
    text += &format!("secrets = [{:?}]\n", format!("plain:{SITE_SECRET}"));
    for provider in Provider::ALL {
        text += &format!(
            "[[shop]]\nname = \"{0}\"\nplatform = \"payments\"\npays_for = \"demo\"\n\
             secrets = [\"plain:{1}\"]\n",
            provider.as_str(),
            secret(provider)
        );
    }
    text
}

fn secret(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe | Provider::Mollie => "a-secret-of-the-account",
        Provider::Adyen => "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
        Provider::Standard => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
}

async fn start(profile: Profile, more: &str) -> Fleet {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.write_shops(&all_shops(more));
    fleet.start_all(1).await;
    fleet
}

fn woo_order(id: u64) -> WooOrder {
    WooOrder::new(id).of("site", SITE_SECRET)
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

async fn state(fleet: &Fleet, shop: &str, order: &str) -> Value {
    fleet.ok(&["order", "show", shop, order]).await["state"].clone()
}

async fn a_woocommerce_order_lives_and_gives_back(profile: Profile) {
    let fleet = start(profile, "").await;
    fleet.stock("CAP", 10).await;
    let mut order = woo_order(727).line("CAP", 3);
    let mut sent = Vec::new();
    let mut step = async |topic: &str, order: &WooOrder, cap: (i64, i64)| {
        let request = order.webhook(topic);
        fleet.tell(&request).await;
        assert_eq!(fleet.stock_of("CAP").await, cap, "{topic} {}", order.status());
        sent.push(request);
    };
    step("order.created", &order, (10, 0)).await;
    step("order.updated", order.pay(), (10, 3)).await;
    step("order.updated", order.refund(true, &[(0, 1)]), (10, 2)).await;
    step("order.updated", order.complete(), (8, 0)).await;
    step("order.updated", order.refund(true, &[(0, 1)]), (9, 0)).await;
    for request in sent.iter().rev() {
        assert_eq!(fleet.call(request).await.status, 200, "and all of it again, backwards");
    }
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (9, 0));
    assert_eq!(state(&fleet, "site", "727").await, "shipped");
    fleet.finish().await;
}

async fn a_woocommerce_order_goes_into_the_bin_and_comes_back_and_goes_again(profile: Profile) {
    let fleet = start(profile, "").await;
    fleet.stock("CAP", 10).await;
    let mut order = woo_order(5).line("CAP", 3);
    order.pay();
    fleet.tell(&order.webhook("order.created")).await;
    assert_eq!(fleet.stock_of("CAP").await, (10, 3));
    // The body that tells of the bin is the same each time, and counts each time.
    for _ in 0..2 {
        order.trash();
        fleet.tell(&order.webhook("order.deleted")).await;
        assert_eq!(fleet.stock_of("CAP").await, (10, 0));
        assert_eq!(state(&fleet, "site", "5").await, "trashed");
        order.restore();
        fleet.tell(&order.webhook("order.restored")).await;
        assert_eq!(fleet.stock_of("CAP").await, (10, 3));
    }
    fleet.finish().await;
}

async fn woocommerce_says_what_is_no_order(profile: Profile) {
    let fleet = start(profile, "").await;
    // Neither is a webhook: nothing of them is kept.
    let ping = fleet.post_plain(&woocommerce::ping("site")).await;
    assert_eq!((ping.status, ping.body.as_str()), (200, ""));
    let mut forged = woo_order(6).line("CAP", 1).webhook("order.created");
    forged.body = Bytes::from_static(b"{\"id\":6}");
    assert_eq!(fleet.post_plain(&forged).await.status, 401);
    let nobody = Request { path: "/webhooks/woocommerce/nobody".to_owned(), ..forged };
    assert_eq!(fleet.post_plain(&nobody).await.status, 404);

    let error = woocommerce::cannot_view("site", SITE_SECRET, "order.updated", 0);
    fleet.tell(&error).await;
    let letters = fleet.ok(&["dead", "list"]).await;
    assert_eq!(letters[0]["reason"], "woocommerce_rest_cannot_view");
    fleet.finish().await;
}

async fn a_payment_of_any_provider_pays_its_order_once(profile: Profile) {
    let fleet = start(profile, "commit_on = \"paid\"").await;
    fleet.stock("CAP", 100).await;
    for (id, provider) in (1..).zip(Provider::ALL) {
        let before = fleet.stock_of("CAP").await;
        let order = ShopifyOrder::new(id).line("CAP", 2).webhook("orders/create");
        let name = provider.as_str();
        let mut life = PaymentLife::new(provider, name, secret(provider), &id.to_string());
        // The money is there before the order is, and its authorisation comes last.
        let calls = [life.authorise(now()), life.capture(now())];
        for call in calls.iter().rev() {
            let answer = fleet.call(call).await;
            let yes = if provider == Provider::Adyen { "[accepted]" } else { "" };
            assert_eq!((answer.status, answer.body.as_str()), (200, yes), "{name}");
        }
        fleet.settled().await;
        assert_eq!(state(&fleet, "demo", &id.to_string()).await, "partial", "{name}");
        fleet.outcome(&order).await;
        let paid = (before.0, before.1 + 2);
        assert_eq!(fleet.stock_of("CAP").await, paid, "{name}");
        for call in &calls {
            assert_eq!(fleet.call(call).await.status, 200);
        }
        fleet.settled().await;
        assert_eq!(fleet.stock_of("CAP").await, paid, "{name}: paid once");
        assert_eq!(state(&fleet, "demo", &id.to_string()).await, "committed", "{name}");
    }
    fleet.finish().await;
}

async fn a_payment_after_the_cancellation_is_shown(profile: Profile) {
    let fleet = start(profile, "").await;
    fleet.stock("CAP", 10).await;
    let mut order = ShopifyOrder::new(9).line("CAP", 2);
    fleet.outcome(&order.webhook("orders/create")).await;
    fleet.outcome(&order.cancel(None).webhook("orders/cancelled")).await;
    let stripe = Provider::Stripe;
    let mut life = PaymentLife::new(stripe, "stripe", secret(stripe), "9");
    let old = Timestamp(now().0 - Timestamp::from_seconds(600).0);
    assert_eq!(fleet.post_plain(&life.authorise(old)).await.status, 401, "it is too old");
    fleet.tell(&life.capture(now())).await;
    assert_eq!(state(&fleet, "demo", "9").await, "paid_after_cancel");
    assert_eq!(fleet.stock_of("CAP").await, (10, 0), "only the platform revives an order");
    fleet.finish().await;
}

async fn three_shops_sell_the_last_units_of_one_pool(profile: Profile) {
    const UNITS: i64 = 20;
    let mut fleet = Fleet::prepare(profile).await;
    let second = "[[shop]]\nname = \"second\"\nplatform = \"shopify\"\n\
                  domain = \"second.myshopify.com\"\nsecrets = [\"plain:two\"]\n\
                  safety_stock = 5\n";
    fleet.write_shops(&(all_shops("") + second));
    fleet.start_all(2).await;
    fleet.stock("CAP", UNITS).await;
    let requests: Vec<Request> = (1..=20)
        .flat_map(|id| {
            let order = ShopifyOrder::new(id).line("CAP", 1);
            let mut site = woo_order(id).line("CAP", 1);
            site.pay();
            [
                order.webhook("orders/create").request(),
                order.of("second.myshopify.com", "two").webhook("orders/create").request(),
                site.webhook("order.created"),
            ]
        })
        .collect();
    let answers = futures_util::future::join_all(requests.iter().map(|one| fleet.call(one))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    fleet.settled().await;
    assert_eq!(fleet.stock_of("CAP").await, (UNITS, UNITS), "all are sold, and none twice");
    assert_eq!(fleet.count("applied").await, UNITS);
    assert_eq!(fleet.count("short").await, 60 - UNITS);
    let moves = fleet.ok(&["stock", "history", "CAP", "--limit", "1000"]).await;
    let mut available = 0;
    // Newest first.
    for one in moves.as_array().expect("a list").iter().rev() {
        let units = |name: &str| one[name].as_i64().expect("a number");
        available += units("on_hand_delta") - units("committed_delta");
        assert!(one["shop"] != "second" || available >= 5, "its safety stock: {one}");
    }
    fleet.finish().await;
}

async fn two_shops_that_prefer_each_others_last_place_sell_all_of_both(profile: Profile) {
    const UNITS: u64 = 15;
    let mut fleet = Fleet::prepare(profile).await;
    let second = "[[shop]]\nname = \"second\"\nplatform = \"shopify\"\n\
                  domain = \"second.myshopify.com\"\nsecrets = [\"plain:two\"]\n\
                  locations = [\"south\", \"north\"]\n";
    fleet.write_shops(&(shops("locations = [\"north\", \"south\"]") + second));
    fleet.start_all(2).await;
    for place in ["north", "south"] {
        fleet.ok(&["stock", "set", "CAP", &UNITS.to_string(), "--location", place]).await;
    }
    let sell = async |ids: std::ops::Range<u64>| {
        let requests: Vec<Request> = ids
            .flat_map(|id| {
                let order = ShopifyOrder::new(id).line("CAP", 1);
                let first = order.webhook("orders/create").request();
                let second = order.of("second.myshopify.com", "two").webhook("orders/create");
                [first, second.request()]
            })
            .collect();
        let answers = requests.iter().map(|one| fleet.call(one));
        let answers = futures_util::future::join_all(answers).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        fleet.settled().await;
    };
    sell(1..6).await;
    for (shop, place) in [("demo", "north"), ("second", "south")] {
        for id in 1..6 {
            let order = fleet.ok(&["order", "show", shop, &id.to_string()]).await;
            let moves = order["ledger"].as_array().expect("a list");
            assert!(moves.iter().all(|one| one["location"] == place), "{shop} {id}: {moves:?}");
        }
    }
    // Ten more than there are.
    sell(6..21).await;
    sell(21..26).await;
    for row in fleet.ok(&["stock", "list", "--sku", "CAP"]).await.as_array().expect("a list") {
        assert_eq!(row["committed"], UNITS, "{row}");
    }
    assert_eq!(fleet.count("short").await, 20);
    fleet.finish().await;
}

async fn a_kit_sold_by_one_shop_takes_the_parts_of_another(profile: Profile) {
    let fleet = start(profile, "").await;
    fleet.stock("CAP", 10).await;
    fleet.stock("MUG", 10).await;
    let mut order = woo_order(8).line("GIFT-BOX", 2);
    order.pay();
    let placed = order.webhook("order.created");
    let body: Value = serde_json::from_slice(&placed.body).expect("bodies are JSON");
    let line = &body["line_items"][0];
    let ids = [&line["variation_id"], &line["product_id"]].map(|id| id.as_u64().unwrap_or(0));
    let variant = ids.into_iter().find(|id| *id > 0).expect("a line has a product").to_string();
    fleet.ok(&["listing", "set", "site", &variant, "CAP", "MUG:2"]).await;
    fleet.tell(&placed).await;
    let both = (fleet.stock_of("CAP").await, fleet.stock_of("MUG").await);
    assert_eq!(both, ((10, 2), (10, 4)));
    fleet.outcome(&ShopifyOrder::new(1).line("MUG", 7).webhook("orders/create")).await;
    assert_eq!(fleet.stock_of("MUG").await, (10, 4), "too many: the kits hold four");
    fleet.finish().await;
}

async fn personal_data_goes_when_it_is_asked_for(profile: Profile) {
    let fleet = start(profile, "").await;
    let send = async |topic: &str, body: Value| {
        let webhook = SignedWebhook::raw(topic, DOMAIN, SECRET, body.to_string());
        let webhook = webhook.with_id(&BodyHash::of(body.to_string().as_bytes()).to_string());
        fleet.outcome(&webhook).await
    };
    let broken = |id: u64, email: &str| json!({ "id": id, "email": email, "line_items": 7 });
    assert_eq!(send("orders/create", broken(1, "kim@mail.example")).await.0, "dead");
    assert_eq!(send("orders/updated", broken(2, "alex@mail.example")).await.0, "dead");
    let letters = fleet.ok(&["dead", "list"]).await;
    let id = |at: usize| letters[at]["id"].as_str().expect("it has an id").to_owned();
    let (of_alex, of_kim) = (id(0), id(1));

    let kim = json!({ "id": 70, "email": "kim@mail.example" });
    let asks = json!({
        "shop_id": 1, "shop_domain": DOMAIN, "customer": kim,
        "orders_requested": [1], "data_request": { "id": 5 },
    });
    assert_eq!(send("customers/data_request", asks).await.0, "applied");
    let open = fleet.ok(&["privacy", "list"]).await;
    assert_eq!((&open[0]["customer"], &open[0]["kind"]), (&json!("70"), &json!("data_request")));

    let redact = |domain: &str| json!({ "shop_id": 1, "shop_domain": domain, "customer": kim, "orders_to_redact": [] });
    let foreign = send("customers/redact", redact("other.myshopify.com")).await;
    assert_eq!(foreign, ("dead".to_owned(), Some("topic_mismatch".to_owned())));
    let shown = async |id: &str| fleet.cli(&["dead", "show", id]).await.stdout;
    assert!(shown(&of_kim).await.contains("kim@mail.example"));
    assert_eq!(send("customers/redact", redact(DOMAIN)).await.0, "applied");
    eventually("the removal", async || {
        (!shown(&of_kim).await.contains("kim@mail.example")).then_some(())
    })
    .await;
    let open = eventually("what was done so far", async || {
        let open = fleet.ok(&["privacy", "list"]).await;
        let removal = open.as_array()?.iter().find(|one| one["kind"] == "redact_customer")?.clone();
        removal["note"].is_string().then_some(removal)
    })
    .await;
    let note = open["note"].as_str().expect("just looked at");
    assert!(note.starts_with("carried out, again at "), "{note}");
    let id = open["id"].as_str().expect("it has an id");
    fleet.cli(&["privacy", "done", id]).await.fails_with(1).names(&["for data", "worker"]);
    assert!(shown(&of_alex).await.contains("alex@mail.example"));
    fleet.finish().await;
}
