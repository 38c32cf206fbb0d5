//! One input of the fuzz target that reads what comes out of the queue.

use queue::parcel::{decode, encode};

type Target = (&'static str, fn(&[u8]));

pub(crate) const TARGETS: [Target; 1] = [("parcel_decode", parcel_decode)];

/// The input is read as a parcel, and as what is inside one: no fuzzer finds zstd's checksums.
fn parcel_decode(input: &[u8]) {
    check(input);
    let mut compressor = zstd::bulk::Compressor::new(1).expect("zstd has this level");
    compressor.include_checksum(true).expect("zstd has checksums");
    let compressed = compressor.compress(input).expect("zstd fails only for want of memory");
    let length = u32::try_from(input.len()).expect("inputs are small");
    check(&[&[1], &length.to_le_bytes()[..], &compressed].concat());
}

/// What can be read can be written again, and is the same then.
fn check(parcel: &[u8]) {
    match decode(parcel) {
        Ok(envelopes) => {
            let again = encode(&envelopes).expect("it came out of a parcel");
            assert_eq!(decode(&again).expect("it was just written"), envelopes);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
