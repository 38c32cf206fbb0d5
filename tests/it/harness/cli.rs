//! What a command said.

use std::process::Output;

use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    pub(super) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("commands speak UTF-8");
        Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Its JSON, whatever its code.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(json) => json,
            Err(error) => panic!("not JSON ({error}): {self:?}"),
        }
    }

    /// What went wrong names all of these.
    #[track_caller]
    pub(crate) fn names(&self, all: &[&str]) {
        for text in all {
            assert!(self.stderr.contains(text), "{text:?} is missing in:\n{}", self.stderr);
        }
    }
}
