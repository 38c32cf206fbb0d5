//! The console of real processes: what they show of each other's work, and to whom.

use testkit::shopify::ShopifyOrder;

use crate::harness::{Fleet, Profile, Role, eventually, get, in_both_profiles};

in_both_profiles!(a_console_shows_what_the_others_do);

async fn a_console_shows_what_the_others_do(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 10).await;
    let order = ShopifyOrder::new(41).line("CAP", 3).webhook("orders/create");
    fleet.outcome(&order).await;
    let mut console = Role::start("console", &[], &fleet.path(""), &fleet.settings);
    let ops = console.ops().await;
    for (path, shown) in [
        ("/readyz", "ready"),
        ("/console", "All is well"),
        ("/console/stock?q=CA", ">CAP</a>"),
        ("/console/order?shop=demo&id=41", "3 units are committed to it"),
    ] {
        let page = get(ops, path).await.expect("it answers");
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(page.body.contains(shown), "{path}: {}", page.body);
    }
    console.ask_to_stop().await;
    assert!(console.ended().await.success());
    fleet.finish().await;
}

#[tokio::test]
async fn a_console_knows_how_fast_ingresses_acknowledge_where_it_may_ask_them() {
    let fleet = Fleet::start(Profile::Fleet, 1).await;
    fleet.stock("CAP", 1_000).await;
    let front = fleet.front.as_ref().expect("it runs").ops().await;
    let metrics = format!("http://localhost:{}/metrics", front.port());
    let asking = ["--ingress-metrics", metrics.as_str()];
    let console = Role::start("console", &asking, &fleet.path(""), &fleet.settings);
    let alone = Role::start("console", &[], &fleet.path(""), &fleet.settings);
    let page = get(alone.ops().await, "/console").await.expect("it answers");
    assert!(page.body.contains("<code>ONHAND_INGRESS_METRICS</code>"), "{}", page.body);
    let ops = console.ops().await;
    let mut order = 100;
    eventually("the time to a 200 is known", async || {
        // Asked every ten seconds, and from the first time on.
        fleet.outcome(&ShopifyOrder::new(order).line("CAP", 1).webhook("orders/create")).await;
        order += 1;
        let page = get(ops, "/console/live").await.expect("it answers").body;
        let (_, row) = page.split_once("Acknowledged within").expect("it is said");
        let row = row.split("</tr>").next().unwrap_or_default();
        row.contains("(p99)").then_some(())
    })
    .await;
    let page = get(ops, "/console/live").await.expect("it answers").body;
    assert!(page.contains("Workers alive</th><td class=\"said\">1<"), "{page}");
    console.stop().await;
    alone.stop().await;
    fleet.finish().await;
}

#[tokio::test]
async fn a_console_that_others_reach_does_not_start_without_a_token() {
    let fleet = Fleet::prepare(Profile::Embedded).await;
    let open = ["console", "--ops-listen", "0.0.0.0:0"];
    fleet.cli(&open).await.fails_with(2).names(&["ONHAND_CONSOLE_TOKEN", "--ops-listen"]);
    let short = ["console", "--console-token", "short"];
    fleet.cli(&short).await.fails_with(2).names(&["ONHAND_CONSOLE_TOKEN", "at least 16 bytes"]);
    fleet.finish().await;
}

#[tokio::test]
async fn serve_keeps_its_console_closed_on_an_open_address_and_works_all_the_same() {
    let mut fleet = Fleet::prepare(Profile::Embedded).await;
    fleet.start_front(&[("ONHAND_OPS_LISTEN", "0.0.0.0:0".to_owned())]).await;
    let front = fleet.front.as_ref().expect("just started");
    front.says("the console is closed").await;
    let port = front.ops().await.port();
    let ops = ([127, 0, 0, 1], port).into();
    assert_eq!(get(ops, "/console").await.expect("it answers").status, 403);
    assert_eq!(get(ops, "/healthz").await.expect("it answers").status, 200);
    fleet.stock("CAP", 10).await;
    fleet.outcome(&ShopifyOrder::new(41).line("CAP", 3).webhook("orders/create")).await;
    fleet.finish().await;
}
