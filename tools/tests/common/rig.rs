//! The program as its users run it: processes that end with their test, and simulated venues.
#![allow(dead_code)] // no test uses all of it

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use parallax::pairs::{self, PairFile};
use serde_json::Value;

/// The shipped program, not yet started.
pub fn parallax(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs it to its end: exit code, standard output and error.
pub fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

/// The JSON of a command that ends with a line of it.
pub fn last_json(out: &str) -> Value {
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap()
}

pub fn json_file(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Asks until the answer is there; `said` tells what is known where it never is.
pub fn until<T>(
    what: &str,
    patience: Duration,
    said: &dyn Fn() -> String,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < patience, "{what}: {}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that does not outlive its test. Its output goes to a file: a pipe that nobody reads
/// would stop it.
pub struct Process {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// Starts a command. `log` names its files: `log.out` and `log.err`.
    pub fn start(command: &mut Command, log: &Path) -> Process {
        let (out, err) = (log.with_extension("out"), log.with_extension("err"));
        command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
        Process { child: command.spawn().unwrap(), out, err }
    }

    /// What it said on standard error so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Asks it to end, as ctrl-c does.
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end: exit code, standard output and error.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let status = self.child.wait().unwrap();
        (status.code(), fs::read_to_string(&self.out).unwrap(), self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Both simulated venues in a process of their own, and the folder of a client of theirs.
pub struct Sim {
    child: Child,
    folder: tempfile::TempDir,
    /// What they said when they were ready.
    pub ready: Value,
}

impl Sim {
    /// Starts them with these options, and waits until they are ready.
    pub fn start(options: &[&str]) -> Sim {
        let folder = tempfile::tempdir().unwrap();
        let mut child = parallax(&["sim", "both", "--until-stdin-closes", "--for", "300"])
            .args(options)
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        assert_eq!(ready["ready"], true);
        Sim { child, folder, ready }
    }

    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub fn pairs(&self, name: &str) -> PairFile {
        pairs::load(&[self.path(name)]).unwrap()
    }

    /// A command in their folder that may send orders.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = parallax(args);
        command.current_dir(self.dir()).env("DRY_RUN", "0");
        command
    }

    /// The same with their configuration.
    pub fn configured(&self, args: &[&str]) -> Command {
        let (name, rest) = args.split_first().unwrap();
        let mut command = self.command(&[name, "--config", "parallax.toml"]);
        command.args(["--env-file", "sim.env"]).args(rest);
        command
    }

    /// What a command of theirs says that must go well.
    pub fn good(&self, args: &[&str]) -> String {
        let (code, out, err) = output(&mut self.configured(args));
        assert_eq!(code, Some(0), "{args:?}: {out}{err}");
        out
    }

    /// Nobody answers any more.
    pub fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
