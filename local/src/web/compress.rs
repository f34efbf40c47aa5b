//! Compresses what the pages load. What is asked for again is compressed once: scripts of half a megabyte are.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, response};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Less does not pay: headers are as long.
const SMALLEST: usize = 1_000;
/// Larger answers than any page asks for go out as they are.
const LARGEST: usize = 16 << 20;
/// Bytes of compressed answers that are kept.
const KEPT: usize = 4 << 20;
/// Above it time grows faster than what it saves.
const BROTLI_QUALITY: i32 = 5;

/// Compressed answers by their content.
#[derive(Clone, Default)]
pub(super) struct Compressed(Arc<Mutex<HashMap<(u64, ContentCoding), Bytes>>>);

/// How an answer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ContentCoding {
    Brotli,
    Gzip,
}

impl ContentCoding {
    /// The best that the client takes.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted: Vec<&str> = headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter(|coding| !coding.replace(' ', "").ends_with(";q=0"))
            .filter_map(|coding| coding.split(';').next())
            .map(str::trim)
            .collect();
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|coding| accepted.contains(&coding.name()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut compressed = Vec::new();
        match self {
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*bytes, &mut compressed, &params)?;
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut compressed, Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()?;
            }
        }
        Ok(compressed)
    }
}

/// Compresses the answer of `next` where its reader takes it and it is worth it.
pub(super) async fn compress(
    State(compressed): State<Compressed>,
    request: Request,
    next: Next,
) -> Response {
    let coding = ContentCoding::accepted(request.headers());
    let mut response = next.run(request).await;
    if !is_text(response.headers()) {
        return response;
    }
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept-encoding"));
    match coding {
        Some(coding) if response.status() == StatusCode::OK => {
            let (head, body) = response.into_parts();
            match to_bytes(body, LARGEST).await {
                Ok(bytes) => compressed.answer(head, bytes, coding).await,
                Err(error) => {
                    tracing::error!("an answer could not be compressed: {error}");
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                }
            }
        }
        _ => response,
    }
}

/// Streams of events end only with the page: they are no text that can be waited for.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_text = ["text/", "application/json", "image/svg"]
        .iter()
        .any(|prefix| kind.starts_with(prefix));
    is_text
        && !kind.starts_with("text/event-stream")
        && !headers.contains_key(header::CONTENT_ENCODING)
}

impl Compressed {
    async fn answer(&self, head: response::Parts, bytes: Bytes, coding: ContentCoding) -> Response {
        let plain = || Response::from_parts(head.clone(), Body::from(bytes.clone()));
        if bytes.len() < SMALLEST {
            return plain();
        }
        match self.of(bytes.clone(), coding).await {
            Ok(compressed) => {
                let mut head = head;
                head.headers.remove(header::CONTENT_LENGTH);
                head.headers.remove(header::ACCEPT_RANGES);
                let name = HeaderValue::from_static(coding.name());
                head.headers.insert(header::CONTENT_ENCODING, name);
                Response::from_parts(head, Body::from(compressed))
            }
            Err(error) => {
                tracing::warn!("an answer goes out as it is: {error}");
                plain()
            }
        }
    }

    async fn of(&self, bytes: Bytes, coding: ContentCoding) -> io::Result<Bytes> {
        let key = (xxhash_rust::xxh3::xxh3_64(&bytes), coding);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return Ok(known.clone());
        }
        let compressed = tokio::task::spawn_blocking(move || coding.compress(&bytes)).await;
        let compressed = Bytes::from(compressed.map_err(io::Error::other)??);
        let mut kept = lock();
        if kept.values().map(Bytes::len).sum::<usize>() + compressed.len() > KEPT {
            kept.clear();
        }
        kept.insert(key, compressed.clone());
        Ok(compressed)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn accepted(value: &'static str) -> Option<ContentCoding> {
        let headers = [(header::ACCEPT_ENCODING, HeaderValue::from_static(value))];
        ContentCoding::accepted(&headers.into_iter().collect())
    }

    #[test]
    fn best_coding_that_the_client_takes_is_used() {
        assert_eq!(
            accepted("gzip, deflate, br, zstd"),
            Some(ContentCoding::Brotli)
        );
        assert_eq!(accepted("gzip;q=0.5"), Some(ContentCoding::Gzip));
        assert_eq!(accepted("br;q=0, identity"), None);
        assert_eq!(ContentCoding::accepted(&HeaderMap::new()), None);
    }

    #[test]
    fn only_texts_that_end_are_compressed() {
        let is_text = |kind: &'static str| {
            let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
            is_text(&headers.into_iter().collect())
        };
        assert!(is_text("text/javascript") && is_text("application/json"));
        assert!(!is_text("text/event-stream") && !is_text("image/png"));
    }

    #[tokio::test]
    async fn compressed_answer_is_smaller_and_says_the_same() {
        let text = Bytes::from("every visitor is a guest; ".repeat(200));
        let compressed = Compressed::default();
        let gzip = compressed.of(text.clone(), ContentCoding::Gzip).await;
        let gzip = gzip.expect("it is compressed");
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&*gzip)
            .read_to_end(&mut back)
            .expect("it is gzip");
        assert_eq!(back, text);
        let brotli = compressed.of(text.clone(), ContentCoding::Brotli).await;
        let brotli = brotli.expect("it is compressed");
        let mut back = Vec::new();
        brotli::Decompressor::new(&*brotli, 4096)
            .read_to_end(&mut back)
            .expect("it is brotli");
        assert_eq!(back, text);
        assert!(gzip.len().max(brotli.len()) < text.len() / 10);
    }
}
