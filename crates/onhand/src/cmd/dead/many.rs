//! Which dead letters a command is about, and each of them in turn.

use clap::Args;
use domain::{EnvelopeId, ShopId};
use indicatif::ProgressBar;
use operate::pace::RATE;
use store::pages::Letters;
use store::reports::{DeadFilter, DeadRow};
use store::{AnyStore, Pages, Reports, StoreError};

use super::parse_id;
use crate::config::Settings;
use crate::exit::bad_config;
use crate::{output, shops_file, when};

/// Letters read at once.
const PAGE: i64 = 500;

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Every open one that died since: a moment, or how long ago, as 2h or 3d
    #[arg(long, conflicts_with = "id")]
    since: Option<String>,
    /// Every open one of this shop
    #[arg(long, conflicts_with = "id")]
    shop: Option<String>,
    /// Every open one
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct How {
    /// Only say what would become of them, as of now
    #[arg(long)]
    pub(super) dry_run: bool,
    /// At most so many in a second
    #[arg(long, default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) rate: u32,
}

/// The letters that a command is about.
pub(super) enum Chosen {
    One(EnvelopeId),
    Open(Letters),
}

impl Which {
    /// `of_reason`: the flag by which a command asks for those of one reason.
    pub(super) fn letters(
        &self,
        id: Option<&str>,
        reason: Option<String>,
        of_reason: &str,
    ) -> anyhow::Result<Chosen> {
        let named = id.is_some() || reason.is_some() || self.since.is_some();
        if !(named || self.shop.is_some() || self.all) {
            return Err(bad_config(format!(
                "which dead letters? One by the ID that `onhand dead list` shows, or every open one \
                 by {of_reason}, --since or --shop (together they narrow), or --all"
            )));
        }
        if let Some(id) = id {
            return Ok(Chosen::One(parse_id(id)?));
        }
        let since = self.since.as_deref().map(when::since).transpose()?;
        let shop = self.shop.as_deref().map(ShopId::new);
        Ok(Chosen::Open(Letters { reason, shop, since }))
    }
}

impl Chosen {
    /// `closed_too`: one that was named is taken also if it is closed, to say why nothing can be done.
    pub(super) async fn count(
        &self,
        store: &AnyStore,
        closed_too: bool,
    ) -> Result<u64, StoreError> {
        let count = match self {
            Self::One(_) => self.page(store, None, closed_too).await?.len() as u64,
            Self::Open(which) => {
                u64::try_from(store.count_open_letters(which, None, i64::MAX).await?)
                    .unwrap_or_default()
            }
        };
        Ok(count)
    }

    async fn page(
        &self,
        store: &AnyStore,
        after: Option<EnvelopeId>,
        closed_too: bool,
    ) -> Result<Vec<DeadRow>, StoreError> {
        match self {
            Self::One(_) if after.is_some() => Ok(Vec::new()),
            Self::One(id) => {
                let filter =
                    DeadFilter { id: Some(*id), closed_too, limit: 1, ..DeadFilter::default() };
                store.dead_letters(&filter).await
            }
            Self::Open(which) => store.open_letters(which, after, PAGE).await,
        }
    }

    /// Gives `take` the oldest `max`, one after another: what died after a command began is for the
    /// next one. Returns how many there were.
    pub(super) async fn each(
        &self,
        store: &AnyStore,
        closed_too: bool,
        max: u64,
        mut take: impl AsyncFnMut(&DeadRow, EnvelopeId) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let bar = ProgressBar::new(max);
        let (mut after, mut seen) = (None, 0);
        while seen < max {
            let rows = self.page(store, after, closed_too).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows.iter().take(usize::try_from(max - seen).unwrap_or(usize::MAX)) {
                let id = parse_id(&row.id)?;
                (after, seen) = (Some(id), seen + 1);
                take(row, id).await?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(seen)
    }

    /// To be asked where there are none: a shop that nobody has is a slip of the pen.
    pub(super) fn check_typo(&self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            Self::One(_) => Ok(()),
            Self::Open(which) => {
                let shop = which.shop.as_ref().map(ShopId::as_str);
                shops_file::check_typo(&settings.shops, shop)
            }
        }
    }

    /// For the record.
    pub(super) fn describe(&self, count: u64) -> String {
        let which = match self {
            Self::One(id) => return format!("dead letter {id}"),
            Self::Open(which) => which,
        };
        let mut words = format!("{count} dead letters");
        if let Some(reason) = &which.reason {
            words += &format!(" of reason {reason}");
        }
        if let Some(shop) = &which.shop {
            words += &format!(" of shop {shop}");
        }
        if let Some(since) = which.since {
            words += &format!(" since {}", output::moment(since));
        }
        words
    }
}
