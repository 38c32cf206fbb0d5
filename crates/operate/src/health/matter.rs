//! What can be wrong.

/// The most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matter {
    Database,
    Violations,
    Queue,
    Standstill,
    Paused,
    Backlog,
    Dead,
    Silent,
    Privacy,
    Short,
    Drift,
    BelowZero,
    Unverified,
    Payments,
}

impl Matter {
    const ALL: [Self; 14] = [
        Self::Database,
        Self::Violations,
        Self::Queue,
        Self::Standstill,
        Self::Paused,
        Self::Backlog,
        Self::Dead,
        Self::Silent,
        Self::Privacy,
        Self::Short,
        Self::Drift,
        Self::BelowZero,
        Self::Unverified,
        Self::Payments,
    ];

    /// As the store has it: never to be changed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Violations => "violations",
            Self::Queue => "queue",
            Self::Standstill => "standstill",
            Self::Paused => "paused",
            Self::Backlog => "backlog",
            Self::Dead => "dead",
            Self::Silent => "silent",
            Self::Privacy => "privacy",
            Self::Short => "short",
            Self::Drift => "drift",
            Self::BelowZero => "below_zero",
            Self::Unverified => "unverified",
            Self::Payments => "payments",
        }
    }

    /// `None`: another release has more of them.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|matter| matter.as_str() == name)
    }
}
