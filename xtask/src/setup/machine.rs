//! The programs the build stands on: checked by name and version, installed from Debian's packages where the user may,
//! and otherwise named in one sentence each.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{answer, find};
use crate::workspace::Workspace;

/// A program that must be on the machine.
struct Need {
    program: &'static str,
    /// Prints the version, where one is demanded.
    version_flag: &'static str,
    /// Lowest major version; 0: any.
    minimum: u32,
    debian_packages: &'static [&'static str],
    /// What it is for and where else it is to be had.
    sentence: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        program: "cc",
        version_flag: "--version",
        minimum: 0,
        debian_packages: &["build-essential"],
        sentence: "a C compiler builds the Kafka client: install your system's C toolchain (Xcode's command line tools, gcc or clang)",
    },
    Need {
        program: "make",
        version_flag: "--version",
        minimum: 0,
        debian_packages: &["build-essential"],
        sentence: "make builds the Kafka client: install your system's C toolchain",
    },
    Need {
        program: "node",
        version_flag: "--version",
        minimum: 20,
        debian_packages: &["nodejs", "npm"],
        sentence: "Node.js 20 or newer runs the Worker locally: install it from https://nodejs.org",
    },
    Need {
        program: "npm",
        version_flag: "--version",
        minimum: 0,
        debian_packages: &["npm"],
        sentence: "npm installs the JavaScript tools: it comes with Node.js from https://nodejs.org",
    },
    Need {
        program: "java",
        version_flag: "-version",
        minimum: 17,
        debian_packages: &["default-jre-headless"],
        sentence: "Java 17 or newer runs the local broker: install a JDK, for example Eclipse Temurin",
    },
    Need {
        program: "mvn",
        version_flag: "--version",
        minimum: 0,
        debian_packages: &["maven"],
        sentence: "Maven fetches the local broker: install Apache Maven 3.8 or newer",
    },
];

/// Checks every program, and installs what is missing where that is possible without asking.
///
/// # Errors
/// One sentence for each program that is still missing or too old.
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
            && (self.minimum == 0 || self.version().is_some_and(|found| found >= self.minimum))
    }

    fn version(&self) -> Option<u32> {
        major_version(&answer(Command::new(self.program).arg(self.version_flag))?)
    }

    fn complaint(&self) -> String {
        match self.version() {
            Some(found) if found < self.minimum => {
                format!(
                    "`{}` (found version {found}): {}",
                    self.program, self.sentence
                )
            }
            _ => format!("`{}`: {}", self.program, self.sentence),
        }
    }
}

/// The first number in a program's answer: `v20.20.2` is 20, `openjdk version "17.0.15"` is 17.
fn major_version(answer: &str) -> Option<u32> {
    let start = answer.find(|c: char| c.is_ascii_digit())?;
    answer[start..]
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Installs Debian packages where the user may do so without being asked for a password.
///
/// # Errors
/// When this is no Debian, the user may not, or apt fails.
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
    fn major_version_is_read_from_the_programs_own_words() {
        assert_eq!(major_version("v20.20.2\n"), Some(20));
        assert_eq!(
            major_version("openjdk version \"17.0.15\" 2025-04-15"),
            Some(17)
        );
        assert_eq!(major_version("none"), None);
    }

    #[test]
    fn old_program_is_named_with_the_version_found() {
        let need = Need {
            program: "cargo",
            version_flag: "--version",
            minimum: 900,
            debian_packages: &[],
            sentence: "newer",
        };
        assert!(!need.is_met());
        assert_eq!(need.complaint(), "`cargo` (found version 1): newer");
    }
}
