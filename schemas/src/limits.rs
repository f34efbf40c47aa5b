//! The limits of one event and one batch, in one place. Lengths count Unicode code points, as JSON Schema does.

/// Most events in one batch.
pub const MAX_EVENTS: usize = 100;
/// Most bytes of one event's JSON. A Cloudflare Queue message holds 128,000 bytes: an event must fit one together with
/// what the edge adds, because it cannot be split.
pub const MAX_EVENT_BYTES: usize = 100_000;
/// Most rejections reported for one event or one batch; more help nobody.
pub const MAX_REJECTIONS: usize = 10;
/// Most warnings reported for one event.
pub const MAX_WARNINGS: usize = 10;

/// Latest instant, in milliseconds since the epoch: the end of the year 9999, the last that SQL timestamps hold.
pub const MAX_TIMESTAMP_MS: i64 = 253_402_300_799_999;
/// Earliest time of an event: the beginning of 2020. A browser whose clock is before that cannot open an HTTPS page.
pub const MIN_EVENT_MS: i64 = 1_577_836_800_000;
/// Latest time of an event: the beginning of 2100.
pub const MAX_EVENT_MS: i64 = 4_102_444_800_000;
/// Oldest event by default: as long as a tracker keeps what it could not send.
pub const MAX_AGE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Two clocks agree up to this difference: what is between them may be a slow network.
pub const CLOCK_TOLERANCE_MS: i64 = 2 * 60 * 1_000;
/// A clock that is ahead by so much when a batch is sent was set after an event whose own time agrees with the edge's.
pub const CLOCK_JUMP_MS: i64 = 60 * 60 * 1_000;
/// Largest difference between an event's time and the time in its id.
pub const ID_TOLERANCE_MS: i64 = 60 * 60 * 1_000;
/// Largest integer that JavaScript's numbers hold exactly (2^53 - 1).
pub const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/// Largest engaged time of one event, in milliseconds: a day.
pub const MAX_ENGAGEMENT_MS: i64 = 86_400_000;
/// Most pixels of a screen's or a window's side.
pub const MAX_PIXELS: i64 = 100_000;

/// Largest amount of money, in the currency's major unit: exact in a JSON number with two decimals. Price × quantity has
/// the same limit, so that every event's total fits into 64 bits of minor units.
pub const MAX_AMOUNT: f64 = 1e12;
/// Largest price × quantity in minor units: a trillion of a currency with three decimals. Thousands of them add up in 64 bits.
pub const MAX_LINE_UNITS: i64 = 1_000_000_000_000_000;
/// How far below its least an amount may be: less is what JavaScript leaves of `0.3 - 0.1 - 0.2`, and is rounded away.
pub const MAX_NOISE: f64 = 1e-6;
/// Most items in one event.
pub const MAX_ITEMS: usize = 200;
/// Most pieces of one item.
pub const MAX_QUANTITY: f64 = 1e6;
/// Least of one item: a gram of what is sold by the kilogram.
pub const MIN_QUANTITY: f64 = 0.001;
/// Decimals of a quantity.
pub const QUANTITY_DECIMALS: u32 = 3;

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
