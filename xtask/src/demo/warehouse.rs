//! Where the demo's tables are: what `--warehouse` says, and for BigQuery the server behind it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::LOOK;
use super::bigquery::{Dataset, Endpoints};
use super::stack::Program;
use crate::interrupt::Interrupt;
use crate::progress::step;
use crate::setup;
use crate::workspace::Workspace;

/// From the start of local-bigquery until it answers: some seconds, most of them for loading.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// What `--warehouse` says.
#[derive(Clone, Debug)]
pub struct WarehouseUrl {
    text: String,
    dataset: Option<Dataset>,
}

impl WarehouseUrl {
    /// Reads what a person wrote; URLs of other warehouses are `shoptrail`'s to judge.
    pub fn parse(text: &str) -> Result<Self> {
        let dataset = text
            .starts_with("bigquery:")
            .then(|| Dataset::parse(text))
            .transpose()?;
        Ok(Self {
            text: text.to_owned(),
            dataset,
        })
    }
}

/// The warehouse of a stack; dropping it stops the server that was started for it.
pub(super) struct Warehouse {
    /// `shoptrail local` has its own default.
    url: Option<WarehouseUrl>,
    /// Of BigQuery's APIs, once they are known.
    endpoints: Option<Endpoints>,
    server: Option<Program>,
}

impl Warehouse {
    /// Finds what is wrong before anything long begins, and installs local-bigquery where it will be needed.
    pub(super) fn prepare(workspace: &Workspace, url: Option<WarehouseUrl>) -> Result<Self> {
        let warehouse = Self {
            url,
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
        if let Some(url) = &self.url {
            command.args(["--warehouse", &url.text]);
        }
        if let Some(endpoints) = &self.endpoints {
            command.envs(endpoints.variables());
        }
    }

    /// Fails when the server has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), Program::check)
    }

    /// Stops the server, if it is the demo's own.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), Program::stop)
    }

    fn dataset(&self) -> Option<&Dataset> {
        self.url.as_ref()?.dataset.as_ref()
    }
}

/// Starts local-bigquery over `data` and waits until it answers; `None` when interrupted.
fn start_server(
    workspace: &Workspace,
    data: &Path,
    dataset: &Dataset,
    interrupt: &Interrupt,
) -> Result<Option<(Program, Endpoints)>> {
    let [rest_port, grpc_port] = free_ports()?;
    let command = setup::bigquery::server(workspace, rest_port, grpc_port, data);
    let mut server = Program::start(workspace, "local-bigquery", command)?;
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

/// Two ports that nobody listens on.
fn free_ports() -> Result<[u16; 2]> {
    let listen =
        || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on 127.0.0.1");
    // Both are held until both are found, or the system might give one twice.
    let [rest, grpc] = [listen()?, listen()?];
    Ok([rest.local_addr()?.port(), grpc.local_addr()?.port()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bigquerys_urls_are_judged_here() {
        assert!(
            WarehouseUrl::parse("lake:/data/lake")
                .expect("left to `shoptrail`")
                .dataset
                .is_none()
        );
        assert!(
            WarehouseUrl::parse("bigquery://shop/demo")
                .expect("a good URL")
                .dataset
                .is_some()
        );
        assert!(WarehouseUrl::parse("bigquery:shop/demo").is_err());
    }
}
