//! What a role's `/metrics` say.

/// The text of one scrape, or of several behind each other: then they count together.
#[derive(Default)]
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    /// The sum of a metric over all its labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples(name).map(|(_, value)| value).sum()
    }

    /// The upper end of the bucket that a quantile of a histogram falls into.
    pub(crate) fn quantile(&self, name: &str, quantile: f64) -> f64 {
        let wanted = self.sum(&format!("{name}_count")) * quantile;
        let name = format!("{name}_bucket");
        let mut buckets: Vec<(f64, f64)> = self
            .samples(&name)
            .filter_map(|(labels, count)| {
                let (_, end) = labels.split_once("le=\"")?;
                Some((end.split('"').next()?.parse().ok()?, count))
            })
            .collect();
        buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        // Each bucket counts all below it, too.
        let groups = buckets.chunk_by(|(one, _), (other, _)| one == other);
        groups
            .map(|group| (group[0].0, group.iter().map(|(_, count)| count).sum::<f64>()))
            .find(|(_, count)| *count >= wanted)
            .map_or(f64::MAX, |(end, _)| end)
    }

    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            let whole_name = labels.is_empty() || labels.starts_with('{');
            whole_name.then_some((labels, value.parse().ok()?))
        })
    }
}
