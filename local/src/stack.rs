//! The local stack: every part, started and stopped in order.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use clap::Args;

use crate::addresses::Addresses;
use crate::broker::{Broker, KafkaFiles, TOPIC};
use crate::children::{ChildCommand, Family, Service};
use crate::confluent::Confluent;
use crate::confluent::limits::Limits;
use crate::edge::{self, EdgeConfig, WRITE_KEY};
use crate::identity::Identity;
use crate::machine;
use crate::micro::Micro;
use crate::origin::PageOrigin;
use crate::progress::live_step;
use crate::queue::QueueServer;
use crate::register::register;
use crate::shared_dashboard::{self, Password};
use crate::stack_file::StackFile;
use crate::web::{self, Web};

/// How long a stop waits for the queue: what is left then is on the disk, for the next start.
const LONGEST_DRAIN: Duration = Duration::from_secs(10);
/// Landing and building end between two steps of their work.
const GRACE: Duration = Duration::from_secs(5);

/// Flags of the stack's own parts.
#[derive(Args, Clone, Debug)]
pub struct StackArgs {
    /// Folder of everything the stack keeps; deleting it resets the stack
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Port of shop and dashboard; if it is taken, the next free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Port of the edge; if it is taken, the next free one
    #[arg(long, default_value_t = 8787)]
    pub edge_port: u16,
    /// Serve the dashboard, read only, on this address too, where others than this machine reach it; asks for the password in
    /// `SHOPTRAIL_DASHBOARD_PASSWORD`
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub dashboard_bind: Option<SocketAddr>,
    /// Let the pages of this address send events too, for a shop of your own; may be repeated
    #[arg(long = "origin", value_name = "URL")]
    pub origins: Vec<PageOrigin>,
    /// Use these brokers instead of starting Kafka, HOST:PORT separated by commas
    #[arg(long, env = "SHOPTRAIL_KAFKA_BOOTSTRAP_SERVERS")]
    pub bootstrap_servers: Option<String>,
    /// Folder of Kafka's jars, if not the one that `cargo xtask setup` fills
    #[arg(long, value_name = "DIR", env = "SHOPTRAIL_KAFKA_LIB")]
    pub kafka_lib: Option<PathBuf>,
    /// Folder of the project, if this is started elsewhere
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Produce calls per second that the REST API accepts; Confluent's Basic clusters: 25
    #[arg(long, value_name = "N", default_value_t = Limits::BASIC.calls)]
    pub rest_calls_per_second: u32,
    /// Records per second that the REST API accepts; Confluent's Basic clusters: 1000
    #[arg(long, value_name = "N", default_value_t = Limits::BASIC.records)]
    pub rest_records_per_second: u32,
    /// Bytes of records per second that the REST API accepts; Confluent's Basic clusters: 10 MB
    #[arg(long, value_name = "N", default_value_t = Limits::BASIC.bytes)]
    pub rest_bytes_per_second: u32,
}

/// The backend as the stack runs it: command lines and routes. The stack does not know what they do with tables.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The file of the program.
    pub program: PathBuf,
    /// Its arguments that land events, without the brokers.
    pub land: Vec<String>,
    /// Its arguments that build tables until stopped.
    pub build: Vec<String>,
    /// Routes of the local web server that give the tables to the dashboard.
    pub routes: Router,
}

impl Backend {
    fn child(&self, name: &'static str, args: &[String], logs: &Path) -> Result<ChildCommand> {
        Ok(ChildCommand {
            name,
            program: self.program.clone().into(),
            args: args.iter().map(OsString::from).collect(),
            envs: Vec::new(),
            dir: std::env::current_dir().context("no working directory")?,
            log: std::path::absolute(logs.join(format!("{name}.log")))?,
            grace: GRACE,
        })
    }
}

/// Starts the stack, prints its addresses, waits for `stop` and ends everything in order.
///
/// # Errors
/// Returns an error if a part does not start.
pub async fn run(args: &StackArgs, backend: Backend, stop: impl Future<Output = ()>) -> Result<()> {
    tokio::pin!(stop);
    let stack = tokio::select! {
        stack = Stack::start(args, backend) => stack?,
        // Dropping what was started ends it.
        () = &mut stop => return Ok(()),
    };
    stack.print_addresses()?;
    stop.await;
    stack.stop().await;
    Ok(())
}

/// The dashboard where others reach it.
struct SharedDashboard {
    address: SocketAddr,
    _web: Web,
}

/// A running stack. Dropping it ends its children, though not in order: that is [`Stack::stop`].
pub struct Stack {
    addresses: Addresses,
    // In the order in which they are dropped.
    file: StackFile,
    web: Web,
    shared: Option<SharedDashboard>,
    edge: Service,
    queues: QueueServer,
    land: Service,
    build: Service,
    micro: Micro,
    confluent: Confluent,
    broker: Arc<Broker>,
    _lock: File,
}

impl Stack {
    /// Starts every part and returns when all answer.
    ///
    /// # Errors
    /// Returns an error if another stack runs on the same folder, something is not installed, or a part does not come up.
    pub async fn start(args: &StackArgs, backend: Backend) -> Result<Self> {
        machine::check()?;
        let root = web::workspace(args.project.as_deref())?;
        let logs = args.data.join("logs");
        std::fs::create_dir_all(&logs)
            .with_context(|| format!("cannot create `{}`", logs.display()))?;
        let lock = lock(&args.data)?;
        let identity = Identity::of(&args.data)?;
        let family = Family::of(&args.data).await?;

        let door = match args.dashboard_bind {
            Some(address) => Some(shared_dashboard::listen(address, Password::from_env()).await?),
            None => None,
        };
        let listener = web::listen(args.port).await?;
        let web_port = listener.local_addr()?.port();
        let edge_port = web::listen(args.edge_port).await?.local_addr()?.port();
        let confluent = start_confluent(args, &identity).await?;
        let schema_id = register(&confluent.registry, &root, &format!("{TOPIC}-value"))?;
        let queues = QueueServer::start(&args.data.join("edge")).await?;
        let edge = EdgeConfig {
            root: &root,
            dir: &args.data.join("edge"),
            log: &logs.join("edge.log"),
            port: edge_port,
            web_port,
            origins: &args.origins,
            rest_url: format!("{}/kafka", confluent.address),
            cluster_id: &identity.cluster_id,
            key: &identity.kafka_key,
            schema_id,
            queues: &queues,
        };
        // The slow two, side by side: neither needs the other to start.
        let broker = start_broker(args, &root, &identity, family.clone());
        let edge = edge::start(&edge, family.clone());
        let (broker, edge) = live_step("broker and edge started", async {
            tokio::try_join!(broker, edge)
        })
        .await?;
        let broker = Arc::new(broker);
        let micro = Micro::start(&broker.bootstrap_servers)
            .await
            .context("the topics cannot be followed")?;
        let addresses = Addresses {
            origins: args.origins.clone(),
            ..addresses(web_port, edge_port, &confluent, &broker)
        };
        let pages = web::pages(&root, &addresses.edge);
        let routes = pages
            .merge(micro.routes())
            .merge(web::drills(broker.clone()))
            .merge(backend.routes.clone());
        let web = Web::serve(listener, routes);
        let shared = match door {
            Some((listener, password)) => {
                let routes = web::dashboard(&root).merge(backend.routes.clone());
                Some(SharedDashboard {
                    address: listener.local_addr()?,
                    _web: shared_dashboard::serve(listener, routes, password),
                })
            }
            None => None,
        };

        let to_broker = [
            "--bootstrap-servers".to_owned(),
            broker.bootstrap_servers.clone(),
        ];
        let land = [backend.land.as_slice(), &to_broker].concat();
        let land = backend.child("land", &land, &logs)?;
        let land = Service::start(land, family.clone())?;
        let build = backend.child("build", &backend.build, &logs)?;
        let build = Service::start(build, family.clone())?;
        let file = StackFile::publish(
            args.data.join("stack.json"),
            addresses.clone(),
            &family.pids,
        )?;
        Ok(Self {
            addresses,
            file,
            web,
            shared,
            edge,
            queues,
            land,
            build,
            micro,
            confluent,
            broker,
            _lock: lock,
        })
    }

    /// Where the parts answer.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Ends everything in the order that events take: first the edge, when what it accepted is handed over; the broker last.
    pub async fn stop(self) {
        let Self {
            file,
            web,
            shared,
            edge,
            queues,
            land,
            build,
            micro,
            confluent,
            broker,
            ..
        } = self;
        let stopped = async |service: &Service| {
            service.stop().await;
            Ok(())
        };
        let _ = live_step("edge's queue drained", async {
            queues.until_delivered(LONGEST_DRAIN).await;
            Ok(())
        })
        .await;
        let _ = live_step("edge stopped", stopped(&edge)).await;
        drop((web, shared, micro, queues));
        let _ = live_step("landing stopped", stopped(&land)).await;
        let _ = live_step("building stopped", stopped(&build)).await;
        drop(confluent);
        // Stopping a broker that this stack does not run is an error, and no reason to stop here.
        let _ = live_step("broker stopped", async { broker.stop().await.or(Ok(())) }).await;
        drop(file);
    }

    fn print_addresses(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        write!(out, "{}", self.addresses.pages())?;
        if let Some(SharedDashboard { address, .. }) = &self.shared {
            writeln!(
                out,
                "shared     http://{address}/dashboard/ (asks for the password)"
            )?;
        }
        out.flush().context("cannot write to stdout")
    }
}

/// One stack per folder: the lock goes with the process.
fn lock(data: &Path) -> Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another stack runs on `{}`\nhint: stop it, or name another folder with `--data DIR`",
                data.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
        }
    }
}

async fn start_broker(
    args: &StackArgs,
    root: &Path,
    identity: &Identity,
    family: Family,
) -> Result<Broker> {
    let broker = match &args.bootstrap_servers {
        Some(servers) => {
            let broker = Broker::external(servers.clone());
            broker.until_ready().await?;
            broker
        }
        None => {
            let lib = args
                .kafka_lib
                .clone()
                .unwrap_or_else(|| root.join("target/tools/kafka/lib"));
            let dir = args.data.join("kafka");
            let files = KafkaFiles {
                lib: &lib,
                dir: &dir,
                log: args.data.join("logs/kafka.log"),
            };
            Broker::child(files, &identity.ports, family).await?
        }
    };
    broker.create_topics().await?;
    Ok(broker)
}

async fn start_confluent(args: &StackArgs, identity: &Identity) -> Result<Confluent> {
    let limits = Limits {
        calls: args.rest_calls_per_second,
        records: args.rest_records_per_second,
        bytes: args.rest_bytes_per_second,
    };
    let bootstrap_servers = args
        .bootstrap_servers
        .clone()
        .unwrap_or_else(|| identity.ports.bootstrap_servers());
    Confluent::start(
        identity,
        &bootstrap_servers,
        limits,
        &args.data.join("registry.json"),
    )
    .await
}

fn addresses(web_port: u16, edge_port: u16, confluent: &Confluent, broker: &Broker) -> Addresses {
    let web = format!("http://127.0.0.1:{web_port}");
    Addresses {
        dashboard: format!("{web}/dashboard/"),
        micro: format!("{web}/micro/"),
        shop: format!("{web}/"),
        edge: format!("http://127.0.0.1:{edge_port}"),
        confluent: confluent.address.clone(),
        kafka: broker.bootstrap_servers.clone(),
        write_key: WRITE_KEY.to_owned(),
        origins: Vec::new(),
    }
}
