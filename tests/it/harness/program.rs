//! Where the program is. It is built first, or an old one would be tested without a word.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Which release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// What is in this tree.
    This,
    /// What could come after it: with a migration and an envelope field more (`migrations/next`).
    Next,
}

impl Release {
    /// Its `onhand` binary, of the profile that this test was built in.
    pub(crate) fn program(self) -> &'static Path {
        static THIS: OnceLock<PathBuf> = OnceLock::new();
        static NEXT: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Release::This => THIS.get_or_init(|| build(None)),
            Release::Next => NEXT.get_or_init(|| build(Some("next"))),
        }
    }
}

/// Builds the program, with `feature` into a folder of its own. Both share what they are made of, so
/// that only what the feature changes, and what stands on it, is built twice.
fn build(feature: Option<&str>) -> PathBuf {
    // …/target/debug/deps/it-0123456789abcdef
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.ancestors().nth(2).expect("a test lies two folders deep");
    let target = folder.parent().expect("profiles have a folder in the target folder");
    let profile_folder = folder.file_name().expect("a profile has a name");
    let profile = match profile_folder.to_str() {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    // The whole workspace is named so that features are the same as in a build of everything.
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--locked", "--workspace", "--bin", "onhand"])
        .args(["--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let target = match feature {
        None => target.to_owned(),
        Some(feature) => {
            cargo.arg("--features").arg(format!("onhand/{feature}"));
            cargo.env("CARGO_BUILD_BUILD_DIR", target);
            target.join(feature)
        }
    };
    cargo.arg("--target-dir").arg(&target);
    assert!(cargo.status().is_ok_and(|status| status.success()), "the program cannot be built");
    target.join(profile_folder).join("onhand")
}
