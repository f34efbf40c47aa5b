//! Parcels: records packed into queue messages by their bytes. A parcel is JSON with the records as JSON, not the base64 of
//! the produce call, which would be a third larger.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::outgoing::Outgoing;

/// Most bytes of a parcel. Cloudflare allows 128,000 for a message and uses about 100 of them itself.
const MAX_PARCEL_BYTES: usize = 127_000;
/// Most bytes of the parcels that are sent together. Cloudflare allows 256,000.
const MAX_SENDING_BYTES: usize = 254_000;
/// Most parcels that are sent together, Cloudflare's limit.
const MAX_SENDING_PARCELS: usize = 100;

/// Records that are ready to be sent to the queue.
#[derive(Debug)]
pub struct Parcel {
    /// The queue message's body.
    pub text: String,
    /// The records in it, should the queue refuse.
    pub records: Vec<Rc<Outgoing>>,
}

/// What [`pack`] makes of records.
#[derive(Debug, Default)]
pub struct Packed {
    /// Groups of parcels, each small enough to be sent together.
    pub sendings: Vec<Vec<Parcel>>,
    /// Records too large for any parcel: refused bodies, as good events are limited.
    pub oversized: Vec<Rc<Outgoing>>,
}

/// What a consumer finds in a parcel.
#[derive(Debug, Deserialize)]
pub struct Opened {
    /// How often Kafka failed these records before they were packed: their next delay goes on from there.
    pub failures: u32,
    /// The records.
    pub records: Vec<Outgoing>,
}

/// Packs records into as few parcels as fit.
///
/// # Errors
/// If a record cannot be written as JSON, which nothing from outside can cause.
pub fn pack(records: &[Rc<Outgoing>], failures: u32) -> serde_json::Result<Packed> {
    let mut packed = Packed::default();
    let mut open = Open::default();
    for record in records {
        let json = to_raw_value(record.as_ref())?;
        if json.get().len() > MAX_PARCEL_BYTES - Open::FRAME_BYTES {
            packed.oversized.push(Rc::clone(record));
            continue;
        }
        if !open.has_room(&json) {
            packed.add(std::mem::take(&mut open).close(failures)?);
        }
        open.put(json, Rc::clone(record));
    }
    if !open.records.is_empty() {
        packed.add(open.close(failures)?);
    }
    Ok(packed)
}

/// Opens a queue message's body.
///
/// # Errors
/// If it is no parcel.
pub fn open(text: &str) -> serde_json::Result<Opened> {
    serde_json::from_str(text)
}

impl Packed {
    fn add(&mut self, parcel: Parcel) {
        if let Some(last) = self.sendings.last_mut() {
            let bytes = last.iter().map(|parcel| parcel.text.len()).sum::<usize>();
            if bytes.saturating_add(parcel.text.len()) <= MAX_SENDING_BYTES
                && last.len() < MAX_SENDING_PARCELS
            {
                return last.push(parcel);
            }
        }
        self.sendings.push(vec![parcel]);
    }
}

/// A parcel that is being filled.
#[derive(Default)]
struct Open {
    json: Vec<Box<RawValue>>,
    records: Vec<Rc<Outgoing>>,
    bytes: usize,
}

impl Open {
    /// More than `{"failures":4294967295,"records":[]}` needs.
    const FRAME_BYTES: usize = 64;

    fn has_room(&self, json: &RawValue) -> bool {
        let bytes = self
            .bytes
            .saturating_add(json.get().len())
            .saturating_add(1);
        bytes <= MAX_PARCEL_BYTES - Self::FRAME_BYTES
    }

    fn put(&mut self, json: Box<RawValue>, record: Rc<Outgoing>) {
        // One more for the comma.
        self.bytes = self
            .bytes
            .saturating_add(json.get().len())
            .saturating_add(1);
        self.json.push(json);
        self.records.push(record);
    }

    fn close(self, failures: u32) -> serde_json::Result<Parcel> {
        #[derive(Serialize)]
        struct Body {
            failures: u32,
            records: Vec<Box<RawValue>>,
        }
        let text = serde_json::to_string(&Body {
            failures,
            records: self.json,
        })?;
        Ok(Parcel {
            text,
            records: self.records,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::{Payload, Topic};

    fn record(bytes: usize) -> Rc<Outgoing> {
        Rc::new(Outgoing {
            topic: Topic::Events,
            key: Some("visitor".to_owned()),
            headers: Vec::new(),
            value: Payload::Json(
                RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap(),
            ),
        })
    }

    #[test]
    fn small_records_share_one_parcel() {
        let packed = pack(&vec![record(600); 100], 3).unwrap();
        assert_eq!((packed.sendings.len(), packed.sendings[0].len()), (1, 1));
        let opened = open(&packed.sendings[0][0].text).unwrap();
        assert_eq!((opened.failures, opened.records.len()), (3, 100));
    }

    #[test]
    fn no_parcel_and_no_sending_is_over_its_limit_and_no_record_is_lost() {
        for size in [1, 1_000, 10_000, 63_300, 63_450, 100_000, 126_800] {
            let packed = pack(&vec![record(size); 25], u32::MAX).unwrap();
            let mut records = 0;
            for sending in &packed.sendings {
                let bytes: usize = sending.iter().map(|parcel| parcel.text.len()).sum();
                assert!(bytes <= 256_000, "{size}: {bytes}");
                for parcel in sending {
                    assert!(
                        parcel.text.len() <= MAX_PARCEL_BYTES,
                        "{size}: {}",
                        parcel.text.len()
                    );
                    assert_eq!(
                        open(&parcel.text).unwrap().records.len(),
                        parcel.records.len()
                    );
                    records += parcel.records.len();
                }
            }
            assert_eq!((records, packed.oversized.len()), (25, 0), "{size}");
        }
    }

    #[test]
    fn record_too_large_for_any_parcel_is_set_apart() {
        let packed = pack(&[record(5), record(127_000), record(5)], 0).unwrap();
        assert_eq!(
            (packed.oversized.len(), packed.sendings[0][0].records.len()),
            (1, 2)
        );
    }

    #[test]
    fn text_of_another_kind_is_no_parcel() {
        assert!(open("hello").is_err());
        assert!(open(r#"{"records":[{"topic":"elsewhere"}]}"#).is_err());
    }
}
