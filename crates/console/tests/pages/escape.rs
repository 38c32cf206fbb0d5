//! Whatever a platform says is text, and never a part of the page.

use crate::harness::{PAGES, Test, raw};

const SCRIPT: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

#[tokio::test]
async fn a_script_in_any_name_is_shown_as_text() {
    let test = Test::open().await;
    test.stock(SCRIPT, 1).await;
    let order = test.order(1_001, SCRIPT, 3).await;
    let body = String::from_utf8_lossy(&order.webhook("orders/updated").body).into_owned();
    // The order's name, not its lines'.
    let (before, after) = body.split_once("\"name\":\"#").expect("an order has a name");
    let rest = after.split_once('"').expect("and the name ends").1;
    let name = SCRIPT.replace('"', "\\\"");
    let named =
        format!("{before}\"name\":\"{name}\"{rest}").replace("\"id\":1001,", "\"id\":1002,");
    let topic = "orders/<script>alert(1)</script>";
    test.decide(&[raw("orders/create", &named), raw(topic, "{}"), raw("orders/create", SCRIPT)])
        .await;

    let script = "%3Cscript%3Ealert(1)%3C/script%3E%22%27%3E%3Cimg%20src=x%20onerror=alert(1)%3E";
    let mut paths: Vec<String> = PAGES.map(str::to_owned).to_vec();
    for path in [
        "/console/stock?q=",
        "/console/stock/item?sku=",
        "/console/orders?q=",
        "/console/orders?state=",
        "/console/order?shop=demo&id=",
        "/console/webhooks?q=",
        "/console/webhooks?topic=",
        "/console/webhook?id=",
        "/console/dead?reason=",
        "/console/dead/letter?id=",
        "/console/stock/adjust?location=main&units=1&reason=r&sku=",
        "/console/order/retry?shop=demo&id=",
    ] {
        paths.push(format!("{path}{script}"));
    }
    for id in [1_001, 1_002] {
        paths.push(format!("/console/order?shop=demo&id={id}"));
    }
    let mut shown = 0;
    for path in paths {
        let page = test.get(&path).await.body;
        for tag in ["<script>alert", "<img", "onerror=alert(1)>"] {
            assert!(!page.contains(tag), "{path} has {tag}: {page}");
        }
        shown += page.matches("&#60;script&#62;").count();
    }
    assert!(shown > 20, "it was shown {shown} times only: is it looked for in the right places?");
}

#[tokio::test]
async fn every_answer_tells_browsers_to_run_nothing_foreign() {
    let test = Test::open().await;
    for path in ["/console", "/console/nowhere", "/console/style.css", "/console/order?shop=a&id=b"]
    {
        let answer = test.get(path).await;
        for header in [
            "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self';",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: same-origin",
        ] {
            assert!(answer.head.contains(header), "{path}: no {header} in {}", answer.head);
        }
    }
    let page = test.get("/console").await;
    assert!(page.head.contains("cache-control: no-store"), "{}", page.head);
    assert!(page.head.contains("httponly; samesite=strict"), "{}", page.head);
}
