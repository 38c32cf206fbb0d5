//! What is done through the console, once, and written down.

use crate::harness::{KIM, OPERATOR, Test, cookie, form, raw};

#[tokio::test]
async fn stock_is_adjusted_once_with_its_reason_and_who_did_it() {
    let test = Test::open().await;
    test.stock("BOWL", 10).await;
    let ask = "/console/stock/adjust?sku=BOWL&location=main&units=-3&reason=broken";
    let asked = test.get(ask).await;
    assert!(asked.body.contains("10 now, 7 then"), "{}", asked.body);
    assert_eq!(test.units("BOWL").await, (10, 0), "a question changes nothing");
    let session = cookie(&asked).expect("a session");
    let (action, fields) = form(&asked.body);
    let done = test.post(&action, &session, &fields).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(done.head.contains("done=adjusted"), "{}", done.head);
    assert_eq!(test.units("BOWL").await, (7, 0));
    // The same form again, as by a double click.
    let again = test.post(&action, &session, &fields).await;
    assert_eq!(again.status, 409, "{}", again.body);
    assert_eq!(test.units("BOWL").await, (7, 0));

    let item = test.page("/console/stock/item?sku=BOWL").await;
    assert!(item.contains("broken (console, local)"), "{item}");
    let actions = test.page("/console/operations").await;
    assert!(actions.contains("local: adjust BOWL at main by -3, broken"), "{actions}");
}

#[tokio::test]
async fn what_somebody_with_a_name_does_is_written_down_under_it() {
    let test = Test::with_tokens().await;
    test.stock("BOWL", 10).await;
    let units = "/console/stock/adjust?sku=BOWL&location=main&reason=broken&units=";
    for (token, taken) in [(KIM, "-3"), (OPERATOR, "-2")] {
        let entered = test.submit("/console/login", &[("token", token)]).await;
        let session = cookie(&entered).expect("a session");
        let asked = test.ask("GET", &format!("{units}{taken}"), &[("Cookie", &session)], "").await;
        let (action, fields) = form(&asked.body);
        assert_eq!(test.post(&action, &session, &fields).await.status, 303);
    }
    // By a program, which sends its token along.
    let fields =
        "sku=BOWL&location=main&units=-1&reason=broken&key=0198c0de-0000-7000-8000-000000000000";
    let bearer = format!("Bearer {KIM}");
    let headers = [("Authorization", bearer.as_str())];
    assert_eq!(test.ask("POST", "/console/stock/adjust", &headers, fields).await.status, 303);

    let page = async |path: &str| test.ask("GET", path, &headers, "").await.body;
    let actions = page("/console/operations").await;
    for what in ["kim: adjust BOWL at main by -3", "operator: adjust BOWL at main by -2"] {
        assert_eq!(actions.matches(what).count(), 1, "{actions}");
    }
    assert!(actions.contains("kim: adjust BOWL at main by -1"), "{actions}");
    let item = page("/console/stock/item?sku=BOWL").await;
    assert_eq!(item.matches("broken (console, kim)").count(), 2, "{item}");
    assert_eq!(item.matches("broken (console, operator)").count(), 1, "{item}");
}

#[tokio::test]
async fn what_makes_no_sense_is_not_asked_twice() {
    let test = Test::open().await;
    test.stock("BOWL", 3).await;
    test.order(1_001, "BOWL", 3).await;
    for (units, reason, status) in [
        ("0", "r", 400),
        ("many", "r", 400),
        ("99999999999999999", "r", 400),
        ("1", "", 400),
        ("-1", "broken", 409),
    ] {
        let path =
            format!("/console/stock/adjust?sku=BOWL&location=main&units={units}&reason={reason}");
        let answer = test.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    let nowhere = "/console/stock/adjust?sku=CUP&location=main&units=1&reason=r";
    assert_eq!(test.get(nowhere).await.status, 409);
}

#[tokio::test]
async fn a_short_order_is_tried_again() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    let id = test.order(1_001, "BOWL", 3).await.id();
    let retry = format!("/console/order/retry?shop=demo&id={id}");
    let still = test.submit(&retry, &[]).await;
    assert_eq!(still.status, 200);
    assert!(still.body.contains("It is still short"), "{}", still.body);
    assert!(still.body.contains("onhand stock adjust BOWL +2"), "{}", still.body);
    test.stock("BOWL", 4).await;
    let done = test.submit(&retry, &[]).await;
    assert!(done.body.contains("It is committed now"), "{}", done.body);
    assert_eq!(test.units("BOWL").await, (4, 3));
    let actions = test.page("/console/operations").await;
    assert_eq!(actions.matches("local: retry order").count(), 2, "{actions}");
}

#[tokio::test]
async fn everything_and_a_shop_are_paused_and_resumed_once() {
    let test = Test::open().await;
    for (query, what) in [("", "everything"), ("?shop=demo", "shop demo")] {
        let ask = format!("/console/pause{query}");
        let asked = test.get(&ask).await;
        assert!(asked.body.contains(&format!("Pause {what}?")), "{}", asked.body);
        let session = cookie(&asked).expect("a session");
        let (action, mut fields) = form(&asked.body);
        fields.push(("reason".to_owned(), "counting <stock>".to_owned()));
        assert_eq!(test.post(&action, &session, &fields).await.status, 303);
        assert_eq!(test.post(&action, &session, &fields).await.status, 409, "a double click");
        let overview = test.page("/console").await;
        assert!(overview.contains("by local (counting &#60;stock&#62;): "), "{overview}");
        assert!(overview.contains("webhooks are taken and wait."), "{overview}");
        assert!(test.page("/console/shops").await.contains("paused</span>"));

        let asked = test.get(&format!("/console/resume{query}")).await;
        assert!(asked.body.contains(&format!("Resume {what}?")), "{}", asked.body);
        let resumed = test.submit(&ask, &[]).await;
        assert_eq!(resumed.status, 303, "{}", resumed.body);
        assert!(!test.page("/console").await.contains("taken and wait"));
        assert_eq!(test.post(&action, &session, &fields).await.status, 409, "an old form");
        assert!(!test.page("/console").await.contains("taken and wait"));
        let actions = test.page("/console/operations").await;
        assert!(actions.contains(&format!("local: pause {what}, counting")), "{actions}");
        assert!(actions.contains(&format!("local: resume {what}")), "{actions}");
    }
    assert_eq!(test.get("/console/pause?shop=nobody").await.status, 404);
    let lines = test.submit("/console/pause", &[("reason", "two\nlines")]).await;
    assert_eq!(lines.status, 400, "{}", lines.body);
    assert!(!test.page("/console").await.contains("taken and wait"));
}

#[tokio::test]
async fn dead_letters_are_replayed_once_their_cause_is_mended() {
    let test = Test::open().await;
    for id in 1_001..1_004 {
        test.order(id, "BOWL", 1).await;
    }
    let replay = "/console/dead/replay?reason=unknown_sku";
    let still = test.submit(replay, &[]).await;
    assert!(still.body.contains("3 could still not be applied"), "{}", still.body);
    test.stock("BOWL", 5).await;
    let done = test.submit(replay, &[]).await;
    assert_eq!(done.status, 200);
    assert_eq!(done.body.matches("<td>applied</td>").count(), 3, "{}", done.body);
    assert_eq!(test.units("BOWL").await, (5, 3));
    assert_eq!(test.get(replay).await.status, 404, "none is left");
    assert!(test.page("/console/dead").await.contains("everything that came could be applied"));
    let actions = test.page("/console/operations").await;
    assert!(actions.contains("local: replay 3 dead letters of reason unknown_sku"), "{actions}");
}

#[tokio::test]
async fn a_dead_letter_is_discarded_with_a_reason() {
    let test = Test::open().await;
    test.decide(&[raw("orders/create", "no JSON"), raw("orders/create", "neither")]).await;
    let list = test.page("/console/dead").await;
    let link = list.split("<tr><td><a href=\"").nth(1).and_then(|it| it.split('"').next());
    let id = link.and_then(|link| link.split_once("id=")).map(|(_, id)| id).expect("a letter");
    let discard = format!("/console/dead/discard?id={id}");
    assert_eq!(test.submit(&discard, &[("why", " ")]).await.status, 400, "no reason");
    let done = test.submit(&discard, &[("why", "a test of theirs")]).await;
    assert!(done.body.contains("<td>discarded</td>"), "{}", done.body);
    assert_eq!(test.get(&discard).await.status, 404, "it is closed");
    let letter = test.page(&format!("/console/dead/letter?id={id}")).await;
    assert!(letter.contains("discarded: a test of theirs (console, local)"), "{letter}");
    let rest = test.submit("/console/dead/discard?reason=malformed", &[("why", "the rest")]).await;
    assert_eq!(rest.body.matches("<td>discarded</td>").count(), 1, "{}", rest.body);
    let all = test.page("/console/dead?all=1").await;
    assert_eq!(all.matches("<td>discarded</td>").count(), 2, "{all}");
}
