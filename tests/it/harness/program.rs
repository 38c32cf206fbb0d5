//! Where the program is. It is built first, or an old one would be tested without a word.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `onhand` binary of the profile that this test was built in.
pub(crate) fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // …/target/debug/deps/it-0123456789abcdef
        let test = std::env::current_exe().expect("a test knows where it is");
        let folder = test.ancestors().nth(2).expect("a test lies two folders deep");
        let target = folder.parent().expect("profiles have a folder in the target folder");
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        // The whole workspace is named so that features are the same as in a build of everything.
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--workspace", "--bins", "--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the program cannot be built");
        folder.join("onhand")
    })
}
