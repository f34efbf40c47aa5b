//! The broker: Apache Kafka, one node in KRaft mode, as a child process, or any other that is named by its
//! `bootstrap.servers`.

mod client;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::Rng;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;
use tokio::process::Command;

use super::children::{ChildCommand, Family, Service};
use super::identity::Ports;

pub use client::{PatientContext, client};

/// Events that passed validation.
pub const TOPIC: &str = "clickstream_event_v3";
/// Dead letters, with the reason in headers.
pub const DEAD_LETTER_TOPIC: &str = "clickstream_event_v3.dlq";
/// Both, with their partitions.
const TOPICS: [(&str, i32); 2] = [(TOPIC, 3), (DEAD_LETTER_TOPIC, 1)];
/// The largest message: the limit of Confluent's Basic, Standard, Enterprise and Freight clusters.
/// Source: Confluent Cloud documentation, "Kafka cluster types".
pub const MAX_MESSAGE_BYTES: usize = 8_388_608;

/// A JVM on a busy machine needs some seconds; one that needs longer than this has failed.
const START_DEADLINE: Duration = Duration::from_secs(90);
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
const ADMIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Kafka flushes nothing on SIGTERM that a restart would not recover: it may be killed after this.
const GRACE: Duration = Duration::from_secs(5);
/// The client compiler is enough for one developer's events, and starts faster.
const JVM_OPTIONS: [&str; 4] = [
    "-Xmx256m",
    "-Xms64m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
];

/// The broker of a stack.
pub struct Broker {
    /// `host:port`, comma separated.
    pub bootstrap_servers: String,
    /// The child, if this stack runs the broker.
    service: Option<Service>,
}

/// Where the child finds its jars and keeps its log.
pub struct KafkaFiles<'a> {
    /// Folder of Kafka's jars.
    pub lib: &'a Path,
    /// Folder of configuration and data.
    pub dir: &'a Path,
    /// File for what Kafka says.
    pub log: PathBuf,
}

impl Broker {
    /// Uses a broker that this stack does not run.
    #[must_use]
    pub fn external(bootstrap_servers: String) -> Self {
        Self {
            bootstrap_servers,
            service: None,
        }
    }

    /// Starts Kafka as a child; its data is kept in the folder and found there again.
    ///
    /// # Errors
    /// Returns an error if the jars or Java are missing, or Kafka does not come up.
    pub async fn child(files: KafkaFiles<'_>, ports: &Ports, family: Family) -> Result<Self> {
        ensure!(
            has_kafka(files.lib),
            "no Kafka in `{}`\nhint: run `cargo xtask setup`",
            files.lib.display()
        );
        // The child works in its own folder: every path must hold there too.
        let lib = std::path::absolute(files.lib)?;
        let dir = std::path::absolute(files.dir)?;
        let log = std::path::absolute(&files.log)?;
        std::fs::create_dir_all(&dir)
            .with_context(|| format!("cannot create `{}`", dir.display()))?;
        let properties = dir.join("server.properties");
        std::fs::write(&properties, server_properties(&dir, ports))
            .with_context(|| format!("cannot write `{}`", properties.display()))?;
        let class_path = class_path(&lib);
        if !dir.join("data/meta.properties").exists() {
            format_storage(&class_path, &properties).await?;
        }
        let mut args: Vec<OsString> = JVM_OPTIONS.map(OsString::from).into();
        args.extend([
            "-cp".into(),
            class_path,
            "kafka.Kafka".into(),
            properties.into(),
        ]);
        let command = ChildCommand {
            name: "kafka",
            program: "java".into(),
            args,
            envs: Vec::new(),
            dir,
            log,
            grace: GRACE,
        };
        let broker = Self {
            bootstrap_servers: ports.bootstrap_servers(),
            service: Some(Service::start(command, family)?),
        };
        broker.until_ready().await?;
        Ok(broker)
    }

    /// Waits until the broker answers.
    ///
    /// # Errors
    /// Returns an error if it does not answer within a minute and a half.
    pub async fn until_ready(&self) -> Result<()> {
        let answers = until_it_says(&self.bootstrap_servers, |metadata| {
            !metadata.brokers().is_empty()
        });
        match &self.service {
            Some(service) => service.until_ready(START_DEADLINE, answers).await,
            None => tokio::time::timeout(START_DEADLINE, answers)
                .await
                .with_context(|| {
                    format!(
                        "no broker answers at `{}`\nhint: check `--bootstrap-servers`",
                        self.bootstrap_servers
                    )
                }),
        }
    }

    /// Stops the child; a broker that this stack does not run is left alone.
    ///
    /// # Errors
    /// Returns an error if this stack does not run the broker.
    pub async fn stop(&self) -> Result<()> {
        self.child_service()?.stop().await;
        Ok(())
    }

    /// Starts the child again after [`Broker::stop`] and waits until it answers.
    ///
    /// # Errors
    /// Returns an error if this stack does not run the broker, or it does not come up.
    pub async fn resume(&self) -> Result<()> {
        self.child_service()?.resume().await;
        self.until_ready().await
    }

    fn child_service(&self) -> Result<&Service> {
        self.service
            .as_ref()
            .context("the broker is not run by this stack")
    }

    /// Creates both topics unless they exist, and waits until they can be used.
    ///
    /// # Errors
    /// Returns an error if the broker refuses.
    pub async fn create_topics(&self) -> Result<()> {
        let admin: AdminClient<_> =
            client(&self.bootstrap_servers).create_with_context(PatientContext)?;
        // -1: the broker's own default.
        let topics = TOPICS
            .map(|(name, partitions)| NewTopic::new(name, partitions, TopicReplication::Fixed(-1)));
        let options = AdminOptions::new()
            .operation_timeout(Some(ADMIN_TIMEOUT))
            .request_timeout(Some(ADMIN_TIMEOUT));
        for result in admin
            .create_topics(&topics, &options)
            .await
            .context("cannot create topics")?
        {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => bail!("cannot create topic `{topic}`: {code}"),
            }
        }
        let usable = until_it_says(&self.bootstrap_servers, topics_have_leaders);
        tokio::time::timeout(ADMIN_TIMEOUT, usable)
            .await
            .context("the new topics have no leader")
    }
}

/// Asks for metadata until they are as `wanted`. A broker is ready when it answers: what its log says comes earlier.
async fn until_it_says(bootstrap_servers: &str, wanted: fn(&Metadata) -> bool) {
    loop {
        let config = client(bootstrap_servers);
        let asked = tokio::task::spawn_blocking(move || {
            let client: BaseConsumer<_> = config.create_with_context(PatientContext)?;
            client.fetch_metadata(None, METADATA_TIMEOUT)
        });
        if matches!(asked.await, Ok(Ok(metadata)) if wanted(&metadata)) {
            return;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// Created topics are announced before each partition has its leader.
fn topics_have_leaders(metadata: &Metadata) -> bool {
    TOPICS.iter().all(|(name, _)| {
        let topic = metadata.topics().iter().find(|topic| topic.name() == *name);
        topic.is_some_and(|topic| {
            !topic.partitions().is_empty() && topic.partitions().iter().all(|one| one.leader() >= 0)
        })
    })
}

fn has_kafka(lib: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(lib) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("kafka_"))
}

fn class_path(lib: &Path) -> OsString {
    let mut class_path = lib.as_os_str().to_owned();
    class_path.push("/*");
    class_path
}

/// Writes the cluster's id into a new data folder, once.
async fn format_storage(class_path: &OsString, properties: &Path) -> Result<()> {
    let output = Command::new("java")
        .args(["-XX:TieredStopAtLevel=1", "-cp"])
        .arg(class_path)
        .args([
            "kafka.tools.StorageTool",
            "format",
            "-t",
            &random_uuid(),
            "-c",
        ])
        .arg(properties)
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot start `java`\nhint: install Java 17 or newer")?;
    ensure!(
        output.status.success(),
        "Kafka cannot format its storage: {}{}",
        String::from_utf8_lossy(&output.stdout).trim(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// Kafka's form of a UUID: its 16 bytes in URL-safe base64. A first character `-` would look like an option.
fn random_uuid() -> String {
    loop {
        let text = BASE64_URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>());
        if !text.starts_with('-') {
            return text;
        }
    }
}

/// The short heartbeat and session make a restart after SIGKILL take 3 to 4 s instead of 12: the dead broker's session has
/// to expire before the new one may register. Records without content, which tell other controllers twice a second that
/// this one lives, are for nobody here.
fn server_properties(dir: &Path, ports: &Ports) -> String {
    let Ports {
        kafka, controller, ..
    } = ports;
    let data = dir.join("data");
    let data = data.display();
    format!(
        "# Written at every start of `shoptrail local`.
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{kafka}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=1500
metadata.max.idle.interval.ms=0
log.dirs={data}
log.retention.ms=-1
message.max.bytes={MAX_MESSAGE_BYTES}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
"
    )
}
