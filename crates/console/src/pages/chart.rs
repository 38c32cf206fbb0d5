//! What `charts.js` draws: the server says what, the script only how.

use serde::Serialize;

/// Charts over one time.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Charts {
    /// Seconds since 1970.
    pub(crate) at: Vec<i64>,
    pub(crate) charts: Vec<Chart>,
}

/// Lines that are measured alike.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Chart {
    /// Of the figure that shows it.
    pub(crate) id: &'static str,
    pub(crate) unit: &'static str,
    /// Values hold until the next one.
    pub(crate) is_stepped: bool,
    pub(crate) lines: Vec<Line>,
}

/// One value for each moment; none where it is not known.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<Option<f64>>,
}
