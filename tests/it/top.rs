//! `onhand top`, once, line by line, and live on a terminal of its own.

use std::process::Stdio;

use testkit::shopify::ShopifyOrder;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{DEADLINE, Fleet, Profile, Release, in_both_profiles};

in_both_profiles!(what_goes_on_is_shown_once_and_line_by_line);

async fn what_goes_on_is_shown_once_and_line_by_line(profile: Profile) {
    let fleet = Fleet::start(profile, 1).await;
    fleet.stock("CAP", 1).await;
    for id in 1..=3 {
        fleet.outcome(&ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")).await;
    }
    let shown = fleet.ok(&["top", "--once"]).await;
    assert_eq!(
        (&shown["webhooks"]["applied"], &shown["webhooks"]["short"]),
        (&1.into(), &2.into())
    );
    assert_eq!(shown["per_second"]["applied"], 0.0, "{shown}");
    assert_eq!((&shown["queue"]["ready"], &shown["queue"]["delayed"]), (&0.into(), &0.into()));
    assert_eq!((&shown["dead_letters"], &shown["short_orders"]), (&0.into(), &2.into()));
    assert_eq!(shown["missing"][0]["sku"], "CAP");
    assert!(shown["apply_lag_ms"].as_i64().is_some_and(|ms| ms >= 0), "{shown}");
    assert!(shown["todo"][0].as_str().expect("a sentence").starts_with("2 orders are short"));

    let mut top = fleet.command(&["top", "--json"]).spawn().expect("it starts");
    let mut lines = BufReader::new(top.stdout.take().expect("it is piped")).lines();
    let mut line = async || {
        let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("readable");
        let line: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        line
    };
    line().await;
    assert_eq!(line().await["per_second"]["short"], 0.0);
    let more = ShopifyOrder::new(4).line("CAP", 1).webhook("orders/create");
    assert_eq!(fleet.send(&more).await, 200);
    while line().await["per_second"]["short"] == 0.0 {}
    top.kill().await.expect("our own child");

    // A pipe is no terminal, and this asks for one.
    let piped = fleet.command(&["top"]).output().await.expect("it runs");
    assert_eq!(piped.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&piped.stderr).contains("--once"), "{piped:?}");
    fleet.finish().await;
}

#[tokio::test]
async fn the_live_view_ends_by_a_key_or_a_signal_and_gives_the_terminal_back() {
    let fleet = Fleet::start(Profile::Embedded, 1).await;
    for how in ["q", "\u{3}", "SIGTERM"] {
        let mut terminal = on_a_terminal(&fleet);
        let mut screen = terminal.stdout.take().expect("it is piped");
        let mut keys = terminal.stdin.take().expect("it is piped");
        let mut seen = String::new();
        until(&mut screen, &mut seen, "q ends it").await;
        assert!(seen.contains("All is well") && seen.contains("\u{1b}[?1049h"), "{seen:?}");
        match how {
            "SIGTERM" => terminate_child_of(&terminal).await,
            key => keys.write_all(key.as_bytes()).await.expect("typed"),
        }
        timeout(DEADLINE, screen.read_to_string(&mut seen)).await.expect("it ends").expect("text");
        for given_back in ["\u{1b}[?1049l", "\u{1b}[?25h"] {
            assert!(seen.contains(given_back), "{how:?}: {seen:?}");
        }
        let status = timeout(DEADLINE, terminal.wait()).await.expect("it ends").expect("waited");
        assert!(status.success(), "{how:?}: {status}");
    }
    fleet.finish().await;
}

/// `script` makes the terminal, and says on stdout what the program draws on it.
fn on_a_terminal(fleet: &Fleet) -> Child {
    let top = format!("stty rows 40 cols 120; exec '{}' top", Release::This.program().display());
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &top, "/dev/null"]);
    command.env("TERM", "xterm").envs(&fleet.settings).current_dir(fleet.path(""));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.kill_on_drop(true).spawn().expect("util-linux has `script`")
}

async fn until(screen: &mut (impl AsyncReadExt + Unpin), seen: &mut String, text: &str) {
    let reading = async {
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(text) {
            assert_ne!(screen.read_buf(&mut bytes).await.expect("readable"), 0, "{bytes:?}");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    *seen += &timeout(DEADLINE, reading).await.expect("it is drawn");
}

async fn terminate_child_of(terminal: &Child) {
    let pid = terminal.id().expect("it runs");
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let child = children.expect("it has a child").trim().to_owned();
    let sent = Command::new("kill").args(["-TERM", &child]).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "{child}");
}
