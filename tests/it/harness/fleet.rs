//! A deployment: a folder, a database, a queue, and the roles that were started.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use testkit::request::Request;
use testkit::services::{Redis, TestDatabase, test_amqp_url, test_database, test_prefix};
use testkit::shopify::{DOMAIN, SECRET, SignedWebhook};
use tokio::process::Command;
use tokio::sync::watch;

use super::http::{Connection, Response};
use super::post::{Key, Post, is_same, key, keys_of};
use super::{Answer, Burst, Release, Role, eventually, role};

/// For tests that choose none, another strategy than the default: see CONTRIBUTING.md.
#[expect(clippy::disallowed_methods, reason = "people choose it from outside")]
fn strategy() -> impl Iterator<Item = (&'static str, String)> {
    let chosen = [
        ("ONHAND_STRATEGY", "ONHAND_TEST_STRATEGY"),
        ("ONHAND_REDIS_URL", "ONHAND_TEST_REDIS_URL"),
    ];
    chosen.into_iter().filter_map(|(name, of)| Some((name, std::env::var(of).ok()?)))
}

/// Which of the two ways to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// One process, SQLite.
    Embedded,
    /// An ingress and workers, PostgreSQL and RabbitMQ.
    Fleet,
}

pub(crate) struct Fleet {
    profile: Profile,
    folder: TempDir,
    /// What every process gets in its environment.
    pub(crate) settings: BTreeMap<&'static str, String>,
    /// Of what is started, and of commands.
    pub(crate) release: Release,
    database: Option<TestDatabase>,
    /// Of the strategy that wants one.
    redis: Option<Redis>,
    /// The role that receives webhooks: ingress, or serve.
    pub(crate) front: Option<Role>,
    pub(crate) workers: Vec<Role>,
    /// Stays when the front is started again.
    address: Option<SocketAddr>,
    post: watch::Sender<Post>,
    finished: bool,
}

impl Fleet {
    /// Everything runs; `workers` counts in the fleet profile only.
    pub(crate) async fn start(profile: Profile, workers: usize) -> Self {
        let mut fleet = Self::prepare(profile).await;
        fleet.start_all(workers).await;
        fleet
    }

    /// Starts what [`Fleet::start`] would have started.
    pub(crate) async fn start_all(&mut self, workers: usize) {
        self.start_front(&[]).await;
        if self.profile == Profile::Fleet {
            for _ in 0..workers {
                self.start_worker(&[]).await;
            }
        }
    }

    /// Nothing runs yet; the schema is there.
    pub(crate) async fn prepare(profile: Profile) -> Self {
        match profile {
            Profile::Embedded => {
                let fleet = Self::bare(profile);
                fleet.ok(&["migrate"]).await;
                fleet
            }
            Profile::Fleet => Self::prepare_on(None, None).await,
        }
    }

    /// On servers of its own where they are named, which may be killed.
    pub(crate) async fn prepare_on(database: Option<&str>, broker: Option<&str>) -> Self {
        let mut fleet = Self::bare(Profile::Fleet);
        if database.is_none() {
            fleet.database = Some(test_database().await);
        }
        let shared = fleet.database.as_ref().map(TestDatabase::url);
        let database = database.map(str::to_owned).or(shared).expect("one of them");
        let broker = broker.map_or_else(test_amqp_url, str::to_owned);
        fleet.settings.insert("ONHAND_DATABASE_URL", database);
        fleet.settings.insert("ONHAND_BROKER_URL", broker);
        fleet.settings.insert("ONHAND_BROKER_PREFIX", test_prefix());
        fleet.ok(&["migrate"]).await;
        fleet
    }

    /// Workers that are started from now on keep out of each other's way like this.
    pub(crate) async fn turn_to(&mut self, strategy: &str) {
        self.settings.insert("ONHAND_STRATEGY", strategy.to_owned());
        if strategy == "redis" {
            let redis = Redis::start().await;
            self.settings.insert("ONHAND_REDIS_URL", redis.url());
            self.redis = Some(redis);
        }
    }

    /// Neither database nor queue: only a folder with a shops file.
    pub(crate) fn bare(profile: Profile) -> Self {
        let folder = tempfile::Builder::new().prefix("onhand-e2e-").tempdir();
        let folder = folder.expect("a temporary folder can be made");
        let data_dir = folder.path().join("data").display().to_string();
        let mut settings = BTreeMap::from([
            ("ONHAND_DATA_DIR", data_dir),
            ("ONHAND_SHOPS", folder.path().join("shops.toml").display().to_string()),
            ("ONHAND_LOG_FORMAT", "json".to_owned()),
            ("ONHAND_OPS_LISTEN", "127.0.0.1:0".to_owned()),
        ]);
        settings.extend(strategy());
        let fleet = Self {
            profile,
            folder,
            settings,
            release: Release::This,
            database: None,
            redis: None,
            front: None,
            workers: Vec::new(),
            address: None,
            post: Post::office(),
            finished: false,
        };
        fleet.write_shops(&shops(""));
        fleet
    }

    /// Does to the database what only time does. In the fleet profile, on the shared server.
    pub(crate) async fn run_sql(&self, statement: &str) {
        self.database.as_ref().expect("a database of its own").run(statement).await;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write_shops(&self, text: &str) {
        std::fs::write(self.path("shops.toml"), text).expect("a temporary folder can be written");
    }

    /// Starts what receives webhooks, on the address that it had before if it had one. `settings`
    /// are for it alone.
    pub(crate) async fn start_front(&mut self, settings: &[(&'static str, String)]) {
        let listen = self.address.map_or_else(|| "127.0.0.1:0".to_owned(), |at| at.to_string());
        let name = match self.profile {
            Profile::Embedded => "serve",
            Profile::Fleet => "ingress",
        };
        let front = self.role(name, &["--listen", &listen], settings);
        self.address = Some(front.listen().await);
        self.front = Some(front);
        eventually("the front is ready", async || self.is_ready().await.then_some(())).await;
    }

    /// Starts one more worker. `settings` are for it alone.
    pub(crate) async fn start_worker(&mut self, settings: &[(&'static str, String)]) {
        let worker = self.role("worker", &[], settings);
        worker.says("applying webhooks").await;
        self.workers.push(worker);
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &Role> {
        self.front.iter().chain(&self.workers)
    }

    pub(crate) fn role(&self, name: &str, args: &[&str], more: &[(&'static str, String)]) -> Role {
        let mut settings = self.settings.clone();
        settings.extend(more.iter().cloned());
        Role::start_of(self.release, name, args, self.folder.path(), &settings)
    }

    /// What the ingress says of itself on the port where webhooks come in.
    pub(crate) async fn is_ready(&self) -> bool {
        let ready = super::http::get(self.address(), "/readyz").await;
        ready.is_ok_and(|response| response.status == 200)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("something that receives webhooks was started")
    }

    /// What has been sent so far, and what came back.
    pub(crate) fn post(&self) -> Post {
        self.post.borrow().clone()
    }

    /// One delivery of a webhook, and the status it was answered with.
    pub(crate) async fn send(&self, webhook: &SignedWebhook) -> u16 {
        self.deliver(&webhook.headers(), &webhook.body).await.status
    }

    /// One delivery with any headers.
    pub(crate) async fn deliver(&self, headers: &[(&str, String)], body: &[u8]) -> Response {
        let began = Instant::now();
        let mut connection = Connection::open(self.address()).await.expect("somebody listens");
        let answer = connection.request("POST", "/webhooks/shopify", headers, body).await;
        self.post.send_modify(|post| post.note(key(headers, body), &answer, began.elapsed()));
        answer.expect("an answer")
    }

    /// One delivery from any sender.
    pub(crate) async fn call(&self, request: &Request) -> Response {
        let began = Instant::now();
        let mut connection = Connection::open(self.address()).await.expect("somebody listens");
        let answer =
            connection.request("POST", &request.path, &request.headers, &request.body).await;
        let took = began.elapsed();
        self.post.send_modify(|post| {
            for key in keys_of(request) {
                post.note(key, &answer, took);
            }
        });
        answer.expect("an answer")
    }

    /// One request from any sender that is to be queued by nobody.
    pub(crate) async fn post_plain(&self, request: &Request) -> Response {
        let mut connection = Connection::open(self.address()).await.expect("somebody listens");
        let Request { path, headers, body } = request;
        connection.request("POST", path, headers, body).await.expect("an answer")
    }

    /// One delivery that must be taken, and everything that follows from it.
    pub(crate) async fn tell(&self, request: &Request) {
        let answer = self.call(request).await;
        assert_eq!(answer.status, 200, "{answer:?} to {request:?}");
        self.settled().await;
    }

    /// Any request without a body.
    pub(crate) async fn request(&self, method: &str, path: &str) -> Response {
        let mut connection = Connection::open(self.address()).await.expect("somebody listens");
        connection.request(method, path, &[], b"").await.expect("an answer")
    }

    /// Many webhooks at once; returns while they are on their way.
    pub(crate) fn burst(&self, webhooks: Vec<SignedWebhook>, connections: usize) -> Burst {
        self.burst_to(self.address(), webhooks, connections)
    }

    /// The same, to another ingress.
    pub(crate) fn burst_to(
        &self,
        address: SocketAddr,
        webhooks: Vec<SignedWebhook>,
        connections: usize,
    ) -> Burst {
        Burst::start(address, webhooks, connections, &self.post)
    }

    /// A command as it is, to be run with its output piped.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = role::command(self.release, self.folder.path(), &self.settings);
        command.args(args);
        command
    }

    /// Runs a command with `--json`.
    pub(crate) async fn cli(&self, args: &[&str]) -> Answer {
        let mut command = role::command(self.release, self.folder.path(), &self.settings);
        Answer::new(command.args(args).arg("--json").output().await.expect("it can be run"))
    }

    /// Runs a command as people do.
    pub(crate) async fn text(&self, args: &[&str]) -> Answer {
        let mut command = role::command(self.release, self.folder.path(), &self.settings);
        Answer::new(command.args(args).output().await.expect("it can be run"))
    }

    /// Runs a command that must succeed, for its JSON.
    pub(crate) async fn ok(&self, args: &[&str]) -> Value {
        self.cli(args).await.fails_with(0).json()
    }

    /// Sets stock before anything is committed.
    pub(crate) async fn stock(&self, sku: &str, on_hand: i64) {
        self.ok(&["stock", "set", sku, &on_hand.to_string()]).await;
    }

    /// (on hand, committed) of a SKU at the only location.
    pub(crate) async fn stock_of(&self, sku: &str) -> (i64, i64) {
        let rows = self.ok(&["stock", "list", "--sku", sku]).await;
        let number = |name: &str| rows[0][name].as_i64().expect("stock rows have numbers");
        (number("on_hand"), number("committed"))
    }

    /// How many webhooks have this outcome.
    pub(crate) async fn count(&self, outcome: &str) -> i64 {
        let status = self.ok(&["status"]).await;
        status["webhooks"][outcome].as_i64().expect("every outcome has a count")
    }

    /// What became of a webhook: outcome and reason, or nothing yet.
    pub(crate) async fn fate(&self, webhook: &SignedWebhook) -> (String, Option<String>) {
        let row = &self.ok(&["webhook", "show", &webhook.webhook_id]).await[0];
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        (text("outcome").expect("a decided webhook has an outcome"), text("reason"))
    }

    /// Sends one webhook, and waits for what becomes of it.
    pub(crate) async fn outcome(&self, webhook: &SignedWebhook) -> (String, Option<String>) {
        assert_eq!(self.send(webhook).await, 200);
        self.settled().await;
        self.fate(webhook).await
    }

    /// Waits until everything that was answered 200 is decided, every repeat is counted, and
    /// nothing waits in the queue.
    pub(crate) async fn settled(&self) {
        let post = self.post();
        let (accepted, deliveries) = (post.accepted().count(), post.answered(200));
        eventually("everything is decided", async || {
            let answer = self.cli(&["status"]).await;
            let status = if answer.code == 0 { answer.json() } else { return None };
            let counts = status["webhooks"].as_object().expect("counts by outcome");
            let all: i64 = counts.values().filter_map(Value::as_i64).sum();
            let distinct = all - counts["duplicate"].as_i64().expect("a count");
            let queue = &status["queue"];
            let waiting = queue["ready"].as_i64()? + queue["unacked"].as_i64().unwrap_or(0);
            (waiting == 0 && reaches(distinct, accepted) && reaches(all, deliveries)).then_some(())
        })
        .await;
    }

    /// The end of a test in which nothing was there to run on.
    pub(crate) fn discard(mut self) {
        self.finished = true;
        assert!(self.roles().next().is_none(), "with roles there are promises to check");
    }

    /// The end of every test: see [`super`].
    pub(crate) async fn finish(self) {
        self.settled().await;
        self.check_inbox().await;
        self.end().await;
    }

    /// The end of a test in which `onhand simulate --wait` was the only sender: it has kept the
    /// list, waited for everything, and held the inbox against its list.
    pub(crate) async fn finish_simulated(self) {
        assert!(self.post().answers.is_empty(), "what a test sends itself, it checks itself");
        self.end().await;
    }

    async fn end(mut self) {
        self.finished = true;
        let verified = self.cli(&["verify"]).await;
        assert_eq!(
            (verified.code, &verified.json()["ok"]),
            (0, &Value::Bool(true)),
            "{verified:?}"
        );
        for role in self.front.take().into_iter().chain(self.workers.drain(..)) {
            role.stop().await;
        }
        let left = processes_of(self.folder.path());
        assert!(left.is_empty(), "processes {left:?} are still there");
    }

    /// Every webhook that was answered 200 is there, and was counted once for each delivery that is
    /// known to have arrived.
    async fn check_inbox(&self) {
        let rows = self.ok(&["webhook", "list", "--limit", "100000"]).await;
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let inbox: BTreeMap<_, i64> = rows
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| {
                let deliveries = row["deliveries"].as_i64().expect("a count");
                ((text(row, "webhook_id"), text(row, "body_hash")), deliveries)
            })
            .collect();
        let post = self.post();
        for (key, fate) in &post.fates {
            let of_key = inbox.iter().filter(|(row, _)| is_same(key, row));
            let deliveries = of_key.map(|(_, deliveries)| deliveries).sum();
            let possible = fate.accepted..=fate.accepted + fate.unclear;
            assert!(possible.contains(&deliveries), "{key:?}: {fate:?}, {deliveries} deliveries");
        }
        let sent = |row: &Key| {
            post.fates.contains_key(row) || post.fates.keys().any(|key| is_same(key, row))
        };
        assert!(inbox.keys().all(sent), "something nobody sent");
    }
}

fn reaches(count: i64, wanted: usize) -> bool {
    usize::try_from(count).is_ok_and(|count| count >= wanted)
}

/// A shops file with the shop that tests send for, and more settings of it.
pub(crate) fn shops(more: &str) -> String {
    format!(
        "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{DOMAIN}\"\n\
         secrets = [\"plain:{SECRET}\"]\n{more}\n"
    )
}

/// Processes whose environment names this folder: ours, whoever started them.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&folder)
        })
        .map(|process| process.file_name().display().to_string())
        .collect()
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for role in self.roles() {
                eprintln!("{role:?}");
            }
        } else {
            assert!(self.finished, "a test ends with Fleet::finish");
        }
    }
}
