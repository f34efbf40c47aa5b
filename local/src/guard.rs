//! Children that end when their parent ends, even if that is killed.
//!
//! Each leads a process group of its own, so that Ctrl-C reaches the parent alone and the parent can end things in order.
//! Beside each waits a guard, a shell that reads a pipe from the parent: when the pipe closes, because the parent lets go or
//! because it was killed, the guard ends the whole group, first by SIGTERM, then by SIGKILL.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Waits for a word before it becomes the program: a parent that dies before the guard stands starts nothing.
const LEASH: &str = r#"read -r go && exec "$@" < /dev/null"#;

/// The word, to be written to the standard input of what [`leashed`] starts.
pub const GO: &[u8] = b"go\n";

/// `$1` is the process group, `$2` the grace in tenths of a second. `read` returns when the pipe closes.
const GUARD: &str = r#"
read -r never
kill -s TERM -- "-$1" 2> /dev/null || exit 0
tenths=$2
while [ "$tenths" -gt 0 ] && kill -s 0 -- "-$1" 2> /dev/null; do
    sleep 0.1
    tenths=$((tenths - 1))
done
kill -s KILL -- "-$1" 2> /dev/null
exit 0
"#;

/// The command that starts `command` as the leader of a group, once [`GO`] is written to its standard input. The caller
/// sets where its output goes; the program itself reads nothing.
#[must_use]
pub fn leashed(name: &str, command: &Command) -> Command {
    let mut leashed = Command::new("sh");
    leashed
        .args(["-c", LEASH, name])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::piped())
        .process_group(0);
    if let Some(folder) = command.get_current_dir() {
        leashed.current_dir(folder);
    }
    for (variable, value) in command.get_envs() {
        match value {
            Some(value) => leashed.env(variable, value),
            None => leashed.env_remove(variable),
        };
    }
    leashed
}

/// The command of the guard over the group that `pid` leads; `grace` lies between SIGTERM and SIGKILL. It does its work when
/// its standard input is closed, and ends when the group is gone.
#[must_use]
pub fn guard(pid: u32, grace: Duration) -> Command {
    let tenths = grace.as_millis() / 100;
    let mut guard = Command::new("sh");
    guard
        .args(["-c", GUARD, "guard", &pid.to_string(), &tenths.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    guard
}
