//! Where the demo's tables are: what `--warehouse` says, and for BigQuery the server behind it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use shoptrail_local::ports;
use shoptrail_local::progress::step;
use shoptrail_local::warehouse_address::{DatasetAddress, WarehouseAddress};

use super::LOOK;
use super::bigquery::Endpoints;
use super::program::Program;
use crate::interrupt::Interrupt;
use crate::setup;
use crate::workspace::Workspace;

/// From the start of local-bigquery until it answers: some seconds, most of them for loading.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The warehouse of a stack; dropping it stops the server that was started for it.
pub(super) struct DemoWarehouse {
    /// `shoptrail local` has its own default.
    address: Option<WarehouseAddress>,
    /// Of BigQuery's APIs, once they are known.
    endpoints: Option<Endpoints>,
    server: Option<Program>,
}

impl DemoWarehouse {
    /// Finds what is wrong before anything long begins, and installs local-bigquery where it will be needed.
    pub(super) fn prepare(
        workspace: &Workspace,
        address: Option<WarehouseAddress>,
    ) -> Result<Self> {
        let warehouse = Self {
            address,
            endpoints: None,
            server: None,
        };
        if warehouse.dataset().is_none() {
            return Ok(warehouse);
        }
        let endpoints = Endpoints::from_environment()?;
        if endpoints.is_none() {
            step("local-bigquery", || setup::bigquery::install(workspace))?;
        }
        Ok(Self {
            endpoints,
            ..warehouse
        })
    }

    /// Starts local-bigquery over `data` unless another server is named, and makes the dataset; false when interrupted.
    pub(super) fn open(
        &mut self,
        workspace: &Workspace,
        data: &Path,
        interrupt: &Interrupt,
    ) -> Result<bool> {
        let Some(dataset) = self.dataset().cloned() else {
            return Ok(true);
        };
        let endpoints = match self.endpoints.take() {
            Some(named) => named,
            None => {
                let server =
                    || start_server(workspace, &data.join("bigquery"), &dataset, interrupt);
                let Some((server, endpoints)) = step("start of local-bigquery", server)? else {
                    return Ok(false);
                };
                self.server = Some(server);
                endpoints
            }
        };
        step("dataset", || endpoints.create(&dataset))?;
        self.endpoints = Some(endpoints);
        Ok(true)
    }

    /// Tells `shoptrail` which warehouse it is and where.
    pub(super) fn describe_to(&self, command: &mut Command) {
        if let Some(address) = &self.address {
            command.args(["--warehouse", &address.to_string()]);
        }
        if let Some(endpoints) = &self.endpoints {
            command.envs(endpoints.variables());
        }
    }

    /// Returns an error if the server has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), Program::check)
    }

    /// Stops the server, if it is the demo's own.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), Program::stop)
    }

    fn dataset(&self) -> Option<&DatasetAddress> {
        match self.address.as_ref()? {
            WarehouseAddress::BigQuery(dataset) => Some(dataset),
            WarehouseAddress::Lake(_) => None,
        }
    }
}

/// Starts local-bigquery over `data` and waits until it answers; `None` when interrupted.
fn start_server(
    workspace: &Workspace,
    data: &Path,
    dataset: &DatasetAddress,
    interrupt: &Interrupt,
) -> Result<Option<(Program, Endpoints)>> {
    let [rest_port, grpc_port] = ports::free().context("no free port on 127.0.0.1")?;
    let command = setup::bigquery::server(workspace, rest_port, grpc_port, data);
    let mut server = Program::start(workspace, "local-bigquery", &command)?;
    let endpoints = Endpoints::on_ports(rest_port, grpc_port);
    let deadline = Instant::now() + START_DEADLINE;
    while !interrupt.asked() {
        server.check()?;
        if endpoints.answer(dataset) {
            return Ok(Some((server, endpoints)));
        }
        if Instant::now() > deadline {
            bail!(
                "no answer after {} s, log: {}",
                START_DEADLINE.as_secs(),
                server.log.display()
            );
        }
        std::thread::sleep(LOOK);
    }
    server.stop()?;
    Ok(None)
}
