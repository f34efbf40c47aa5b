//! The backend of Shoptrail: the command `shoptrail`.
//!
//! Follow an event: [`land`] takes it from Kafka into [`bronze`]; [`build`] reads what is new there, [`silver`] types it,
//! counts it once and puts it into its session, [`gold`] makes the tables a business reads, and the [`warehouse`] publishes
//! them all at once. [`data`] and [`show`] give
//! them to the dashboard and to people. [`replay`] brings refused events back, [`forget`] erases a person. [`runs`] and
//! [`telemetry`] tell what builds did and do. [`laptop`] runs everything around it on one laptop, which is the crate
//! `shoptrail_local`.

pub mod attention;
pub mod bronze;
pub mod build;
pub mod cli;
pub mod config;
pub mod data;
pub mod exit;
pub mod forget;
pub mod gold;
pub mod judging;
pub mod kafka;
pub mod land;
pub mod laptop;
mod money;
pub mod pace;
mod repeat_buying;
pub mod replay;
pub mod runs;
pub mod show;
pub mod silver;
pub mod sql;
pub mod table;
pub mod tables;
pub mod telemetry;
pub mod warehouse;
