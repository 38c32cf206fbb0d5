//! The real binary as real processes, and what the world around it does to them.
//!
//! A test starts a [`Fleet`] in one of the two [`Profile`]s, sends webhooks as Shopify does and
//! asks the command line what became of them. It ends with [`Fleet::finish`], which holds the
//! promises that every test holds, whatever it was about: all that was answered 200 has an outcome,
//! `verify` finds nothing, every role stops in good order, and no process stays behind.

mod burst;
mod cli;
mod collector;
mod fleet;
mod http;
mod log_fields;
mod post;
mod program;
mod receiver;
mod role;
mod sales;
mod shape;

pub(crate) use burst::Burst;
pub(crate) use cli::Answer;
pub(crate) use collector::{Collector, Told};
pub(crate) use fleet::{Fleet, Profile, shops};
pub(crate) use http::get;
pub(crate) use log_fields::documented_fields;
pub(crate) use program::Release;
pub(crate) use receiver::{Mood, Receiver, SECRET_PATH};
pub(crate) use role::Role;
pub(crate) use sales::Sales;
pub(crate) use shape::shape;

use std::time::Duration;

use testkit::chaos::ChaosProxy;

/// What is not there by then will not come. Generous, because machines may be busy; nothing waits
/// for it unless something is wrong.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

/// Asks until there is an answer. Each question is a round trip to a process, and that is the pace.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(found) => found,
        Err(_) => panic!("not within {} s: {what}", DEADLINE.as_secs()),
    }
}

/// A proxy in front of the server that a setting names, and the setting that leads through it.
pub(crate) async fn proxied(
    fleet: &Fleet,
    setting: &'static str,
) -> (ChaosProxy, (&'static str, String)) {
    let url = &fleet.settings[setting];
    let (_, rest) = url.split_once("://").expect("a URL has a scheme");
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let upstream = authority.rsplit('@').next().unwrap_or_default();
    let proxy = ChaosProxy::start(upstream).await;
    let setting = (setting, proxy.url(url));
    (proxy, setting)
}

/// Makes each test a test in both profiles.
macro_rules! in_both_profiles {
    ($($name:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test] async fn $name() {
                super::$name(crate::harness::Profile::Embedded).await
            })+
        }
        mod fleet {
            $(#[tokio::test] async fn $name() {
                super::$name(crate::harness::Profile::Fleet).await
            })+
        }
    };
}
pub(crate) use in_both_profiles;

/// Makes each test a test under every strategy.
macro_rules! under_every_strategy {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test] async fn adaptive() { super::$name("adaptive").await }
            #[tokio::test] async fn optimistic() { super::$name("optimistic").await }
            #[tokio::test] async fn locking() { super::$name("locking").await }
            #[tokio::test] async fn advisory() { super::$name("advisory").await }
            #[tokio::test] async fn redis() { super::$name("redis").await }
        })+
    };
}
pub(crate) use under_every_strategy;
