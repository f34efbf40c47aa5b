//! The truth about a world, counted from its plan with plain loops: one file for each table, with its key and columns as
//! `docs/tables.md` has them. It shares no code with the pipeline; the definitions are written down a second time.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::csv::Csv;
use super::plan::Household;
use super::records::push_id;

mod attribution;
mod cart;
mod customer;
mod daily;
mod event;
mod ledger;
mod order;
mod product;
mod search;
mod session;
mod story;

use story::Story;

/// The files that are written as households come, and the sums that are written at the end.
pub struct Truth {
    folder: PathBuf,
    events: Csv,
    items: Csv,
    sessions: Csv,
    visitors: Csv,
    orders: Csv,
    refunds: Csv,
    carts: Csv,
    lost: Csv,
    daily: daily::Daily,
    products: product::Products,
    customers: customer::Customers,
    attribution: attribution::Attribution,
    searches: search::Searches,
    ledger: ledger::Ledger,
    /// Room for ids.
    ids: [String; 2],
}

/// How much truth there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    /// Events that arrived.
    pub events: u64,
    /// Events that were lost on purpose.
    pub lost: u64,
    /// Sessions.
    pub sessions: u64,
    /// Orders.
    pub orders: u64,
    /// Rows of all tables.
    pub rows: u64,
}

impl Truth {
    /// Begins in an empty folder; what was lost stands beside it.
    pub fn create(folder: PathBuf) -> Result<Self> {
        fs::create_dir(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        let table = |name: &str, columns: &str| Csv::create(&folder, name, columns);
        let beside = folder.parent().unwrap_or(&folder);
        Ok(Self {
            events: table("silver_events", event::COLUMNS)?,
            items: table("silver_items", event::ITEM_COLUMNS)?,
            sessions: table("silver_sessions", session::COLUMNS)?,
            visitors: table("silver_visitors", order::VISITOR_COLUMNS)?,
            orders: table("silver_orders", order::COLUMNS)?,
            refunds: table("silver_refunds", order::REFUND_COLUMNS)?,
            carts: table("gold_cart_recovery", cart::COLUMNS)?,
            lost: Csv::create(beside, "lost", ledger::LOST_COLUMNS)?,
            daily: daily::Daily::default(),
            products: product::Products::default(),
            customers: customer::Customers::default(),
            attribution: attribution::Attribution::default(),
            searches: search::Searches::default(),
            ledger: ledger::Ledger::default(),
            ids: Default::default(),
            folder,
        })
    }

    /// Adds a household.
    pub fn count(&mut self, household: &Household) -> Result<()> {
        let story = Story::of(household);
        let [id, key] = &mut self.ids;
        event::write(&story, &mut self.events, [id, key])?;
        event::write_items(&story, &mut self.items, id)?;
        session::write(&story, &mut self.sessions, id)?;
        order::write_visitors(&story, &mut self.visitors, id)?;
        order::write(&story, &mut self.orders, id)?;
        order::write_refunds(&story, &mut self.refunds, id)?;
        cart::write(&story, &mut self.carts, id)?;
        ledger::write_lost(household, &mut self.lost, id)?;
        self.daily.count(&story);
        self.products.count(&story);
        self.customers.count(&story);
        self.attribution.count(&story);
        self.searches.count(&story);
        self.ledger.count(household);
        Ok(())
    }

    /// Writes the sums, and ends all files.
    pub fn finish(self) -> Result<Told> {
        let [events, sessions, orders] = [
            self.events.finish()?,
            self.sessions.finish()?,
            self.orders.finish()?,
        ];
        let others = [self.items, self.visitors, self.refunds, self.carts];
        let mut rows = events + sessions + orders;
        for csv in others {
            rows += csv.finish()?;
        }
        rows += self.daily.write(&self.folder)?;
        rows += self.products.write(&self.folder)?;
        rows += self.customers.write(&self.folder)?;
        rows += self.attribution.write(&self.folder)?;
        rows += self.searches.write(&self.folder)?;
        rows += self.ledger.write(&self.folder)?;
        Ok(Told {
            events,
            lost: self.lost.finish()?,
            sessions,
            orders,
            rows,
        })
    }
}

/// Writes an event's id into the room for it.
fn id(id: u128, room: &mut String) -> &str {
    room.clear();
    push_id(room, id);
    room
}
