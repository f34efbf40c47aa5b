//! The wire format of Kafka values: Confluent's, as its JSON Schema serializers write it: a magic byte, the id of the schema
//! in Schema Registry, the JSON.
//!
//! Source: Confluent documentation, "Schema Registry: wire format".

/// The magic byte: a schema id of four bytes follows.
const MAGIC: u8 = 0;
/// Bytes before the JSON.
const HEADER_BYTES: usize = 5;

/// Why bytes are not in the wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Fewer bytes than the magic byte and the schema id need.
    #[error(
        "{length} bytes are too short for Confluent's wire format: 5 bytes come before the JSON"
    )]
    TooShort {
        /// How many there are.
        length: usize,
    },
    /// Another format. Newer serializers write 1 and a GUID, which no configuration of ours asks for.
    #[error(
        "magic byte is {magic}, not 0: written by a serializer that does not use four-byte schema ids"
    )]
    UnknownMagic {
        /// The first byte.
        magic: u8,
    },
}

/// Puts the header for a schema before a JSON text.
#[must_use]
pub fn encode(schema_id: u32, json: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + json.len());
    bytes.push(MAGIC);
    bytes.extend_from_slice(&schema_id.to_be_bytes());
    bytes.extend_from_slice(json);
    bytes
}

/// Returns the schema id and the JSON, which is not looked at.
///
/// # Errors
/// If the header is cut short or has another magic byte.
pub fn decode(bytes: &[u8]) -> Result<(u32, &[u8]), WireError> {
    let too_short = WireError::TooShort {
        length: bytes.len(),
    };
    let (&magic, rest) = bytes.split_first().ok_or(too_short)?;
    if magic != MAGIC {
        return Err(WireError::UnknownMagic { magic });
    }
    let (schema_id, json) = rest.split_first_chunk::<4>().ok_or(too_short)?;
    Ok((u32::from_be_bytes(*schema_id), json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_confluents() {
        assert_eq!(encode(0x0102_0304, b"{}"), [0, 1, 2, 3, 4, b'{', b'}']);
    }

    #[test]
    fn decode_returns_what_encode_took() {
        for schema_id in [0, 1, 100_001, u32::MAX] {
            let bytes = encode(schema_id, b"{\"a\":1}");
            assert_eq!(decode(&bytes), Ok((schema_id, b"{\"a\":1}".as_slice())));
        }
        assert_eq!(decode(&[0, 0, 0, 0, 7]), Ok((7, b"".as_slice())));
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(decode(b""), Err(WireError::TooShort { length: 0 }));
        assert_eq!(
            decode(&[0, 0, 0, 1]),
            Err(WireError::TooShort { length: 4 })
        );
        assert_eq!(
            decode(b"{\"a\":1}"),
            Err(WireError::UnknownMagic { magic: b'{' })
        );
        assert_eq!(decode(&[1; 20]), Err(WireError::UnknownMagic { magic: 1 }));
    }
}
