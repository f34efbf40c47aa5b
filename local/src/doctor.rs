//! `shoptrail doctor`: looks at what the local stack needs, and says what is missing or wrong and how to put it right.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::addresses::Addresses;
use crate::{machine, web};

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorFinding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen; what can be done follows on a line of its own.
    pub seen: String,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it must be.
    Good,
    /// Worth knowing.
    Unusual,
    /// The stack does not run so.
    Wrong,
}

impl Health {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Unusual => "note",
            Self::Wrong => "wrong",
        }
    }
}

impl DoctorFinding {
    /// A finding by whether something could be done.
    pub fn of<T>(what: &'static str, tried: anyhow::Result<T>, seen: impl Fn(T) -> String) -> Self {
        match tried {
            Ok(found) => Self {
                what,
                health: Health::Good,
                seen: seen(found),
            },
            Err(error) => Self {
                what,
                health: Health::Wrong,
                seen: format!("{error:#}"),
            },
        }
    }
}

/// Looks at everything that a start of the stack needs.
pub fn look(project: Option<&Path>, data: &Path, ports: &[u16]) -> Vec<DoctorFinding> {
    let mut findings = vec![
        program("Node.js", "node", &["--version"]),
        program("Java", "java", &["-version"]),
        DoctorFinding::of("open files", machine::check(), |()| "enough".to_owned()),
    ];
    let root = web::workspace(project);
    if let Ok(root) = &root {
        findings.extend(parts(root));
    }
    let project = DoctorFinding::of("project", root, |root| root.display().to_string());
    findings.insert(0, project);
    findings.push(data_folder(data));
    findings.push(running(data));
    findings.extend(ports.iter().map(|port| free_port(*port)));
    findings
}

/// Writes the findings, a line each and hints below.
///
/// # Errors
/// Returns an error if `out` does not take them.
pub fn write(findings: &[DoctorFinding], out: &mut impl Write) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.what.chars().count());
    let width = width.max().unwrap_or(0);
    for finding in findings {
        let mut lines = finding.seen.lines();
        let first = lines.next().unwrap_or_default();
        let word = finding.health.word();
        writeln!(out, "{word:<5}  {:<width$}  {first}", finding.what)?;
        for line in lines {
            writeln!(out, "       {:<width$}  {line}", "")?;
        }
    }
    Ok(())
}

fn program(what: &'static str, name: &str, arguments: &[&str]) -> DoctorFinding {
    let output = Command::new(name).args(arguments).output();
    let output = output.with_context(|| {
        format!("`{name}` does not start\nhint: install the version that .tool-versions names")
    });
    DoctorFinding::of(what, output, |output| {
        // Java says its version on stderr.
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        said.lines().next().unwrap_or_default().to_owned()
    })
}

/// What set-up and builds leave behind.
fn parts(root: &Path) -> Vec<DoctorFinding> {
    [
        ("npm packages", "node_modules/miniflare", "setup"),
        ("Kafka", "target/tools/kafka/lib", "setup"),
        ("Worker", "edge-worker/build/index.js", "worker"),
        ("tracker", "target/tracker/t.js", "tracker"),
    ]
    .map(|(what, path, command)| {
        let there = root.join(path).exists();
        DoctorFinding {
            what,
            health: if there { Health::Good } else { Health::Wrong },
            seen: match there {
                true => path.to_owned(),
                false => format!("`{path}` is not there\nhint: run `cargo xtask {command}`"),
            },
        }
    })
    .into()
}

fn data_folder(data: &Path) -> DoctorFinding {
    let what = "data folder";
    if !data.exists() {
        return DoctorFinding {
            what,
            health: Health::Good,
            seen: format!(
                "`{}` is not there yet; the first start makes it",
                data.display()
            ),
        };
    }
    let is_writable = data
        .metadata()
        .is_ok_and(|found| found.is_dir() && !found.permissions().readonly());
    DoctorFinding {
        what,
        health: if is_writable {
            Health::Good
        } else {
            Health::Wrong
        },
        seen: match is_writable {
            true => data.display().to_string(),
            false => format!(
                "`{}` cannot be written to\nhint: name another folder with `--data DIR`",
                data.display()
            ),
        },
    }
}

fn running(data: &Path) -> DoctorFinding {
    let stack = Addresses::read(&data.join("stack.json")).ok();
    DoctorFinding {
        what: "stack",
        health: Health::Good,
        seen: match stack {
            Some(addresses) => format!("runs, with its dashboard at {}", addresses.dashboard),
            None => "does not run on this data folder".to_owned(),
        },
    }
}

fn free_port(port: u16) -> DoctorFinding {
    let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    DoctorFinding {
        what: "port",
        health: if is_free {
            Health::Good
        } else {
            Health::Unusual
        },
        seen: match is_free {
            true => format!("{port} is free"),
            false => format!("{port} is taken; a start takes the next one that is free"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_with_the_way_to_get_it() {
        let project = tempfile::tempdir().expect("a folder for the test");
        for folder in ["web-demo/shop", "edge-worker", "target/tools/kafka/lib"] {
            std::fs::create_dir_all(project.path().join(folder)).expect("a folder");
        }
        let findings = look(Some(project.path()), &project.path().join("data"), &[]);
        let of = |what: &str| findings.iter().find(|finding| finding.what == what);
        assert_eq!(of("project").map(|found| found.health), Some(Health::Good));
        assert_eq!(of("Kafka").map(|found| found.health), Some(Health::Good));
        let worker = of("Worker").expect("it is looked at");
        assert_eq!(worker.health, Health::Wrong);
        assert!(worker.seen.ends_with("hint: run `cargo xtask worker`"));
        let mut out = Vec::new();
        write(&findings, &mut out).expect("it is written");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("wrong  tracker"), "{text}");
    }

    #[test]
    fn port_that_is_taken_is_a_note() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        assert_eq!(free_port(port).health, Health::Unusual);
    }
}
