//! The text that a process shows Prometheus, series by series. Pure: whatever a page answers, what is
//! no series is left out.

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Series<'a> {
    pub(crate) metric: &'a str,
    labels: &'a str,
    pub(crate) value: &'a str,
}

pub(crate) fn series(text: &str) -> impl Iterator<Item = Series<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
        Some(Series { metric, labels, value })
    })
}

impl<'a> Series<'a> {
    /// The labels in question need no escaping.
    pub(crate) fn label(self, name: &str) -> Option<&'a str> {
        let pairs = self.labels.trim_end_matches('}').split(',');
        let mut named = pairs.filter_map(|pair| pair.split_once("=\""));
        named.find(|(label, _)| *label == name)?.1.strip_suffix('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_metric_its_labels_and_a_value() {
        let text =
            "# TYPE a counter\na{x=\"1\",le=\"+Inf\"} 7\nb 0.5\nnothing\n<html>\u{0}{\"= x\n";
        let read: Vec<_> =
            series(text).map(|it| (it.metric, it.label("x"), it.label("le"), it.value)).collect();
        let expected = [
            ("a", Some("1"), Some("+Inf"), "7"),
            ("b", None, None, "0.5"),
            ("<html>\u{0}", None, None, "x"),
        ];
        assert_eq!(read, expected);
    }
}
