//! The backend against real files and a real broker. One binary, because each one that links polars is large.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer_key;
mod bigquery;
mod dashboard;
mod forget;
mod golden;
mod increments;
mod kills;
mod lake;
mod landing;
mod pull_api;
mod quality;
mod readers;
mod refresh;
mod replay;
mod running;
mod shops;
mod stop;
mod undelivered;
mod warehouse;
mod world;
