//! Bodies that cannot be applied, and how they are explained.

use domain::{DeadReason, Meaning};

/// Why a body says nothing that can be believed.
pub(crate) enum Unfit {
    /// The field and what is wrong with it.
    Malformed(String),
    /// It is not what the topic brings, but this.
    Other(&'static str),
    /// It is well-formed and what its topic brings, but can never be applied.
    Never(DeadReason, String),
}

impl From<String> for Unfit {
    fn from(detail: String) -> Self {
        Self::Malformed(detail)
    }
}

impl From<&str> for Unfit {
    fn from(detail: &str) -> Self {
        Self::Malformed(detail.to_owned())
    }
}

/// Details may quote the body: never more of it than this.
const DETAIL_CHARS_MAX: usize = 300;

impl Unfit {
    /// The dead letter that a body under `topic` becomes.
    pub(crate) fn meaning(self, topic: &str) -> Meaning {
        match self {
            Self::Malformed(detail) => dead(DeadReason::Malformed, &detail),
            Self::Other(what) => {
                dead(DeadReason::TopicMismatch, &format!("{topic} does not bring {what}"))
            }
            Self::Never(reason, detail) => dead(reason, &detail),
        }
    }
}

fn dead(reason: DeadReason, detail: &str) -> Meaning {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    Meaning::Dead { reason, detail: detail.chars().map(printable).take(DETAIL_CHARS_MAX).collect() }
}
