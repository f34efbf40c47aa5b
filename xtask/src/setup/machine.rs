//! The programs that the build needs: checked by name and version, installed from Debian's packages where the user may,
//! and otherwise named in one sentence each.

use std::process::Command;

use anyhow::{Result, bail};

use super::versions::{self, Version};
use crate::process::{answer, find};
use crate::workspace::Workspace;

/// A program that must be on the machine.
struct Need {
    program: &'static str,
    /// Where a version is demanded: its name in `.tool-versions`, and what counts.
    version: Option<(&'static str, Counts)>,
    debian_packages: &'static [&'static str],
    /// What it is for.
    purpose: &'static str,
    /// Where else it is to be had.
    source: &'static str,
}

/// How much of a version counts.
#[derive(Clone, Copy)]
enum Counts {
    Major,
    MajorAndMinor,
}

const NEEDS: &[Need] = &[
    Need {
        program: "cc",
        version: None,
        debian_packages: &["build-essential"],
        purpose: "a C compiler builds the Kafka client",
        source: "install your system's C toolchain (Xcode's command line tools, gcc or clang)",
    },
    Need {
        program: "make",
        version: None,
        debian_packages: &["build-essential"],
        purpose: "make builds the Kafka client",
        source: "install your system's C toolchain",
    },
    Need {
        program: "node",
        version: Some(("nodejs", Counts::Major)),
        debian_packages: &["nodejs", "npm"],
        purpose: "Node.js runs the Worker locally",
        source: "install it from https://nodejs.org",
    },
    Need {
        program: "npm",
        version: None,
        debian_packages: &["npm"],
        purpose: "npm installs the JavaScript tools",
        source: "it comes with Node.js from https://nodejs.org",
    },
    Need {
        program: "java",
        version: Some(("java", Counts::Major)),
        debian_packages: &["default-jre-headless"],
        purpose: "Java runs the local broker",
        source: "install a JDK, for example Eclipse Temurin",
    },
    Need {
        program: "mvn",
        version: Some(("maven", Counts::MajorAndMinor)),
        debian_packages: &["maven"],
        purpose: "Maven fetches the local broker",
        source: "install Apache Maven",
    },
];

/// Checks every program, and installs what is missing where that is possible without asking.
///
/// # Errors
/// Returns an error if a program is still missing or too old, with a sentence for each.
pub fn check(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !need.is_met()).collect();
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.debian_packages)
        .copied()
        .collect();
    if !packages.is_empty() {
        // What apt says is in its log; what counts is whether the programs are there afterwards.
        let _ = install_debian(workspace, &packages);
    }
    let mut sentences: Vec<String> = missing
        .iter()
        .filter(|need| !need.is_met())
        .map(|need| need.complaint())
        .collect();
    if !has_openssl() {
        let _ = install_debian(workspace, &["libssl-dev", "pkg-config"]);
        if !has_openssl() {
            sentences.push(OPENSSL.to_owned());
        }
    }
    if !sentences.is_empty() {
        bail!("this machine lacks:\n  {}", sentences.join("\n  "));
    }
    Ok(())
}

const OPENSSL: &str = "OpenSSL's headers: the Kafka client is built with them for TLS, install libssl-dev and pkg-config (Debian) or openssl-devel and pkgconf (Fedora)";

/// Elsewhere than on Linux the client's build finds OpenSSL by itself, or says what it wants.
fn has_openssl() -> bool {
    let found = || {
        Command::new("pkg-config")
            .args(["--exists", "openssl"])
            .status()
    };
    !cfg!(target_os = "linux") || found().is_ok_and(|status| status.success())
}

impl Need {
    fn is_met(&self) -> bool {
        find(self.program).is_some()
            && self
                .minimum()
                .is_none_or(|minimum| self.found().is_some_and(|found| found >= minimum))
    }

    /// The oldest version that will do.
    fn minimum(&self) -> Option<Version> {
        let (tool, counts) = self.version?;
        let version = versions::of(tool)?;
        Some(match counts {
            Counts::Major => Version {
                minor: 0,
                ..version
            },
            Counts::MajorAndMinor => version,
        })
    }

    fn found(&self) -> Option<Version> {
        // Java alone knows no `--version` before Java 9, and answers to this in every version.
        let flag = match self.program {
            "java" => "-version",
            _ => "--version",
        };
        versions::read(&answer(Command::new(self.program).arg(flag))?)
    }

    fn complaint(&self) -> String {
        let Self {
            program,
            purpose,
            source,
            ..
        } = self;
        match (self.minimum(), self.found()) {
            (Some(Version { major, minor }), Some(found)) => format!(
                "`{program}` {major}.{minor} or newer, this one is {}.{}: {purpose}; {source}",
                found.major, found.minor
            ),
            (Some(Version { major, minor }), None) => {
                format!("`{program}` {major}.{minor} or newer: {purpose}; {source}")
            }
            (None, _) => format!("`{program}`: {purpose}; {source}"),
        }
    }
}

/// Installs Debian packages where the user may do so without being asked for a password.
///
/// # Errors
/// Returns an error if this is no Debian, the user may not, or apt fails.
pub fn install_debian(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("this machine has no apt-get");
    }
    // The lists of a fresh machine are empty.
    workspace.run("apt-get update", apt()?.args(["update", "-q"]))?;
    workspace.run(
        "apt-get install",
        apt()?
            .args(["install", "-q", "-y", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt() -> Result<Command> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("env")
    } else if answer(Command::new("sudo").args(["-n", "true"])).is_some() {
        let mut command = Command::new("sudo");
        command.args(["-n", "env"]);
        command
    } else {
        bail!("only root may install packages");
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_program_is_named_with_the_version_found() {
        let need = Need {
            program: "cargo",
            // Cargo's versions begin with 1.
            version: Some(("nodejs", Counts::Major)),
            debian_packages: &[],
            purpose: "cargo builds",
            source: "install it",
        };
        assert!(!need.is_met());
        let complaint = need.complaint();
        assert!(
            complaint.starts_with("`cargo` 20.0 or newer, this one is 1."),
            "{complaint}"
        );
        assert!(
            complaint.ends_with(": cargo builds; install it"),
            "{complaint}"
        );
    }
}
