//! The rules of the house that a compiler does not check, read from the sources themselves.
//!
//! `deny.toml` says the same about outside crates for the whole dependency tree; this needs no tool
//! but cargo and no network, so it holds on every run. A rule that must change is changed here,
//! openly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_PER_FILE_MAX: usize = 500;

/// Which of our crates each of our crates may use: the arrows of docs/ARCHITECTURE.md.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("serve", &[]),
    ("platforms", &["domain"]),
    ("lease", &[]),
    ("outbound", &[]),
    ("trace", &["outbound"]),
    ("queue", &["domain", "trace"]),
    ("store", &["domain"]),
    ("ingress", &["domain", "platforms", "queue", "serve", "trace"]),
    ("worker", &["domain", "lease", "platforms", "queue", "store", "trace"]),
    ("operate", &["domain", "platforms", "queue", "store", "worker"]),
    ("alerts", &["domain", "operate", "outbound", "platforms", "queue", "store", "worker"]),
    ("console", &["domain", "operate", "platforms", "queue", "serve", "store"]),
    ("simulate", &["domain"]),
    (
        "onhand",
        &[
            "alerts",
            "console",
            "domain",
            "ingress",
            "operate",
            "outbound",
            "platforms",
            "queue",
            "serve",
            "simulate",
            "store",
            "trace",
            "worker",
        ],
    ),
    ("testkit", &["domain", "platforms", "queue", "simulate", "store"]),
];

/// The crates of ours that may name an outside crate: one outside thing, one place that knows it.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("lapin", &["queue"]),
    ("deadpool-postgres", &["store"]),
    ("tokio-postgres", &["store", "testkit"]), // each test gets a database of its own
    ("tokio-postgres-rustls", &["store"]),
    ("sqlx", &["queue", "store"]), // the embedded queue is a SQLite file
    ("axum", &["console", "ingress", "serve"]),
    ("backoff", &["worker"]),
    ("clap", &["onhand"]),
    ("crossterm", &["onhand"]),
    ("hyper-rustls", &["outbound"]),
    ("redis", &["lease"]),
    ("opentelemetry", &["trace"]),
    ("opentelemetry_sdk", &["trace"]),
    ("opentelemetry-otlp", &["trace"]),
];

/// Bytes in, values out: these crates cannot wait, listen, log or look at a clock.
const PURE: &[&str] = &["domain", "platforms"];
const NOT_PURE: &[&str] = &[
    "axum",
    "futures-util",
    "hyper",
    "hyper-util",
    "indicatif",
    "lapin",
    "metrics",
    "rand",
    "sqlx",
    "tokio",
    "tokio-postgres",
    "tokio-util",
    "tracing",
];

#[test]
fn every_source_file_is_short_enough_to_read() {
    let too_long: Vec<_> = sources("rs")
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_PER_FILE_MAX)
        .collect();
    assert!(too_long.is_empty(), "over {LINES_PER_FILE_MAX} lines: {too_long:#?}");
}

#[test]
fn each_layer_uses_only_the_layers_below_it() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for (name, manifest) in our_crates() {
        let allowed = layers.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no layer"));
        for ours in manifest.dependencies.iter().filter(|it| layers.contains_key(it.as_str())) {
            assert!(allowed.contains(&ours.as_str()), "{name} must not use {ours}");
        }
    }
}

#[test]
fn each_outside_thing_is_known_to_one_place() {
    for (name, manifest) in our_crates() {
        for (outside, users) in OUTSIDE {
            let uses = manifest.all().any(|it| it == *outside);
            assert!(!uses || users.contains(&name.as_str()), "{name} must not use {outside}");
        }
    }
}

#[test]
fn the_pure_crates_have_nothing_to_do_io_with() {
    let crates = our_crates();
    for name in PURE {
        let impure: Vec<_> = crates[*name]
            .dependencies
            .iter()
            .filter(|it| NOT_PURE.contains(&it.as_str()))
            .collect();
        assert!(impure.is_empty(), "{name} is pure and must not use {impure:?}");
    }
}

#[test]
fn backoff_is_named_by_one_module_of_a_crate() {
    let mut users = BTreeMap::<String, Vec<PathBuf>>::new();
    let name = concat!("back", "off::");
    for (path, text) in sources("rs") {
        // After `::` it is a module of ours with the same name.
        if text.match_indices(name).any(|(at, _)| !text[..at].ends_with("::")) {
            users.entry(crate_of(&path)).or_default().push(path);
        }
    }
    for (name, paths) in users {
        assert!(paths.len() == 1, "{name} names backoff in more than one module: {paths:#?}");
    }
}

#[test]
fn every_sql_file_is_used() {
    let rust = sources("rs");
    for (path, _) in sources("sql").iter().filter(|(path, _)| !is_migration(path)) {
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        let uses = [format!("/{name}\""), format!("\"{name}\"")];
        let used = rust
            .iter()
            .filter(|(user, _)| crate_of(user) == crate_of(path))
            .any(|(_, text)| uses.iter().any(|it| text.contains(it)));
        assert!(used, "{} is included by no .rs file of its crate", path.display());
    }
}

#[test]
fn every_migration_exists_for_both_databases() {
    let numbers = |dialect: &str| -> BTreeSet<String> {
        sources("sql")
            .iter()
            .filter(|(path, _)| path.parent().is_some_and(|it| it.ends_with(dialect)))
            .filter_map(|(path, _)| path.file_name()?.to_str()?.split_once('_'))
            .map(|(number, _)| number.to_owned())
            .collect()
    };
    let postgres = numbers("migrations/postgres");
    assert!(!postgres.is_empty(), "there are no migrations where this test looks for them");
    assert_eq!(postgres, numbers("migrations/sqlite"));
}

#[test]
fn every_dependency_says_why_it_is_here() {
    let manifest = read(&root().join("Cargo.toml"));
    let dependencies = section(&manifest, "[workspace.dependencies]");
    assert!(dependencies.lines().count() > 10, "the workspace's dependencies were not found");
    for line in dependencies.lines().filter(|it| it.contains(" = ") && !it.contains("path = ")) {
        let reason = line.rsplit_once("# ").map_or("", |(_, reason)| reason.trim());
        assert!(!reason.is_empty(), "no reason beside: {line}");
    }
}

#[test]
fn every_crate_takes_the_lints_and_dependencies_of_the_workspace() {
    for (name, manifest) in our_crates() {
        assert!(section(&manifest.text, "[lints]").contains("workspace = true"), "{name}: lints");
        let own = manifest.text.lines().find(|it| it.contains("version = \""));
        assert_eq!(own, None, "{name}: versions are chosen in the workspace's manifest");
    }
}

/// With a feature more in one of them, all that stands on it is built twice: minutes.
#[test]
fn tests_and_the_program_that_they_run_are_made_of_the_same() {
    let (program, tests) = (made_of("normal,build"), made_of("normal,build,dev"));
    let twice: Vec<_> = program.difference(&tests).collect();
    assert!(twice.is_empty(), "let tests/Cargo.toml have the features that tests add: {twice:#?}");
}

#[test]
fn what_is_shown_as_a_table_is_there_as_json_too() {
    let tables =
        sources("rs").into_iter().filter(|(_, text)| text.contains(concat!("output::", "table(")));
    let tables: Vec<_> = tables.collect();
    assert!(!tables.is_empty(), "no command shows a table");
    for (path, text) in tables {
        // Of a report that others print, the file has what is printed.
        let chooses = ["settings.json", "fn json("].iter().any(|it| text.contains(it));
        assert!(chooses, "{} has a table, and nothing for --json", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    let unfinished =
        [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];
    for (path, text) in sources("rs") {
        for it in unfinished {
            assert!(!text.contains(it), "{} in {}", it, path.display());
        }
    }
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let places = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];
    for (path, text) in all_files() {
        for it in places {
            assert!(!text.contains(it), "{} in {}", it, path.display());
        }
    }
}

// ---- reading the repository ---------------------------------------------------------------------

struct Manifest {
    text: String,
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
}

impl Manifest {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.dependencies.iter().chain(&self.dev_dependencies)
    }
}

fn our_crates() -> BTreeMap<String, Manifest> {
    let folders = fs::read_dir(root().join("crates")).expect("crates/ can be listed");
    let crates: BTreeMap<_, _> = folders
        .map(|entry| entry.expect("crates/ can be listed").path())
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .map(|folder| {
            let text = read(&folder.join("Cargo.toml"));
            let dependencies = names(section(&text, "[dependencies]"));
            let dev_dependencies = names(section(&text, "[dev-dependencies]"));
            let name = folder.file_name().expect("a folder has a name");
            let manifest = Manifest { text, dependencies, dev_dependencies };
            (name.to_string_lossy().into_owned(), manifest)
        })
        .collect();
    assert!(crates.contains_key("domain"), "the crates were not found");
    crates
}

/// Every crate of a build of the workspace, each with its features.
fn made_of(dependencies: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--workspace", "--locked", "--offline", "--edges", dependencies]);
    cargo.args(["--prefix", "none", "--format", "{p} {f}"]).current_dir(root());
    let answer = cargo.output().expect("cargo can be run");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let text = String::from_utf8(answer.stdout).expect("names are UTF-8");
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

/// What stands between `heading` and the next heading.
fn section<'a>(manifest: &'a str, heading: &str) -> &'a str {
    let after = manifest.split_once(&format!("{heading}\n")).map_or("", |(_, after)| after);
    after.split_once("\n[").map_or(after, |(section, _)| section)
}

fn names(section: &str) -> BTreeSet<String> {
    section
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_migration(path: &Path) -> bool {
    path.iter().any(|part| part == "migrations")
}

/// `crates/store/src/lib.rs` belongs to `store`, `tests/it/main.rs` to `tests`.
fn crate_of(path: &Path) -> String {
    let mut parts = path.iter().map(|part| part.to_string_lossy());
    let top = parts.next().unwrap_or_default();
    if top == "crates" { parts.next().unwrap_or_default().into_owned() } else { top.into_owned() }
}

fn sources(extension: &str) -> Vec<(PathBuf, String)> {
    let mut files = all_files();
    files.retain(|(path, _)| path.extension().is_some_and(|it| it == extension));
    files
}

/// Every text file of the repository, by its path from the root.
fn all_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the repository can be listed") {
            let path = entry.expect("the repository can be listed").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy();
            if path.is_dir() {
                let is_ours = !["target", ".git", "onhand-data"].contains(&name.as_ref());
                folders.extend(is_ours.then(|| path.clone()));
            } else if name != ".git"
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root()).expect("it was found below the root");
                files.push((path.to_owned(), text));
            }
        }
    }
    assert!(files.len() > 10, "the repository was not found");
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}
