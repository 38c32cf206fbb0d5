//! A console over a store of its own, and webhooks that were decided into it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use console::{Access, Console, Ingresses, Ops, install_metrics};
use domain::{Envelope, EnvelopeId, Keys, LocationId, Provider, ShopId, Sku, StockKey};
use operate::stock::{What, change};
use operate::verify::Checks;
use operate::{Command, Operated};
use platforms::Shops;
use queue::{Broker, Publisher};
use secrecy::SecretString;
use store::reports::DeadFilter;
use store::{AnyStore, Database, Reports, Store};
use tempfile::TempDir;
use testkit::request::Request;
use testkit::shopify::{ShopifyOrder, SignedWebhook};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use worker::{Processor, Strategy, Work};

use crate::peer::{Answer, Peer};

pub(crate) const OPERATOR: &str = "operator-0123456789";
pub(crate) const READER: &str = "reader-0123456789";
/// Of an operator who has a name.
pub(crate) const KIM: &str = "kims-own-0123456789";
/// Must never be seen on any page.
pub(crate) const SECRET: &str = "the-shops-own-secret";
const DOMAIN: &str = "demo.myshopify.com";
/// An account at a payment provider.
pub(crate) const TILL: &str = "till";

/// Every page that needs nothing but a store.
pub(crate) const PAGES: [&str; 10] = [
    "/console",
    "/console/live",
    "/console/trends",
    "/console/trends?span=day",
    "/console/stock",
    "/console/orders",
    "/console/webhooks",
    "/console/dead",
    "/console/shops",
    "/console/operations",
];

pub(crate) struct Test {
    pub(crate) store: AnyStore,
    broker: Broker,
    shops: Arc<Shops>,
    address: SocketAddr,
    pub(crate) stop: CancellationToken,
    /// What the latest verification found.
    pub(crate) checks: watch::Sender<Checks>,
    _folder: TempDir,
}

impl Drop for Test {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Test {
    /// Open to this machine.
    pub(crate) async fn open() -> Self {
        Self::with("", open_access(), |console| console).await
    }

    /// With a shop that keeps bodies.
    pub(crate) async fn keeping() -> Self {
        Self::with("keep_bodies = \"7d\"", open_access(), |console| console).await
    }

    /// Where others receive.
    pub(crate) async fn of_a_fleet(ingresses: &Ingresses) -> Self {
        Self::with("", open_access(), |console| console.of_a_fleet(ingresses)).await
    }

    /// With so many shops more.
    pub(crate) async fn with_shops(more: usize) -> Self {
        let shop = |number| {
            format!(
                "[[shop]]\nname = \"shop-{number}\"\nplatform = \"woocommerce\"\n\
                 secrets = [\"plain:{SECRET}\"]\n"
            )
        };
        let shops: String = (0..more).map(shop).collect();
        Self::with(&shops, open_access(), |console| console).await
    }

    /// With an account that tells of payments for the shop's orders.
    pub(crate) async fn with_till() -> Self {
        let till = format!(
            "[[shop]]\nname = \"{TILL}\"\nplatform = \"payments\"\npays_for = \"demo\"\n\
             secrets = [\"plain:{SECRET}\"]\n"
        );
        Self::with(&till, open_access(), |console| console).await
    }

    pub(crate) async fn with_tokens() -> Self {
        let operators: [SecretString; 2] = [OPERATOR.into(), format!("kim:{KIM}").into()];
        let access = Access::new(loopback(), &operators, &[READER.into()]).expect("good tokens");
        Self::with("", access, |console| console).await
    }

    /// As on an address that others reach, without a token.
    pub(crate) async fn closed() -> Self {
        let open = "0.0.0.0:8081".parse().expect("an address");
        Self::with("", Access::new(open, &[], &[]).expect("no tokens"), |console| console).await
    }

    async fn with(more: &str, access: Access, also: impl FnOnce(Console) -> Console) -> Self {
        let folder = TempDir::new().expect("a folder");
        let database = Database::Sqlite(folder.path().join("onhand.db"));
        database.migrate().await.expect("migrates");
        let store = database.open().await.expect("opens");
        let queue = Broker::Embedded(folder.path().join("queue.db"));
        drop(queue.open().await.expect("a queue"));
        let text = format!(
            "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{DOMAIN}\"\n\
             secrets = [\"plain:{SECRET}\"]\n{more}\n"
        );
        let shops = Shops::parse(&text, |_| Err("none".to_owned())).expect("a shops file");
        let (_, receiver) = watch::channel(Arc::new(shops));
        let shops = receiver.borrow().clone();
        let (checks, latest) = watch::channel(Checks::default());
        let pages = also(Console::new(store.clone(), queue.clone(), receiver, access, latest));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let ops =
            Ops { ready: || async { Ok(()) }, metrics: install_metrics(), console: Some(pages) };
        TaskTracker::new().spawn(console::run(listener, ops, stop.clone()));
        Self { store, broker: queue, shops, address, stop, checks, _folder: folder }
    }

    /// Units of an item at `main`.
    pub(crate) async fn stock(&self, sku: &str, on_hand: i64) {
        let what = What::Set { on_hand, floor: None };
        let done = change(&self.store, &row(sku), what, &Command::new("counted", None)).await;
        assert!(matches!(done, Ok(Operated::Done(_))), "{done:?}");
    }

    pub(crate) async fn units(&self, sku: &str) -> (i64, i64) {
        let keys = Keys { skus: [Sku::new(sku)].into(), ..Keys::default() };
        let stock = self.store.load(&keys).await.expect("loads").stock.get(&row(sku));
        (stock.on_hand, stock.committed)
    }

    /// Decides what the platform sent, as a worker does.
    pub(crate) async fn decide(&self, webhooks: &[SignedWebhook]) {
        self.decide_after(0, webhooks).await;
    }

    /// The same, of what waited so often on the retry ladder.
    pub(crate) async fn decide_after(&self, attempts: u32, webhooks: &[SignedWebhook]) {
        let envelope = |webhook: &SignedWebhook| webhook.envelope("demo", operate::now());
        self.apply(attempts, webhooks.iter().map(envelope).collect()).await;
    }

    /// The same for what a provider says of a payment at the till.
    pub(crate) async fn decide_callback(&self, provider: Provider, request: &Request) {
        let till = self.shops.get(&ShopId::new(TILL)).expect("there is a till");
        let header = |(name, value): &(&'static str, String)| {
            let name: HeaderName = name.parse().expect("a name");
            (name, value.parse().expect("a value"))
        };
        let headers: HeaderMap = request.headers.iter().map(header).collect();
        let (body, now) = (request.body.clone(), operate::now());
        let mut new_id = || EnvelopeId(Uuid::now_v7());
        let received =
            platforms::payments::receive(provider, &headers, body, till, &mut new_id, now);
        self.apply(0, received.expect("it is signed")).await;
    }

    async fn apply(&self, attempts: u32, envelopes: Vec<Envelope>) {
        let mut processor = Processor::new(self.store.clone(), Strategy::Adaptive);
        for batch in envelopes.chunks(500) {
            let work = batch.iter().map(|envelope| Work::new(envelope.clone(), attempts));
            processor.process(work.collect(), &self.shops, true).await.expect("decides");
        }
    }

    /// Puts into the queue what the platform sent, as an ingress does.
    pub(crate) async fn take(&self, webhook: &SignedWebhook) {
        let queue = self.broker.open().await.expect("the queue opens");
        let taken = queue.publisher().publish(webhook.envelope("demo", operate::now())).await;
        taken.expect("the queue takes it");
        queue.close().await;
    }

    /// An order of so many units.
    pub(crate) async fn order(&self, id: u64, sku: &str, units: i64) -> ShopifyOrder {
        let order = ShopifyOrder::new(id).of(DOMAIN, SECRET).line(sku, units);
        self.decide(&[order.webhook("orders/create")]).await;
        order
    }

    /// Every page of one thing, and every one that asks before something is done, each with a thing
    /// to show. Needs a shop that keeps bodies.
    pub(crate) async fn pages_of_one_thing(&self) -> Vec<String> {
        self.stock("BOWL", 3).await;
        let kept = self.order(1_001, "BOWL", 2).await.webhook("orders/paid");
        self.decide(std::slice::from_ref(&kept)).await;
        let short = self.order(1_002, "BOWL", 2).await.id();
        self.decide(&[raw("orders/create", "no JSON")]).await;
        let letters = DeadFilter { limit: 1, ..DeadFilter::default() };
        let letters = self.store.dead_letters(&letters).await.expect("reads");
        let letter = &letters.first().expect("a dead letter").id;
        let webhook = format!("shop=demo&id={}", kept.webhook_id);
        let page = self.page(&format!("/console/webhook?{webhook}")).await;
        let (_, replay) = page.split_once("/console/webhook/replay?").expect("its body is kept");
        let replay = replay.split('"').next().expect("the link ends").replace("&#38;", "&");
        vec![
            "/console/stock/item?sku=BOWL".to_owned(),
            "/console/stock/adjust?sku=BOWL&location=main&units=1&reason=found".to_owned(),
            "/console/order?shop=demo&id=1001".to_owned(),
            format!("/console/order?shop=demo&id={short}"),
            format!("/console/order/retry?shop=demo&id={short}"),
            format!("/console/webhook?{webhook}"),
            format!("/console/webhook/replay?{replay}"),
            format!("/console/dead/letter?id={letter}"),
            format!("/console/dead/replay?id={letter}"),
            format!("/console/dead/discard?id={letter}"),
            "/console/dead/replay?reason=malformed".to_owned(),
            "/console/dead/discard?reason=malformed".to_owned(),
            "/console/pause".to_owned(),
            "/console/pause?shop=demo".to_owned(),
        ]
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// A browser's connection that stays open.
    pub(crate) async fn peer(&self, path: &str) -> Peer {
        let mut peer = Peer::connect(self.address).await;
        peer.send(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address)).await;
        peer
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A page that is there, as HTML.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        for secret in [SECRET, OPERATOR, READER, KIM] {
            assert!(!answer.body.contains(secret), "{path} shows a secret");
        }
        answer.body
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            head += "Content-Type: application/x-www-form-urlencoded\r\n";
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut peer = Peer::connect(self.address).await;
        peer.send(format!("{head}\r\n{body}")).await;
        peer.answer().await
    }

    /// Opens a page with a form, fills it and sends it, as a browser does.
    pub(crate) async fn submit(&self, page: &str, fill: &[(&str, &str)]) -> Answer {
        let asked = self.get(page).await;
        assert_eq!(asked.status, 200, "{page}: {}", asked.body);
        let cookie = cookie(&asked).expect("a new session");
        let (action, mut fields) = form(&asked.body);
        for (name, value) in fill {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.post(&action, &cookie, &fields).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        cookie: &str,
        fields: &[(String, String)],
    ) -> Answer {
        let origin = self.origin();
        self.ask("POST", path, &[("Cookie", cookie), ("Origin", &origin)], &encoded(fields)).await
    }
}

fn open_access() -> Access {
    Access::new(loopback(), &[], &[]).expect("no tokens")
}

fn loopback() -> SocketAddr {
    "127.0.0.1:8081".parse().expect("an address")
}

fn row(sku: &str) -> StockKey {
    StockKey::new(&Sku::new(sku), &LocationId::new("main"))
}

pub(crate) fn raw(topic: &str, body: &str) -> SignedWebhook {
    SignedWebhook::raw(topic, DOMAIN, SECRET, body.to_owned())
}

pub(crate) fn encoded(fields: &[(String, String)]) -> String {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    fields.collect::<Vec<_>>().join("&")
}

/// What the browser would send back.
pub(crate) fn cookie(answer: &Answer) -> Option<String> {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "))?;
    line.split(';').next().map(str::to_owned)
}

/// The last form of a page that posts: where to, and its hidden fields.
pub(crate) fn form(html: &str) -> (String, Vec<(String, String)>) {
    let start = html.rfind("<form method=\"post\"").or_else(|| html.rfind("method=\"post\""));
    let form = &html[start.expect("a form that posts")..];
    let form = &form[..form.find("</form>").expect("the end of the form")];
    let action = attribute(form, "action").expect("an action");
    let inputs = form.split("<input type=\"hidden\"").skip(1);
    let fields = inputs.filter_map(|input| {
        let tag = &input[..input.find('>')?];
        Some((attribute(tag, "name")?, attribute(tag, "value")?))
    });
    (action, fields.collect())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&"))
}
