//! The limits of one event and one batch, in one place. Lengths count Unicode code points, as JSON Schema does.

/// Most events in one batch.
pub const MAX_EVENTS: usize = 100;
/// Most bytes of one event's JSON. A Cloudflare Queue message holds 128,000 bytes: an event must fit one together with
/// what the edge adds, because it cannot be split.
pub const MAX_EVENT_BYTES: usize = 100_000;
/// Most rejections reported for one event or one batch; more help nobody.
pub const MAX_REJECTIONS: usize = 10;

/// Latest instant, in milliseconds since the epoch: the end of the year 9999, the last that SQL timestamps hold.
pub const MAX_TIMESTAMP_MS: i64 = 253_402_300_799_999;
/// Largest integer that JavaScript's numbers hold exactly (2^53 - 1).
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/// Largest engaged time of one event, in milliseconds: a day.
pub const MAX_ENGAGEMENT_MS: i64 = 86_400_000;
/// Most pixels of a screen's or a window's side.
pub const MAX_PIXELS: i64 = 100_000;

/// Largest amount of money, in the currency's major unit: exact in a JSON number with two decimals.
pub const MAX_AMOUNT: f64 = 1e12;
/// Most items in one event.
pub const MAX_ITEMS: usize = 100;
/// Most pieces of one item.
pub const MAX_QUANTITY: i64 = 1_000_000;

/// Longest URL.
pub const MAX_URL: usize = 2048;
/// Longest title of a page.
pub const MAX_TITLE: usize = 512;
/// Longest text a person writes or reads: search terms, names of products, user ids.
pub const MAX_TEXT: usize = 256;
/// Longest name or code: item ids, brands, categories, coupons, transaction ids.
pub const MAX_NAME: usize = 128;
/// Longest short id or label: anonymous and session ids, payment methods.
pub const MAX_ID: usize = 64;
/// Longest demographic label.
pub const MAX_LABEL: usize = 32;
/// Longest name of a `custom` event.
pub const MAX_EVENT_NAME: usize = 40;

/// Most entries of `properties`.
pub const MAX_PROPERTIES: usize = 50;
/// Longest name of a property.
pub const MAX_PROPERTY_NAME: usize = 64;
/// Longest text value of a property.
pub const MAX_PROPERTY_TEXT: usize = 1024;
