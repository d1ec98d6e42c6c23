//! The C library libcgroup, by a small program of its own (libcgroup.c) that is compiled here and measures itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::contender::{Contender, Job, Scene};

pub(crate) struct Original {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Original {
    /// Compiles and starts the program; `None` without a compiler or the library.
    pub(crate) fn new(scene: &Scene) -> Option<Self> {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/cgroup/libcgroup.c");
        let program = concat!(env!("CARGO_TARGET_TMPDIR"), "/standin-bench-libcgroup");
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-o", program, source, "-lcgroup"]).stderr(Stdio::null());
        if !compiler.status().ok()?.success() {
            return None;
        }
        let kit = &scene.kit;
        let [one, other] = kit.values;
        let mut child = Command::new(program)
            .args([scene.base(), &scene.home, kit.controller.v1_name()])
            .args([one.0, one.1, other.0, other.1, kit.statistic, &scene.mover()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let to = child.stdin.take()?;
        let from = BufReader::new(child.stdout.take()?);
        Some(Self { child, to, from })
    }

    fn ask(&mut self, job: Job, times: u32) -> Result<f64, String> {
        writeln!(self.to, "{} {times}", job.word()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        self.from.read_line(&mut answer).map_err(|error| error.to_string())?;
        answer.trim().parse().map_err(|_| answer)
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Contender for Original {
    fn name(&self) -> &'static str {
        "libcgroup (C)"
    }

    fn can(&self, scene: &Scene, job: Job) -> bool {
        job != Job::LifeInFour || scene.is_v1()
    }

    fn run(&mut self, scene: &Scene, job: Job) {
        self.time(scene, job, 1).unwrap();
    }

    fn time(&mut self, _scene: &Scene, job: Job, times: u32) -> Result<f64, String> {
        self.ask(job, times)
    }

    fn show(&mut self, scene: &Scene, job: Job, times: u32) {
        let _ = self.time(scene, job, times);
    }
}
