//! `shoptrail local` and what it stands on as children: started, waited for, stopped in order.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail};
use shoptrail_local::addresses::Addresses;
use shoptrail_local::origin::PageOrigin;

use super::LOOK;
use super::program::Program;
use super::warehouse::DemoWarehouse;
use crate::interrupt::Interrupt;
use crate::workspace::Workspace;

/// Time until every part answers: a busy machine needs about 20 s, and more when the tables are made in BigQuery.
const START_DEADLINE: Duration = Duration::from_secs(180);

/// A running stack and its warehouse; dropping it stops both.
pub(super) struct DemoStack {
    pub addresses: Addresses,
    // In the order in which they are stopped.
    local: Program,
    warehouse: DemoWarehouse,
}

impl DemoStack {
    /// Starts the stack over `data` and `warehouse`; `None` when the person interrupts the start.
    pub(super) fn start(
        workspace: &Workspace,
        data: &Path,
        origins: &[PageOrigin],
        mut warehouse: DemoWarehouse,
        interrupt: &Interrupt,
    ) -> Result<Option<Self>> {
        let started = SystemTime::now();
        let mut local = workspace.shoptrail();
        local.args(["local", "--data"]).arg(data);
        for origin in origins {
            local.args(["--origin", &origin.to_string()]);
        }
        warehouse.describe_to(&mut local);
        let mut local = Program::start(workspace, "local", &local)?;
        let file = data.join("stack.json");
        let deadline = Instant::now() + START_DEADLINE;
        while !interrupt.asked() {
            // A stack that was killed may have left its file.
            if file
                .metadata()
                .and_then(|found| found.modified())
                .is_ok_and(|written| written >= started)
            {
                return Ok(Some(Self {
                    addresses: Addresses::read(&file)?,
                    local,
                    warehouse,
                }));
            }
            warehouse.check()?;
            local.check()?;
            if Instant::now() > deadline {
                bail!(
                    "no `{}` after {} s, log: {}",
                    file.display(),
                    START_DEADLINE.as_secs(),
                    local.log.display()
                );
            }
            std::thread::sleep(LOOK);
        }
        local.stop()?;
        Ok(None)
    }

    /// Returns an error if the stack, or what it stands on, has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        self.warehouse.check()?;
        self.local.check()
    }

    /// Stops every part and waits for them.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.local.stop()?;
        self.warehouse.stop()
    }
}
