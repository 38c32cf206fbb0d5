//! Rows of the program as one JSON parameter, for `json_each`: a statement serves a whole batch.

use serde::Serialize;

use crate::StoreError;

/// A JSON array with one array per row.
pub(super) fn rows<R, T: Serialize>(
    rows: impl IntoIterator<Item = R>,
    columns: impl Fn(R) -> T,
) -> Result<String, StoreError> {
    let rows: Vec<T> = rows.into_iter().map(columns).collect();
    serde_json::to_string(&rows).map_err(|error| StoreError::Rejected(error.into()))
}
