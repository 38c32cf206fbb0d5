//! What a role's `/metrics` say.

/// The text of one scrape, or of several behind each other: then they count together.
#[derive(Default)]
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    /// The sum of a metric over all its labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples(name).map(|(_, value)| value).sum()
    }

    /// Deadlocks and waits for locks that took too long are as much in vain as old versions.
    pub(crate) fn tries_in_vain(&self) -> f64 {
        self.sum("onhand_conflicts_total") + self.sum("onhand_commit_try_again_total")
    }

    /// The upper end of the bucket that a quantile of a histogram falls into, of what came after
    /// `before` was said.
    pub(crate) fn quantile(&self, before: &Self, name: &str, quantile: f64) -> f64 {
        let (all, earlier) = (self.buckets(name), before.buckets(name));
        // Each bucket counts all below it, too.
        let counts = all.iter().map(|(end, count)| {
            let earlier = earlier.iter().find(|(other, _)| other == end);
            (*end, count - earlier.map_or(0.0, |(_, count)| *count))
        });
        let wanted = counts.clone().fold(0.0, |most, (_, count)| count.max(most)) * quantile;
        let mut reached = counts.filter(|(_, count)| *count >= wanted);
        reached.next().map_or(f64::MAX, |(end, _)| end)
    }

    /// The buckets of a histogram, over all its labels, the smallest first.
    fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let name = format!("{name}_bucket");
        let mut buckets: Vec<(f64, f64)> = self
            .samples(&name)
            .filter_map(|(labels, count)| {
                let (_, end) = labels.split_once("le=\"")?;
                Some((end.split('"').next()?.parse().ok()?, count))
            })
            .collect();
        buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let groups = buckets.chunk_by(|(one, _), (other, _)| one == other);
        groups
            .map(|group| (group[0].0, group.iter().map(|(_, count)| count).sum::<f64>()))
            .collect()
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
