//! onhand.toml: the same settings as flags and environment, below both.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::{BAD_CONFIG, bad_config};

const DEFAULT_PATH: &str = "./onhand.toml";

/// The file that was read, and its keys.
#[derive(Debug, Default)]
pub(crate) struct Source {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

/// Makes the file's values the defaults of the flags of that name.
pub(crate) fn defaults(command: clap::Command) -> anyhow::Result<(clap::Command, Source)> {
    let source = read()?;
    let mut unknown: Vec<&String> = source.values.keys().collect();
    let command = apply(command, &source.values, &mut unknown);
    if let Some(key) = unknown.first() {
        return Err(bad_config(format!(
            "{}: `{key}` is no setting; the keys are flags with underscores, \
             for example `database_url = \"sqlite://./onhand.db\"` (see onhand --help)",
            source.path.display()
        )));
    }
    Ok((command, source))
}

fn read() -> anyhow::Result<Source> {
    let (path, must_exist) = match path_from_command_line() {
        Some(path) => (path, true),
        None => (PathBuf::from(DEFAULT_PATH), false),
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if !must_exist && error.kind() == io::ErrorKind::NotFound => {
            return Ok(Source::default());
        }
        Err(error) => {
            return Err(bad_config(format!("cannot read {}: {error}", path.display())));
        }
    };
    // The error's own text would quote the line, and with it perhaps a password.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        bad_config(format!("{} is not TOML: line {line}: {}", path.display(), error.message()))
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Float(_) => {
                value.to_string()
            }
            _ => {
                return Err(bad_config(format!(
                    "{}: `{key}` must be one value, as in `listen = \"127.0.0.1:8080\"`",
                    path.display()
                )));
            }
        };
        values.insert(key, value);
    }
    Ok(Source { path, values })
}

/// `--config` must be known before the others can be parsed.
fn path_from_command_line() -> Option<PathBuf> {
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    std::env::var_os("ONHAND_CONFIG").map(PathBuf::from)
}

fn apply(
    mut command: clap::Command,
    values: &BTreeMap<String, String>,
    unknown: &mut Vec<&String>,
) -> clap::Command {
    let ids: Vec<(String, String)> = command
        .get_arguments()
        .filter(|arg| arg.get_long().is_some() && arg.get_action().takes_values())
        .map(|arg| (arg.get_id().to_string(), arg.get_id().to_string()))
        .collect();
    for (id, key) in ids {
        if let Some(value) = values.get(&key) {
            unknown.retain(|name| **name != key);
            let value = value.clone();
            // What the environment must not show in --help, the file must not either.
            command = command.mut_arg(id, |arg| {
                let secret = arg.is_hide_env_values_set();
                arg.default_value(value).hide_default_value(secret)
            });
        }
    }
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |sub| apply(sub, values, unknown));
    }
    command
}

/// Prints a parse error, and for a bad value where it came from.
pub(crate) fn explain(command: &clap::Command, error: &clap::Error, source: &Source) -> ExitCode {
    let _ = error.print();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return ExitCode::SUCCESS;
    }
    if let Some(note) = note(command, error, source) {
        eprintln!("\n{note}");
    }
    ExitCode::from(BAD_CONFIG)
}

fn note(command: &clap::Command, error: &clap::Error, source: &Source) -> Option<String> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = shown.split_whitespace().next()?;
    let long = flag.strip_prefix("--")?;
    let given = std::env::args().any(|arg| arg == flag || arg.starts_with(&format!("{flag}=")));
    let arg = find(command, long)?;
    let env = arg.get_env().and_then(|name| name.to_str());
    let from = match env {
        _ if given => format!("the flag {flag}"),
        Some(name) if std::env::var_os(name).is_some() => {
            format!("the environment variable {name}")
        }
        _ => in_file(&source.path, long, &source.values)?,
    };
    let example = example(long).map(|text| format!("; for example {text}")).unwrap_or_default();
    Some(format!("The value came from {from}{example}."))
}

fn in_file(path: &Path, long: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let key = long.replace('-', "_");
    values.contains_key(&key).then(|| format!("`{key}` in {}", path.display()))
}

fn find<'a>(command: &'a clap::Command, long: &str) -> Option<&'a clap::Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long))
        .or_else(|| command.get_subcommands().find_map(|sub| find(sub, long)))
}

fn example(long: &str) -> Option<&'static str> {
    Some(match long {
        "listen" | "ops-listen" => "127.0.0.1:8080",
        "broker-prefix" => "onhand",
        "ingress-metrics" => "http://ingress:8082/metrics",
        "lanes" | "partitions" => "4",
        "batch" => "256",
        "body-limit" => "8388608",
        "drain-seconds" => "25",
        "alert-after-seconds" => "60",
        "verify-every" => "1d, 6h or off",
        "spool-max-bytes" => "1073741824",
        "log-format" => "pretty or json",
        _ => return None,
    })
}
