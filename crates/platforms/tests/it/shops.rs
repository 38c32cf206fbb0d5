use std::time::Duration;

use domain::policy::{CommitOn, UnknownSku, WhenShort};
use domain::{LocationId, Platform, PlatformLocation, Policy, ShopId, Timestamp};
use platforms::{Shops, ShopsError, WhenRestocked};
use secrecy::ExposeSecret;

const LEAST: &str = r#"
[[shop]]
name = "demo"
platform = "shopify"
domain = "demo.myshopify.com"
secrets = ["plain:s3cr3t"]
"#;

fn resolve(entry: &str) -> Result<String, String> {
    match entry {
        "env:DEMO_SECRET" => Ok("from-env".into()),
        "file:/run/secrets/demo_old" => Ok("from-file\r\n".into()),
        "env:EMPTY" => Ok("\n".into()),
        other => Err(format!("{other} does not exist")),
    }
}

fn parse(text: &str) -> Result<Shops, ShopsError> {
    Shops::parse(text, resolve)
}

#[track_caller]
fn error(text: &str) -> String {
    parse(text).expect_err("the file is wrong").to_string()
}

#[test]
fn a_full_entry_is_read() {
    let shops = parse(
        r#"
        [[shop]]
        name = "demo"
        platform = "shopify"
        domain = "Demo.MyShopify.com"
        secrets = ["env:DEMO_SECRET", "file:/run/secrets/demo_old", "plain:only-for-demos"]
        commit_on = "paid"
        when_short = "backorder"
        when_restocked = "commit_short"
        unknown_sku = "ignore"
        locations = ["main", "annex"]
        location_ids = { "655441491" = "main", "gid://shopify/Location/7" = "annex" }
        safety_stock = 2
        live_from = "2026-11-01T00:00:00+01:00"
        keep_bodies = "7d"

        [[shop]]
        name = "stripe"
        platform = "payments"
        pays_for = "demo"

        [[shop]]
        name = "woo_1"
        platform = "woocommerce"
        secrets = ["env:DEMO_SECRET"]
        live_from = 2026-11-01T00:00:00Z
        "#,
    )
    .expect("the file is good");
    let demo = shops.get(&ShopId::new("demo")).expect("it is in the file");
    assert_eq!(demo.platform, Platform::Shopify);
    assert_eq!(demo.domain.as_deref(), Some("demo.myshopify.com"));
    let secrets: Vec<&str> = demo.secrets.iter().map(|s| s.expose_secret()).collect();
    assert_eq!(secrets, ["from-env", "from-file", "only-for-demos"]);
    let sources = ["env:DEMO_SECRET", "file:/run/secrets/demo_old", "plain, number 3"];
    assert_eq!(demo.secret_sources, sources, "and never the secret itself");
    assert_eq!(demo.when_restocked, WhenRestocked::CommitShort);
    let main = LocationId::new("main");
    let annex = LocationId::new("annex");
    assert_eq!(
        demo.policy,
        Policy {
            commit_on: CommitOn::Paid,
            when_short: WhenShort::Backorder,
            unknown_sku: UnknownSku::Ignore,
            locations: vec![main.clone(), annex.clone()],
            location_ids: [
                (PlatformLocation::new("655441491"), main),
                (PlatformLocation::new("7"), annex)
            ]
            .into(),
            safety_stock: 2,
            live_from: Some(Timestamp::from_seconds(1_793_487_600)),
        }
    );
    let stripe = shops.get(&ShopId::new("stripe")).expect("it is in the file");
    assert_eq!((stripe.platform, &stripe.domain), (Platform::Payments, &None));
    assert_eq!(stripe.pays_for, Some(ShopId::new("demo")));
    let woo = shops.get(&ShopId::new("woo_1")).expect("it is in the file");
    assert_eq!((demo.keep_bodies, woo.keep_bodies), (Some(Duration::from_secs(604_800)), None));
    assert_eq!(woo.policy.live_from, Some(Timestamp::from_seconds(1_793_491_200)));
    assert_eq!(shops.iter().count(), 3);
}

#[test]
fn what_is_left_out_has_a_default() {
    let shops = parse(LEAST).expect("the file is good");
    let shop = shops.iter().next().expect("one shop");
    assert_eq!(shop.policy, Policy::default());
    assert_eq!(shop.when_restocked, WhenRestocked::Wait);
    assert_eq!(shop.pays_for, None);
}

#[test]
fn domains_are_found_in_any_case_and_only_for_shopify() {
    let woo = "[[shop]]\nname = \"w\"\nplatform = \"woocommerce\"\ndomain = \"w.example\"\n\
               secrets = [\"plain:w\"]\n";
    let shops = parse(&format!("{LEAST}{woo}")).expect("the file is good");
    for domain in ["demo.myshopify.com", "DEMO.MYSHOPIFY.COM"] {
        assert_eq!(shops.shopify(domain).map(|shop| shop.name.as_str()), Some("demo"));
    }
    for domain in ["demo", "w.example", "", "demo.myshopify.com."] {
        assert!(shops.shopify(domain).is_none(), "{domain}");
    }
}

#[test]
fn an_error_names_shop_and_field_and_shows_how_it_could_look() {
    let table = [
        ("name = \"demo\"", "", "shop number 1: name: is missing", "name = \"demo\""),
        ("\"demo\"", "\"De mo\"", "shop number 1: name: \"De mo\" is not", "a-z, 0-9, _ and -"),
        ("\"demo\"", "\"\"", "shop number 1: name: \"\"", "for example"),
        ("\"demo\"", "\"unknown\"", "shop number 1: name: \"unknown\"", "for example"),
        ("\"demo\"", "7", "shop number 1: name: is not a text", "for example"),
        ("platform = \"shopify\"", "", "shop \"demo\": platform: is missing", "\"shopify\""),
        ("\"shopify\"", "\"shopfy\"", "shop \"demo\": platform: \"shopfy\" is none of", "payments"),
        ("domain = \"demo.myshopify.com\"", "", "shop \"demo\": domain: is missing", "myshopify"),
        ("demo.my", "https://demo.my", "shop \"demo\": domain: \"https://demo.my", "for example"),
        ("demo.myshopify.com", "demo", "shop \"demo\": domain: \"demo\" is not", "for example"),
        ("[\"plain:s3cr3t\"]", "[]", "shop \"demo\": secrets: is missing or empty", "env:"),
        ("secrets = [\"plain:s3cr3t\"]", "", "shop \"demo\": secrets: is missing", "env:"),
        ("plain:s3cr3t", "plain:", "shop \"demo\": secrets: entry 1 is empty", "env:"),
        ("plain:s3cr3t", "env:EMPTY", "shop \"demo\": secrets: entry 1 is empty", "env:"),
        ("plain:s3cr3t", "env:NO", "shop \"demo\": secrets: entry 1 cannot", "env:NO does not"),
        ("plain:s3cr3t", "s3cr3t", "shop \"demo\": secrets: entry 1 begins with none", "env:"),
        ("[\"plain:s3cr3t\"]", "\"plain:s3cr3t\"", "shop \"demo\": secrets: is not a list", "[\""),
        ("[\"plain:s3cr3t\"]", "[\"plain:s3cr3t\", 7]", "shop \"demo\": secrets: is not", "[\""),
    ];
    for (from, to, begins, contains) in table {
        assert!(LEAST.contains(from), "{from}");
        let error = error(&LEAST.replacen(from, to, 1));
        assert!(error.starts_with(begins), "{error}");
        assert!(error.contains(contains), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}

#[test]
fn an_error_in_a_rule_says_what_could_stand_there() {
    let table = [
        ("commit_on = \"payed\"", "commit_on: \"payed\" is none of placed, paid"),
        ("when_short = \"\"", "when_short: \"\" is none of reject, hold, backorder"),
        ("when_restocked = 1", "when_restocked: is not a text"),
        ("unknown_sku = \"dead\"", "unknown_sku: \"dead\" is none of dead_letter, ignore"),
        ("locations = []", "locations: is empty"),
        ("locations = [\"\"]", "locations: \"\" is not"),
        ("locations = [\"a\", \"b\", \"a\"]", "locations: \"a\" is there twice"),
        ("locations = \"main\"", "locations: is not a list"),
        ("location_ids = { \"1\" = \"attic\" }", "location_ids: \"1\" names \"attic\", which"),
        ("location_ids = { \"1\" = 1 }", "location_ids: \"1\" names 1, which"),
        ("location_ids = { \"x\" = \"main\" }", "location_ids: \"x\" is not a location id"),
        ("location_ids = { \"1\" = \"main\", \"01\" = \"main\" }", "location_ids: \""),
        ("location_ids = []", "location_ids: is not a table"),
        ("safety_stock = -1", "safety_stock: -1 is not a whole number from 0"),
        ("safety_stock = 1.5", "safety_stock: 1.5 is not"),
        ("safety_stock = 1000000001", "safety_stock: 1000000001 is not"),
        ("live_from = \"soon\"", "live_from: \"soon\" is not a moment"),
        ("live_from = 2026-11-01T00:00:00", "live_from: \"2026-11-01T00:00:00\" is not"),
        ("live_from = 2026-11-01", "live_from: \"2026-11-01\" is not"),
        ("live_from = 1", "live_from: is not a moment"),
        ("keep_bodies = \"long\"", "keep_bodies: \"long\" is not a length of time"),
        ("keep_bodies = \"2 years\"", "keep_bodies: \"2 years\" is not a length of time"),
        ("keep_bodies = 7", "keep_bodies: is not a text"),
        ("pays_for = \"dmo\"", "pays_for: no shop in this file is named \"dmo\"; did you mean"),
        ("capture = \"auto\"", "capture: \"auto\" is none of manual, automatic"),
        ("test_payments = \"no\"", "test_payments: \"no\" is none of count, ignore"),
        ("pays_for = \"demo\"", "pays_for: only shops with platform = \"payments\" pay"),
        ("secret = [\"plain:x\"]", "secrets: \"secret\" is unknown; did you mean \"secrets\"?"),
        ("commit-on = \"paid\"", "commit_on: \"commit-on\" is unknown; did you mean"),
        ("zzz = 1", "zzz: is unknown; a shop has name, platform, domain, secrets"),
    ];
    for (line, begins) in table {
        let error = error(&format!("{LEAST}{line}\n"));
        assert!(error.starts_with(&format!("shop \"demo\": {begins}")), "{error}");
    }
    let many = vec!["\"plain:x\""; 17].join(",");
    let error = error(&LEAST.replace("\"plain:s3cr3t\"", &many));
    assert!(error.starts_with("shop \"demo\": secrets: has more than 16"), "{error}");
}

#[test]
fn names_and_domains_are_there_once() {
    let again = error(&format!("{LEAST}{LEAST}"));
    assert!(again.starts_with("shop \"demo\": name: another shop has it"), "{again}");
    let second = LEAST.replace("\"demo\"", "\"second\"").replace("demo.my", "DEMO.my");
    let again = error(&format!("{LEAST}{second}"));
    assert!(
        again.starts_with("shop \"second\": domain: \"demo.myshopify.com\" is also"),
        "{again}"
    );
    assert!(again.contains("\"demo\""), "{again}");
}

#[test]
fn a_file_without_shops_is_wrong() {
    for text in ["", "\n# nothing yet\n", "shop = []"] {
        let error = error(text);
        assert!(error.contains("names no shop"), "{error}");
    }
    for text in ["[shop]\nname = \"demo\"", "shop = 1", "shop = [1]"] {
        let error = error(text);
        assert!(error.contains("[[shop]]"), "{error}");
    }
    let error = error("[[shops]]\nname = \"demo\"");
    assert!(error.starts_with("shops: unknown; every shop begins with a line [[shop]]"), "{error}");
}

#[test]
fn no_secret_is_ever_shown() {
    let broken = error(&LEAST.replace("[\"plain:s3cr3t\"]", "[\"plain:s3cr3t\" \"x\"]"));
    assert!(broken.starts_with("line 6: "), "{broken}");
    assert!(!broken.contains("s3cr3t"), "{broken}");
    let shops = parse(LEAST).expect("the file is good");
    let shown = format!("{shops:?} {shops:#?} {:?}", shops.iter().next());
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn a_shop_is_a_label_while_the_file_names_it_and_few_others() {
    let shops = |count: usize| {
        let shop = |number: usize| {
            format!(
                "[[shop]]\nname = \"shop-{number}\"\nplatform = \"woocommerce\"\n\
                 secrets = [\"plain:{number}-is-a-secret-of-some-length\"]\n"
            )
        };
        Shops::parse(&(1..=count).map(shop).collect::<String>(), |entry| Ok(entry.to_owned()))
            .expect("a good shops file")
    };
    let named = |count: usize, shop: &str| shops(count).label(&ShopId::new(shop));
    assert_eq!(named(50, "shop-1").as_deref(), Some("shop-1"));
    assert_eq!(named(50, "invented"), None);
    assert_eq!(named(51, "shop-1").as_deref(), Some("other"));
    assert_eq!(named(51, "invented"), None);
}
