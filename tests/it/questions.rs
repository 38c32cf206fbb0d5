//! Payments, customers' requests and the platforms' own stock on the command line: what is said
//! where nothing is known of them, and where the question makes no sense.

use std::fs;

use serde_json::json;

use crate::harness::{Fleet, Profile};

#[tokio::test]
async fn where_nothing_is_known_there_is_nothing_to_list() {
    let fleet = Fleet::prepare(Profile::Embedded).await;
    for args in [
        &["payment", "list"][..],
        &["payment", "list", "--shop", "demo", "--unlinked", "--older-than", "1d"],
        &["privacy", "list", "--all"],
        &["stock", "drift"],
        &["stock", "drift", "--shop", "demo"],
    ] {
        assert_eq!(fleet.ok(args).await, json!([]), "{args:?}");
    }
    let status = fleet.ok(&["status"]).await;
    assert_eq!((&status["payments_unlinked"], &status["privacy_requests"]), (&0.into(), &0.into()));
    let checks = fleet.ok(&["doctor"]).await;
    let apps = checks.as_array().expect("a list").iter().find(|check| check["what"] == "apps");
    assert_eq!(apps.expect("shops are looked at")["ok"], true);
    fleet.finish().await;
}

#[tokio::test]
async fn what_is_not_there_exits_with_1_and_what_cannot_be_meant_with_2() {
    let fleet = Fleet::prepare(Profile::Embedded).await;
    let nobody = "0198c0de-0000-7000-8000-000000000000";
    for (args, code, names) in [
        (&["payment", "show", "demo", "pi_1"][..], 1, &["pi_1", "onhand payment list"][..]),
        (&["payment", "show", "dmo", "pi_1"], 2, &["no shop dmo", "demo"]),
        (&["payment", "list", "--shop", "dmo"], 2, &["no shop dmo", "demo"]),
        (&["payment", "list", "--older-than", "1d"], 2, &["--unlinked"]),
        (&["payment", "list", "--unlinked", "--older-than", "soon"], 2, &["90d"]),
        (&["privacy", "done", nobody], 1, &["no open request for data", "onhand privacy list"]),
        (&["privacy", "done", "5"], 2, &["onhand privacy list"]),
        (&["stock", "drift", "--shop", "dmo"], 2, &["no shop dmo", "demo"]),
        (&["resume", "--shop", "dmo"], 2, &["no shop dmo", "demo"]),
        (&["dead", "replay", "--shop", "dmo"], 2, &["no shop dmo", "demo"]),
        (&["dead", "discard", "--shop", "dmo", "--reason", "r"], 2, &["no shop dmo", "demo"]),
        (&["pause", "--reason", "two\nlines"], 2, &["one line"]),
    ] {
        fleet.cli(args).await.fails_with(code).names(names);
    }
    fleet.finish().await;
}

#[tokio::test]
async fn a_body_is_explained_when_it_is_clear_whose_it_is() {
    let fleet = Fleet::bare(Profile::Embedded);
    fs::write(fleet.path("body.json"), r#"{"id":1}"#).expect("written");
    let explain = |platform: &'static str| {
        let fleet = &fleet;
        async move { fleet.cli(&["explain", "--platform", platform, "body.json"]).await }
    };
    explain("shopify").await.fails_with(2).names(&["--topic orders/create"]);
    explain("woocommerce").await.fails_with(2).names(&["--topic order.updated"]);
    explain("payments").await.fails_with(2).names(&["--platform stripe"]);
    assert_eq!(explain("paypal").await.fails_with(1).json()["ignored"], "paypal");

    let item = |code: &str| json!({ "NotificationRequestItem": { "eventCode": code } });
    let both = json!({ "live": "false", "notificationItems": [item("REPORT"), item("ORDER")] });
    fs::write(fleet.path("body.json"), both.to_string()).expect("written");
    for platform in ["payments", "adyen"] {
        let explained = explain(platform).await.json();
        assert_eq!(explained["items"].as_array().map(Vec::len), Some(2), "{explained}");
        assert_eq!(explained["facts"], json!([]));
    }
    fleet.discard();
}

#[tokio::test]
async fn what_never_reaches_a_worker_is_explained_too() {
    let fleet = Fleet::bare(Profile::Embedded);
    let explain = async |platform: &str, body: &str| {
        fs::write(fleet.path("body.txt"), body).expect("written");
        fleet.ok(&["explain", "--platform", platform, "body.txt"]).await
    };
    let head = "POST /hooks HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for body in ["webhook_id=2", "webhook_id=2\n", &format!("{head}\r\nwebhook_id=2")] {
        let ping = explain("woocommerce", body).await;
        assert_eq!((&ping["facts"], &ping["ignored"]), (&json!([]), &json!("ping")), "{body:?}");
        assert!(ping["note"].as_str().is_some_and(|note| note.contains("200")), "{ping}");
    }
    let event = json!({ "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource_type": "capture" });
    fs::write(fleet.path("body.txt"), event.to_string()).expect("written");
    let paypal = fleet.cli(&["explain", "--platform", "payments", "body.txt"]).await;
    // It is refused, so it is not fine.
    let paypal = paypal.fails_with(1).json();
    assert_eq!((&paypal["facts"], &paypal["ignored"]), (&json!([]), &json!("paypal")));
    assert!(paypal["note"].as_str().is_some_and(|note| note.contains("relay")), "{paypal}");
    for body in ["id=ord_1", "id=tr_1\n", &format!("{head}\r\nid=tr_1")] {
        assert_eq!(explain("payments", body).await["ignored"], "needs_fetch", "{body:?}");
    }
    // The recorded headers name the topic.
    let deleted = "POST / HTTP/1.1\nX-WC-Webhook-Topic: order.deleted\n\n{\"id\":7}";
    let explained = explain("woocommerce", deleted).await;
    assert_eq!(explained["facts"][0]["order"]["order"], "7", "{explained}");
    fleet.discard();
}

#[tokio::test]
async fn every_command_shows_how_it_is_used() {
    let fleet = Fleet::bare(Profile::Embedded);
    for (args, example) in [
        (&["listing", "set"][..], "onhand listing set demo"),
        (&["listing", "import"], "shop,variant,sku,units"),
        (&["payment", "list"], "--older-than 1d"),
        (&["payment", "show"], "onhand payment show"),
        (&["privacy", "list"], "onhand dead show"),
        (&["privacy", "done"], "onhand privacy done"),
        (&["stock", "drift"], "onhand stock drift"),
        (&["stock", "floor"], "onhand stock floor"),
        (&["order", "retry"], "--backorder"),
        (&["dead", "replay"], "onhand dead replay --reason unknown_sku --dry-run"),
        (&["dead", "discard"], "--died-of malformed"),
        (&["webhook", "show"], "--body"),
        (&["webhook", "replay"], "onhand webhook replay"),
        (&["prune"], "onhand prune --older-than 90d"),
        (&["stock", "export"], "onhand stock export stock.csv"),
        (&["explain"], "--platform payments"),
    ] {
        let help = fleet.cli(&[args, &["--help"]].concat()).await.fails_with(0).stdout;
        assert!(help.contains(example), "{example:?} is missing in:\n{help}");
    }
    fleet.discard();
}
