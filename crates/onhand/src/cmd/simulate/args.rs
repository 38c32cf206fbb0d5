//! What `simulate` is told, and what follows from it.

use std::time::Duration;

use clap::{Args, ValueEnum};
use domain::Provider;
use simulate::payments::check_secret;
use simulate::sale::{Channel, MEGABYTES_MAX, ORDERS_MAX, Sale};
use simulate::sender::Target;

use super::applied::PATIENCE;
use crate::exit::bad_config;
use crate::shops_file;

/// The shops that are played unless they are named.
const SHOP_DOMAIN: &str = "demo.myshopify.com";
const SITE: &str = "site";

/// What stands below the options.
const EXAMPLES: &str = "Examples:
  onhand simulate --secret plain:only-for-demos --setup --wait
      10,000 orders as fast as they are answered, then check that nothing was lost
  onhand simulate --secret env:DEMO_SECRET --hot-share 1 --orders 20000 --setup --wait
      every order wants the same item
  onhand simulate --secret env:DEMO_SECRET --rate 2000 --orders 60000
      2,000 webhooks each second, whether the ones before have been answered or not
  onhand simulate --secret env:DEMO_SECRET --life-share 0.5 --seed 7 --setup --wait
      half of the orders are paid, sent in parts, refunded, edited or cancelled
  onhand simulate --platform woocommerce --shop site --secret env:SITE_SECRET --setup --wait
      orders at the WooCommerce site that the shops file calls site
  onhand simulate --platform stripe --secret env:STRIPE_SECRET --seed 7 --wait
      the payments of the orders that --seed 7 placed at the Shopify shop
  onhand simulate --platform adyen --secret env:ADYEN_HMAC_KEY --seed 7 --life-share 0.2
      the same from Adyen, a fifth of them refunded or disputed; the key is hexadecimal
  onhand simulate --platform mollie --shop mollie --secret env:MOLLIE_SECRET --seed 7
      from Mollie, whose refunds and disputes are callbacks that only name the payment
  onhand simulate --platform standard --secret env:PAY_SECRET --seed 7 --duplicates 0.3
      from any sender after Standard Webhooks; the secret is whsec_ and base64

The shops file of the receiving side must name the shop and the secret, and the items must have \
stock (--setup). The same seed sends the very same webhooks again, which Onhand then takes for \
duplicates; what its sender gives no name that lasts (WooCommerce's deletions) counts again.";

/// Who can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Platform {
    Shopify,
    #[value(name = "woocommerce")]
    WooCommerce,
    Stripe,
    Adyen,
    Mollie,
    Standard,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SimulateArgs {
    /// Where the ingress is
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub(super) url: Target,
    /// Who sends: a shop's platform, or a payment provider. Providers tell of the payments of the
    /// orders that the same --seed draws for shopify
    #[arg(long, value_enum, default_value_t = Platform::Shopify)]
    platform: Platform,
    /// For shopify: the shop that the orders belong to [default: demo.myshopify.com]
    #[arg(long)]
    shop_domain: Option<String>,
    /// For all others: the shop's name in the shops file, which is part of the path [default: site
    /// for woocommerce, the provider's name for payments]
    #[arg(long)]
    shop: Option<String>,
    /// What webhooks are signed with: env:NAME, file:PATH or plain:TEXT; for adyen in hexadecimal,
    /// for standard whsec_ and base64
    #[arg(long, env = "ONHAND_SIMULATE_SECRET", hide_env_values = true)]
    secret: String,
    /// Orders, at most 100,000; fewer where --lines or --life-share make them large
    #[arg(long, default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: u32,
    /// Items
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    skus: u32,
    /// Share of lines that ask for a hot item, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    hot_share: f64,
    /// How many items are hot
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    hot_skus: u32,
    /// Lines per order
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    lines: u32,
    /// Share of orders that live on after they were placed: are paid, sent in parts, refunded in
    /// parts, edited, cancelled, held or thrown away, as far as their platform lets them; of
    /// payments: that are refunded or disputed
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    life_share: f64,
    /// Share of the other orders that are paid, which is a second webhook
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pay_share: f64,
    /// Share of the other orders, or of payments, that are cancelled, which is one more
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    cancel_share: f64,
    /// Share of changed orders whose old body comes again after the newer ones; of payments: whose
    /// first event comes last
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    late_share: f64,
    /// Share of webhooks that are sent twice, half of them at the same instant
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    duplicates: f64,
    /// How many orders too late a webhook may be sent; 0: in order
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    disorder: u64,
    /// Draws the orders; the same seed draws the same ones [default: another each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) connections: u32,
    /// Webhooks per second, sent at their time whether the ones before have been answered or not;
    /// latencies then count from that time [default: as fast as they are answered: a closed loop,
    /// whose latencies count from the first request, and leave out what would have been sent while
    /// an answer was slow]
    #[arg(long, value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// First make stock for items that have none, in the database
    #[arg(long)]
    pub(super) setup: bool,
    /// Units of each item that --setup makes
    #[arg(long, default_value_t = 1_000_000,
          value_parser = clap::value_parser!(i64).range(0..=1_000_000_000))]
    pub(super) units: i64,
    /// Wait until all is applied, then check for losses and for outcomes that the sale cannot have,
    /// and run verify, on the database. Outcomes are counted of all that is decided meanwhile: let
    /// nobody else send
    #[arg(long)]
    pub(super) wait: bool,
    /// Seconds without progress after which --wait gives up
    #[arg(long, default_value_t = PATIENCE.as_secs(), requires = "wait",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
}

impl SimulateArgs {
    /// The sale that is asked for, unless that makes no sense.
    pub(super) fn sale(&self) -> anyhow::Result<Sale> {
        let channel = self.channel()?;
        let secret = self.secret(&channel)?;
        let count = |number: u32| usize::try_from(number).unwrap_or(ORDERS_MAX);
        let sale = Sale {
            channel,
            secret,
            orders: count(self.orders),
            skus: count(self.skus),
            hot_skus: count(self.hot_skus),
            hot_share: self.hot_share,
            lines_per_order: count(self.lines),
            pay_share: self.pay_share,
            cancel_share: self.cancel_share,
            life_share: self.life_share,
            late_share: self.late_share,
            duplicate_share: self.duplicates,
            same_instant_share: 0.5,
            disorder: self.disorder,
            seed: self.seed.unwrap_or_else(|| rand::random::<u32>().into()),
        };
        match sale.megabytes() {
            megabytes if megabytes > MEGABYTES_MAX => Err(too_large(megabytes)),
            _ => Ok(sale),
        }
    }

    /// Whether it may have been played before.
    pub(super) fn is_seed_chosen(&self) -> bool {
        self.seed.is_some()
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }

    fn channel(&self) -> anyhow::Result<Channel> {
        let channel = self.platform.channel(self.shop_domain.clone(), self.shop.clone());
        let name = channel.as_str();
        let wrong = match &channel {
            Channel::Shopify { .. } => self.shop.is_some().then(|| {
                "--shop names a shop in the path, and Shopify's webhooks all have one path: name \
                 the shop with --shop-domain"
                    .to_owned()
            }),
            _ if self.shop_domain.is_some() => Some(format!(
                "--shop-domain is for --platform shopify: for {name} name the shop with --shop, \
                 as the shops file does"
            )),
            Channel::WooCommerce { shop } | Channel::Payments { shop, .. } if !is_name(shop) => {
                Some(format!(
                    "--shop {shop:?}: in the shops file a shop's name is made of a-z, 0-9, _ and -"
                ))
            }
            Channel::Payments { .. } if self.pay_share > 0.0 => Some(format!(
                "--pay-share is for orders; {name} tells of payments, which come in unless they \
                 are cancelled (--cancel-share)"
            )),
            _ => None,
        };
        wrong.map_or(Ok(channel), |wrong| Err(bad_config(wrong)))
    }

    fn secret(&self, channel: &Channel) -> anyhow::Result<String> {
        let secret = match self.secret.strip_prefix("plain:") {
            Some(plain) => plain.to_owned(),
            None => shops_file::secret(&self.secret)
                .map_err(|error| bad_config(format!("--secret {error}")))?,
        };
        // As in the shops file: an editor's line end is none of the secret.
        let secret = secret.trim_end_matches(['\r', '\n']);
        if let Channel::Payments { provider, .. } = channel {
            check_secret(*provider, secret)
                .map_err(|error| bad_config(format!("--secret: {error}")))?;
        }
        Ok(secret.to_owned())
    }
}

impl Platform {
    fn channel(self, domain: Option<String>, shop: Option<String>) -> Channel {
        let provider = match self {
            Platform::Shopify => {
                let domain = domain.unwrap_or_else(|| SHOP_DOMAIN.to_owned());
                return Channel::Shopify { domain };
            }
            Platform::WooCommerce => {
                return Channel::WooCommerce { shop: shop.unwrap_or_else(|| SITE.to_owned()) };
            }
            Platform::Stripe => Provider::Stripe,
            Platform::Adyen => Provider::Adyen,
            Platform::Mollie => Provider::Mollie,
            Platform::Standard => Provider::Standard,
        };
        let shop = shop.unwrap_or_else(|| provider.as_str().to_owned());
        Channel::Payments { provider, shop }
    }
}

fn too_large(megabytes: f64) -> anyhow::Error {
    bad_config(format!(
        "these webhooks would take about {megabytes:.0} MB of memory, and {MEGABYTES_MAX:.0} MB is \
         the most, because all are made before the first is sent: ask for fewer --orders or --lines \
         or a smaller --life-share, and for a longer sale run it again with another --seed"
    ))
}

fn is_name(shop: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    !shop.is_empty() && shop.bytes().all(fits)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1, as 0.2".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=1e6).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of webhooks per second from 0.1 to 1000000".to_owned()),
    }
}
