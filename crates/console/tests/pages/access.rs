//! Who gets in, and from where a form is believed.

use crate::harness::{KIM, OPERATOR, PAGES, READER, Test, cookie, encoded, form};
use crate::peer::Answer;

const ADJUST: &str = "/console/stock/adjust?sku=BOWL&location=main&units=3&reason=found";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn this_machine_needs_no_token_and_other_names_are_refused() {
    let test = Test::open().await;
    assert_eq!(test.get("/").await.status, 303);
    for host in ["localhost:8081", "127.0.0.1", "[::1]:1"] {
        assert_eq!(test.ask("GET", "/console", &[("Host", host)], "").await.status, 200, "{host}");
    }
    // A page of the internet whose name was made to point here.
    for host in ["evil.example", "192.0.2.1:8081"] {
        assert_eq!(test.ask("GET", "/console", &[("Host", host)], "").await.status, 421, "{host}");
    }
}

#[tokio::test]
async fn without_a_token_an_open_address_shows_nothing_but_health() {
    let test = Test::closed().await;
    for path in PAGES.into_iter().chain(["/console/login", ADJUST]) {
        let answer = test.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.body.contains("ONHAND_CONSOLE_TOKEN"), "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(test.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn with_tokens_pages_and_actions_are_for_those_who_have_one() {
    let test = Test::with_tokens().await;
    test.stock("BOWL", 1).await;
    for path in PAGES.into_iter().filter(|path| *path != "/console/live").chain([ADJUST]) {
        let nobody = test.get(path).await;
        assert_eq!(nobody.status, 303, "{path}");
        assert!(nobody.head.contains("location: /console/login?next=%2fconsole"), "{path}");
        for (token, status) in [(OPERATOR, 200), (READER, 200), ("another-0123456789", 401)] {
            let status = if path == ADJUST && token == READER { 403 } else { status };
            let asked = test.ask("GET", path, &[("Authorization", &bearer(token))], "").await;
            assert_eq!(asked.status, status, "{path} with {token}");
        }
    }
    assert_eq!(test.get("/console/live").await.status, 401, "a script does not want to log in");
    for path in ["/healthz", "/readyz", "/metrics", "/console/style.css"] {
        assert_eq!(test.get(path).await.status, 200, "{path}");
    }
    let fields = "sku=BOWL&location=main&units=3&reason=r&key=0198c0de-0000-7000-8000-000000000000";
    for (token, status) in [(READER, 403), ("another-0123456789", 401), (OPERATOR, 303)] {
        let headers = [("Authorization", bearer(token))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let asked = test.ask("POST", "/console/stock/adjust", &headers, fields).await;
        assert_eq!(asked.status, status, "{token}: {}", asked.body);
    }
    assert_eq!(test.ask("POST", "/console/stock/adjust", &[], fields).await.status, 401);
    assert_eq!(test.units("BOWL").await, (4, 0), "only the operator changed anything");
}

#[tokio::test]
async fn a_token_logs_in_by_the_form_and_out_again() {
    let test = Test::with_tokens().await;
    let wrong = test.submit("/console/login", &[("token", "another-0123456789")]).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("No console token is this one"));
    for (token, who) in [(OPERATOR, "operator"), (READER, "reader"), (KIM, "kim")] {
        let login = "/console/login?next=%2Fconsole%2Fdead";
        let entered = test.submit(login, &[("token", token)]).await;
        assert_eq!(entered.status, 303, "{}", entered.body);
        assert!(entered.head.contains("location: /console/dead\r\n"), "{}", entered.head);
        let session = cookie(&entered).expect("a session");
        let page = with_cookie(&test, "/console/dead", &session).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains(&format!("<span>{who}</span>")), "{}", page.body);
        let (action, fields) = form(&page.body);
        let left = test.post(&action, &session, &fields).await;
        assert_eq!((action.as_str(), left.status), ("/console/logout", 303));
        assert!(left.head.contains("max-age=0"), "{}", left.head);
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_is_refused() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    let (asked, other) = (test.get(ADJUST).await, test.get(ADJUST).await);
    let (session, others) = (cookie(&asked).expect("one"), cookie(&other).expect("another"));
    let (action, fields) = form(&asked.body);
    let origin = test.origin();
    let body = encoded(&fields);
    let without: Vec<_> = fields.iter().filter(|(name, _)| name != "csrf").cloned().collect();
    let refused = [
        (vec![("Cookie", session.as_str())], body.clone(), "no origin"),
        (vec![("Cookie", &session), ("Origin", "https://evil.example")], body.clone(), "foreign"),
        (vec![("Cookie", &session), ("Origin", "null")], body.clone(), "hidden origin"),
        (vec![("Cookie", &session), ("Origin", &origin)], encoded(&without), "no token"),
        (vec![("Cookie", &others), ("Origin", &origin)], body.clone(), "another session's token"),
        (vec![("Origin", &origin)], body.clone(), "no session"),
    ];
    for (headers, body, what) in refused {
        let answer = test.ask("POST", &action, &headers, &body).await;
        assert_eq!(answer.status, 403, "{what}: {}", answer.body);
    }
    let long = "x".repeat(20_000);
    let headers = [("Cookie", session.as_str()), ("Origin", origin.as_str())];
    assert_eq!(test.ask("POST", &action, &headers, &long).await.status, 413);
    assert_eq!(test.units("BOWL").await, (1, 0), "nothing was changed");
    assert_eq!(test.post(&action, &session, &fields).await.status, 303, "ours is believed");
    assert_eq!(test.units("BOWL").await, (4, 0));
}

#[tokio::test]
async fn every_error_is_a_page_with_words() {
    let test = Test::open().await;
    test.stock("BOWL", 1).await;
    let asked = test.get(ADJUST).await;
    let session = cookie(&asked).expect("a session");
    let (_, fields) = form(&asked.body);
    let csrf: Vec<_> = fields.into_iter().filter(|(name, _)| name == "csrf").collect();
    for (path, status) in [("/console/nothing", 404), ("/nothing", 404), ("/console/logout", 405)] {
        is_a_page(&test.get(path).await, status, path);
    }
    for path in ["/console", "/console/shops"] {
        is_a_page(&test.post(path, &session, &csrf).await, 405, path);
    }
    for path in ["/console/stock/adjust", "/console/order/retry", "/console/login"] {
        is_a_page(&test.post(path, &session, &csrf).await, 422, path);
    }
    is_a_page(&test.get("/console/stock/adjust").await, 400, "no row");
    is_a_page(&test.get("/console/order?shop=%zz").await, 400, "no query");
    is_a_page(&Test::with_tokens().await.get("/console/live").await, 401, "no session");
}

fn is_a_page(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert!(answer.head.contains("content-type: text/html"), "{what}: {}", answer.head);
    assert!(answer.head.contains("content-security-policy"), "{what}: {}", answer.head);
    assert!(answer.body.contains("<p class=\"verdict wrong\">"), "{what}: {}", answer.body);
}

async fn with_cookie(test: &Test, path: &str, session: &str) -> Answer {
    test.ask("GET", path, &[("Cookie", session)], "").await
}
