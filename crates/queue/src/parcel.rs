//! A parcel: one queue message, 1 to [`ENVELOPES_MAX`] envelopes, compressed together.
//!
//! ```text
//! parcel   = version: u8 = 1, raw length: u32 LE, zstd frame of raw (with checksum)
//! raw      = envelope …
//! envelope = header length: u32 LE, body length: u32 LE, header (JSON), body (as signed)
//! ```
//!
//! Pure. [`decode`] is total: whatever the bytes, it neither panics nor takes more memory than
//! [`RAW_BYTES_MAX`] and what it was given. It tells a parcel of a later version of Onhand, which
//! is to be kept for a worker that can read it, from one that nobody can read.

use std::cell::RefCell;
use std::io;

use bytes::{Buf, Bytes};
use domain::Envelope;
#[cfg(not(feature = "next"))]
use serde_json::{from_slice as read_header, to_vec as write_header};
use zstd::bulk::{Compressor, Decompressor};

#[cfg(feature = "next")]
mod next;
#[cfg(feature = "next")]
use next::{read_header, write_header};

/// How many envelopes share one broker confirm. More gains little and costs redelivery.
pub const ENVELOPES_MAX: usize = 64;

/// How many bytes of bodies share one parcel; a larger body travels alone.
pub const SHARED_BYTES_MAX: usize = 512 * 1024;

/// The most that a parcel may hold before compression. RabbitMQ 4 refuses messages above 16 MiB,
/// and bytes that do not compress grow a little.
pub const RAW_BYTES_MAX: usize = 15 * 1024 * 1024;

const VERSION: u8 = 1;

/// The fastest of zstd's usual levels: JSON shrinks about five-fold at once, little more later.
const ZSTD_LEVEL: i32 = 1;

/// A parcel that would hold more than [`RAW_BYTES_MAX`].
#[derive(Debug, thiserror::Error)]
#[error("{raw_bytes} bytes do not fit in a parcel of {RAW_BYTES_MAX}")]
pub struct TooLarge {
    pub raw_bytes: usize,
}

/// Why bytes are not a parcel.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    #[error("a later version of Onhand wrote this parcel (format {version}, known {VERSION})")]
    Newer { version: u8 },
    #[error("the parcel is damaged: {0}")]
    Damaged(&'static str),
    #[error("the parcel is damaged: it cannot be decompressed")]
    Compression(#[source] io::Error),
    #[error("the parcel is damaged: an envelope's header cannot be read")]
    Header(#[source] serde_json::Error),
}

impl ParcelError {
    /// Whether a later version of Onhand could read it.
    pub fn is_newer(&self) -> bool {
        matches!(self, ParcelError::Newer { .. })
    }
}

/// Splits what is waiting into parcels that [`encode`] takes, keeping the order.
pub fn split(envelopes: Vec<Envelope>) -> Vec<Vec<Envelope>> {
    let mut parcels: Vec<Vec<Envelope>> = Vec::new();
    let mut bytes = 0_usize;
    for envelope in envelopes {
        let size = envelope.body.len();
        match parcels.last_mut() {
            Some(last) if last.len() < ENVELOPES_MAX && bytes + size <= SHARED_BYTES_MAX => {
                bytes += size;
                last.push(envelope);
            }
            _ => {
                bytes = size;
                parcels.push(vec![envelope]);
            }
        }
    }
    parcels
}

/// Packs envelopes. Fails only where a single one is larger than anybody sends.
pub fn encode(envelopes: &[Envelope]) -> Result<Vec<u8>, TooLarge> {
    PACKER.with_borrow_mut(|packer| packer.encode(envelopes))
}

/// Some of a parcel's envelopes, and a parcel of their own; `None` where there is not one of them.
pub(crate) fn part(
    envelopes: &[Envelope],
    places: impl IntoIterator<Item = u32>,
) -> Option<(Vec<Envelope>, Vec<u8>)> {
    let at = |place: u32| envelopes.get(usize::try_from(place).ok()?).cloned();
    let part: Vec<Envelope> = places.into_iter().filter_map(at).collect();
    // What shared a parcel fits into another.
    let parcel = (!part.is_empty()).then(|| encode(&part).ok()).flatten()?;
    Some((part, parcel))
}

/// Unpacks envelopes. The bodies share one buffer.
pub fn decode(parcel: &[u8]) -> Result<Vec<Envelope>, ParcelError> {
    let (&version, mut rest) = parcel.split_first().ok_or(ParcelError::Damaged("it is empty"))?;
    match version {
        VERSION => {}
        0 => return Err(ParcelError::Damaged("it does not start with a version")),
        version => return Err(ParcelError::Newer { version }),
    }
    let length = take_length(&mut rest)?;
    if length > RAW_BYTES_MAX {
        return Err(ParcelError::Damaged("it claims more than a parcel may hold"));
    }
    let raw = decompress(rest, length).map_err(ParcelError::Compression)?;
    if raw.len() != length {
        return Err(ParcelError::Damaged("it holds less than it claims"));
    }
    unpack(Bytes::from(raw))
}

fn pack(envelopes: &[Envelope], raw: &mut Vec<u8>) {
    let bodies: usize = envelopes.iter().map(|envelope| envelope.body.len()).sum();
    raw.reserve(bodies + envelopes.len() * 512);
    for envelope in envelopes {
        let header = write_header(envelope).expect("an envelope has only text and numbers");
        // A length beyond u32 is far beyond RAW_BYTES_MAX: the caller refuses the parcel.
        for length in [header.len(), envelope.body.len()] {
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            raw.extend_from_slice(&length.to_le_bytes());
        }
        raw.extend_from_slice(&header);
        raw.extend_from_slice(&envelope.body);
    }
}

fn unpack(mut raw: Bytes) -> Result<Vec<Envelope>, ParcelError> {
    let mut envelopes = Vec::new();
    while raw.has_remaining() {
        if envelopes.len() == ENVELOPES_MAX {
            return Err(ParcelError::Damaged("it holds more envelopes than a parcel may"));
        }
        let header_length = take_length(&mut raw)?;
        let body_length = take_length(&mut raw)?;
        let header = take_bytes(&mut raw, header_length)?;
        let body = take_bytes(&mut raw, body_length)?;
        let mut envelope: Envelope = read_header(&header).map_err(ParcelError::Header)?;
        envelope.body = body;
        envelopes.push(envelope);
    }
    if envelopes.is_empty() {
        return Err(ParcelError::Damaged("it holds no envelope"));
    }
    Ok(envelopes)
}

fn take_length(from: &mut impl Buf) -> Result<usize, ParcelError> {
    let length = from.try_get_u32_le().map_err(|_| ParcelError::Damaged("it is cut off"))?;
    usize::try_from(length).map_err(|_| ParcelError::Damaged("a length is out of range"))
}

fn take_bytes(from: &mut Bytes, length: usize) -> Result<Bytes, ParcelError> {
    if length > from.len() {
        return Err(ParcelError::Damaged("it is cut off"));
    }
    Ok(from.split_to(length))
}

// To make a zstd context, and buffers of half a megabyte, takes longer than to use them on a parcel, so
// each thread keeps its own.
thread_local! {
    static PACKER: RefCell<Packer> = RefCell::default();
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Packer {
    compressor: Option<Compressor<'static>>,
    raw: Vec<u8>,
    compressed: Vec<u8>,
}

impl Packer {
    /// What is kept for the next parcel; what a single large body took is not.
    const KEPT_BYTES_MAX: usize = 2 * SHARED_BYTES_MAX;

    fn encode(&mut self, envelopes: &[Envelope]) -> Result<Vec<u8>, TooLarge> {
        self.raw.clear();
        pack(envelopes, &mut self.raw);
        let parcel = self.seal();
        for buffer in [&mut self.raw, &mut self.compressed] {
            if buffer.capacity() > Self::KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
        parcel
    }

    /// What is packed, as a parcel.
    fn seal(&mut self) -> Result<Vec<u8>, TooLarge> {
        let raw_bytes = self.raw.len();
        let length = u32::try_from(raw_bytes).ok().filter(|_| raw_bytes <= RAW_BYTES_MAX);
        let length = length.ok_or(TooLarge { raw_bytes })?;
        self.compress().expect("zstd fails only for want of memory");
        Ok([&[VERSION], &length.to_le_bytes()[..], &self.compressed].concat())
    }

    fn compress(&mut self) -> io::Result<()> {
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => {
                let mut compressor = Compressor::new(ZSTD_LEVEL)?;
                // Off by default: without it a flipped bit in a body can pass as a body.
                compressor.include_checksum(true)?;
                none.insert(compressor)
            }
        };
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        compressor.compress_to_buffer(&self.raw, &mut self.compressed).map(drop)
    }
}

fn decompress(compressed: &[u8], length: usize) -> io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress(compressed, length)
    })
}

#[cfg(test)]
mod tests {
    use domain::{EnvelopeId, Platform, ShopId, Timestamp, WebhookId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn envelope(topic: &str, body: Vec<u8>) -> Envelope {
        Envelope {
            provider: None,
            id: EnvelopeId(Uuid::from_u128(7)),
            platform: Platform::Shopify,
            shop: ShopId::new("demo"),
            webhook: WebhookId::new("w-1"),
            topic: topic.to_owned(),
            event: None,
            api_version: Some("2026-10".to_owned()),
            triggered_at: None,
            received_at: Timestamp(5),
            signature: None,
            signed_by: None,
            traceparent: None,
            body: Bytes::from(body),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn what_goes_in_comes_out(
            parts in prop::collection::vec(
                (".*", prop::collection::vec(any::<u8>(), 0..2000)),
                1..=ENVELOPES_MAX,
            )
        ) {
            let sent: Vec<Envelope> =
                parts.into_iter().map(|(topic, body)| envelope(&topic, body)).collect();
            let received = decode(&encode(&sent).expect("small")).expect("just encoded");
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn garbage_is_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode(&bytes).is_err());
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn garbage_under_good_compression_is_an_error(
            raw in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            prop_assert!(decode(&seal(&raw)).is_err());
        }

        #[test]
        fn a_changed_byte_is_noticed(at in any::<prop::sample::Index>(), by in 1..=255_u8) {
            let mut parcel = encode(&[envelope("orders/create", vec![b'x'; 5000])]).expect("small");
            let at = at.index(parcel.len());
            parcel[at] = parcel[at].wrapping_add(by);
            // Zstd has a few header bits that change nothing in what is read.
            if let Ok(read) = decode(&parcel) {
                prop_assert_eq!(read, vec![envelope("orders/create", vec![b'x'; 5000])]);
            }
        }

        #[test]
        fn splitting_keeps_order_and_limits(
            sizes in prop::collection::vec(0..SHARED_BYTES_MAX * 2, 0..150)
        ) {
            let whole = Bytes::from(vec![0; SHARED_BYTES_MAX * 2]);
            let sent: Vec<Envelope> = sizes
                .iter()
                .map(|&size| Envelope { body: whole.slice(..size), ..envelope("t", vec![]) })
                .collect();
            let parcels = split(sent.clone());
            for parcel in &parcels {
                let bytes: usize = parcel.iter().map(|envelope| envelope.body.len()).sum();
                prop_assert!((1..=ENVELOPES_MAX).contains(&parcel.len()));
                prop_assert!(bytes <= SHARED_BYTES_MAX || parcel.len() == 1);
            }
            prop_assert_eq!(parcels.concat(), sent);
        }
    }

    /// Wraps raw bytes as a parcel does.
    fn seal(raw: &[u8]) -> Vec<u8> {
        let mut packer = Packer { raw: raw.to_vec(), ..Packer::default() };
        packer.compress().expect("compresses");
        let length = u32::try_from(raw.len()).expect("small");
        [&[VERSION], &length.to_le_bytes()[..], &packer.compressed].concat()
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        assert!(decode(&[VERSION + 1, 1, 2, 3]).expect_err("unknown format").is_newer());
        assert!(!decode(&[0, 1, 2, 3]).expect_err("no version").is_newer());
        assert!(!decode(&[]).expect_err("empty").is_newer());
        assert!(!decode(&seal(b"")).expect_err("no envelope").is_newer());
    }

    #[test]
    fn a_bomb_is_refused_without_being_unpacked() {
        let bomb = seal(&vec![0; RAW_BYTES_MAX + 1]);
        assert!(matches!(decode(&bomb), Err(ParcelError::Damaged(_))));

        let mut lying = bomb;
        lying[1..5].copy_from_slice(&100_u32.to_le_bytes());
        assert!(matches!(decode(&lying), Err(ParcelError::Compression(_))));
    }

    #[test]
    fn one_envelope_above_the_shared_limit_fits_and_a_monster_does_not() {
        let large = envelope("orders/create", vec![7; 8 * 1024 * 1024]);
        assert_eq!(
            decode(&encode(std::slice::from_ref(&large)).expect("fits")).expect("valid"),
            [large]
        );
        let monster = envelope("orders/create", vec![7; RAW_BYTES_MAX]);
        assert!(encode(&[monster]).is_err());
    }

    #[test]
    fn more_envelopes_than_a_parcel_holds_are_refused() {
        let mut raw = Vec::new();
        pack(&vec![envelope("t", vec![1]); ENVELOPES_MAX + 1], &mut raw);
        assert!(matches!(decode(&seal(&raw)), Err(ParcelError::Damaged(_))));
    }
}
